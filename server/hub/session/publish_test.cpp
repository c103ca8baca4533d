#include <gtest/gtest.h>

#include "server/hub/session/reasons.hpp"
#include "server/hub/testing/session_rig.hpp"

namespace holdfast::hub {
namespace {
using namespace testing;
using mqtt::PropertyId;
using mqtt::Reason;

std::vector<std::uint16_t> acked(Rig& rig) {
  std::vector<std::uint16_t> ids;
  for (const auto& packet : rig.sent()) {
    if (const auto* puback = std::get_if<mqtt::Puback>(&packet)) {
      EXPECT_EQ(puback->reason, Reason::success);
      ids.push_back(puback->packet_id);
    }
  }
  return ids;
}

TEST(Publish, is_handed_on_and_acknowledged_when_stored) {
  Rig rig;
  rig.go_quiet(connect_5());
  rig.publish("telemetry/lab", "{\"t\":1}", 1, 9);
  EXPECT_TRUE(rig.sent().empty());
  const auto action = rig.took<Publish>();
  ASSERT_TRUE(action);
  EXPECT_EQ(action->topic, (UpTopic{Up::telemetry, "lab"}));
  EXPECT_EQ(text_of(action->payload), "{\"t\":1}");
  EXPECT_EQ(action->delivery.packet_id, 9);
  EXPECT_EQ(action->delivery.session_tag, rig.session.tag());
  EXPECT_FALSE(action->delivery.dup);
  rig.stored(action->ticket);
  EXPECT_EQ(rig.raw(), (Bytes{0x40, 2, 0, 9}));
}

TEST(Publish, qos_0_is_handed_on_without_a_delivery) {
  Rig rig;
  rig.go_quiet(connect_5());
  rig.publish("event/door", "{}", 0);
  const auto action = rig.took<Publish>();
  ASSERT_TRUE(action);
  EXPECT_EQ(action->ticket, 0U);
  EXPECT_EQ(action->delivery.session_tag, 0U);
  rig.stored(0, fail(Code::disk_full, "full"));
  EXPECT_TRUE(rig.raw().empty());
  EXPECT_EQ(rig.session.phase(), Phase::live);
}

TEST(Publish, acknowledgements_keep_the_order_of_receipt) {
  Rig rig;
  rig.go_quiet(connect_5());
  std::vector<std::uint64_t> tickets;
  for (std::uint16_t id = 1; id <= 5; ++id) {
    rig.publish("telemetry/lab", "{}", 1, id);
    tickets.push_back(rig.took<Publish>()->ticket);
  }
  rig.stored(tickets[3]);
  rig.stored(tickets[1]);
  EXPECT_TRUE(rig.sent().empty());
  rig.stored(tickets[0]);
  EXPECT_EQ(acked(rig), (std::vector<std::uint16_t>{1, 2}));
  rig.stored(tickets[4]);
  EXPECT_TRUE(rig.sent().empty());
  rig.stored(tickets[2]);
  EXPECT_EQ(acked(rig), (std::vector<std::uint16_t>{3, 4, 5}));
  rig.stored(tickets[2]);  // told twice
  rig.stored(999);
  EXPECT_TRUE(rig.sent().empty());
}

TEST(Publish, dup_and_content_type_are_passed_on) {
  Rig rig;
  rig.go_quiet(connect_5());
  mqtt::Publish packet;
  packet.topic = "telemetry/lab";
  packet.qos = 1;
  packet.packet_id = 3;
  packet.dup = true;
  packet.properties.set(PropertyId::content_type, "application/senml+cbor");
  rig.packet(packet);
  const auto action = rig.took<Publish>();
  EXPECT_TRUE(action->delivery.dup);
  EXPECT_EQ(action->delivery.content_type, "application/senml+cbor");
  EXPECT_EQ(rig.session.take_tally().up_resent, 1U);
}

TEST(Publish, elsewhere_5_0_gets_a_reason_in_its_place) {
  Rig rig;
  rig.go_quiet(connect_5());
  rig.publish("telemetry/lab", "{}", 1, 1);
  rig.publish("devices/other/telemetry/lab", "{}", 1, 2);
  EXPECT_TRUE(rig.sent().empty());  // the first comes first
  const auto record = rig.took<Record>();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->event.kind, "refused");
  EXPECT_EQ(std::get<std::string>(record->event.fields.at("topic")), "devices/other/telemetry/lab");
  EXPECT_EQ(std::get<std::string>(record->event.fields.at("code")), "topic-refused");
  EXPECT_EQ(record->event.device, device_number(1));
  rig.stored(rig.took<Publish>()->ticket);
  const auto packets = rig.sent();
  ASSERT_EQ(packets.size(), 2U);
  const auto& second = std::get<mqtt::Puback>(packets[1]);
  EXPECT_EQ(second.packet_id, 2);
  EXPECT_EQ(second.reason, Reason::not_authorized);
  EXPECT_EQ(second.properties.text(PropertyId::reason_string),
            "The topic is not in the device's tree");
  EXPECT_EQ(rig.session.take_tally().up_refused, 1U);
}

TEST(Publish, elsewhere_at_qos_0_is_dropped_and_counted) {
  Rig rig;
  rig.go_quiet(connect_5());
  rig.publish("twin/desired", "{}", 0);
  EXPECT_TRUE(rig.sent().empty());
  EXPECT_EQ(rig.count<Publish>(), 0U);
  EXPECT_EQ(rig.count<Record>(), 1U);
  EXPECT_EQ(rig.session.phase(), Phase::live);
}

TEST(Publish, elsewhere_3_1_1_is_closed_with_a_recorded_reason) {
  for (const std::uint8_t qos : {std::uint8_t{0}, std::uint8_t{1}}) {
    Rig rig;
    rig.go_quiet(connect_3());
    rig.publish("command/blink/cmd_1", "{}", qos);
    EXPECT_TRUE(rig.raw().empty());  // 3.1.1 never gets a DISCONNECT
    EXPECT_EQ(rig.count<Record>(), 1U);
    const auto close = rig.took<Close>();
    ASSERT_TRUE(close);
    EXPECT_EQ(close->code, Code::topic_refused);
    EXPECT_TRUE(close->was_live);
    EXPECT_FALSE(close->by_client);
  }
}

TEST(Publish, entries_in_the_timeline_are_bounded) {
  Rig rig;
  rig.go_quiet(connect_5());
  for (int i = 0; i < 100; ++i) rig.publish("x", "{}", 0);
  EXPECT_EQ(rig.count<Record>(), 20U);
  EXPECT_EQ(rig.session.take_tally().events_suppressed, 80U);
  rig.pass(seconds(3));
  for (int i = 0; i < 100; ++i) rig.publish("x", "{}", 0);
  EXPECT_EQ(rig.count<Record>(), 23U);
}

TEST(Publish, what_ends_the_connection) {
  mqtt::Publish qos_2;
  qos_2.topic = "telemetry/lab";
  qos_2.qos = 2;
  qos_2.packet_id = 1;
  mqtt::Publish retained = qos_2;
  retained.qos = 0;
  retained.packet_id = 0;
  retained.retain = true;
  mqtt::Publish alias = retained;
  alias.retain = false;
  alias.properties.set(PropertyId::topic_alias, 1);
  mqtt::Publish sub_id = retained;
  sub_id.retain = false;
  sub_id.properties.set(PropertyId::subscription_id, 1);
  struct Case {
    mqtt::Publish packet;
    Reason reason;
    Code code;
    bool also_3_1_1;
  };
  const Case cases[] = {
      {qos_2, Reason::qos_not_supported, Code::qos_unsupported, true},
      {retained, Reason::retain_not_supported, Code::retain_unsupported, false},
      {alias, Reason::topic_alias_invalid, Code::topic_alias_invalid, false},
      {sub_id, Reason::protocol_error, Code::protocol_error, false},
  };
  for (const auto& each : cases) {
    Rig rig;
    rig.go_quiet(connect_5());
    rig.packet(each.packet);
    EXPECT_EQ(rig.sent_one<mqtt::Disconnect>().reason, each.reason);
    EXPECT_EQ(rig.took<Close>()->code, each.code);
    EXPECT_EQ(rig.count<Publish>(), 0U);
  }
  Rig old;
  old.go_quiet(connect_3());
  old.packet(qos_2);
  EXPECT_TRUE(old.raw().empty());
  EXPECT_EQ(old.took<Close>()->code, Code::qos_unsupported);
  Rig ignored;
  ignored.go_quiet(connect_3());
  ignored.packet(retained);
  EXPECT_EQ(ignored.count<Publish>(), 1U);  // 3.1.1 cannot be told: the flag is ignored
}

TEST(Publish, receive_maximum_of_5_0) {
  Rig rig;
  rig.go_quiet(connect_5());
  for (std::uint16_t id = 1; id <= 64; ++id) rig.publish("telemetry/lab", "{}", 1, id);
  EXPECT_EQ(rig.session.phase(), Phase::live);
  EXPECT_TRUE(rig.session.wants_input());
  rig.publish("telemetry/lab", "{}", 0);  // QoS 0 does not count
  EXPECT_EQ(rig.session.phase(), Phase::live);
  rig.publish("telemetry/lab", "{}", 1, 65);
  EXPECT_EQ(rig.sent_one<mqtt::Disconnect>().reason, Reason::receive_maximum_exceeded);
}

TEST(Publish, what_is_resent_may_exceed_the_receive_maximum_up_to_a_bound) {
  Rig rig;
  rig.go_quiet(connect_5());
  std::uint16_t id = 0;
  while (rig.session.wants_input()) rig.publish("telemetry/lab", "{}", 1, ++id, true);
  EXPECT_EQ(id, 128);
  EXPECT_EQ(rig.session.phase(), Phase::live);
  rig.stored(1);
  EXPECT_TRUE(rig.session.wants_input());
}

TEST(Publish, a_3_1_1_client_is_read_later) {
  Rig rig;
  rig.go_quiet(connect_3());
  for (std::uint16_t id = 1; id <= 64; ++id) rig.publish("telemetry/lab", "{}", 1, id);
  EXPECT_FALSE(rig.session.wants_input());
  rig.stored(1);
  EXPECT_TRUE(rig.session.wants_input());
}

TEST(Publish, sizes) {
  const std::string large(kTwinBytesMax + 1, 'x');
  Rig rig;
  rig.go_quiet(connect_5());
  rig.publish("twin/reported", large, 1, 4);
  EXPECT_EQ(rig.sent_one<mqtt::Puback>().reason, Reason::payload_format_invalid);
  rig.publish("telemetry/lab", large, 1, 5);
  EXPECT_EQ(rig.count<Publish>(), 1U);
  Rig old;
  old.go_quiet(connect_3());
  old.publish("twin/reported", large, 1, 4);
  EXPECT_EQ(old.raw(), (Bytes{0x40, 2, 0, 4}));  // acknowledged, so that it does not come again
  EXPECT_EQ(old.count<Record>(), 1U);
}

TEST(Publish, failures_of_storing) {
  struct Case {
    Code code;
    Reason reason;
    bool closes_3_1_1;
  };
  const Case cases[] = {
      {Code::payload_malformed, Reason::payload_format_invalid, false},
      {Code::payload_too_large, Reason::payload_format_invalid, false},
      {Code::topic_refused, Reason::not_authorized, true},
      {Code::quota_exceeded, Reason::quota_exceeded, true},
      {Code::disk_full, Reason::quota_exceeded, true},
      {Code::overloaded, Reason::quota_exceeded, true},
      {Code::internal, Reason::unspecified_error, true},
  };
  for (const auto& each : cases) {
    const auto name = row_of(each.code).name;
    Rig rig;
    rig.go_quiet(connect_5());
    rig.publish("telemetry/lab", "x", 1, 7);
    rig.stored(rig.took<Publish>()->ticket, fail(each.code, "no"));
    EXPECT_EQ(rig.sent_one<mqtt::Puback>().reason, each.reason) << name;
    EXPECT_EQ(rig.session.phase(), Phase::live) << name;
    Rig old;
    old.go_quiet(connect_3());
    old.publish("telemetry/lab", "x", 1, 7);
    old.stored(old.took<Publish>()->ticket, fail(each.code, "no"));
    EXPECT_EQ(old.raw(), each.closes_3_1_1 ? Bytes{} : (Bytes{0x40, 2, 0, 7})) << name;
    EXPECT_EQ(old.session.phase() == Phase::closed, each.closes_3_1_1) << name;
  }
}

TEST(Publish, after_a_failure_3_1_1_gets_no_later_acknowledgement) {
  Rig rig;
  rig.go_quiet(connect_3());
  rig.publish("telemetry/lab", "1", 1, 1);
  rig.publish("telemetry/lab", "2", 1, 2);
  rig.stored(2);
  rig.stored(1, fail(Code::disk_full, "full"));
  EXPECT_TRUE(rig.raw().empty());
  rig.stored(2);
  EXPECT_TRUE(rig.raw().empty());
}

// What a client reads of the packet: nullopt when it may not carry such a reason.
template <class T>
std::optional<Reason> read_back(const T& packet) {
  Bytes out;
  EXPECT_TRUE(mqtt::encode(packet, mqtt::Version::v5, out));
  auto client = mqtt::Decoder::for_client(mqtt::Version::v5, 1'000);
  client.feed(out);
  const auto read = client.next();
  if (!read || !*read) return std::nullopt;
  if constexpr (std::is_same_v<T, mqtt::Suback>) {
    return std::get<T>(**read).reasons.at(0);
  } else {
    return std::get<T>(**read).reason;
  }
}

// Every code of the table has a reason that each packet may carry.
TEST(Reasons, are_total_and_allowed) {
  for (const auto& row : kCodeTable) {
    mqtt::Connack connack;
    connack.reason = connack_reason(row.code);
    EXPECT_EQ(read_back(connack), connack.reason) << row.name;
    mqtt::Puback puback;
    puback.packet_id = 1;
    puback.reason = puback_reason(row.code);
    EXPECT_EQ(read_back(puback), puback.reason) << row.name;
    mqtt::Suback suback;
    suback.packet_id = 1;
    suback.reasons = {suback_reason(row.code)};
    EXPECT_EQ(read_back(suback), suback.reasons[0]) << row.name;
    mqtt::Disconnect disconnect;
    disconnect.reason = disconnect_reason(row.code);
    EXPECT_EQ(read_back(disconnect), disconnect.reason) << row.name;
    for (const auto reason :
         {connack.reason, puback.reason, suback.reasons[0], disconnect.reason}) {
      EXPECT_TRUE(mqtt::is_error(reason)) << row.name;
    }
    EXPECT_LE(connack_code(row.code).value_or(5), 5);
  }
}

TEST(Reasons, what_the_decoder_refuses_can_be_said) {
  for (int reason = 0x80; reason <= 0xA2; ++reason) {
    mqtt::Disconnect disconnect;
    disconnect.reason = disconnect_reason(static_cast<Reason>(reason));
    EXPECT_EQ(read_back(disconnect), disconnect.reason) << reason;
  }
}

TEST(Reasons, what_may_be_tried_again_says_so) {
  for (const auto code :
       {Code::overloaded, Code::unavailable, Code::disk_full, Code::rate_limited}) {
    EXPECT_EQ(puback_reason(code), Reason::quota_exceeded);
    EXPECT_FALSE(final_for_sender(code));
  }
  EXPECT_TRUE(final_for_sender(Code::payload_malformed));
  EXPECT_FALSE(final_for_sender(Code::topic_refused));
}

}  // namespace
}  // namespace holdfast::hub
