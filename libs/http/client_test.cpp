#include "libs/http/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/http/harness_test.hpp"
#include "libs/http/server.hpp"

namespace holdfast::http {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    transport.accept = [this](std::unique_ptr<testing::MemoryStream> stream) {
      peers.push_back(std::move(stream));
    };
    start({});
  }
  void start(ClientOptions options) {
    client = std::make_unique<Client>(loop, transport, os::Endpoint{"localhost", 8443},
                                      crypto::ClientSettings{}, options);
  }
  // Sends and lets the answer, or its error, be put into the returned place.
  std::shared_ptr<std::optional<Result<ClientResponse>>> send(ClientRequest request) {
    auto out = std::make_shared<std::optional<Result<ClientResponse>>>();
    tag = client->send(std::move(request),
                       [out](Result<ClientResponse> result) { *out = std::move(result); });
    EXPECT_FALSE(*out) << "called back from inside send()";
    loop.settle();
    return out;
  }
  ClientRequest get(std::string target) {
    ClientRequest request;
    request.target = std::move(target);
    return request;
  }
  ClientRequest post(std::string body) {
    ClientRequest request = get("/post");
    request.method = "POST";
    request.body = bytes_of(body);
    return request;
  }
  // What the server's end `i` has received.
  std::string received(std::size_t i) {
    std::string out;
    Bytes piece(100'000);
    for (auto got = peers[i]->read(piece); got && *got > 0; got = peers[i]->read(piece)) {
      out += text_of(View(piece).first(*got));
    }
    loop.settle();
    return out;
  }
  void reply(std::size_t i, std::string_view text) {
    EXPECT_TRUE(peers[i]->write(view_of(text)));
    loop.settle();
  }
  static constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

  testing::TestLoop loop;
  testing::TestTransport transport{loop};
  std::vector<std::unique_ptr<testing::MemoryStream>> peers;
  std::unique_ptr<Client> client;
  RequestTag tag = RequestTag::none;
};

TEST_F(ClientTest, AsksAndReads) {
  ClientRequest request = get("/v1/a?b=c");
  request.headers.set("authorization", "Bearer x");
  const auto answer = send(std::move(request));
  EXPECT_EQ(received(0),
            "GET /v1/a?b=c HTTP/1.1\r\nAuthorization: Bearer x\r\nHost: localhost:8443\r\n\r\n");
  EXPECT_EQ(transport.last_settings.alpn, std::vector<std::string>{"http/1.1"});
  reply(0, "HTTP/1.1 404 Not Found\r\nETag: \"1\"\r\nContent-Length: 3\r\n\r\nabc");
  ASSERT_TRUE(*answer && **answer);
  EXPECT_EQ((**answer)->status, 404);
  EXPECT_EQ((**answer)->text(), "abc");
  EXPECT_EQ((**answer)->headers.get("etag"), "\"1\"");
}

TEST_F(ClientTest, UsesAConnectionAgain) {
  for (int i = 0; i < 3; ++i) {
    const auto answer = send(post("body"));
    EXPECT_THAT(received(0), EndsWith("Content-Length: 4\r\n\r\nbody"));
    reply(0, kOk);
    ASSERT_TRUE(*answer && **answer);
  }
  EXPECT_EQ(transport.connects, 1U);
  loop.advance(seconds(13));
  EXPECT_FALSE(peers[0]->write(view_of("x"))) << "idle connections are closed";
  EXPECT_EQ(loop.timers(), 0U);
}

TEST_F(ClientTest, RunsSideBySideUpToTheLimit) {
  start({.connections_max = 2});
  std::vector<std::shared_ptr<std::optional<Result<ClientResponse>>>> answers;
  for (int i = 0; i < 3; ++i) answers.push_back(send(get("/" + std::to_string(i))));
  EXPECT_EQ(transport.connects, 2U);
  EXPECT_THAT(received(0), StartsWith("GET /0 "));
  EXPECT_THAT(received(1), StartsWith("GET /1 "));
  reply(1, kOk);
  EXPECT_TRUE(*answers[1]);
  EXPECT_THAT(received(1), StartsWith("GET /2 "));
  reply(1, kOk);
  reply(0, kOk);
  EXPECT_TRUE(*answers[0] && *answers[2]);
}

TEST_F(ClientTest, WaitingIsBounded) {
  start({.connections_max = 1, .waiting_max = 1});
  const auto first = send(get("/1"));
  const auto second = send(get("/2"));
  const auto third = send(get("/3"));
  ASSERT_TRUE(*third);
  EXPECT_EQ((*third)->error().code, Code::overloaded);
  EXPECT_FALSE(*second);
}

