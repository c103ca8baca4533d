// Inside of the MQTT decoder: reads a packet's body front to back. The first fault stays, later
// reads answer zeros, so that a parser checks once at its end. Nothing is allocated until a fault
// is told.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "libs/base/bytes.hpp"
#include "libs/wire/mqtt.hpp"
#include "libs/wire/utf8.hpp"

namespace holdfast::wire::mqtt {

class Cursor {
 public:
  Cursor(View body, std::string_view packet)
      : at_(body.data()), end_(body.data() + body.size()), packet_(packet) {}

  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  bool ok() const { return what_ == nullptr; }

  // `what` is a literal: it is kept as it is.
  void fault(Reason reason, const char* what, bool silent = false) {
    if (!ok()) return;
    reason_ = reason, what_ = what, silent_ = silent;
    at_ = end_;
  }
  Refusal refusal() const {
    return {reason_, silent_, std::string(packet_) + ": " + (what_ != nullptr ? what_ : "")};
  }
  // Faults found while this is set are answered by closing alone.
  void set_silent(bool silent) { default_silent_ = silent; }

  View take(std::size_t count) {
    if (left() < count) {
      malformed("the packet ends early");
      return {};
    }
    const View part(at_, count);
    at_ += count;
    return part;
  }
  View rest() { return take(left()); }
  std::uint8_t byte() {
    const View part = take(1);
    return part.empty() ? std::uint8_t{0} : part[0];
  }
  std::uint16_t two_bytes() {
    const View part = take(2);
    return part.empty() ? std::uint16_t{0} : load_be<std::uint16_t>(part.data());
  }
  std::uint32_t four_bytes() {
    const View part = take(4);
    return part.empty() ? 0 : load_be<std::uint32_t>(part.data());
  }
  // Variable byte integer (section 1.5.5): at most four bytes, as few as possible.
  std::uint32_t varint() {
    std::uint32_t value = 0;
    for (unsigned shift = 0; shift <= 21; shift += 7) {
      const std::uint8_t part = byte();
      value |= static_cast<std::uint32_t>(part & 0x7F) << shift;
      if ((part & 0x80) != 0) continue;
      if (part == 0 && shift > 0) malformed("a variable byte integer is longer than needed");
      return value;
    }
    malformed("a variable byte integer has more than four bytes");
    return 0;
  }
  View binary() { return take(two_bytes()); }
  // A string as MQTT demands.
  std::string_view text() {
    const auto read = text_of(binary());
    if (!valid_mqtt_text(read)) malformed("a string is not valid UTF-8");
    return read;
  }
  // A string that names something: see valid_mqtt_name.
  std::string_view name(const char* what) {
    const auto read = text_of(binary());
    if (!valid_mqtt_name(read)) malformed(what);
    return read;
  }
  void malformed(const char* what) { fault(Reason::malformed_packet, what, default_silent_); }
  void forbidden(const char* what) { fault(Reason::protocol_error, what, default_silent_); }
  void expect_end() {
    if (left() != 0) malformed("there are bytes behind the end");
  }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  std::string_view packet_;
  const char* what_ = nullptr;
  Reason reason_ = Reason::malformed_packet;
  bool silent_ = false;
  bool default_silent_ = false;
};

enum class PacketType : std::uint8_t {
  reserved = 0,
  connect = 1,
  connack = 2,
  publish = 3,
  puback = 4,
  pubrec = 5,
  pubrel = 6,
  pubcomp = 7,
  subscribe = 8,
  suback = 9,
  unsubscribe = 10,
  unsuback = 11,
  pingreq = 12,
  pingresp = 13,
  disconnect = 14,
  auth = 15,
};
// Where properties stand; PacketType's numbers, and one for the will.
inline constexpr unsigned kWillPlace = 0;
constexpr unsigned place_of(PacketType type) {
  return static_cast<unsigned>(type);
}

std::string_view name_of(PacketType type);  // "PUBLISH"

// The fixed header (section 2.1).
struct Frame {
  PacketType type = PacketType::reserved;
  std::uint8_t flags = 0;
  std::uint8_t header_bytes = 0;
  std::uint32_t remaining = 0;
  std::size_t bytes() const { return std::size_t{header_bytes} + remaining; }
};
// nullopt: more bytes are needed. Refuses whatever the fixed header alone can tell.
std::expected<std::optional<Frame>, Refusal> read_frame(View bytes, Side side,
                                                        std::optional<Version> version,
                                                        std::uint32_t packet_max);

// `version` is what the packet is read as; CONNECT says its own, also when it is refused (the
// answer to 0x84 goes out in a format that the peer may know).
std::expected<Packet, Refusal> read_body(const Frame& frame, View body, Side side,
                                         std::optional<Version>& version);

bool property_allowed(PropertyId id, unsigned place);
// With their length in front. `side` reads them.
Properties read_properties(Cursor& cursor, unsigned place, Side side);
bool reason_allowed(PacketType type, Side side, std::uint8_t reason);

Connect read_connect(Cursor& cursor, Side side, std::optional<Version>& version);
Connack read_connack(Cursor& cursor, Version version);

}  // namespace holdfast::wire::mqtt
