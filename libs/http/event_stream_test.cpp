#include "libs/http/server_fixture_test.hpp"

namespace holdfast::http {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class EventStreamTest : public ServerTest {
 protected:
  void SetUp() override {
    handler = [this](Request, Responder responder) {
      events = responder.events({{"X-A", "b"}});
      events->on_closed([this] { closed = true; });
    };
  }
  Peer open() {
    Peer peer = connect();
    head = exchange(peer, "GET /v1/stream HTTP/1.1\r\nHost: h\r\n\r\n");
    return peer;
  }
  std::shared_ptr<EventStream> events;
  std::string head;
  bool closed = false;
};

TEST_F(EventStreamTest, SendsEventsAndHeartbeats) {
  Peer peer = open();
  EXPECT_THAT(head, HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_THAT(head, HasSubstr("Cache-Control: no-store\r\n"));
  EXPECT_THAT(head, HasSubstr("X-A: b\r\n"));
  ASSERT_TRUE(events->send({"1", "device", "{}"}));
  loop.settle();
  EXPECT_EQ(peer.read(), "1e\r\nid: 1\nevent: device\ndata: {}\n\n\r\n");
  loop.advance(seconds(14));
  EXPECT_EQ(peer.read(), "");
  loop.advance(seconds(1));
  EXPECT_EQ(peer.read(), "8\r\n: beat\n\n\r\n");
  loop.advance(seconds(31));
  EXPECT_EQ(peer.read(), "8\r\n: beat\n\n\r\n8\r\n: beat\n\n\r\n");
  events->close();
  loop.settle();
  EXPECT_EQ(peer.read(), "0\r\n\r\n");
  EXPECT_TRUE(closed);
  EXPECT_EQ(events->send({"2", "", ""}).error().code, Code::closed);
  handler = [](Request, Responder responder) { responder.send(no_content()); };
  EXPECT_THAT(exchange(peer, "GET /b HTTP/1.1\r\nHost: h\r\n\r\n"), StartsWith("HTTP/1.1 204"));
}

TEST_F(EventStreamTest, WhatIsSentBeforeTheCloseArrives) {
  Peer peer = open();
  for (int i = 0; i < 3'000; ++i) ASSERT_TRUE(events->send({std::to_string(i), "", "abcdefgh"}));
  events->close();
  loop.settle();
  const std::string all = peer.read();
  EXPECT_THAT(all, HasSubstr("id: 0\n"));
  EXPECT_THAT(all, HasSubstr("id: 2999\n"));
  EXPECT_THAT(all, EndsWith("0\r\n\r\n"));
}

TEST_F(EventStreamTest, AClientThatGoesIsTold) {
  Peer peer = open();
  peer.stream.reset();
  loop.settle();
  EXPECT_TRUE(closed);
  EXPECT_TRUE(events->closed());
  bool told = false;
  events->on_closed([&] { told = true; });
  loop.settle();
  EXPECT_TRUE(told) << "also when it is asked too late";
}

TEST_F(EventStreamTest, ASlowClientIsCutOff) {
  Peer peer = open();
  peer.stream->set_room(0);
  const std::string data(10'000, 'x');
  Status last;
  int sent = 0;
  while (last && sent < 1'000) {
    last = events->send({"1", "", data});
    loop.settle();
    ++sent;
  }
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, Code::overloaded);
  EXPECT_LT(sent, 50) << "256 KiB may wait";
  EXPECT_TRUE(closed);
  EXPECT_EQ(counted("streams_dropped"), 1U);
  EXPECT_EQ(server->connections(), 0U);
  EXPECT_EQ(events->send({"1", "", ""}).error().code, Code::overloaded) << "and stays so";
}

TEST_F(EventStreamTest, DrainEndsIt) {
  Peer peer = open();
  server->drain();
  loop.settle();
  EXPECT_EQ(peer.read(), "0\r\n\r\n");
  EXPECT_TRUE(peer.ended);
}

TEST_F(EventStreamTest, TheServerMayGoFirst) {
  Peer peer = open();
  server.reset();
  loop.settle();
  EXPECT_TRUE(events->closed());
  EXPECT_FALSE(events->send({"1", "", ""}));
}

TEST_F(EventStreamTest, OldClientsGetItWithoutChunks) {
  Peer peer = connect();
  head = exchange(peer, "GET /v1/stream HTTP/1.0\r\n\r\n");
  EXPECT_THAT(head, Not(HasSubstr("chunked")));
  ASSERT_TRUE(events->send({"1", "", "x"}));
  loop.settle();
  EXPECT_EQ(peer.read(), "id: 1\ndata: x\n\n");
}

}  // namespace
}  // namespace holdfast::http