TEST_F(ClientTest, AFailureToConnectIsOneRequests) {
  transport.refuse = Error{Code::unavailable, "refused", {}, {}, {}};
  const auto first = send(get("/1"));
  ASSERT_TRUE(*first);
  EXPECT_EQ((*first)->error().code, Code::unavailable);
  EXPECT_EQ((*first)->error().text(), "refused");
  transport.refuse.reset();
  const auto second = send(get("/2"));
  reply(0, kOk);
  EXPECT_TRUE(*second && **second);
}

TEST_F(ClientTest, DeadlinesHoldWhereverTheRequestIs) {
  start({.connections_max = 1});
  ClientRequest running = get("/1");
  running.deadline = loop.clock().mono() + seconds(5);
  ClientRequest waiting = get("/2");
  waiting.deadline = loop.clock().mono() + seconds(3);
  const auto first = send(std::move(running));
  const auto second = send(std::move(waiting));
  loop.advance(seconds(4));
  ASSERT_TRUE(*second);
  EXPECT_EQ((*second)->error().code, Code::deadline_exceeded);
  EXPECT_FALSE(*first);
  loop.advance(seconds(1));
  ASSERT_TRUE(*first);
  EXPECT_EQ((*first)->error().code, Code::deadline_exceeded);
  EXPECT_FALSE(peers[0]->write(view_of("x"))) << "its connection is closed";
}

TEST_F(ClientTest, CancelCallsBackOnce) {
  const auto answer = send(get("/1"));
  client->cancel(tag);
  client->cancel(tag);
  loop.settle();
  ASSERT_TRUE(*answer);
  EXPECT_EQ((*answer)->error().code, Code::cancelled);
}

TEST_F(ClientTest, AStaleConnectionIsReplacedForWhatMayBeRepeated) {
  const auto first = send(get("/1"));
  reply(0, kOk);
  ASSERT_TRUE(*first);
  // The server closes just as the next request arrives.
  const auto answer = [&] {
    auto out = std::make_shared<std::optional<Result<ClientResponse>>>();
    client->send(get("/2"), [out](Result<ClientResponse> result) { *out = std::move(result); });
    peers[0].reset();
    loop.settle();
    return out;
  }();
  ASSERT_EQ(peers.size(), 2U);
  EXPECT_THAT(received(1), StartsWith("GET /2 "));
  reply(1, kOk);
  ASSERT_TRUE(*answer && **answer);

  auto out = std::make_shared<std::optional<Result<ClientResponse>>>();
  client->send(post("x"), [out](Result<ClientResponse> result) { *out = std::move(result); });
  peers[1].reset();
  loop.settle();
  ASSERT_TRUE(*out);
  EXPECT_EQ((*out)->error().code, Code::closed) << "a POST may have been done";
}

