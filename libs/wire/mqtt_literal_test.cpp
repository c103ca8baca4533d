// Packets as bytes, written out by hand from the specifications, and what they mean. Encoder and
// decoder are each held to the bytes here, not to one another.
#include <gtest/gtest.h>

#include "libs/wire/mqtt.hpp"

namespace holdfast::wire::mqtt {
namespace {

struct LiteralCase {
  Side reader;
  Version version;
  const char* hex;
  Packet packet;
};

Properties numbers(std::initializer_list<std::pair<PropertyId, std::uint32_t>> list) {
  Properties properties;
  for (const auto& [id, number] : list) properties.set(id, number);
  return properties;
}

Properties texts(std::initializer_list<std::pair<PropertyId, std::string>> list) {
  Properties properties;
  for (const auto& [id, text] : list) properties.set(id, text);
  return properties;
}

Properties user(std::string name, std::string value) {
  Properties properties;
  properties.add_user(std::move(name), std::move(value));
  return properties;
}

const Bytes& literal_payload() {
  static const Bytes payload = bytes_of("hello");
  return payload;
}

void check_literal(const LiteralCase& one) {
  const Bytes bytes = from_hex(one.hex).value();
  const bool connect = std::holds_alternative<Connect>(one.packet);
  Decoder decoder = one.reader == Side::client ? Decoder::for_client(one.version, 10'000)
                                               : Decoder::for_server(10'000);
  if (one.reader == Side::server && !connect) {
    const Bytes first = from_hex(one.version == Version::v5 ? "100d00044d5154540502000a000000"
                                                            : "100c00044d5154540402000a0000")
                            .value();
    decoder.feed(first);
    ASSERT_TRUE(decoder.next()) << one.hex;
  }
  decoder.feed(bytes);
  const auto read = decoder.next();
  ASSERT_TRUE(read) << one.hex << ": " << read.error().message;
  ASSERT_TRUE(*read) << one.hex << ": it is not whole";
  EXPECT_TRUE(**read == one.packet) << one.hex << ": another " << name_of(one.packet);
  EXPECT_EQ(decoder.buffered(), 0u) << one.hex;
  Bytes written;
  ASSERT_TRUE(encode(one.packet, one.version, written)) << one.hex;
  EXPECT_EQ(to_hex(written), one.hex) << name_of(one.packet);
}

constexpr auto kUp = Side::server;
constexpr auto kDown = Side::client;
constexpr auto kOld = Version::v3_1_1;
constexpr auto kNew = Version::v5;

TEST(MqttLiteral, Connect) {
  // 3.1.1, figure 3.6: all flags but the reserved one, QoS 1, keep-alive 10.
  const Connect old{
      kOld, true, 10, "id", Will{"w", bytes_of("gone"), 1, false, {}}, "user", bytes_of("pass"),
      {}};
  check_literal({kUp, kOld,
                 "1023"
                 "00044d515454"
                 "04"
                 "ce"
                 "000a"
                 "00026964"
                 "000177"
                 "0004676f6e65"
                 "000475736572"
                 "000470617373",
                 old});
  const Connect plain{kOld, false, 0, "c", {}, {}, {}, {}};
  check_literal({kUp, kOld,
                 "100d"
                 "00044d515454"
                 "0400"
                 "0000"
                 "000163",
                 plain});
  const Connect anew{
      kNew, true,
      60,   "",
      {},   {},
      {},   numbers({{PropertyId::session_expiry, 10}, {PropertyId::receive_maximum, 20}})};
  check_literal({kUp, kNew,
                 "1015"
                 "00044d515454"
                 "0502"
                 "003c"
                 "08"
                 "110000000a"
                 "210014"
                 "0000",
                 anew});
  Connect willing{kNew, false, 60, "c", Will{"w", {}, 2, true, {}}, {}, Bytes{}, {}};
  willing.will->properties = numbers({{PropertyId::will_delay, 5}});
  check_literal({kUp, kNew,
                 "101b"
                 "00044d515454"
                 "0574"
                 "003c"
                 "00"
                 "000163"
                 "05"
                 "1800000005"
                 "000177"
                 "0000"
                 "0000",
                 willing});
}

TEST(MqttLiteral, Connack) {
  check_literal({kDown, kOld, "20020000", Connack{false, Reason::success, {}}});
  check_literal({kDown, kOld, "20020100", Connack{true, Reason::success, {}}});
  check_literal({kDown, kOld, "20020005", Connack{false, Reason::not_authorized, {}}});
  check_literal({kDown, kNew, "2003008700", Connack{false, Reason::not_authorized, {}}});
  check_literal({kDown, kNew,
                 "200c"
                 "0000"
                 "09"
                 "210040"
                 "2401"
                 "2500"
                 "2900",
                 Connack{false, Reason::success,
                         numbers({{PropertyId::receive_maximum, 64},
                                  {PropertyId::maximum_qos, 1},
                                  {PropertyId::retain_available, 0},
                                  {PropertyId::subscription_id_available, 0}})}});
  check_literal({kDown, kNew,
                 "2008"
                 "0000"
                 "05"
                 "1200026964",
                 Connack{false, Reason::success, texts({{PropertyId::assigned_client_id, "id"}})}});
}

TEST(MqttLiteral, Publish) {
  // 3.1.1, section 3.3.2: topic a/b, packet id 10.
  check_literal({kUp, kOld,
                 "320c"
                 "0003612f62"
                 "000a"
                 "68656c6c6f",
                 Publish{"a/b", literal_payload(), 10, 1, false, false, {}}});
  check_literal({kDown, kOld,
                 "3d0c"
                 "0003612f62"
                 "000a"
                 "68656c6c6f",
                 Publish{"a/b", literal_payload(), 10, 2, true, true, {}}});
  check_literal({kUp, kOld,
                 "3105"
                 "0003612f62",
                 Publish{"a/b", {}, 0, 0, false, true, {}}});
  check_literal({kUp, kNew,
                 "300b"
                 "0003612f62"
                 "00"
                 "68656c6c6f",
                 Publish{"a/b", literal_payload(), 0, 0, false, false, {}}});
  check_literal(
      {kUp, kNew,
       "3214"
       "0003612f62"
       "000a"
       "07"
       "0101"
       "0200000e10"
       "68656c6c6f",
       Publish{"a/b", literal_payload(), 10, 1, false, false,
               numbers({{PropertyId::payload_format, 1}, {PropertyId::message_expiry, 3600}})}});
  check_literal({kUp, kNew,
                 "3006"
                 "0000"
                 "03"
                 "230001",
                 Publish{"", {}, 0, 0, false, false, numbers({{PropertyId::topic_alias, 1}})}});
  check_literal({kUp, kNew,
                 "300f"
                 "0003612f62"
                 "09"
                 "0800017209000200ff",
                 Publish{"a/b",
                         {},
                         0,
                         0,
                         false,
                         false,
                         texts({{PropertyId::response_topic, "r"},
                                {PropertyId::correlation_data, std::string("\0\xFF", 2)}})}});
}

TEST(MqttLiteral, Acknowledgements) {
  check_literal({kUp, kOld, "40021234", Puback{0x1234, Reason::success, {}}});
  check_literal({kUp, kOld, "50021234", Pubrec{0x1234, Reason::success, {}}});
  check_literal({kUp, kOld, "62021234", Pubrel{0x1234, Reason::success, {}}});
  check_literal({kUp, kOld, "70021234", Pubcomp{0x1234, Reason::success, {}}});
  check_literal({kDown, kNew, "4003123410", Puback{0x1234, Reason::no_matching_subscribers, {}}});
  check_literal(
      {kDown, kNew, "5003123483", Pubrec{0x1234, Reason::implementation_specific_error, {}}});
  check_literal(
      {kDown, kNew, "6203123492", Pubrel{0x1234, Reason::packet_identifier_not_found, {}}});
  check_literal({kDown, kNew,
                 "700b"
                 "1234"
                 "00"
                 "07"
                 "2600016b000176",
                 Pubcomp{0x1234, Reason::success, user("k", "v")}});
  check_literal(
      {kDown, kNew,
       "4009"
       "1234"
       "99"
       "05"
       "1f00026e6f",
       Puback{0x1234, Reason::payload_format_invalid, texts({{PropertyId::reason_string, "no"}})}});
}

TEST(MqttLiteral, Subscriptions) {
  // 3.1.1, figure 3.23: a/b at QoS 1, c/d at QoS 2.
  check_literal({kUp, kOld,
                 "820e"
                 "000a"
                 "0003612f62"
                 "01"
                 "0003632f64"
                 "02",
                 Subscribe{10, {{"a/b", 1, false, false, 0}, {"c/d", 2, false, false, 0}}, {}}});
  check_literal({kUp, kNew,
                 "820f"
                 "000a"
                 "02"
                 "0b05"
                 "0003612f62"
                 "2d"
                 "0001"
                 "23"
                 "00",
                 Subscribe{10,
                           {{"a/b", 1, true, true, 2}, {"#", 0, false, false, 0}},
                           numbers({{PropertyId::subscription_id, 5}})}});
  check_literal(
      {kDown, kOld,
       "9005"
       "000a"
       "010280",
       Suback{10, {Reason::granted_qos_1, Reason::granted_qos_2, Reason::unspecified_error}, {}}});
  check_literal({kDown, kNew,
                 "9005"
                 "000a"
                 "00"
                 "008f",
                 Suback{10, {Reason::success, Reason::topic_filter_invalid}, {}}});
  check_literal({kUp, kOld,
                 "a20c"
                 "000a"
                 "0003612f62"
                 "0003632f64",
                 Unsubscribe{10, {"a/b", "c/d"}, {}}});
  check_literal({kUp, kNew,
                 "a20f"
                 "000a"
                 "07"
                 "2600016b000176"
                 "0003612f62",
                 Unsubscribe{10, {"a/b"}, user("k", "v")}});
  check_literal({kDown, kOld, "b002000a", Unsuback{10, {}, {}}});
  check_literal({kDown, kNew,
                 "b005"
                 "000a"
                 "00"
                 "0011",
                 Unsuback{10, {Reason::success, Reason::no_subscription_existed}, {}}});
}

TEST(MqttLiteral, TheRest) {
  check_literal({kUp, kOld, "c000", Pingreq{}});
  check_literal({kDown, kNew, "d000", Pingresp{}});
  check_literal({kUp, kOld, "e000", Disconnect{}});
  check_literal({kUp, kNew, "e000", Disconnect{}});
  check_literal({kUp, kNew, "e00104", Disconnect{Reason::disconnect_with_will, {}}});
  check_literal({kUp, kNew,
                 "e007"
                 "00"
                 "05"
                 "110000000a",
                 Disconnect{Reason::success, numbers({{PropertyId::session_expiry, 10}})}});
  check_literal({kDown, kNew, "e0018e", Disconnect{Reason::session_taken_over, {}}});
  check_literal({kDown, kNew,
                 "e006"
                 "9d"
                 "04"
                 "1c000161",
                 Disconnect{Reason::server_moved, texts({{PropertyId::server_reference, "a"}})}});
  check_literal(
      {kUp, kNew,
       "f006"
       "18"
       "04"
       "15000161",
       Auth{Reason::continue_authentication, texts({{PropertyId::authentication_method, "a"}})}});
  check_literal({kDown, kNew, "f000", Auth{}});
}

// Ends that say what their absence says too are read, and written without.
TEST(MqttLiteral, LongFormsMeanTheSame) {
  const std::pair<const char*, Packet> kCases[] = {
      {"4003000100", Puback{1, Reason::success, {}}},
      {"400400010000", Puback{1, Reason::success, {}}},
      {"400400019900", Puback{1, Reason::payload_format_invalid, {}}},
      {"62040001"
       "9200",
       Pubrel{1, Reason::packet_identifier_not_found, {}}},
      {"e00100", Disconnect{}},
      {"e0020000", Disconnect{}},
      {"e0028100", Disconnect{Reason::malformed_packet, {}}},
  };
  for (const auto& [hex, packet] : kCases) {
    const Bytes bytes = from_hex(hex).value();
    Decoder decoder = Decoder::for_client(kNew, 1'000);
    decoder.feed(bytes);
    const auto read = decoder.next();
    ASSERT_TRUE(read && *read) << hex;
    EXPECT_TRUE(**read == packet) << hex;
  }
}

}  // namespace
}  // namespace holdfast::wire::mqtt
