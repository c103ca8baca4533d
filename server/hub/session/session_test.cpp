#include "server/hub/session/session.hpp"

#include <gtest/gtest.h>

#include "server/hub/testing/session_rig.hpp"

namespace holdfast::hub {
namespace {
using namespace testing;
using mqtt::PropertyId;
using mqtt::Reason;

TEST(Session, ping) {
  Rig rig;
  rig.go_quiet(connect_5());
  rig.packet(mqtt::Pingreq{});
  EXPECT_EQ(rig.raw(), (Bytes{0xD0, 0}));
}

TEST(Session, any_packet_keeps_it_alive_and_silence_ends_it) {
  Rig rig;
  rig.go_quiet(connect_5({.keep_alive_s = 10}));
  rig.pass(seconds(14));
  rig.packet(mqtt::Pingreq{});
  rig.pass(milliseconds(14'999));
  rig.time();
  EXPECT_EQ(rig.session.phase(), Phase::live);
  rig.pass(milliseconds(1));
  rig.time();
  rig.raw();
  EXPECT_EQ(rig.took<Close>()->code, Code::keep_alive_timeout);
}

TEST(Session, silence_is_told_to_5_0_only) {
  Rig five;
  five.go_quiet(connect_5({.keep_alive_s = 10}));
  five.pass(seconds(15));
  five.time();
  EXPECT_EQ(five.sent_one<mqtt::Disconnect>().reason, Reason::keep_alive_timeout);
  Rig three;
  three.go_quiet(connect_3("c", true, 10));
  three.pass(seconds(15));
  three.time();
  EXPECT_TRUE(three.raw().empty());
  EXPECT_EQ(three.session.phase(), Phase::closed);
}

TEST(Session, what_we_leave_unread_is_not_silence) {
  Rig rig;
  rig.go_quiet(connect_3("c", true, 10));
  for (std::uint16_t id = 1; id <= 64; ++id) rig.publish("telemetry/lab", "{}", 1, id);
  ASSERT_FALSE(rig.session.wants_input());
  rig.pass(seconds(100));
  rig.time();
  EXPECT_EQ(rig.session.phase(), Phase::live);
  EXPECT_EQ(rig.session.deadline(), rig.now.mono + seconds(15));
}

TEST(Session, but_a_client_that_takes_nothing_is_ended) {
  Rig rig;
  rig.go_quiet(connect_5({.keep_alive_s = 10}));
  rig.blocked(true);
  rig.pass(seconds(15));
  rig.time();
  EXPECT_EQ(rig.session.phase(), Phase::closed);
}

TEST(Session, a_certificate_that_ends_ends_it) {
  Rig rig(WallTime{1'767'225'600'000'000} + seconds(30));
  rig.go_quiet(connect_5());
  rig.pass(seconds(29));
  rig.packet(mqtt::Pingreq{});
  rig.time();
  EXPECT_EQ(rig.session.phase(), Phase::live);
  rig.pass(seconds(1));
  rig.time();
  EXPECT_EQ(rig.took<Close>()->code, Code::certificate_expired);
}

TEST(Session, a_second_connect_is_a_protocol_error) {
  Rig rig;
  rig.go_quiet(connect_5());
  rig.packet(connect_5());
  EXPECT_EQ(rig.raw(), (Bytes{0xE0, 1, 0x82}));
  EXPECT_EQ(rig.took<Close>()->code, Code::protocol_error);
}

TEST(Session, malformed_packets_end_it_in_the_short_form) {
  Rig rig;
  rig.go_quiet(connect_5());
  rig.refused({Reason::malformed_packet, false, "reserved bits"}, mqtt::Version::v5);
  EXPECT_EQ(rig.raw(), (Bytes{0xE0, 1, 0x81}));
  const auto close = rig.took<Close>();
  EXPECT_EQ(close->code, Code::packet_malformed);
  EXPECT_EQ(close->detail, "reserved bits");
  Rig old;
  old.go_quiet(connect_3());
  old.refused({Reason::malformed_packet, false, "reserved bits"}, mqtt::Version::v3_1_1);
  EXPECT_TRUE(old.raw().empty());
  EXPECT_EQ(old.session.phase(), Phase::closed);
}

TEST(Session, too_large_a_packet) {
  Rig rig;
  rig.go_quiet(connect_5());
  rig.refused({Reason::packet_too_large, false, "300000 bytes"}, mqtt::Version::v5);
  EXPECT_EQ(rig.sent_one<mqtt::Disconnect>().reason, Reason::packet_too_large);
}

TEST(Session, auth_is_not_taken) {
  Rig rig;
  rig.go_quiet(connect_5());
  mqtt::Auth auth;
  auth.reason = Reason::reauthenticate;
  rig.packet(auth);
  EXPECT_EQ(rig.raw(), (Bytes{0xE0, 1, 0x82}));
}

TEST(Session, the_rest_of_qos_2_belongs_to_nothing) {
  Rig rig;
  rig.go_quiet(connect_5());
  mqtt::Pubrel pubrel;
  pubrel.packet_id = 9;
  rig.packet(pubrel);
  EXPECT_EQ(rig.sent_one<mqtt::Pubcomp>().packet_id, 9);
  mqtt::Pubrec pubrec;
  pubrec.packet_id = 9;
  rig.packet(pubrec);
  EXPECT_EQ(rig.sent_one<mqtt::Pubrel>().packet_id, 9);
  pubrec.reason = Reason::packet_identifier_in_use;
  rig.packet(pubrec);
  mqtt::Pubcomp pubcomp;
  pubcomp.packet_id = 9;
  rig.packet(pubcomp);
  EXPECT_TRUE(rig.raw().empty());
  EXPECT_EQ(rig.session.phase(), Phase::live);
}

TEST(Session, pubrec_for_a_message_at_qos_1_is_an_error) {
  Rig rig;
  rig.go_quiet(connect_5());
  rig.subscribe("#");
  Fetched fetched;
  fetched.pending = {command("cmd_1")};
  rig.fetched(std::move(fetched));
  rig.prepared();
  rig.raw();
  mqtt::Pubrec pubrec;
  pubrec.packet_id = 1;
  rig.packet(pubrec);
  EXPECT_EQ(rig.raw(), (Bytes{0xE0, 1, 0x82}));
}

TEST(Session, a_proper_end_drops_the_will) {
  Rig rig;
  rig.go_quiet(connect_5({.will = a_will("event/gone", "{}")}));
  rig.packet(mqtt::Disconnect{});
  EXPECT_EQ(rig.count<FireWill>(), 0U);
  const auto close = rig.took<Close>();
  EXPECT_TRUE(close->by_client);
  EXPECT_TRUE(close->was_live);
}

TEST(Session, other_ends_publish_it) {
  const auto with_will = [] { return connect_5({.will = a_will("event/gone", "{\"a\":1}")}); };
  Rig asked;
  asked.go_quiet(with_will());
  mqtt::Disconnect disconnect;
  disconnect.reason = Reason::disconnect_with_will;
  asked.packet(disconnect);
  const auto will = asked.took<FireWill>();
  ASSERT_TRUE(will);
  EXPECT_EQ(will->topic, "event/gone");
  EXPECT_EQ(text_of(will->payload), "{\"a\":1}");
  EXPECT_EQ(will->delay_s, 0U);
  EXPECT_TRUE(asked.took<Close>()->by_client);
  Rig lost;
  lost.go_quiet(with_will());
  lost.lost();
  EXPECT_EQ(lost.count<FireWill>(), 1U);
  EXPECT_EQ(lost.took<Close>()->code, Code::connection_lost);
  Rig silent;
  silent.go_quiet(with_will());
  silent.pass(seconds(90));
  silent.time();
  EXPECT_EQ(silent.count<FireWill>(), 1U);
  Rig broken;
  broken.go_quiet(with_will());
  broken.refused({Reason::malformed_packet, false, "x"}, mqtt::Version::v5);
  EXPECT_EQ(broken.count<FireWill>(), 1U);
  Rig evicted;
  evicted.go_quiet(with_will());
  evicted.evict(Code::device_quarantined);
  EXPECT_EQ(evicted.count<FireWill>(), 1U);
}

TEST(Session, a_will_waits_no_longer_than_the_session_lasts) {
  struct Case {
    std::uint32_t delay_s, expiry_s, waits_s;
  };
  for (const Case& each :
       {Case{5, 0, 0}, Case{5, 60, 5}, Case{60, 5, 5}, Case{100'000, 604'800, 3'600}}) {
    Rig rig;
    rig.go_quiet(connect_5({.expiry_s = each.expiry_s,
                            .will = a_will("event/gone", "{}"),
                            .will_delay_s = each.delay_s}));
    rig.lost();
    EXPECT_EQ(rig.took<FireWill>()->delay_s, each.waits_s);
  }
}

TEST(Session, taken_over) {
  Rig rig;
  rig.go_quiet(connect_5({.expiry_s = 60, .will = a_will("event/gone", "{}"), .will_delay_s = 5}));
  rig.evict(Code::taken_over, true);
  EXPECT_EQ(rig.sent_one<mqtt::Disconnect>().reason, Reason::session_taken_over);
  EXPECT_EQ(rig.count<FireWill>(), 0U);  // the session goes on, and the will could wait
  EXPECT_EQ(rig.took<Close>()->expiry_s, 60U);
  Rig anew;
  anew.go_quiet(connect_5({.expiry_s = 60, .will = a_will("event/gone", "{}"), .will_delay_s = 5}));
  anew.evict(Code::taken_over, false);
  EXPECT_EQ(anew.took<FireWill>()->delay_s, 0U);  // a clean start ended the session
  EXPECT_EQ(anew.took<Close>()->expiry_s, 0U);
  Rig at_once;
  at_once.go_quiet(connect_5({.expiry_s = 60, .will = a_will("event/gone", "{}")}));
  at_once.evict(Code::taken_over, true);
  EXPECT_EQ(at_once.count<FireWill>(), 1U);
  Rig old;
  old.go_quiet(connect_3());
  old.evict(Code::taken_over);
  EXPECT_TRUE(old.raw().empty());
}

TEST(Session, evictions_say_why) {
  struct Case {
    Code code;
    Reason reason;
  };
  for (const Case& each : {Case{Code::device_quarantined, Reason::not_authorized},
                           Case{Code::device_revoked, Reason::not_authorized},
                           Case{Code::certificate_revoked, Reason::not_authorized},
                           Case{Code::server_shutting_down, Reason::server_shutting_down}}) {
    Rig rig;
    rig.go_quiet(connect_5({.expiry_s = 60}));
    rig.evict(each.code);
    EXPECT_EQ(rig.sent_one<mqtt::Disconnect>().reason, each.reason);
    const auto close = rig.took<Close>();
    EXPECT_EQ(close->code, each.code);
    EXPECT_EQ(close->expiry_s, 60U);  // the session stays
    rig.evict(each.code);
    EXPECT_EQ(rig.count<Close>(), 0U);
  }
}

TEST(Session, disconnect_may_change_how_long_it_is_kept) {
  const auto disconnect = [](std::uint32_t expiry_s) {
    mqtt::Disconnect packet;
    packet.properties.set(PropertyId::session_expiry, expiry_s);
    return packet;
  };
  Rig longer;
  longer.go_quiet(connect_5({.expiry_s = 60}));
  longer.packet(disconnect(0xFFFF'FFFF));
  EXPECT_EQ(longer.took<Close>()->expiry_s, kSessionExpiryMax_s);
  Rig ends;
  ends.go_quiet(connect_5({.expiry_s = 60}));
  ends.packet(disconnect(0));
  EXPECT_EQ(ends.took<Close>()->expiry_s, 0U);
  Rig never_asked;
  never_asked.go_quiet(connect_5());
  never_asked.packet(disconnect(5));
  EXPECT_EQ(never_asked.raw(), (Bytes{0xE0, 1, 0x82}));
  EXPECT_FALSE(never_asked.took<Close>()->by_client);
}

TEST(Session, what_the_client_says_at_the_end_is_kept) {
  Rig rig;
  rig.go_quiet(connect_5());
  mqtt::Disconnect disconnect;
  disconnect.reason = Reason::packet_too_large;
  disconnect.properties.set(PropertyId::reason_string, "your command is huge");
  rig.packet(disconnect);
  EXPECT_EQ(rig.took<Close>()->detail, "packet too large: your command is huge");
}

TEST(Session, after_the_end_nothing_comes_out) {
  Rig rig;
  rig.go_quiet(connect_5());
  rig.publish("telemetry/lab", "{}", 1, 1);
  const auto ticket = rig.took<Publish>()->ticket;
  rig.packet(mqtt::Disconnect{});
  rig.actions.clear();
  rig.stored(ticket);
  rig.saved();
  rig.fetched({});
  rig.prepared();
  rig.wake();
  rig.lost();
  rig.time();
  rig.packet(mqtt::Pingreq{});
  EXPECT_TRUE(rig.raw().empty());
  EXPECT_TRUE(rig.actions.empty());
  EXPECT_FALSE(rig.session.wants_input());
}

TEST(Session, phases_have_names) {
  for (const auto phase :
       {Phase::connecting, Phase::entering, Phase::opening, Phase::live, Phase::closed}) {
    EXPECT_NE(name_of(phase), "unknown");
  }
}

}  // namespace
}  // namespace holdfast::hub
