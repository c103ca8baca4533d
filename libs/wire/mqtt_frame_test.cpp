// Framing: packets found in a stream that is cut anywhere, limits by the fixed header, memory kept.
#include <gtest/gtest.h>

#include <deque>

#include "libs/wire/testing/mqtt_samples.hpp"

namespace holdfast::wire::mqtt {
namespace {

constexpr std::uint32_t kRoomy = 100'000;

Decoder decoder_of(Version version, Side reader, std::uint32_t packet_max = kRoomy) {
  return reader == Side::server ? Decoder::for_server(packet_max)
                                : Decoder::for_client(version, packet_max);
}

// Payloads are views that end with the next call: kept beside their packets.
struct Pulled {
  std::vector<Packet> packets;
  std::deque<Bytes> payloads;

  void pull(Decoder& decoder) {
    for (;;) {
      auto packet = decoder.next();
      ASSERT_TRUE(packet) << packet.error().message;
      if (!*packet) return;
      if (auto* publish = std::get_if<Publish>(&**packet)) {
        payloads.emplace_back(publish->payload.begin(), publish->payload.end());
        publish->payload = payloads.back();
      }
      packets.push_back(std::move(**packet));
    }
  }
};

Bytes stream_of(const std::vector<Packet>& packets, Version version) {
  Bytes out;
  for (const auto& packet : packets) {
    const auto status = encode(packet, version, out);
    EXPECT_TRUE(status) << status.error().text();
  }
  return out;
}

void expect_stream(Version version, Side reader, std::size_t piece) {
  const auto sent = sample_packets(version, reader);
  const Bytes stream = stream_of(sent, version);
  Decoder decoder = decoder_of(version, reader);
  Pulled pulled;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    // A fresh buffer for each read, gone afterwards: nothing may point into it later.
    const Bytes read(
        stream.begin() + static_cast<std::ptrdiff_t>(at),
        stream.begin() + static_cast<std::ptrdiff_t>(std::min(at + piece, stream.size())));
    decoder.feed(read);
    pulled.pull(decoder);
  }
  ASSERT_EQ(pulled.packets.size(), sent.size()) << "pieces of " << piece;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    EXPECT_TRUE(pulled.packets[i] == sent[i]) << name_of(sent[i]) << " in pieces of " << piece;
  }
  EXPECT_EQ(decoder.buffered(), 0u);
}

TEST(MqttFrame, EveryPacketComesThroughInPiecesOfAnySize) {
  for (const auto version : {Version::v3_1_1, Version::v5}) {
    for (const auto reader : {Side::server, Side::client}) {
      for (const std::size_t piece : {1, 2, 3, 5, 7, 16, 33, 64, 4096}) {
        expect_stream(version, reader, piece);
      }
    }
  }
}

TEST(MqttFrame, ServerLearnsTheVersionFromConnect) {
  for (const auto version : {Version::v3_1_1, Version::v5}) {
    Decoder decoder = Decoder::for_server(kRoomy);
    EXPECT_FALSE(decoder.version());
    const Bytes stream = stream_of({sample_connect(version)}, version);
    decoder.feed(stream);
    ASSERT_TRUE(decoder.next());
    EXPECT_EQ(decoder.version(), version);
  }
}

TEST(MqttFrame, AnythingBeforeConnectIsRefusedByItsFirstByte) {
  for (int type = 0; type <= 15; ++type) {
    if (type == 1) continue;
    Decoder decoder = Decoder::for_server(kRoomy);
    const std::uint8_t first[] = {static_cast<std::uint8_t>(type << 4)};
    decoder.feed(first);
    const auto packet = decoder.next();
    ASSERT_FALSE(packet) << type;
    EXPECT_EQ(packet.error().reason, Reason::protocol_error);
    EXPECT_TRUE(packet.error().silent) << type;
  }
}

