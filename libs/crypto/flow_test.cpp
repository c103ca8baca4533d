// How transports behave under load and misbehaviour: bounds, deadlines, back-pressure, endings.
#include <gtest/gtest.h>

#include "libs/crypto/testing/transport_lab.hpp"

namespace holdfast::crypto {
namespace {

using testing::Ear;
using testing::Lab;
using testing::must;
using testing::Wire;

class FlowTest : public testing::TransportFixture {
 protected:
  // The first bytes of a handshake, whichever transport, and then nothing more.
  static Bytes half_a_hello() {
    return std::get<0>(GetParam()) == Wire::tls ? *from_hex("16030100f0") : *from_hex("00000020");
  }
  // Whether the server has closed this socket.
  static bool is_over(os::Stream& stream) {
    std::array<std::uint8_t, 512> part;
    for (;;) {
      const auto count = stream.read(part);
      if (!count) return count.error().code != Code::would_block;
      if (*count == 0) return true;
    }
  }
};
HOLDFAST_ALL_TRANSPORTS(FlowTest);

// ---- handshakes

TEST_P(FlowTest, SilentSocketsDelayNobody) {
  auto settings = lab().server_settings();
  settings.handshakes_max = 2;
  settings.handshake_limit = milliseconds(1500);
  lab().serve(std::move(settings));
  std::vector<std::unique_ptr<os::Stream>> silent;
  for (int i = 0; i < 300; ++i) silent.push_back(lab().raw_connect());
  const MonoTime before = loop().clock().mono();
  for (int i = 0; i < 5; ++i) lab().connect_fully(lab().device_settings());
  EXPECT_LT((loop().clock().mono() - before).seconds(), 1.0);
  EXPECT_TRUE(until([&] { return is_over(*silent.front()) && is_over(*silent.back()); }));
  EXPECT_EQ(count("timed_out"), 300U);
  EXPECT_EQ(count("full"), 5U);
}

TEST_P(FlowTest, SilentSocketsAreBounded) {
  auto settings = lab().server_settings();
  settings.silent_max = 10;
  lab().serve(std::move(settings));
  std::vector<std::unique_ptr<os::Stream>> silent;
  for (int i = 0; i < 25; ++i) silent.push_back(lab().raw_connect());
  EXPECT_TRUE(until([&] { return count("silent_closed") == 15; }));
  EXPECT_TRUE(until([&] { return is_over(*silent[14]); }));  // the oldest went
  EXPECT_FALSE(is_over(*silent[15]));
  lab().connect_fully(lab().device_settings());
}

TEST_P(FlowTest, HalfHandshakesGiveWay) {
  auto settings = lab().server_settings();
  settings.handshakes_max = 3;
  settings.handshake_limit = seconds(60);
  lab().serve(std::move(settings));
  std::vector<std::unique_ptr<os::Stream>> halves;
  for (int i = 0; i < 3; ++i) {
    halves.push_back(lab().raw_connect());
    ASSERT_TRUE(halves.back()->write(half_a_hello()));
  }
  lab().connect_fully(lab().device_settings());
  EXPECT_GE(count("stalled"), 1U);
  EXPECT_TRUE(until([&] { return is_over(*halves[0]); }));
  ASSERT_FALSE(lab().refusals().empty());
  EXPECT_EQ(lab().refusals()[0].why.code, Code::handshake_timeout);
}

TEST_P(FlowTest, HalfHandshakesTimeOut) {
  auto settings = lab().server_settings();
  settings.handshake_limit = milliseconds(200);
  lab().serve(std::move(settings));
  const auto half = lab().raw_connect();
  ASSERT_TRUE(half->write(half_a_hello()));
  EXPECT_TRUE(until([&] { return is_over(*half); }));
  EXPECT_TRUE(until([&] { return lab().refusals().size() == 1; }));
  EXPECT_EQ(lab().refusals()[0].why.code, Code::handshake_timeout);
}

TEST_P(FlowTest, ManyAtOnceThroughOneSlot) {
  auto settings = lab().server_settings();
  settings.handshakes_max = 1;
  lab().serve(std::move(settings));
  const auto device = lab().device_settings();
  for (int i = 0; i < 40; ++i) lab().start(device);
  EXPECT_TRUE(until([&] { return lab().accepted().size() == 40; }));
  EXPECT_EQ(count("full"), 40U);
  EXPECT_EQ(count("stalled"), 0U);
}

TEST_P(FlowTest, GarbageTouchesOnlyItself) {
  lab().serve(lab().server_settings());
  Ear& good = lab().connect_fully(lab().device_settings());
  for (const std::string_view garbage :
       {std::string_view("GET / HTTP/1.1\r\n\r\n"), std::string_view("\0\0\0\1x", 5),
        std::string_view("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF")}) {
    const auto raw = lab().raw_connect();
    ASSERT_TRUE(raw->write(view_of(garbage)));
    EXPECT_TRUE(until([&] { return is_over(*raw); }));
  }
  EXPECT_EQ(count("refused"), 3U);
  ASSERT_TRUE(good.stream().write(view_of("fine")));
  EXPECT_TRUE(until([&] { return lab().accepted()[0]->heard() == "fine"; }));
}

TEST_P(FlowTest, ClientsHaveDeadlines) {
  // A server that accepts and never speaks.
  std::vector<std::unique_ptr<os::Stream>> held;
  const auto mute = must(world().system().network.listen(
      loop(), {"127.0.0.1", 0},
      [&](std::unique_ptr<os::Stream> stream) { held.push_back(std::move(stream)); }));
  std::optional<Error> failed;
  lab().transport().connect(
      loop(), mute->endpoint(), lab().device_settings(), loop().clock().mono() + milliseconds(200),
      [&](Result<std::unique_ptr<SecureStream>> stream) { failed = stream.error(); });
  EXPECT_FALSE(failed);
  ASSERT_TRUE(until([&] { return failed.has_value(); }));
  EXPECT_EQ(failed->code, Code::deadline_exceeded);
}

TEST_P(FlowTest, NobodyListens) {
  lab().serve(lab().server_settings());
  const os::Endpoint gone = lab().endpoint();
  lab().stop_listening();
  std::optional<Error> failed;
  lab().transport().connect(
      loop(), gone, lab().device_settings(), loop().clock().mono() + seconds(5),
      [&](Result<std::unique_ptr<SecureStream>> stream) { failed = stream.error(); });
  ASSERT_TRUE(until([&] { return failed.has_value(); }));
  EXPECT_NE(failed->code, Code::deadline_exceeded);
}

TEST_P(FlowTest, AListenerMayGoInTheMiddle) {
  lab().serve(lab().server_settings());
  const auto half = lab().raw_connect();
  ASSERT_TRUE(half->write(half_a_hello()));
  Lab::Attempt& attempt = lab().start(lab().device_settings());
  loop().post([&] { lab().stop_listening(); });
  EXPECT_TRUE(until([&] { return attempt.done() && is_over(*half); }));
}

// ---- data

TEST_P(FlowTest, BackPressureReachesTheWriter) {
  auto settings = lab().server_settings();
  settings.write_pending_max = 64 * 1024;
  lab().serve(std::move(settings));
  Ear& client = lab().connect_fully(lab().device_settings());
  SecureStream& server = lab().accepted()[0]->stream();
  const Bytes part(10'000, 'x');
  std::size_t sent = 0;
  while (server.write(part)) {
    sent += part.size();
    ASSERT_LT(sent, 1U << 20);
  }
  EXPECT_EQ(server.write(part).error().code, Code::would_block);
  EXPECT_GE(server.write_pending(), 64U * 1024);
  EXPECT_LT(server.write_pending(), 64U * 1024 + part.size());
  bool drained = false;
  server.wait_drained([&] { drained = true; });
  EXPECT_TRUE(until([&] { return drained; }));
  EXPECT_EQ(server.write_pending(), 0U);
  EXPECT_TRUE(server.write(part));
  EXPECT_TRUE(until([&] { return client.heard().size() == sent + part.size(); }));
}

TEST_P(FlowTest, MegabytesArriveInOrder) {
  lab().serve(lab().server_settings());
  Ear& client = lab().connect_fully(lab().device_settings());
  std::string all;
  for (std::uint32_t i = 0; all.size() < 3'000'000; ++i) all += std::to_string(i) + ",";
  std::size_t sent = 0;
  std::function<void()> more = [&] {
    while (sent < all.size()) {
      const std::string_view part = std::string_view(all).substr(sent, 50'000);
      if (!client.stream().write(view_of(part))) break;
      sent += part.size();
    }
    if (sent < all.size()) client.stream().wait_drained([&] { more(); });
  };
  more();
  EXPECT_TRUE(until([&] { return lab().accepted()[0]->heard().size() == all.size(); }));
  EXPECT_TRUE(lab().accepted()[0]->heard() == all);
}

// ---- endings

TEST_P(FlowTest, ShutSendsWhatWaitsThenEnds) {
  lab().serve(lab().server_settings());
  Ear& client = lab().connect_fully(lab().device_settings());
  SecureStream& server = lab().accepted()[0]->stream();
  const Bytes last(100'000, 'z');
  ASSERT_TRUE(server.write(last));
  server.shut();
  EXPECT_EQ(server.write(view_of("more")).error().code, Code::closed);
  EXPECT_TRUE(until([&] { return client.ended(); }));
  EXPECT_EQ(client.heard().size(), last.size());
  // The other direction still works, as the peer may have something to say.
  ASSERT_TRUE(client.stream().write(view_of("bye")));
  EXPECT_TRUE(until([&] { return lab().accepted()[0]->heard() == "bye"; }));
}

TEST_P(FlowTest, ShutClosesAfterTwoSeconds) {
  lab().serve(lab().server_settings());
  lab().connect_fully(lab().device_settings());
  Ear& server = *lab().accepted()[0];
  const MonoTime before = loop().clock().mono();
  server.stream().shut();
  server.stream().shut();  // twice is once
  EXPECT_TRUE(until([&] { return server.over(); }));
  EXPECT_EQ(server.error(), Code::closed);
  const double took = (loop().clock().mono() - before).seconds();
  EXPECT_GE(took, 1.9);
  EXPECT_LT(took, 4.0);
}

TEST_P(FlowTest, ABrokenConnectionWakesWhoWaits) {
  lab().serve(lab().server_settings());
  Ear& client = lab().connect_fully(lab().device_settings());
  lab().accepted().clear();  // closes at once
  EXPECT_TRUE(until([&] { return client.over(); }));
  // Writing goes on for a while at most, then says so; whoever waits for drained is called.
  bool drained = false;
  std::function<void()> more = [&] {
    const auto written = client.stream().write(Bytes(1000, 'x'));
    if (!written) {
      drained = true;
      return;
    }
    client.stream().wait_drained([&] { more(); });
  };
  more();
  EXPECT_TRUE(until([&] { return drained; }));
}

TEST_P(FlowTest, CallbacksMayDestroyTheStream) {
  lab().serve(lab().server_settings());
  Lab::Attempt& attempt = lab().connect(lab().device_settings());
  ASSERT_TRUE(until([&] { return lab().accepted().size() == 1; }));
  std::unique_ptr<Ear> client = std::move(attempt.connected);
  bool gone = false;
  client->stream().wait_drained([&] {
    client.reset();
    gone = true;
  });
  ASSERT_TRUE(until([&] { return gone; }));
  std::unique_ptr<Ear> server = std::move(lab().accepted()[0]);
  bool server_gone = false;
  server->stream().wait_readable([&] {
    server.reset();
    server_gone = true;
  });
  EXPECT_TRUE(until([&] { return server_gone; }));
}

TEST_P(FlowTest, PostedWorkDiesWithTheStream) {
  lab().serve(lab().server_settings());
  Lab::Attempt& attempt = lab().connect(lab().device_settings());
  ASSERT_TRUE(until([&] { return lab().accepted().size() == 1; }));
  bool called = false;
  ASSERT_TRUE(attempt.connected->stream().write(view_of("never sent")));
  attempt.connected->stream().wait_drained([&] { called = true; });
  attempt.connected->stream().shut();
  attempt.connected.reset();
  ASSERT_TRUE(until([&] { return lab().accepted()[0]->over(); }));
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace holdfast::crypto
