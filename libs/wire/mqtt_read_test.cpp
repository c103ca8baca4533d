// Bodies of packets: what is read, and why others are refused. The server's side is also played by
// the public sequences; here stand the client's side, bounds and details of the text.
#include <gtest/gtest.h>

#include "libs/wire/testing/mqtt_samples.hpp"

namespace holdfast::wire::mqtt {
namespace {

constexpr auto kV3 = Version::v3_1_1;
constexpr auto kV5 = Version::v5;

using Read = std::expected<std::optional<Packet>, Refusal>;

// The bytes must outlive what is read: views point into them.
Read read_as_client(const Bytes& bytes, Version version) {
  Decoder decoder = Decoder::for_client(version, 1'000'000);
  decoder.feed(bytes);
  return decoder.next();
}

Read read_as_server(const Bytes& bytes, Version version) {
  Decoder decoder = Decoder::for_server(1'000'000);
  Connect connect;
  connect.version = version;
  Bytes first;
  EXPECT_TRUE(encode(connect, version, first));
  decoder.feed(first);
  EXPECT_TRUE(decoder.next());
  decoder.feed(bytes);
  return decoder.next();
}

template <class T>
T packet_of(const Read& read, std::string_view what) {
  EXPECT_TRUE(read) << what << ": " << (read ? "" : read.error().message);
  if (!read || !*read) return {};
  const auto* packet = std::get_if<T>(&**read);
  EXPECT_NE(packet, nullptr) << what;
  return packet == nullptr ? T{} : *packet;
}

TEST(MqttRead, ConnackOfBothVersions) {
  const Bytes v3 = from_hex("20020100").value();
  EXPECT_EQ(packet_of<Connack>(read_as_client(v3, kV3), "3.1.1"), (Connack{true, {}, {}}));

  const Bytes v5 = from_hex("200a00000721001422000a2401").value();
  const auto with_more = from_hex(
                             "200b000008210014220000"
                             "2401")
                             .value();
  const auto connack = packet_of<Connack>(read_as_client(with_more, kV5), "5.0");
  EXPECT_FALSE(connack.session_present);
  EXPECT_EQ(connack.properties.number(PropertyId::receive_maximum), 20u);
  EXPECT_EQ(connack.properties.number(PropertyId::topic_alias_maximum), 0u);
  EXPECT_EQ(connack.properties.number(PropertyId::maximum_qos), 1u);
  EXPECT_FALSE(read_as_client(v5, kV5)) << "its properties end within a property";
}

TEST(MqttRead, ReturnCodesOf311AreMappedBothWays) {
  const Reason wanted[] = {Reason::success,
                           Reason::unsupported_protocol_version,
                           Reason::client_identifier_not_valid,
                           Reason::server_unavailable,
                           Reason::bad_user_name_or_password,
                           Reason::not_authorized};
  for (std::uint8_t code = 0; code <= 5; ++code) {
    const Bytes bytes = {0x20, 2, 0, code};
    EXPECT_EQ(packet_of<Connack>(read_as_client(bytes, kV3), "code").reason, wanted[code]);
    EXPECT_EQ(connack_code_3_1_1(wanted[code]), code);
  }
  EXPECT_EQ(connack_code_3_1_1(Reason::server_busy), 3);
  EXPECT_EQ(connack_code_3_1_1(Reason::quota_exceeded), 3);
  EXPECT_EQ(connack_code_3_1_1(Reason::banned), 5);
}

TEST(MqttRead, PublishDownMayHaveSeveralSubscriptionIds) {
  const Bytes bytes = from_hex(
                          "300c000174"
                          "060b010bffff03"
                          "6869")
                          .value();
  const auto publish = packet_of<Publish>(read_as_client(bytes, kV5), "two identifiers");
  EXPECT_EQ(publish.topic, "t");
  ASSERT_EQ(publish.properties.all().size(), 2u);
  EXPECT_EQ(publish.properties.all()[1].number, 65'535u);
  EXPECT_EQ(text_of(publish.payload), "hi");
  EXPECT_FALSE(read_as_server(bytes, kV5)) << "[MQTT-3.3.4-6]";
}

TEST(MqttRead, PropertiesKeepTheirOrder) {
  const Bytes bytes = from_hex(
                          "301d000174"
                          "19"
                          "26000161000131"
                          "2600016200013203000178"
                          "26000161000133")
                          .value();
  const auto publish = packet_of<Publish>(read_as_client(bytes, kV5), "user properties");
  ASSERT_EQ(publish.properties.all().size(), 4u);
  std::string names;
  for (const auto& one : publish.properties.all()) names += one.text + one.value + " ";
  EXPECT_EQ(names, "a1 b2 x a3 ");
}

struct RefusedCase {
  const char* hex;
  Version version;
  Reason reason;
  const char* why;
};

constexpr RefusedCase kRefusedByAClient[] = {
    {"20020200", kV3, Reason::malformed_packet, "reserved acknowledge flag"},
    {"20020006", kV3, Reason::protocol_error, "return code 6"},
    {"20020105", kV3, Reason::protocol_error, "a refusal with a session"},
    {"2003000000", kV3, Reason::malformed_packet, "properties in 3.1.1"},
    {"200100", kV3, Reason::malformed_packet, "no return code"},
    {"2003000100", kV5, Reason::protocol_error, "reason 1"},
    {"2003018700", kV5, Reason::protocol_error, "a refusal with a session"},
    {"20050000022402", kV5, Reason::protocol_error, "maximum QoS 2"},
    {"200600000321"
     "0000",
     kV5, Reason::protocol_error, "receive maximum 0"},
    {"20080000052700000000", kV5, Reason::protocol_error, "maximum packet size 0"},
    {"20050000022502", kV5, Reason::protocol_error, "retain available 2"},
    {"200700000416000161", kV5, Reason::protocol_error, "data without a method"},
    {"2003000008", kV5, Reason::malformed_packet, "properties longer than the packet"},
    {"90020001", kV3, Reason::malformed_packet, "no return code"},
    {"9003000103", kV3, Reason::protocol_error, "granted QoS 3"},
    {"9003000000", kV3, Reason::protocol_error, "packet id 0"},
    {"90040001"
     "0003",
     kV5, Reason::protocol_error, "granted QoS 3"},
    {"9003000100", kV5, Reason::malformed_packet, "no reason"},
    {"b003000100", kV3, Reason::malformed_packet, "bytes behind the id"},
    {"b0040001"
     "0010",
     kV5, Reason::protocol_error, "reason 0x10"},
    {"e00104", kV5, Reason::protocol_error, "with will, from a server"},
    {"e00700051100000001", kV5, Reason::protocol_error, "session expiry from a server"},
    {"f00119", kV5, Reason::protocol_error, "re-authenticate, from a server"},
    {"f00118", kV5, Reason::protocol_error, "no method"},
    {"3007000174"
     "03230000",
     kV5, Reason::topic_alias_invalid, "alias 0"},
    {"3007000174"
     "0423000100",
     kV5, Reason::malformed_packet, "cut property"},
    {"3003000000", kV5, Reason::malformed_packet, "neither topic nor alias"},
    {"30020000", kV3, Reason::malformed_packet, "no topic"},
    {"320300017400", kV3, Reason::malformed_packet, "no packet id"},
    {"3205000174"
     "0000",
     kV3, Reason::protocol_error, "packet id 0"},
    {"3009000174"
     "0508000161"
     "2b",
     kV5, Reason::malformed_packet, "cut response topic"},
    {"3008000174"
     "0408"
     "00012b",
     kV5, Reason::protocol_error, "a response topic with a wildcard"},
    {"3008000174"
     "040300"
     "01ff",
     kV5, Reason::malformed_packet, "content type is no UTF-8"},
    {"4005000100"
     "0311",
     kV5, Reason::malformed_packet, "cut property"},
    {"400a0001000611"
     "00000001"
     "00",
     kV5, Reason::protocol_error, "session expiry in PUBACK"},
    {"40030001"
     "11",
     kV5, Reason::protocol_error, "reason 0x11"},
};

TEST(MqttRead, RefusedByAClient) {
  for (const auto& one : kRefusedByAClient) {
    const Bytes bytes = from_hex(one.hex).value();
    const auto read = read_as_client(bytes, one.version);
    EXPECT_FALSE(read) << one.why;
    if (read) continue;
    EXPECT_EQ(name_of(read.error().reason), name_of(one.reason))
        << one.why << ": " << read.error().message;
  }
}

TEST(MqttRead, RefusalsSayPacketAndRule) {
  const Bytes bytes = from_hex(
                          "3205000174"
                          "0000")
                          .value();
  const auto read = read_as_client(bytes, kV3);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "PUBLISH: packet id 0 [MQTT-2.2.1-3]");
  EXPECT_EQ(read.error().error().code, Code::protocol_error);
  EXPECT_EQ(read.error().error().message, read.error().message);
}

TEST(MqttRead, ReasonsHaveCodesOfTheContract) {
  const std::pair<Reason, Code> kWanted[] = {
      {Reason::malformed_packet, Code::packet_malformed},
      {Reason::protocol_error, Code::protocol_error},
      {Reason::unsupported_protocol_version, Code::protocol_version_unsupported},
      {Reason::client_identifier_not_valid, Code::client_id_invalid},
      {Reason::topic_alias_invalid, Code::topic_alias_invalid},
      {Reason::quota_exceeded, Code::quota_exceeded},
  };
  for (const auto& [reason, code] : kWanted) {
    const Refusal refusal{reason, false, "why"};
    EXPECT_EQ(refusal.error().code, code) << name_of(reason);
    EXPECT_EQ(row_of(code).mqtt_reason, static_cast<std::uint8_t>(reason)) << name_of(reason);
  }
}

// ---- bounds

Bytes many_properties(std::size_t count) {
  Publish publish{"t", {}, 0, 0, false, false, {}};
  for (std::size_t i = 0; i < count; ++i) publish.properties.add_user("", "");
  Bytes bytes;
  EXPECT_TRUE(encode(publish, kV5, bytes));
  return bytes;
}

TEST(MqttRead, PropertiesAreBounded) {
  EXPECT_TRUE(read_as_server(many_properties(Properties::kCountMax), kV5));
  const auto read = read_as_server(many_properties(Properties::kCountMax + 1), kV5);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().reason, Reason::quota_exceeded);
}

template <class T>
Bytes many_filters(std::size_t count) {
  T packet;
  packet.packet_id = 1;
  if constexpr (std::is_same_v<T, Subscribe>) {
    packet.subscriptions.assign(count, Subscription{"a", 0, false, false, 0});
  } else {
    packet.filters.assign(count, "a");
  }
  Bytes bytes;
  EXPECT_TRUE(encode(packet, kV3, bytes));
  return bytes;
}

TEST(MqttRead, FiltersAreBounded) {
  EXPECT_TRUE(read_as_server(many_filters<Subscribe>(kFiltersMax), kV3));
  EXPECT_TRUE(read_as_server(many_filters<Unsubscribe>(kFiltersMax), kV3));
  for (const auto& bytes :
       {many_filters<Subscribe>(kFiltersMax + 1), many_filters<Unsubscribe>(kFiltersMax + 1)}) {
    const auto read = read_as_server(bytes, kV3);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().reason, Reason::quota_exceeded);
  }
}