// The limit counts the fixed header, and is told before any of the body came.
TEST(MqttFrame, TooLargeIsToldByTheHeaderAlone) {
  const Publish publish{"t", View(), 0, 0, false, false, {}};
  Bytes whole = stream_of({sample_connect(Version::v5)}, Version::v5);
  const auto connect_bytes = static_cast<std::uint32_t>(whole.size());
  Bytes body(200, 'x');
  Publish large = publish;
  large.payload = body;
  Bytes frame;
  ASSERT_TRUE(encode(large, Version::v5, frame));
  const auto size = static_cast<std::uint32_t>(frame.size());

  for (const std::uint32_t packet_max : {size, size - 1}) {
    Decoder decoder = Decoder::for_server(connect_bytes);
    decoder.feed(whole);
    ASSERT_TRUE(decoder.next());
    ASSERT_TRUE(decoder.next());
    decoder.set_packet_max(packet_max);
    decoder.feed(View(frame).first(3));
    const auto packet = decoder.next();
    EXPECT_EQ(packet.has_value(), packet_max == size);
    if (packet) continue;
    EXPECT_EQ(packet.error().reason, Reason::packet_too_large);
    EXPECT_EQ(packet.error().error().code, Code::payload_too_large);
    EXPECT_NE(packet.error().message.find(std::to_string(size)), std::string::npos);
  }
  Decoder small = Decoder::for_server(connect_bytes - 1);
  small.feed(whole);
  ASSERT_FALSE(small.next());
}

struct LengthCase {
  const char* hex;
  bool refused;
};

TEST(MqttFrame, RemainingLengthIsAtMostFourBytesAndMinimal) {
  constexpr LengthCase kCases[] = {
      {"30ffffff7f", false},  // 268,435,455: more bytes are awaited
      {"30ffffffff", true},   // a fifth byte
      {"30808080", false},    // the fourth is awaited
      {"3080", false},        // the second is awaited
      {"30", false},          //
      {"308000", true},       // 0 in two bytes
      {"30ff00", true},       // 127 in two bytes
      {"30808000", true},     // 0 in three bytes
      {"30ffff8000", true},   // in four
  };
  for (const auto& one : kCases) {
    Decoder decoder = Decoder::for_client(Version::v5, kRemainingMax + 5);
    const Bytes bytes = from_hex(one.hex).value();
    decoder.feed(bytes);
    const auto packet = decoder.next();
    EXPECT_EQ(!packet.has_value(), one.refused) << one.hex;
    if (packet) continue;
    EXPECT_EQ(packet.error().reason, Reason::malformed_packet) << one.hex;
    EXPECT_TRUE(packet.error().silent) << one.hex;
  }
}

TEST(MqttFrame, ARefusalIsFinal) {
  Decoder decoder = Decoder::for_client(Version::v5, kRoomy);
  const Bytes bad = from_hex("d100").value();  // PINGRESP with a flag
  decoder.feed(bad);
  const auto first = decoder.next();
  ASSERT_FALSE(first);
  const Bytes good = from_hex("d000").value();
  decoder.feed(good);
  const auto second = decoder.next();
  ASSERT_FALSE(second);
  EXPECT_EQ(first.error(), second.error());
  EXPECT_EQ(decoder.buffered(), 0u);
}

TEST(MqttFrame, PayloadIsAViewIntoTheReadWhenItIsWhole) {
  Decoder decoder = Decoder::for_client(Version::v3_1_1, kRoomy);
  const Bytes payload = bytes_of("payload");
  Bytes bytes;
  ASSERT_TRUE(encode(Publish{"t", payload, 0, 0, false, false, {}}, Version::v3_1_1, bytes));
  decoder.feed(bytes);
  const auto packet = decoder.next();
  ASSERT_TRUE(packet && *packet);
  const auto& publish = std::get<Publish>(**packet);
  EXPECT_GE(publish.payload.data(), bytes.data());
  EXPECT_LT(publish.payload.data(), bytes.data() + bytes.size());
}

// A session that is full stops half way; its read buffer is used by others meanwhile.
TEST(MqttFrame, KeepLetsTheReadBufferGo) {
  Decoder decoder = Decoder::for_client(Version::v5, kRoomy);
  Bytes bytes;
  for (std::uint16_t id = 1; id <= 50; ++id)
    ASSERT_TRUE(encode(Puback{id, {}, {}}, Version::v5, bytes));
  bytes.resize(bytes.size() - 1);  // the last one is not whole
  decoder.feed(bytes);
  for (std::uint16_t id = 1; id <= 10; ++id) {
    auto packet = decoder.next();
    ASSERT_TRUE(packet && *packet);
    EXPECT_EQ(std::get<Puback>(**packet).packet_id, id);
  }
  decoder.keep();
  EXPECT_EQ(decoder.buffered(), 40u * 4 - 1);
  std::ranges::fill(bytes, std::uint8_t{0xFF});
  for (std::uint16_t id = 11; id <= 49; ++id) {
    auto packet = decoder.next();
    ASSERT_TRUE(packet && *packet) << id;
    EXPECT_EQ(std::get<Puback>(**packet).packet_id, id);
  }
  auto none = decoder.next();
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  const Bytes last = {50};
  decoder.feed(last);
  auto packet = decoder.next();
  ASSERT_TRUE(packet && *packet);
  EXPECT_EQ(std::get<Puback>(**packet).packet_id, 50);
}

