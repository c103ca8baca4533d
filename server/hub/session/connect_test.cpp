#include <gtest/gtest.h>

#include "server/hub/testing/session_rig.hpp"

namespace holdfast::hub {
namespace {
using namespace testing;
using mqtt::PropertyId;
using mqtt::Reason;

mqtt::Connack connack_of(Rig& rig) {
  return rig.sent_one<mqtt::Connack>();
}

TEST(Connect, the_way_to_connack) {
  Rig rig;
  EXPECT_TRUE(rig.session.wants_input());
  rig.packet(connect_5({.client_id = "boiler"}));
  EXPECT_EQ(rig.session.phase(), Phase::connecting);
  EXPECT_FALSE(rig.session.wants_input());  // what follows CONNECT stays unread
  EXPECT_TRUE(rig.actions.empty());
  rig.admitted();
  const auto enter = rig.took<Enter>();
  ASSERT_TRUE(enter);
  EXPECT_EQ(enter->client_id, "boiler");
  EXPECT_FALSE(enter->continues);
  EXPECT_EQ(rig.session.phase(), Phase::entering);
  rig.entered();
  const auto open = rig.took<Open>();
  ASSERT_TRUE(open);
  EXPECT_TRUE(open->clean);
  EXPECT_EQ(open->expiry_s, 0U);
  EXPECT_NE(open->tag, 0U);
  EXPECT_EQ(rig.session.tag(), open->tag);
  EXPECT_TRUE(rig.sent().empty());
  rig.opened();
  EXPECT_EQ(rig.session.phase(), Phase::live);
  EXPECT_EQ(rig.count<Accepted>(), 1U);
  EXPECT_TRUE(rig.session.wants_input());
  EXPECT_EQ(connack_of(rig).reason, Reason::success);
}

TEST(Connect, admission_may_come_first) {
  Rig rig;
  rig.admitted();
  EXPECT_TRUE(rig.actions.empty());
  rig.packet(connect_5());
  EXPECT_EQ(rig.count<Enter>(), 1U);
}

TEST(Connect, a_5_0_connack_says_what_is_offered) {
  Rig rig;
  rig.go_live(connect_5());
  const auto properties = connack_of(rig).properties;
  EXPECT_EQ(properties.number(PropertyId::receive_maximum), 64U);
  EXPECT_EQ(properties.number(PropertyId::maximum_qos), 1U);
  EXPECT_EQ(properties.number(PropertyId::retain_available), 0U);
  EXPECT_EQ(properties.number(PropertyId::maximum_packet_size), 262'144U);
  EXPECT_EQ(properties.number(PropertyId::topic_alias_maximum), 0U);
  EXPECT_EQ(properties.number(PropertyId::wildcard_available), 1U);
  EXPECT_EQ(properties.number(PropertyId::subscription_id_available), 0U);
  EXPECT_EQ(properties.number(PropertyId::shared_available), 0U);
  EXPECT_FALSE(properties.has(PropertyId::assigned_client_id));
  EXPECT_FALSE(properties.has(PropertyId::server_keep_alive));
  EXPECT_FALSE(properties.has(PropertyId::session_expiry));
}

TEST(Connect, a_3_1_1_connack_is_four_bytes) {
  Rig rig;
  rig.go_live(connect_3());
  EXPECT_EQ(rig.raw(), (Bytes{0x20, 2, 0, 0}));
}

TEST(Connect, an_empty_client_id_gets_one) {
  Rig rig;
  rig.go_live(connect_5({.client_id = ""}));
  const auto connack = connack_of(rig);
  const auto assigned = connack.properties.text(PropertyId::assigned_client_id);
  ASSERT_TRUE(assigned);
  EXPECT_EQ(*assigned, rig.session.client_id());
  EXPECT_TRUE(assigned->starts_with("auto-"));
  Rig old;
  old.go_live(connect_3(""));
  EXPECT_TRUE(old.session.client_id().starts_with("auto-"));
}

TEST(Connect, an_empty_client_id_of_3_1_1_needs_a_clean_session) {
  Rig rig;
  rig.packet(connect_3("", false));
  EXPECT_EQ(rig.raw(), (Bytes{0x20, 2, 0, 2}));
  EXPECT_EQ(rig.took<Close>()->code, Code::client_id_invalid);
}

TEST(Connect, a_client_id_has_a_bound) {
  Rig rig;
  rig.packet(connect_5({.client_id = std::string(kClientIdBytesMax + 1, 'x')}));
  EXPECT_EQ(connack_of(rig).reason, Reason::client_identifier_not_valid);
  EXPECT_EQ(rig.session.phase(), Phase::closed);
  Rig fits;
  fits.go_live(connect_5({.client_id = std::string(kClientIdBytesMax, ' ')}));
}

TEST(Connect, keep_alive_is_capped) {
  for (const std::uint16_t asked :
       {std::uint16_t{0}, std::uint16_t{1'201}, std::uint16_t{65'535}}) {
    Rig rig;
    rig.go_live(connect_5({.keep_alive_s = asked}));
    EXPECT_EQ(connack_of(rig).properties.number(PropertyId::server_keep_alive), 1'200U) << asked;
    EXPECT_EQ(rig.session.deadline(), rig.now.mono + seconds(1'800));
  }
  Rig rig;
  rig.go_live(connect_3("c1", true, 0));
  EXPECT_EQ(rig.session.deadline(), rig.now.mono + seconds(1'800));
}

TEST(Connect, session_expiry_is_capped_and_told) {
  Rig rig;
  rig.packet(connect_5({.clean = false, .expiry_s = 0xFFFF'FFFF}));
  rig.admitted();
  rig.entered();
  EXPECT_EQ(rig.took<Open>()->expiry_s, 604'800U);
  rig.opened();
  EXPECT_EQ(connack_of(rig).properties.number(PropertyId::session_expiry), 604'800U);
  EXPECT_TRUE(rig.session.kept());
}

TEST(Connect, a_3_1_1_session_that_is_not_clean_is_kept_a_week) {
  Rig rig;
  rig.packet(connect_3("c1", false));
  rig.admitted();
  EXPECT_TRUE(rig.took<Enter>()->continues);
  rig.entered();
  const auto open = rig.took<Open>();
  EXPECT_FALSE(open->clean);
  EXPECT_EQ(open->expiry_s, 604'800U);
}

TEST(Connect, session_present_is_what_the_server_has) {
  Kept kept;
  kept.tag = 42;
  Rig rig;
  rig.go_live(connect_5({.clean = false, .expiry_s = 60}), kept);
  EXPECT_TRUE(connack_of(rig).session_present);
  EXPECT_EQ(rig.session.tag(), 42U);
  Rig fresh;
  fresh.go_live(connect_5({.clean = false, .expiry_s = 60}));
  EXPECT_FALSE(connack_of(fresh).session_present);
}

TEST(Connect, refusals_by_version) {
  struct Case {
    Code code;
    Reason reason;
    int number;  // of 3.1.1; -1: closed without an answer
  };
  const Case cases[] = {
      {Code::device_quarantined, Reason::not_authorized, 5},
      {Code::device_revoked, Reason::not_authorized, 5},
      {Code::device_decommissioned, Reason::not_authorized, 5},
      {Code::device_unknown, Reason::not_authorized, 5},
      {Code::certificate_expired, Reason::not_authorized, 5},
      {Code::unavailable, Reason::server_unavailable, 3},
      {Code::conflict, Reason::implementation_specific_error, -1},
  };
  for (const auto& each : cases) {
    const auto name = row_of(each.code).name;
    Rig five;
    five.packet(connect_5());
    five.admission_fails(each.code);
    EXPECT_EQ(connack_of(five).reason, each.reason) << name;
    EXPECT_EQ(five.took<Close>()->code, each.code) << name;
    Rig three;
    three.packet(connect_3());
    three.admission_fails(each.code);
    const auto number = static_cast<std::uint8_t>(each.number);
    EXPECT_EQ(three.raw(), each.number < 0 ? Bytes{} : (Bytes{0x20, 2, 0, number})) << name;
    EXPECT_EQ(three.took<Close>()->flush, each.number >= 0) << name;
  }
}

TEST(Connect, no_seat) {
  Rig five;
  five.packet(connect_5());
  five.admitted();
  five.entered(fail(Code::session_limit, "four"));
  EXPECT_EQ(connack_of(five).reason, Reason::quota_exceeded);
  Rig three;
  three.packet(connect_3());
  three.admitted();
  three.entered(fail(Code::session_limit, "four"));
  EXPECT_EQ(three.raw(), (Bytes{0x20, 2, 0, 3}));
}

TEST(Connect, a_store_that_fails_refuses) {
  Rig rig;
  rig.packet(connect_5());
  rig.admitted();
  rig.entered();
  rig.opened(fail(Code::disk_full, "full"));
  EXPECT_EQ(connack_of(rig).reason, Reason::quota_exceeded);
  const auto close = rig.took<Close>();
  EXPECT_FALSE(close->was_live);
}

TEST(Connect, reason_strings_can_be_declined) {
  Rig with;
  with.packet(connect_5());
  with.admission_fails(Code::device_quarantined);
  const auto connack = connack_of(with);
  EXPECT_EQ(connack.properties.text(PropertyId::reason_string), "The device is quarantined");
  Rig without;
  without.packet(connect_5({.problem_info = false}));
  without.admission_fails(Code::device_quarantined);
  EXPECT_TRUE(connack_of(without).properties.empty());
}

TEST(Connect, enhanced_authentication_is_not_offered) {
  auto connect = connect_5();
  connect.properties.set(PropertyId::authentication_method, "SCRAM");
  Rig rig;
  rig.packet(connect);
  EXPECT_EQ(connack_of(rig).reason, Reason::bad_authentication_method);
}

TEST(Connect, a_client_that_takes_no_connack_is_let_go) {
  Rig rig;
  rig.packet(connect_5({.packet_max = 10}));
  rig.admitted();
  rig.entered();
  rig.opened();
  EXPECT_TRUE(rig.raw().empty());
  EXPECT_EQ(rig.count<Accepted>(), 0U);
  const auto close = rig.took<Close>();
  EXPECT_EQ(close->code, Code::payload_too_large);
  EXPECT_FALSE(close->was_live);
}

TEST(Connect, user_name_and_password_are_ignored) {
  auto connect = connect_5();
  connect.user_name = "admin";
  connect.password = bytes_of("secret");
  Rig rig;
  rig.go_live(connect);
}

TEST(Connect, wills_are_checked) {
  struct Case {
    mqtt::Will will;
    Reason reason;
    int number;
  };
  auto retained = a_will("event/gone", "{}");
  retained.retain = true;
  const Case cases[] = {
      {a_will("devices/other", "{}"), Reason::not_authorized, 5},
      {a_will("twin/desired", "{}"), Reason::not_authorized, 5},
      {a_will(std::string(600, 'x'), "{}"), Reason::topic_name_invalid, 5},
      {a_will("event/gone", "{}", 2), Reason::qos_not_supported, -1},
      {retained, Reason::retain_not_supported, 0},
  };
  for (const auto& each : cases) {
    Rig five;
    five.packet(connect_5({.will = each.will}));
    EXPECT_EQ(connack_of(five).reason, each.reason) << each.will.topic;
    auto connect = connect_3();
    connect.will = each.will;
    Rig three;
    three.packet(connect);
    if (each.number == 0) {
      EXPECT_NE(three.session.phase(),
                Phase::closed);  // 3.1.1 has no word for it: the flag is ignored
      continue;
    }
    EXPECT_EQ(three.session.phase(), Phase::closed);
    const auto number = static_cast<std::uint8_t>(each.number);
    EXPECT_EQ(three.raw(), each.number < 0 ? Bytes{} : (Bytes{0x20, 2, 0, number}));
  }
}

TEST(Connect, silence_has_an_end) {
  Rig rig;
  EXPECT_EQ(rig.session.deadline(), rig.now.mono + seconds(10));
  rig.pass(seconds(9));
  rig.time();
  EXPECT_EQ(rig.session.phase(), Phase::connecting);
  rig.pass(seconds(1));
  rig.time();
  EXPECT_EQ(rig.session.phase(), Phase::closed);
  const auto close = rig.took<Close>();
  EXPECT_EQ(close->code, Code::handshake_timeout);
  EXPECT_FALSE(close->flush);
  EXPECT_EQ(rig.session.deadline(), kNever);
}

TEST(Connect, a_server_that_is_too_slow_says_so) {
  Rig rig;
  rig.packet(connect_5());
  rig.pass(seconds(31));
  rig.time();
  EXPECT_EQ(connack_of(rig).reason, Reason::server_unavailable);
}

TEST(Connect, the_decoders_refusals) {
  Rig version;
  version.refused({Reason::unsupported_protocol_version, false, "MQTT 9"}, mqtt::Version::v3_1_1);
  EXPECT_EQ(version.raw(), (Bytes{0x20, 2, 0, 1}));
  Rig five;
  five.refused({Reason::unsupported_protocol_version, false, "MQTT 9"}, mqtt::Version::v5);
  EXPECT_EQ(connack_of(five).reason, Reason::unsupported_protocol_version);
  Rig malformed;
  malformed.refused({Reason::malformed_packet, false, "reserved bit"}, mqtt::Version::v3_1_1);
  EXPECT_TRUE(malformed.raw().empty());
  EXPECT_EQ(malformed.took<Close>()->code, Code::packet_malformed);
  Rig silent;
  silent.refused({Reason::malformed_packet, true, "no MQTT"}, std::nullopt);
  EXPECT_TRUE(silent.raw().empty());
  EXPECT_FALSE(silent.took<Close>()->flush);
}

TEST(Connect, a_packet_before_connack_ends_it) {
  Rig rig;
  rig.packet(connect_5());
  rig.packet(mqtt::Pingreq{});
  EXPECT_EQ(rig.session.phase(), Phase::closed);
  EXPECT_TRUE(rig.raw().empty());
  Rig first;
  first.packet(mqtt::Pingreq{});
  EXPECT_EQ(first.session.phase(), Phase::closed);
}

TEST(Connect, evicted_on_the_way) {
  Rig rig;
  rig.packet(connect_5());
  rig.admitted();
  rig.evict(Code::server_shutting_down);
  EXPECT_EQ(connack_of(rig).reason, Reason::server_unavailable);
  Rig taken;
  taken.packet(connect_5());
  taken.admitted();
  taken.evict(Code::taken_over);
  EXPECT_TRUE(taken.raw().empty());
  EXPECT_EQ(taken.took<Close>()->code, Code::taken_over);
}

TEST(Connect, answers_that_come_late_change_nothing) {
  Rig rig;
  rig.packet(connect_5());
  rig.lost();
  rig.actions.clear();
  rig.admitted();
  rig.entered();
  rig.opened();
  EXPECT_TRUE(rig.actions.empty());
  EXPECT_TRUE(rig.raw().empty());
  EXPECT_EQ(rig.session.phase(), Phase::closed);
}

TEST(Connect, a_session_that_was_opened_and_lost_before_connack_is_left_as_it_was_asked) {
  Rig rig;
  rig.packet(connect_5({.clean = false, .expiry_s = 100}));
  rig.admitted();
  rig.entered();
  rig.lost();
  const auto close = rig.took<Close>();
  EXPECT_EQ(close->expiry_s, 100U);
  EXPECT_FALSE(close->was_live);
}

}  // namespace
}  // namespace holdfast::hub
