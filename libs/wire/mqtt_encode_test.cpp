#include <gtest/gtest.h>

#include "libs/wire/testing/mqtt_samples.hpp"

namespace holdfast::wire::mqtt {
namespace {

std::string written(const Packet& packet, Version version) {
  Bytes out;
  const auto status = encode(packet, version, out);
  return status ? to_hex(out) : status.error().text();
}

struct WrittenCase {
  Packet packet;
  Version version;
  const char* hex;
};

TEST(MqttEncode, ShortFormsWhereverTheyAreAllowed) {
  constexpr auto kV3 = Version::v3_1_1;
  constexpr auto kV5 = Version::v5;
  Properties why;
  why.set(PropertyId::reason_string, "x");
  const WrittenCase kCases[] = {
      {Puback{0x1234, Reason::success, {}}, kV5, "40021234"},
      {Puback{0x1234, Reason::success, {}}, kV3, "40021234"},
      {Puback{1, Reason::not_authorized, {}}, kV5, "4003000187"},
      {Puback{1, Reason::not_authorized, {}}, kV3, "40020001"},
      {Puback{1, Reason::success, why}, kV5, "4008000100041f000178"},
      {Puback{1, Reason::success, why}, kV3, "40020001"},
      {Pubrec{2, Reason::success, {}}, kV5, "50020002"},
      {Pubrel{2, Reason::success, {}}, kV5, "62020002"},
      {Pubrel{2, Reason::packet_identifier_not_found, {}}, kV5, "6203000292"},
      {Pubcomp{2, Reason::success, {}}, kV5, "70020002"},
      {Disconnect{Reason::success, {}}, kV5, "e000"},
      {Disconnect{Reason::malformed_packet, {}}, kV5, "e00181"},
      {Disconnect{Reason::malformed_packet, {}}, kV3, "e000"},
      {Disconnect{Reason::success, why}, kV5, "e00600041f000178"},
      {Connack{false, Reason::success, {}}, kV5, "2003000000"},
      {Connack{true, Reason::success, {}}, kV3, "20020100"},
      {Connack{false, Reason::server_busy, {}}, kV3, "20020003"},
      {Connack{false, Reason::malformed_packet, {}}, kV5, "2003008100"},
      {Suback{1, {Reason::granted_qos_1, Reason::topic_filter_invalid}, {}}, kV3, "900400010180"},
      {Suback{1, {Reason::granted_qos_1, Reason::topic_filter_invalid}, {}}, kV5, "9005000100018f"},
      {Unsuback{1, {Reason::success}, {}}, kV3, "b0020001"},
      {Unsuback{1, {Reason::success}, {}}, kV5, "b00400010000"},
      {Pingreq{}, kV5, "c000"},
      {Pingresp{}, kV3, "d000"},
      {Auth{}, kV5, "f000"},
      {Subscribe{1, {{"a", 1, true, true, 2}}, {}}, kV5,
       "8207000100000161"
       "2d"},
      {Subscribe{1, {{"a", 1, true, true, 2}}, {}}, kV3, "8206000100016101"},
      {Unsubscribe{1, {"a"}, {}}, kV3,
       "a205000100"
       "0161"},
      {Publish{"a", {}, 0, 0, false, true, {}}, kV3, "3103000161"},
      {Publish{"a", {}, 0, 0, false, true, {}}, kV5, "310400016100"},
      {Publish{"a", {}, 5, 1, true, false, {}}, kV5,
       "3a060001610005"
       "00"},
  };
  for (const auto& one : kCases) {
    EXPECT_EQ(written(one.packet, one.version), one.hex) << name_of(one.packet);
  }
}

TEST(MqttEncode, FastAcknowledgementIsTheSame) {
  Bytes fast;
  encode_puback(0xABCD, fast);
  EXPECT_EQ(to_hex(fast), written(Puback{0xABCD, Reason::success, {}}, Version::v5));
}

TEST(MqttEncode, HeaderGrowsWithTheRemainingLength) {
  for (const std::size_t size : {0, 124, 125, 16'380, 16'381, 2'097'148, 2'097'149}) {
    const Bytes payload(size, 'x');
    const Publish publish{"t", payload, 0, 0, false, false, {}};
    Bytes out = {0xAA};
    ASSERT_TRUE(encode(publish, Version::v3_1_1, out));
    EXPECT_EQ(out[0], 0xAA) << "what stood before stays";
    Decoder decoder = Decoder::for_client(Version::v3_1_1, kRemainingMax + 5);
    decoder.feed(View(out).subspan(1));
    const auto packet = decoder.next();
    ASSERT_TRUE(packet && *packet) << size;
    EXPECT_TRUE(std::get<Publish>(**packet) == publish) << size;
    EXPECT_EQ(decoder.buffered(), 0u);
  }
}

TEST(MqttEncode, KeepsThePeersMaximumPacketSize) {
  const Bytes payload(100, 'x');
  const Publish publish{"topic", payload, 0, 0, false, false, {}};
  Bytes out;
  ASSERT_TRUE(encode(publish, Version::v5, out));
  const auto size = static_cast<std::uint32_t>(out.size());
  Bytes again = {1, 2, 3};
  EXPECT_TRUE(encode(publish, Version::v5, again, size));
  again.resize(3);
  const auto status = encode(publish, Version::v5, again, size - 1);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::payload_too_large);
  EXPECT_EQ(again, (Bytes{1, 2, 3})) << "nothing is left behind";
}

Packet with_property(PropertyId id, std::uint32_t number) {
  Publish publish{"t", {}, 0, 0, false, false, {}};
  publish.properties.set(id, number);
  return publish;
}

TEST(MqttEncode, RefusesWhatCannotBeSaid) {
  const std::string long_text(65'536, 'a');
  Connect lonely_password;
  lonely_password.version = Version::v3_1_1;
  lonely_password.password = Bytes{1};
  Connect will_qos;
  will_qos.will = Will{"t", {}, 3, false, {}};
  Connect will_topic;
  will_topic.will = Will{};
  const std::pair<Packet, Version> kCases[] = {
      {Publish{long_text, {}, 0, 0, false, false, {}}, Version::v5},
      {Publish{"t", {}, 0, 3, false, false, {}}, Version::v5},
      {Publish{"t", {}, 0, 1, false, false, {}}, Version::v5},
      {Publish{"t", {}, 0, 0, true, false, {}}, Version::v5},
      {Publish{"", {}, 0, 0, false, false, {}}, Version::v5},
      {with_property(PropertyId::session_expiry, 1), Version::v5},
      {with_property(PropertyId::topic_alias, 65'536), Version::v5},
      {with_property(PropertyId::payload_format, 256), Version::v5},
      {with_property(PropertyId::subscription_id, kRemainingMax + 1), Version::v5},
      {Puback{0, Reason::success, {}}, Version::v5},
      {Subscribe{1, {}, {}}, Version::v5},
      {Subscribe{1, {{"", 0, false, false, 0}}, {}}, Version::v5},
      {Subscribe{1, {{"a", 3, false, false, 0}}, {}}, Version::v5},
      {Subscribe{1, {{"a", 0, false, false, 3}}, {}}, Version::v5},
      {Unsubscribe{1, {}, {}}, Version::v5},
      {Unsubscribe{1, {""}, {}}, Version::v5},
      {Suback{1, {}, {}}, Version::v3_1_1},
      {Unsuback{1, {}, {}}, Version::v5},
      {Auth{}, Version::v3_1_1},
      {Auth{Reason::reauthenticate, {}}, Version::v5},
      {lonely_password, Version::v3_1_1},
      {will_qos, Version::v5},
      {will_topic, Version::v5},
  };
  for (const auto& [packet, version] : kCases) {
    Bytes out = {7};
    const auto status = encode(packet, version, out);
    ASSERT_FALSE(status) << name_of(packet) << " " << to_hex(out);
    EXPECT_EQ(status.error().code, Code::invalid_argument) << status.error().text();
    EXPECT_TRUE(status.error().message.starts_with(name_of(packet))) << status.error().message;
    EXPECT_EQ(out, Bytes{7}) << name_of(packet);
  }
}

TEST(MqttEncode, PropertiesAreLeftOutIn311) {
  Publish publish{"t", {}, 0, 0, false, false, {}};
  publish.properties.set(PropertyId::content_type, "x");
  EXPECT_EQ(written(publish, Version::v3_1_1), "3003000174");
  EXPECT_EQ(written(publish, Version::v5),
            "300800017404030001"
            "78");
}

TEST(MqttProperties, AreSetReplacedAndFound) {
  Properties properties;
  EXPECT_TRUE(properties.empty());
  properties.set(PropertyId::receive_maximum, 10).set(PropertyId::content_type, "a");
  properties.set(PropertyId::receive_maximum, 20).add_user("k", "v").add_user("k", "w");
  EXPECT_EQ(properties.number(PropertyId::receive_maximum), 20u);
  EXPECT_EQ(properties.text(PropertyId::content_type), "a");
  EXPECT_EQ(properties.all().size(), 4u);
  EXPECT_FALSE(properties.number(PropertyId::topic_alias));
  EXPECT_FALSE(properties.text(PropertyId::reason_string));
  properties.erase(PropertyId::user_property);
  EXPECT_FALSE(properties.has(PropertyId::user_property));
  EXPECT_EQ(properties.all().size(), 2u);
}

TEST(MqttProperties, KnowTheirKinds) {
  EXPECT_EQ(kind_of(0x26), PropertyKind::pair);
  EXPECT_EQ(kind_of(0x0B), PropertyKind::varint);
  EXPECT_EQ(kind_of(0x16), PropertyKind::binary);
  std::size_t known = 0;
  for (std::uint32_t id = 0; id < 300; ++id) known += kind_of(id).has_value() ? 1 : 0;
  EXPECT_EQ(known, 27u) << "section 2.2.2.2, table 2-4";
}

TEST(MqttNames, EveryReasonHasOne) {
  std::size_t named = 0;
  for (int code = 0; code < 256; ++code) {
    named += name_of(static_cast<Reason>(code)) != "unknown reason" ? 1 : 0;
  }
  EXPECT_EQ(named, 43u) << "section 2.4, table 2-6";
  EXPECT_EQ(name_of(Reason::session_taken_over), "session taken over");
  EXPECT_EQ(name_of(Packet(Publish{})), "PUBLISH");
  EXPECT_EQ(name_of(Packet(Auth{})), "AUTH");
}

}  // namespace
}  // namespace holdfast::wire::mqtt