// Feeding before all is read must lose nothing either.
TEST(MqttFrame, FeedKeepsWhatWasNotReadYet) {
  Decoder decoder = Decoder::for_client(Version::v5, kRoomy);
  Bytes bytes;
  for (std::uint16_t id = 1; id <= 4; ++id)
    ASSERT_TRUE(encode(Puback{id, {}, {}}, Version::v5, bytes));
  for (std::size_t i = 0; i < bytes.size(); i += 8) {
    decoder.feed(View(bytes).subspan(i, 8));
    if (i > 0) continue;
    ASSERT_TRUE(decoder.next());
  }
  for (std::uint16_t id = 2; id <= 4; ++id) {
    auto packet = decoder.next();
    ASSERT_TRUE(packet && *packet);
    EXPECT_EQ(std::get<Puback>(**packet).packet_id, id);
  }
}

struct HeaderCase {
  const char* hex;
  Side reader;
  Version version;
  Reason reason;
  bool silent;
};

// The first byte, once a CONNECT was read.
TEST(MqttFrame, FlagsSidesAndEmptyPackets) {
  using enum Reason;
  constexpr auto kV3 = Version::v3_1_1;
  constexpr auto kV5 = Version::v5;
  constexpr HeaderCase kCases[] = {
      {"00", Side::server, kV5, protocol_error, false},
      {"0f", Side::server, kV3, protocol_error, false},
      {"f000", Side::server, kV3, protocol_error, false},
      {"f000", Side::client, kV3, protocol_error, false},
      {"f100", Side::server, kV5, protocol_error, false},
      {"4102", Side::server, kV5, malformed_packet, false},
      {"5402", Side::server, kV5, malformed_packet, false},
      {"6002", Side::server, kV5, protocol_error, false},
      {"6302", Side::server, kV5, protocol_error, false},
      {"7802", Side::server, kV5, malformed_packet, false},
      {"8005", Side::server, kV5, malformed_packet, false},
      {"a005", Side::server, kV5, malformed_packet, false},
      {"9103", Side::client, kV5, malformed_packet, false},
      {"2102", Side::client, kV5, malformed_packet, false},
      {"2102", Side::server, kV5, protocol_error, false},
      {"9003", Side::server, kV5, protocol_error, false},
      {"b003", Side::server, kV5, protocol_error, false},
      {"d000", Side::server, kV5, protocol_error, false},
      {"1005", Side::client, kV5, protocol_error, false},
      {"8205", Side::client, kV5, protocol_error, false},
      {"a205", Side::client, kV5, protocol_error, false},
      {"c000", Side::client, kV5, protocol_error, false},
      {"e000", Side::client, kV3, protocol_error, false},
      {"c001", Side::server, kV5, malformed_packet, true},
      {"d001", Side::client, kV5, malformed_packet, true},
      {"e001", Side::server, kV3, malformed_packet, true},
      {"e100", Side::server, kV5, protocol_error, false},
      {"1105", Side::server, kV5, malformed_packet, true},
  };
  for (const auto& one : kCases) {
    Decoder decoder = decoder_of(one.version, one.reader);
    const Bytes connect = stream_of({sample_connect(one.version)}, one.version);
    if (one.reader == Side::server) {
      decoder.feed(connect);
      ASSERT_TRUE(decoder.next());
    }
    const Bytes bytes = from_hex(one.hex).value();
    decoder.feed(bytes);
    const auto packet = decoder.next();
    ASSERT_FALSE(packet) << one.hex;
    EXPECT_EQ(packet.error().reason, one.reason) << one.hex << " " << packet.error().message;
    EXPECT_EQ(packet.error().silent, one.silent) << one.hex;
  }
}

}  // namespace
}  // namespace holdfast::wire::mqtt
