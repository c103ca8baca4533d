// The tables of MQTT 5.0, stated a second time from the specification's text and compared whole:
// every property in every packet from both sides, every reason code in every packet, every byte of
// a packet changed.
#include <gtest/gtest.h>

#include <set>

#include "libs/wire/testing/mqtt_samples.hpp"

namespace holdfast::wire::mqtt {
namespace {

// Reads one packet; a server gets a plain CONNECT before it.
std::expected<std::optional<Packet>, Refusal> read_one(const Bytes& bytes, Side reader,
                                                       Version version = Version::v5) {
  if (reader == Side::client) {
    Decoder decoder = Decoder::for_client(version, 100'000);
    decoder.feed(bytes);
    return decoder.next();
  }
  Decoder decoder = Decoder::for_server(100'000);
  Bytes first;
  Connect connect;
  connect.version = version;
  if (bytes[0] != 0x10) {
    EXPECT_TRUE(encode(connect, version, first));
    decoder.feed(first);
    EXPECT_TRUE(decoder.next());
  }
  decoder.feed(bytes);
  return decoder.next();
}

// ---- properties (table 2-4)

struct PropertyPlaces {
  PropertyId id;
  const char* value;   // in hexadecimal, one that is allowed everywhere
  const char* places;  // as the specification lists them
};

constexpr PropertyPlaces kPlaces[] = {
    {PropertyId::payload_format, "01", "PUBLISH WILL"},
    {PropertyId::message_expiry, "00000001", "PUBLISH WILL"},
    {PropertyId::content_type, "000161", "PUBLISH WILL"},
    {PropertyId::response_topic, "000161", "PUBLISH WILL"},
    {PropertyId::correlation_data, "0001ff", "PUBLISH WILL"},
    {PropertyId::subscription_id, "01", "PUBLISH-DOWN SUBSCRIBE"},
    {PropertyId::session_expiry, "00000001", "CONNECT CONNACK DISCONNECT-UP"},
    {PropertyId::assigned_client_id, "000161", "CONNACK"},
    {PropertyId::server_keep_alive, "0001", "CONNACK"},
    {PropertyId::authentication_method, "000161", "CONNECT CONNACK AUTH"},
    {PropertyId::request_problem_information, "01", "CONNECT"},
    {PropertyId::will_delay, "00000001", "WILL"},
    {PropertyId::request_response_information, "01", "CONNECT"},
    {PropertyId::response_information, "000161", "CONNACK"},
    {PropertyId::server_reference, "000161", "CONNACK DISCONNECT"},
    {PropertyId::reason_string, "000161",
     "CONNACK PUBACK PUBREC PUBREL PUBCOMP SUBACK UNSUBACK DISCONNECT AUTH"},
    {PropertyId::receive_maximum, "0001", "CONNECT CONNACK"},
    {PropertyId::topic_alias_maximum, "0001", "CONNECT CONNACK"},
    {PropertyId::topic_alias, "0001", "PUBLISH"},
    {PropertyId::maximum_qos, "01", "CONNACK"},
    {PropertyId::retain_available, "01", "CONNACK"},
    {PropertyId::user_property,
     "00016100"
     "0162",
     "CONNECT CONNACK PUBLISH WILL PUBACK PUBREC PUBREL PUBCOMP SUBSCRIBE SUBACK UNSUBSCRIBE "
     "UNSUBACK DISCONNECT AUTH"},
    {PropertyId::maximum_packet_size, "00000001", "CONNECT CONNACK"},
    {PropertyId::wildcard_available, "01", "CONNACK"},
    {PropertyId::subscription_id_available, "01", "CONNACK"},
    {PropertyId::shared_available, "01", "CONNACK"},
};

struct PacketShape {
  const char* name;
  Side reader;
  const char* first;   // of the fixed header
  const char* before;  // the properties
  const char* behind;
};

constexpr PacketShape kShapes[] = {
    {"CONNECT", Side::server, "10", "00044d5154540502000a", "000170"},
    {"WILL", Side::server, "10", "00044d5154540506000a00000170", "0001740000"},
    {"CONNACK", Side::client, "20", "0000", ""},
    {"PUBLISH-UP", Side::server, "30", "000174", ""},
    {"PUBLISH-DOWN", Side::client, "30", "000174", ""},
    {"PUBACK", Side::server, "40", "000100", ""},
    {"PUBREC", Side::client, "50", "000100", ""},
    {"PUBREL", Side::server, "62", "000100", ""},
    {"PUBCOMP", Side::client, "70", "000100", ""},
    {"SUBSCRIBE", Side::server, "82", "0001", "00016100"},
    {"SUBACK", Side::client, "90", "0001", "00"},
    {"UNSUBSCRIBE", Side::server, "a2", "0001", "000161"},
    {"UNSUBACK", Side::client, "b0", "0001", "00"},
    {"DISCONNECT-UP", Side::server, "e0", "00", ""},
    {"DISCONNECT-DOWN", Side::client, "e0", "00", ""},
    {"AUTH", Side::server, "f0", "18", ""},
};

// The packet with these properties in it; all lengths stay below 128.
Bytes shaped(const PacketShape& shape, std::string_view properties) {
  const Bytes inner = from_hex(properties).value();
  Bytes body = from_hex(shape.before).value();
  body.push_back(static_cast<std::uint8_t>(inner.size()));
  append(body, inner);
  append(body, from_hex(shape.behind).value());
  Bytes packet = from_hex(shape.first).value();
  packet.push_back(static_cast<std::uint8_t>(body.size()));
  append(packet, body);
  return packet;
}

std::string property_hex(const PropertyPlaces& property) {
  const Bytes id = {static_cast<std::uint8_t>(property.id)};
  return to_hex(id) + property.value;
}

bool belongs(const PropertyPlaces& property, std::string_view shape) {
  const std::string places = " " + std::string(property.places) + " ";
  const std::string_view plain = shape.substr(0, shape.find('-'));
  return places.find(" " + std::string(shape) + " ") != std::string::npos ||
         places.find(" " + std::string(plain) + " ") != std::string::npos;
}

// AUTH needs its method in any case.
std::string others(const PacketShape& shape, const PropertyPlaces& property) {
  const bool auth = std::string_view(shape.name) == "AUTH";
  return auth && property.id != PropertyId::authentication_method ? "15000161" : "";
}

TEST(MqttTables, EveryPropertyInEveryPacket) {
  for (const auto& shape : kShapes) {
    for (const auto& property : kPlaces) {
      const Bytes bytes = shaped(shape, others(shape, property) + property_hex(property));
      const auto read = read_one(bytes, shape.reader);
      const bool wanted = belongs(property, shape.name);
      EXPECT_EQ(read.has_value(), wanted)
          << shape.name << " " << to_hex(bytes) << " " << (read ? "" : read.error().message);
      if (read || wanted) continue;
      const bool strict = std::string_view(shape.name).ends_with("SUBSCRIBE");
      EXPECT_EQ(read.error().reason, strict ? Reason::malformed_packet : Reason::protocol_error)
          << shape.name << " " << to_hex(bytes);
    }
  }
}

TEST(MqttTables, PropertiesStandOnceButForUserPropertiesAndIdsDown) {
  for (const auto& shape : kShapes) {
    for (const auto& property : kPlaces) {
      if (!belongs(property, shape.name)) continue;
      const std::string once = property_hex(property);
      const auto read =
          read_one(shaped(shape, others(shape, property) + once + once), shape.reader);
      const bool repeats =
          property.id == PropertyId::user_property || (property.id == PropertyId::subscription_id &&
                                                       std::string_view(shape.name) != "SUBSCRIBE");
      EXPECT_EQ(read.has_value(), repeats) << shape.name << " " << once;
      if (!read) {
        EXPECT_EQ(read.error().reason, Reason::protocol_error) << shape.name << once;
      }
    }
  }
}

TEST(MqttTables, ACutPropertyIsMalformedEverywhere) {
  for (const auto& shape : kShapes) {
    for (const auto& property : kPlaces) {
      const std::string whole = property_hex(property);
      for (std::size_t size = 2; size < whole.size(); size += 2) {
        const auto read =
            read_one(shaped(shape, others(shape, property) + whole.substr(0, size)), shape.reader);
        ASSERT_FALSE(read) << shape.name << " " << whole.substr(0, size);
        EXPECT_EQ(read.error().reason, Reason::malformed_packet)
            << shape.name << " " << whole.substr(0, size) << " " << read.error().message;
      }
    }
  }
}

TEST(MqttTables, UnknownPropertiesAreMalformed) {
  std::set<int> known = {0x16};
  for (const auto& property : kPlaces) known.insert(static_cast<int>(property.id));
  EXPECT_EQ(known.size(), 27u);
  for (int id = 0; id < 128; ++id) {
    if (known.contains(id)) continue;
    const Bytes inner = {static_cast<std::uint8_t>(id), 1};
    for (const auto& shape : kShapes) {
      const auto read = read_one(shaped(shape, to_hex(inner)), shape.reader);
      ASSERT_FALSE(read) << shape.name << " " << id;
      EXPECT_EQ(read.error().reason, Reason::malformed_packet) << shape.name << " " << id;
    }
  }
}

struct PropertyValue {
  const char* shape;
  const char* properties;
  std::optional<Reason> refused;
};

TEST(MqttTables, ValuesThatAreNotAllowed) {
  using enum Reason;
  constexpr std::optional<Reason> kFine;
  const PropertyValue kCases[] = {
      {"CONNECT", "1700", kFine},
      {"CONNECT", "1702", protocol_error},
      {"CONNECT", "1902", protocol_error},
      {"CONNECT", "210000", protocol_error},
      {"CONNECT", "220000", kFine},
      {"CONNECT", "2700000000", protocol_error},
      {"CONNECT", "27ffffffff", kFine},
      {"CONNECT", "11ffffffff", kFine},
      {"CONNECT", "1600016f", protocol_error},
      {"CONNECT", "150001611600016f", kFine},
      {"CONNECT", "1600016f15000161", kFine},
      {"CONNECT", "15000100", malformed_packet},
      {"CONNECT", "260001ff0000", malformed_packet},
      {"CONNACK", "2400", kFine},
      {"CONNACK", "2402", protocol_error},
      {"CONNACK", "2a02", protocol_error},
      {"CONNACK",
       "12"
       "0000",
       kFine},
      {"CONNACK", "1600016f", protocol_error},
      {"PUBLISH-UP", "0102", protocol_error},
      {"PUBLISH-UP", "0200000000", kFine},
      {"PUBLISH-UP", "230000", topic_alias_invalid},
      {"PUBLISH-UP", "23ffff", kFine},
      {"PUBLISH-UP", "080000", protocol_error},
      {"PUBLISH-UP", "0800012b", protocol_error},
      {"PUBLISH-UP", "08000123", protocol_error},
      {"PUBLISH-UP", "08000101", malformed_packet},
      {"PUBLISH-UP", "090000", kFine},
      {"PUBLISH-UP",
       "0300"
       "00",
       kFine},
      {"PUBLISH-UP", "03000109", kFine},
      {"PUBLISH-UP", "0bffffff7f", protocol_error},
      {"PUBLISH-DOWN", "0b00", protocol_error},
      {"PUBLISH-DOWN", "0bffffff7f", kFine},
      {"PUBLISH-DOWN", "0b8100", malformed_packet},
      {"PUBLISH-DOWN", "0bffffffff01", malformed_packet},
      {"SUBSCRIBE", "0b00", protocol_error},
      {"SUBSCRIBE", "0b8000", malformed_packet},
      {"WILL", "0102", protocol_error},
      {"WILL", "080000", protocol_error},
      {"WILL", "1800000000", kFine},
      {"PUBACK",
       "a601"
       "00000000",
       malformed_packet},
  };
  for (const auto& one : kCases) {
    for (const auto& shape : kShapes) {
      if (std::string_view(shape.name) != one.shape) continue;
      const auto read = read_one(shaped(shape, one.properties), shape.reader);
      EXPECT_EQ(read.has_value(), !one.refused) << one.shape << " " << one.properties;
      if (read || !one.refused) continue;
      EXPECT_EQ(name_of(read.error().reason), name_of(*one.refused))
          << one.shape << " " << one.properties << ": " << read.error().message;
    }
  }
}

// ---- reason codes (table 2-6)

struct ReasonPlaces {
  const char* name;
  Side reader;
  const char* before;  // hexadecimal up to the reason code
  const char* behind;
  std::vector<int> codes;
};

TEST(MqttTables, EveryReasonCodeInEveryPacket) {
  const ReasonPlaces kPackets[] = {
      {"CONNACK", Side::client, "200300", "00", {0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86,
                                                 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97,
                                                 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F}},
      {"PUBACK",
       Side::server,
       "40030001",
       "",
       {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99}},
      {"PUBREC",
       Side::client,
       "50030001",
       "",
       {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99}},
      {"PUBREL", Side::client, "62030001", "", {0x00, 0x92}},
      {"PUBCOMP", Side::server, "70030001", "", {0x00, 0x92}},
      {"SUBACK",
       Side::client,
       "9004000100",
       "",
       {0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2}},
      {"UNSUBACK", Side::client, "b004000100", "", {0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91}},
      {"DISCONNECT up",
       Side::server,
       "e001",
       "",
       {0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99}},
      {"DISCONNECT down", Side::client, "e001", "", {0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89,
                                                     0x8B, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94,
                                                     0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B,
                                                     0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2}},
      {"AUTH up", Side::server, "f006", "0415000161", {0x00, 0x18, 0x19}},
      {"AUTH down", Side::client, "f006", "0415000161", {0x00, 0x18}},
  };
  for (const auto& packet : kPackets) {
    for (int code = 0; code < 256; ++code) {
      Bytes bytes = from_hex(packet.before).value();
      bytes.push_back(static_cast<std::uint8_t>(code));
      append(bytes, from_hex(packet.behind).value());
      const auto read = read_one(bytes, packet.reader);
      const bool wanted = std::ranges::find(packet.codes, code) != packet.codes.end();
      EXPECT_EQ(read.has_value(), wanted) << packet.name << " " << code;
      if (!read) {
        EXPECT_EQ(read.error().reason, Reason::protocol_error) << packet.name << code;
      }
    }
  }
}

TEST(MqttTables, SubackOf311HasFourCodes) {
  for (int code = 0; code < 256; ++code) {
    const Bytes bytes = {0x90, 3, 0, 1, static_cast<std::uint8_t>(code)};
    const auto read = read_one(bytes, Side::client, Version::v3_1_1);
    EXPECT_EQ(read.has_value(), code <= 2 || code == 0x80) << code;
  }
}

// ---- options and flags

TEST(MqttTables, EverySubscriptionOption) {
  for (int options = 0; options < 256; ++options) {
    const auto byte = static_cast<std::uint8_t>(options);
    const Bytes v5 = {0x82, 7, 0, 1, 0, 0, 1, 'a', byte};
    const bool fine = (options & 3) != 3 && (options & 0x30) != 0x30 && options < 0x40;
    const auto read = read_one(v5, Side::server);
    EXPECT_EQ(read.has_value(), fine) << options;
    if (!read) {
      EXPECT_EQ(read.error().reason, Reason::malformed_packet) << options;
    }
    const Bytes v3 = {0x82, 6, 0, 1, 0, 1, 'a', byte};
    EXPECT_EQ(read_one(v3, Side::server, Version::v3_1_1).has_value(), options < 3) << options;
  }
}

TEST(MqttTables, EveryPublishFlag) {
  for (int flags = 0; flags < 16; ++flags) {
    const auto first = static_cast<std::uint8_t>(0x30 | flags);
    const int qos = (flags >> 1) & 3;
    const Bytes without_id = {first, 4, 0, 1, 't', 0};
    const Bytes with_id = {first, 6, 0, 1, 't', 0, 1, 0};
    const bool fine = qos != 3 && !(qos == 0 && (flags & 8) != 0);
    const auto read = read_one(qos == 0 ? without_id : with_id, Side::server);
    EXPECT_EQ(read.has_value(), fine) << flags;
    if (!read) {
      EXPECT_EQ(read.error().reason, Reason::malformed_packet) << flags;
      continue;
    }
    const auto& publish = std::get<Publish>(**read);
    EXPECT_EQ(publish.qos, qos);
    EXPECT_EQ(publish.dup, (flags & 8) != 0);
    EXPECT_EQ(publish.retain, (flags & 1) != 0);
    EXPECT_EQ(publish.packet_id, qos == 0 ? 0 : 1);
  }
}

// Which CONNECT flags may stand together, with all the fields that they announce.
TEST(MqttTables, EveryConnectFlag) {
  for (const auto version : {Version::v3_1_1, Version::v5}) {
    const bool v5 = version == Version::v5;
    for (int flags = 0; flags < 256; ++flags) {
      const bool will = (flags & 4) != 0;
      Bytes body = from_hex("00044d515454").value();
      body.push_back(static_cast<std::uint8_t>(version));
      body.push_back(static_cast<std::uint8_t>(flags));
      append(body, from_hex(v5 ? "000a00000170" : "000a000170").value());
      if (will)
        append(body, from_hex(v5 ? "0000017400"
                                   "0178"
                                 : "00017400"
                                   "0178")
                         .value());
      if ((flags & 0x80) != 0) append(body, from_hex("000175").value());
      if ((flags & 0x40) != 0) append(body, from_hex("000177").value());
      Bytes bytes = {0x10, static_cast<std::uint8_t>(body.size())};
      append(bytes, body);
      const int will_qos = (flags >> 3) & 3;
      const bool will_fine = will ? will_qos != 3 : (flags & 0x38) == 0;
      const bool password_fine = v5 || (flags & 0xC0) != 0x40;
      const bool fine = (flags & 1) == 0 && will_fine && password_fine;
      const auto read = read_one(bytes, Side::server);
      EXPECT_EQ(read.has_value(), fine) << flags << (read ? "" : read.error().message);
      if (!read) {
        EXPECT_TRUE(read.error().silent) << flags;
        continue;
      }
      Bytes again;
      EXPECT_TRUE(encode(**read, version, again));
      EXPECT_EQ(to_hex(again), to_hex(bytes)) << flags;
    }
  }
}

// ---- small damage: whatever is still accepted is encoded to the bytes that were read

void expect_faithful(const Bytes& bytes, Side reader, Version version) {
  const auto read = read_one(bytes, reader, version);
  if (!read || !*read) return;
  const auto* connect = std::get_if<Connect>(&**read);
  Bytes again;
  const auto status = encode(**read, connect != nullptr ? connect->version : version, again);
  ASSERT_TRUE(status) << to_hex(bytes) << ": " << status.error().text();
  // Its own length may now end before the damaged bytes do.
  ASSERT_LE(again.size(), bytes.size()) << to_hex(bytes);
  const Bytes shortened(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(again.size()));
  if (to_hex(again) == to_hex(shortened)) return;
  const auto twice = read_one(again, reader, version);
  ASSERT_TRUE(twice && *twice) << to_hex(bytes);
  EXPECT_TRUE(**twice == **read) << to_hex(bytes) << " became " << to_hex(again);
}

TEST(MqttTables, DamagedPacketsAreRefusedOrFaithful) {
  for (const auto version : {Version::v3_1_1, Version::v5}) {
    for (const auto reader : {Side::server, Side::client}) {
      for (const auto& packet : sample_packets(version, reader)) {
        Bytes bytes;
        ASSERT_TRUE(encode(packet, version, bytes));
        for (std::size_t at = 0; at < bytes.size(); ++at) {
          for (const int change : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
            Bytes damaged = bytes;
            damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ change);
            expect_faithful(damaged, reader, version);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace holdfast::wire::mqtt
