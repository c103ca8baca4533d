#include "agent/mqtt/session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::agent {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace wire::mqtt;

class SessionTest : public ::testing::Test {
 protected:
  // What the session wrote since the last call, as a server reads it.
  std::vector<Packet> written() {
    const Bytes bytes = session.take_output();
    std::vector<Packet> out;
    decoder.feed(bytes);
    for (auto packet = decoder.next(); packet && *packet; packet = decoder.next()) {
      out.push_back(**packet);
      if (auto* publish = std::get_if<Publish>(&out.back())) {
        payloads.push_back(string_of(publish->payload));
        publish->payload = {};
      }
    }
    return out;
  }
  void say(const Packet& packet) {
    Bytes bytes;
    ASSERT_TRUE(encode(packet, Version::v5, bytes));
    session.receive(bytes, now);
  }
  void connect(bool present = false, std::uint32_t receive_max = 4) {
    decoder = Decoder::for_server(262'144);
    session.start(now);
    Connack connack;
    connack.session_present = present;
    connack.properties.set(PropertyId::receive_maximum, receive_max);
    say(connack);
    const auto packets = written();
    Suback suback;
    suback.packet_id = std::get<Subscribe>(packets.back()).packet_id;
    suback.reasons = {Reason::granted_qos_1};
    say(suback);
    first = packets;
  }
  std::vector<SessionEvent> events() { return session.take_events(); }
  Status publish(std::string payload, std::uint64_t tag = 0) {
    return session.publish({"log", std::move(payload), "", tag}, now);
  }
  void puback(std::uint16_t id, Reason reason = Reason::success) {
    Puback packet;
    packet.packet_id = id;
    packet.reason = reason;
    say(packet);
  }

  MqttSession session{SessionOptions{}};
  Decoder decoder = Decoder::for_server(262'144);
  MonoTime now{1'000'000};
  std::vector<Packet> first;
  std::vector<std::string> payloads;
};

TEST_F(SessionTest, ConnectsKeepsItsSessionAndSubscribesToAll) {
  connect();
  const auto& hello = std::get<Connect>(first.front());
  EXPECT_FALSE(hello.clean_start);
  EXPECT_EQ(hello.properties.number(PropertyId::session_expiry), 604'800u);
  EXPECT_EQ(std::get<Subscribe>(first.back()).subscriptions.front().filter, "#");
  const auto all = events();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_TRUE(std::holds_alternative<Online>(all.front()));
  EXPECT_TRUE(session.online());
}

TEST_F(SessionTest, KeepsToTheReceiveMaximum) {
  connect();
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(publish("x"));
  EXPECT_EQ(session.window(), 0u);
  EXPECT_EQ(publish("x").error().code, Code::overloaded);
  const auto sent = written();
  ASSERT_THAT(sent, SizeIs(4));
  puback(std::get<Publish>(sent[1]).packet_id);
  EXPECT_EQ(session.window(), 1u);
  EXPECT_TRUE(publish("y"));
}

TEST_F(SessionTest, TellsTheTagAndTheReason) {
  connect();
  events();
  ASSERT_TRUE(publish("x", 42));
  const auto id = std::get<Publish>(written().front()).packet_id;
  puback(id, Reason::quota_exceeded);
  puback(id);  // a second one means nothing
  const auto all = events();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(std::get<Acknowledged>(all.front()).tag, 42u);
  EXPECT_EQ(std::get<Acknowledged>(all.front()).reason, Reason::quota_exceeded);
}

TEST_F(SessionTest, SendsAgainWithDupAndTheSameIdsWhenTheSessionIsThere) {
  connect();
  ASSERT_TRUE(publish("one"));
  ASSERT_TRUE(publish("two"));
  const auto sent = written();
  session.lost();
  payloads.clear();
  connect(true);
  ASSERT_THAT(first, SizeIs(4));  // CONNECT, both, SUBSCRIBE
  for (std::size_t i : {0u, 1u}) {
    const auto& again = std::get<Publish>(first[i + 1]);
    EXPECT_TRUE(again.dup);
    EXPECT_EQ(again.packet_id, std::get<Publish>(sent[i]).packet_id);
  }
  EXPECT_THAT(payloads, ::testing::ElementsAre("one", "two"));
}

TEST_F(SessionTest, SendsAsNewWhenTheSessionIsGone) {
  connect();
  ASSERT_TRUE(publish("one", 9));
  session.lost();
  events();
  connect(false);
  const auto& again = std::get<Publish>(first[1]);
  EXPECT_FALSE(again.dup);
  events();
  puback(again.packet_id);
  EXPECT_EQ(std::get<Acknowledged>(events().front()).tag, 9u);
}

TEST_F(SessionTest, HandsOverWhatComesAndAcknowledgesWhenTold) {
  connect();
  events();
  Publish publish;
  publish.topic = "command/ping/1";
  publish.payload = view_of("{}");
  publish.qos = 1;
  publish.packet_id = 77;
  say(publish);
  const auto all = events();
  ASSERT_THAT(all, SizeIs(1));
  const auto& incoming = std::get<Incoming>(all.front());
  EXPECT_EQ(incoming.packet_id, 77);
  EXPECT_THAT(written(), IsEmpty()) << "not before its effect is durable";
  session.acknowledge(77, Reason::success, now);
  EXPECT_EQ(std::get<Puback>(written().front()).packet_id, 77);
}

TEST_F(SessionTest, PingsBeforeTheServerLosesPatienceAndGivesUpWithoutAnswer) {
  connect();
  events();
  EXPECT_EQ(session.deadline(), now + seconds(45));
  now = session.deadline();
  session.tick(now);
  ASSERT_THAT(written(), SizeIs(1));
  say(Pingresp{});
  EXPECT_EQ(session.deadline(), now + seconds(45));
  now = session.deadline();
  session.tick(now);
  now = now + MqttSession::kPingLimit;
  session.tick(now);
  const auto all = events();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(std::get<Ended>(all.front()).reason, Reason::keep_alive_timeout);
}

TEST_F(SessionTest, FollowsTheServersKeepAlive) {
  session.start(now);
  Connack connack;
  connack.properties.set(PropertyId::server_keep_alive, std::uint32_t{8});
  say(connack);
  Suback suback;
  suback.packet_id = std::get<Subscribe>(written().back()).packet_id;
  suback.reasons = {Reason::granted_qos_1};
  say(suback);
  EXPECT_EQ(session.deadline(), now + seconds(6));
}

TEST_F(SessionTest, SaysWhyItWasRefused) {
  session.start(now);
  Connack connack;
  connack.reason = Reason::not_authorized;
  connack.properties.set(PropertyId::reason_string, std::string("quarantined"));
  say(connack);
  const auto ended = std::get<Ended>(events().front());
  EXPECT_TRUE(ended.at_connect);
  EXPECT_TRUE(ended.by_server);
  EXPECT_EQ(ended.message, "quarantined");
  EXPECT_EQ(session.deadline(), kNever);
}

TEST_F(SessionTest, EndsOnWhatTheServerMayNotSay) {
  const auto reason_after = [this](const Packet& packet, bool online) {
    session.lost();
    events();
    online ? connect() : session.start(now);
    events();
    say(packet);
    const auto all = events();
    EXPECT_THAT(all, SizeIs(1));
    return all.empty() ? Reason::success : std::get<Ended>(all.front()).reason;
  };
  EXPECT_EQ(reason_after(Pingresp{}, false), Reason::protocol_error);
  EXPECT_EQ(reason_after(Connack{}, true), Reason::protocol_error);
  Publish exact;
  exact.topic = "x";
  exact.qos = 2;
  exact.packet_id = 1;
  EXPECT_EQ(reason_after(exact, true), Reason::protocol_error);
  Disconnect bye;
  bye.reason = Reason::server_shutting_down;
  EXPECT_EQ(reason_after(bye, true), Reason::server_shutting_down);
}

TEST_F(SessionTest, EndsOnBytesThatAreNoPackets) {
  connect();
  events();
  const Bytes junk{0xF1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  session.receive(junk, now);
  ASSERT_THAT(events(), SizeIs(1));
  session.receive(junk, now);
  EXPECT_THAT(events(), IsEmpty()) << "an ended session reads no more";
}

TEST_F(SessionTest, LeavesWithADisconnect) {
  connect();
  session.leave(now);
  EXPECT_TRUE(std::holds_alternative<Disconnect>(written().back()));
  EXPECT_FALSE(session.online());
}

}  // namespace
}  // namespace holdfast::agent
