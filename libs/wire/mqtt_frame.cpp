// Framing: the fixed header, and the decoder that finds packets in a stream of bytes.
#include <algorithm>
#include <array>

#include "libs/wire/mqtt_cursor.hpp"

namespace holdfast::wire::mqtt {
namespace {

struct FrameRow {
  std::string_view name;
  bool from_client;
  bool from_server;
  std::uint8_t flags;  // demanded; PUBLISH has its own
};
constexpr std::array<FrameRow, 16> kFrameRows = {{
    {"reserved type 0", false, false, 0},
    {"CONNECT", true, false, 0},
    {"CONNACK", false, true, 0},
    {"PUBLISH", true, true, 0},
    {"PUBACK", true, true, 0},
    {"PUBREC", true, true, 0},
    {"PUBREL", true, true, 2},
    {"PUBCOMP", true, true, 0},
    {"SUBSCRIBE", true, false, 2},
    {"SUBACK", false, true, 0},
    {"UNSUBSCRIBE", true, false, 2},
    {"UNSUBACK", false, true, 0},
    {"PINGREQ", true, false, 0},
    {"PINGRESP", false, true, 0},
    {"DISCONNECT", true, true, 0},
    {"AUTH", true, true, 0},
}};

Refusal refuse_frame(PacketType type, Reason reason, std::string_view what, bool silent = false) {
  return {reason, silent, std::string(name_of(type)) + ": " + std::string(what)};
}

bool is_ping(PacketType type) {
  return type == PacketType::pingreq || type == PacketType::pingresp;
}

// What the first byte alone tells.
std::optional<Refusal> check_first_byte(PacketType type, Side side,
                                        std::optional<Version> version) {
  if (side == Side::server && !version && type != PacketType::connect) {
    return refuse_frame(type, Reason::protocol_error, "CONNECT must come first [MQTT-3.1.0-1]",
                        true);
  }
  if (type == PacketType::reserved || (type == PacketType::auth && version == Version::v3_1_1)) {
    return refuse_frame(type, Reason::protocol_error, "this version has no such packet");
  }
  return std::nullopt;
}

bool flags_fit(const Frame& frame) {
  return frame.type == PacketType::publish ||
         frame.flags == kFrameRows[static_cast<std::size_t>(frame.type)].flags;
}

// Reserved flags are 0x81 by section 2.1.3; for these three the reference brokers say 0x82.
Reason reason_of_flags(PacketType type) {
  const bool forbidden =
      type == PacketType::pubrel || type == PacketType::disconnect || type == PacketType::auth;
  return forbidden ? Reason::protocol_error : Reason::malformed_packet;
}

std::optional<Refusal> check_header(const Frame& frame, Side side, std::optional<Version> version) {
  const bool no_body =
      is_ping(frame.type) || (frame.type == PacketType::disconnect && version == Version::v3_1_1);
  if (no_body && frame.remaining != 0) {
    return refuse_frame(frame.type, Reason::malformed_packet, "it must be empty", true);
  }
  const auto& row = kFrameRows[static_cast<std::size_t>(frame.type)];
  const bool disconnect_down =
      frame.type == PacketType::disconnect && side == Side::client && version == Version::v3_1_1;
  const bool wrong_side =
      (side == Side::server ? !row.from_client : !row.from_server) || disconnect_down;
  // A CONNACK from a client is forbidden before its flags are looked at, as brokers have it.
  if (!flags_fit(frame) && !(wrong_side && frame.type == PacketType::connack)) {
    return refuse_frame(frame.type, reason_of_flags(frame.type), "reserved flags are set",
                        frame.type == PacketType::connect);
  }
  if (wrong_side) {
    return refuse_frame(frame.type, Reason::protocol_error, "it comes from the wrong side");
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(PacketType type) {
  return kFrameRows[static_cast<std::size_t>(type)].name;
}

std::string_view name_of(const Packet& packet) {
  return kFrameRows[packet.index() + 1].name;
}

std::expected<std::optional<Frame>, Refusal> read_frame(View bytes, Side side,
                                                        std::optional<Version> version,
                                                        std::uint32_t packet_max) {
  if (bytes.empty()) return std::nullopt;
  Frame frame{static_cast<PacketType>(bytes[0] >> 4), static_cast<std::uint8_t>(bytes[0] & 0x0F), 0,
              0};
  if (auto refusal = check_first_byte(frame.type, side, version)) {
    return std::unexpected(std::move(*refusal));
  }
  for (std::size_t i = 1;; ++i) {
    if (i == bytes.size()) return std::nullopt;
    frame.remaining |= static_cast<std::uint32_t>(bytes[i] & 0x7F) << (7 * (i - 1));
    if ((bytes[i] & 0x80) == 0) {
      const bool longer_than_needed = bytes[i] == 0 && i > 1;
      if (longer_than_needed) {
        return std::unexpected(refuse_frame(frame.type, Reason::malformed_packet,
                                            "the remaining length is longer than needed", true));
      }
      frame.header_bytes = static_cast<std::uint8_t>(i + 1);
      break;
    }
    if (i == 4) {
      return std::unexpected(refuse_frame(frame.type, Reason::malformed_packet,
                                          "the remaining length has more than four bytes", true));
    }
  }
  if (auto refusal = check_header(frame, side, version)) {
    return std::unexpected(std::move(*refusal));
  }
  if (frame.bytes() > packet_max) {
    return std::unexpected(refuse_frame(frame.type, Reason::packet_too_large,
                                        "it has " + std::to_string(frame.bytes()) +
                                            " bytes; the limit is " + std::to_string(packet_max)));
  }
  return frame;
}

Decoder Decoder::for_server(std::uint32_t packet_max) {
  return {Side::server, std::nullopt, packet_max};
}

Decoder Decoder::for_client(Version version, std::uint32_t packet_max) {
  return {Side::client, version, packet_max};
}

void Decoder::feed(View bytes) {
  if (refused_) return;
  release_consumed();
  keep();
  window_ = bytes;
}

void Decoder::keep() {
  append(pending_, window_);
  window_ = {};
}

// Views of the packet before this call end here.
void Decoder::release_consumed() {
  constexpr std::size_t kIdleBytesMax = 512;
  if (start_ == 0) return;
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(start_));
  start_ = 0;
  if (pending_.empty() && pending_.capacity() > kIdleBytesMax) pending_ = Bytes();
}

std::unexpected<Refusal> Decoder::refuse(Refusal refusal) {
  refused_ = std::move(refusal);
  window_ = {};
  pending_ = Bytes();
  start_ = 0;
  return std::unexpected(*refused_);
}

std::expected<std::optional<Packet>, Refusal> Decoder::next() {
  if (refused_) return std::unexpected(*refused_);
  // Of many small packets in a kept buffer only the position moves; the bytes go when all are read.
  if (start_ == pending_.size()) release_consumed();
  for (;;) {
    const bool copied = start_ < pending_.size();
    const View bytes = copied ? View(pending_).subspan(start_) : window_;
    auto frame = read_frame(bytes, side_, version_, packet_max_);
    if (!frame) return refuse(std::move(frame.error()));
    const std::size_t need = *frame ? (*frame)->bytes() : bytes.size() + 1;
    if (bytes.size() >= need) {
      copied ? void(start_ += need) : void(window_ = window_.subspan(need));
      const View body = bytes.subspan((*frame)->header_bytes, (*frame)->remaining);
      auto packet = read_body(**frame, body, side_, version_);
      if (!packet) return refuse(std::move(packet.error()));
      return std::move(*packet);
    }
    if (window_.empty()) return std::nullopt;
    if (!copied) {
      keep();
      return std::nullopt;
    }
    const std::size_t count = std::min(need - bytes.size(), window_.size());
    append(pending_, window_.first(count));
    window_ = window_.subspan(count);
  }
}

}  // namespace holdfast::wire::mqtt