TEST(MqttRead, FiltersWithMisplacedWildcardsAreTheHubsMatter) {
  const Subscribe wanted{1, {{"ab/+e", 1, false, false, 0}}, {}};
  Bytes bytes;
  ASSERT_TRUE(encode(wanted, kV5, bytes));
  EXPECT_EQ(packet_of<Subscribe>(read_as_server(bytes, kV5), "filter"), wanted);
}

// ---- CONNECT

Read read_connect_bytes(const char* hex, std::optional<Version>& version) {
  static Bytes bytes;
  bytes = from_hex(hex).value();
  Decoder decoder = Decoder::for_server(1'000);
  decoder.feed(bytes);
  auto read = decoder.next();
  version = decoder.version();
  return read;
}

struct ConnectCase {
  const char* hex;
  std::optional<Version> answer;  // in whose format
  Reason reason;
  bool silent;
  const char* why;
};

TEST(MqttRead, ConnectThatCannotBe) {
  using enum Reason;
  const ConnectCase kCases[] = {
      {"100d00044d5154540302000a000170", kV3, unsupported_protocol_version, false, "level 3"},
      {"100d00044d5154540602000a000170", kV5, unsupported_protocol_version, false, "level 6"},
      {"100f00064d5149736470"
       "0302000a000170",
       kV3, unsupported_protocol_version, false, "3.1"},
      {"100d00044d5154550402000a000170", {}, unsupported_protocol_version, true, "MQTU"},
      {"100c00034d51540402000a000170", {}, unsupported_protocol_version, true, "MQT"},
      {"100d00044d5154540403000a000170", kV3, malformed_packet, true, "reserved flag"},
      {"100d00044d5154540442000a000170", kV3, malformed_packet, true, "password alone"},
      {"100c00044d5154540400000a0000", kV3, client_identifier_not_valid, false, "no id, kept"},
      {"100f00044d5154540502000a0227010000", kV5, malformed_packet, false, "cut property"},
      {"100600044d515454", {}, malformed_packet, true, "no level"},
      {"100900044d5154540402000a", kV3, malformed_packet, true, "cut keep-alive"},
  };
  for (const auto& one : kCases) {
    std::optional<Version> version;
    const auto read = read_connect_bytes(one.hex, version);
    ASSERT_FALSE(read) << one.why;
    EXPECT_EQ(name_of(read.error().reason), name_of(one.reason)) << one.why;
    EXPECT_EQ(read.error().silent, one.silent) << one.why << ": " << read.error().message;
    EXPECT_EQ(version, one.answer) << one.why;
  }
}

TEST(MqttRead, ConnectIsReadWhole) {
  for (const auto version : {kV3, kV5}) {
    const Connect sent = sample_connect(version);
    Bytes bytes;
    ASSERT_TRUE(encode(sent, version, bytes));
    Decoder decoder = Decoder::for_server(1'000);
    decoder.feed(bytes);
    EXPECT_EQ(packet_of<Connect>(decoder.next(), "CONNECT"), sent);
  }
}

TEST(MqttRead, PasswordMayStandAloneIn5) {
  Connect connect;
  connect.password = Bytes{1};
  Bytes bytes;
  ASSERT_TRUE(encode(connect, kV5, bytes));
  Decoder decoder = Decoder::for_server(1'000);
  decoder.feed(bytes);
  EXPECT_EQ(packet_of<Connect>(decoder.next(), "password"), connect);
}

}  // namespace
}  // namespace holdfast::wire::mqtt