TEST_F(ClientTest, AnAnswerCutShortIsAnError) {
  const auto answer = send(get("/1"));
  reply(0, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
  peers[0].reset();
  loop.settle();
  ASSERT_TRUE(*answer);
  EXPECT_EQ((*answer)->error().code, Code::closed);
}

TEST_F(ClientTest, ACloseMayDelimitTheBody) {
  const auto answer = send(get("/1"));
  reply(0, "HTTP/1.1 200 OK\r\n\r\nall");
  EXPECT_FALSE(*answer);
  peers[0].reset();
  loop.settle();
  ASSERT_TRUE(*answer && **answer);
  EXPECT_EQ((**answer)->text(), "all");
}

TEST_F(ClientTest, BytesThatNobodyAskedForCloseTheConnection) {
  const auto first = send(get("/1"));
  reply(0, std::string(kOk) + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
  ASSERT_TRUE(*first && **first);
  const auto second = send(get("/2"));
  ASSERT_EQ(peers.size(), 2U);
  EXPECT_FALSE(*second) << "must not be answered by what came before it";
}

TEST_F(ClientTest, BodiesAreBounded) {
  ClientRequest request = get("/1");
  request.body_max = 10;
  const auto answer = send(std::move(request));
  reply(0, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world");
  ASSERT_TRUE(*answer);
  EXPECT_EQ((*answer)->error().code, Code::payload_too_large);
}

TEST_F(ClientTest, StreamsAreGivenPieceByPiece) {
  std::string streamed;
  int status = 0;
  ClientRequest request = get("/stream");
  request.silence_limit = seconds(45);
  request.on_head = [&](const ResponseHead& head) -> Status {
    status = head.status;
    return {};
  };
  request.on_body = [&](View piece) -> Status {
    streamed += text_of(piece);
    if (streamed.ends_with("stop")) return fail(Code::cancelled, "enough");
    return {};
  };
  const auto answer = send(request);
  reply(0, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(status, 200);
  reply(0, "2\r\nab\r\n");
  EXPECT_EQ(streamed, "ab");
  loop.advance(seconds(44));
  reply(0, "2\r\ncd\r\n");
  loop.advance(seconds(44));
  EXPECT_FALSE(*answer);
  reply(0, "4\r\nstop\r\n");
  ASSERT_TRUE(*answer);
  EXPECT_EQ((*answer)->error().code, Code::cancelled);

  const auto silent = send(request);
  loop.advance(seconds(46));
  ASSERT_TRUE(*silent);
  EXPECT_EQ((*silent)->error().code, Code::deadline_exceeded);

  streamed.clear();
  const auto refused = send(request);
  reply(2, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  ASSERT_TRUE(*refused && **refused);
  EXPECT_EQ((**refused)->text(), "no");
  EXPECT_EQ(streamed, "") << "a problem is no part of the stream";
}

TEST_F(ClientTest, LargeBodiesWaitForTheServer) {
  const auto answer = send(post(std::string(1'000'000, 'x')));
  peers[0]->set_room(10'000);
  std::string all;
  while (true) {
    const std::string more = received(0);
    if (more.empty()) break;
    all += more;
  }
  EXPECT_EQ(all.size() - all.find("\r\n\r\n") - 4, 1'000'000U);
  reply(0, kOk);
  EXPECT_TRUE(*answer && **answer);
}

TEST_F(ClientTest, AnEarlyRefusalOfALargeBodyIsRead) {
  transport.accept = [this](std::unique_ptr<testing::MemoryStream> stream) {
    stream->set_room(0);
    peers.push_back(std::move(stream));
  };
  const auto answer = send(post(std::string(1'000'000, 'x')));
  reply(0, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
  ASSERT_TRUE(*answer && **answer);
  EXPECT_EQ((**answer)->status, 413);
  EXPECT_FALSE(peers[0]->write(view_of("x"))) << "half a request is on it: not used again";
}

TEST_F(ClientTest, ReplacedSettingsReachNewConnectionsOnly) {
  const auto first = send(get("/1"));
  crypto::ClientSettings settings;
  settings.server_name = "renewed";
  client->replace(settings);
  reply(0, kOk);
  ASSERT_TRUE(*first && **first);
  EXPECT_FALSE(peers[0]->write(view_of("x"))) << "the old one is not kept";
  const auto second = send(get("/2"));
  EXPECT_EQ(transport.last_settings.server_name, "renewed");
  ASSERT_EQ(peers.size(), 2U);
}

TEST_F(ClientTest, TheClientMayGoFromACallBack) {
  client->send(get("/1"), [this](Result<ClientResponse>) { client.reset(); });
  client->send(get("/2"), [](Result<ClientResponse>) { FAIL() << "dropped without a call"; });
  loop.settle();
  reply(0, kOk);
  EXPECT_EQ(client, nullptr);
  EXPECT_EQ(loop.timers(), 0U);
}

TEST_F(ClientTest, SpeaksWithOurServer) {
  testing::TestEntropy entropy;
  Metrics metrics;
  Server server(
      loop, entropy, metrics, {}, [](const Request&) { return std::size_t{1'000'000}; },
      [](Request request, Responder responder) {
        if (request.path == "/events") {
          auto events = responder.events();
          EXPECT_TRUE(events->send({"1", "a", "b"}));
          return events->close();
        }
        responder.send(content(200, "text/plain", string_of(request.body)));
      });
  transport.accept = [&](std::unique_ptr<testing::MemoryStream> stream) {
    server.accept(std::move(stream));
  };
  const std::string body(300'000, 'y');
  const auto echoed = send(post(body));
  ASSERT_TRUE(*echoed && **echoed);
  EXPECT_EQ((**echoed)->text(), body);
  const auto events = send(get("/events"));
  ASSERT_TRUE(*events && **events);
  EXPECT_EQ((**events)->text(), "id: 1\nevent: a\ndata: b\n\n");
  EXPECT_EQ(transport.connects, 1U);
  client.reset();
  loop.settle();
}

}  // namespace
}  // namespace holdfast::http
