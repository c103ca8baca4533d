// Writing packets. The body is written behind a gap, which then shrinks to the fixed header's size.
#include <algorithm>
#include <cstring>

#include "libs/wire/mqtt_cursor.hpp"

namespace holdfast::wire::mqtt {
namespace {

constexpr std::size_t kHeaderBytesMax = 5;
constexpr std::size_t kStringBytesMax = 65'535;

std::size_t varint_bytes(std::size_t value) {
  return value < 128 ? 1 : value < 16'384 ? 2 : value < 2'097'152 ? 3 : 4;
}

std::uint8_t* store_varint(std::uint8_t* at, std::size_t value) {
  for (; value >= 128; value >>= 7) *at++ = static_cast<std::uint8_t>(value | 0x80);
  *at++ = static_cast<std::uint8_t>(value);
  return at;
}

// Writes one packet to the end of `out`. The first fault stays; finish() then takes all back.
class PacketWriter {
 public:
  PacketWriter(Bytes& out, PacketType type, std::uint8_t flags, Version version)
      : out_(out), start_(out.size()), version_(version), type_(type) {
    first_ = static_cast<std::uint8_t>((place_of(type) << 4) | flags);
    out_.resize(start_ + kHeaderBytesMax);
  }

  bool v5() const { return version_ == Version::v5; }
  void wrong(std::string what) {
    if (wrong_.empty()) wrong_ = std::string(name_of(type_)) + ": " + std::move(what);
  }
  void byte(std::uint8_t value) { out_.push_back(value); }
  void reason(Reason value) { byte(static_cast<std::uint8_t>(value)); }
  void two_bytes(std::uint16_t value) { store_be(out_, value); }
  void varint(std::uint32_t value) {
    if (value > kRemainingMax) return wrong("a number does not fit four varint bytes");
    std::uint8_t bytes[4];
    append(out_, View(bytes, store_varint(bytes, value)));
  }
  void binary(View bytes) {
    if (bytes.size() > kStringBytesMax) return wrong("a string is longer than 65535 bytes");
    two_bytes(static_cast<std::uint16_t>(bytes.size()));
    append(out_, bytes);
  }
  void text(std::string_view value) { binary(view_of(value)); }
  void packet_id(std::uint16_t id) {
    if (id == 0) wrong("packet id 0");
    two_bytes(id);
  }
  void properties(const Properties& properties, unsigned place);
  Status finish(std::uint32_t packet_max, View tail = {});

 private:
  void property(const Property& property);

  Bytes& out_;
  std::size_t start_;
  Version version_;
  PacketType type_;
  std::uint8_t first_;
  std::string wrong_;
};

std::size_t property_bytes(const Property& property) {
  switch (kind_of(static_cast<std::uint32_t>(property.id)).value_or(PropertyKind::byte)) {
    case PropertyKind::byte:
      return 2;
    case PropertyKind::two_bytes:
      return 3;
    case PropertyKind::four_bytes:
      return 5;
    case PropertyKind::varint:
      return 1 + varint_bytes(property.number);
    case PropertyKind::text:
    case PropertyKind::binary:
      return 3 + property.text.size();
    case PropertyKind::pair:
      return 5 + property.text.size() + property.value.size();
  }
  return 0;
}

void PacketWriter::property(const Property& property) {
  byte(static_cast<std::uint8_t>(property.id));
  const std::uint32_t number = property.number;
  switch (kind_of(static_cast<std::uint32_t>(property.id)).value_or(PropertyKind::byte)) {
    case PropertyKind::byte:
      if (number > 0xFF) wrong("a property does not fit one byte");
      return byte(static_cast<std::uint8_t>(number));
    case PropertyKind::two_bytes:
      if (number > 0xFFFF) wrong("a property does not fit two bytes");
      return two_bytes(static_cast<std::uint16_t>(number));
    case PropertyKind::four_bytes:
      return store_be(out_, number);
    case PropertyKind::varint:
      return varint(number);
    case PropertyKind::text:
    case PropertyKind::binary:
      return text(property.text);
    case PropertyKind::pair:
      text(property.text);
      return text(property.value);
  }
}

void PacketWriter::properties(const Properties& properties, unsigned place) {
  if (!v5()) return;
  std::size_t bytes = 0;
  for (const auto& one : properties.all()) {
    if (!property_allowed(one.id, place)) {
      return wrong("property " + std::to_string(static_cast<unsigned>(one.id)) +
                   " does not belong here");
    }
    bytes += property_bytes(one);
  }
  if (bytes > kRemainingMax) return wrong("the properties are too long");
  varint(static_cast<std::uint32_t>(bytes));
  for (const auto& one : properties.all()) property(one);
}

Status PacketWriter::finish(std::uint32_t packet_max, View tail) {
  const std::size_t body = out_.size() - start_ - kHeaderBytesMax;
  const std::size_t remaining = body + tail.size();
  const std::size_t header = 1 + varint_bytes(remaining);
  if (wrong_.empty() && remaining <= kRemainingMax && header + remaining <= packet_max) {
    std::uint8_t* const at = out_.data() + start_;
    std::memmove(at + header, at + kHeaderBytesMax, body);
    *at = first_;
    store_varint(at + 1, remaining);
    out_.resize(start_ + header + body);
    append(out_, tail);
    return {};
  }
  out_.resize(start_);
  if (!wrong_.empty()) return fail(Code::invalid_argument, wrong_);
  return fail(Code::payload_too_large, std::string(name_of(type_)) + ": " +
                                           std::to_string(header + remaining) +
                                           " bytes are more than the peer takes");
}

std::uint8_t publish_flags(std::uint8_t qos, bool dup, bool retain) {
  return static_cast<std::uint8_t>((dup ? 0x08 : 0) | ((qos & 0x03) << 1) | (retain ? 0x01 : 0));
}

std::uint8_t connect_flags(const Connect& packet) {
  std::uint8_t flags = packet.clean_start ? 0x02 : 0;
  if (packet.will) {
    flags |= 0x04;
    flags |= static_cast<std::uint8_t>(publish_flags(packet.will->qos, false, false) << 2);
    if (packet.will->retain) flags |= 0x20;
  }
  if (packet.password) flags |= 0x40;
  if (packet.user_name) flags |= 0x80;
  return flags;
}

void write_will(PacketWriter& writer, const Will& will) {
  if (will.qos > 2) writer.wrong("will QoS above 2");
  if (will.topic.empty()) writer.wrong("the will has no topic");
  writer.properties(will.properties, kWillPlace);
  writer.text(will.topic);
  writer.binary(will.payload);
}

// One overload a packet; `version` is what the connection speaks, CONNECT says its own.
struct PacketEncoder {
  Version version;
  Bytes& out;
  std::uint32_t packet_max;

  Status operator()(const Connect& packet) const {
    PacketWriter writer(out, PacketType::connect, 0, packet.version);
    writer.text("MQTT");
    writer.byte(static_cast<std::uint8_t>(packet.version));
    writer.byte(connect_flags(packet));
    writer.two_bytes(packet.keep_alive_s);
    writer.properties(packet.properties, place_of(PacketType::connect));
    writer.text(packet.client_id);
    if (packet.will) write_will(writer, *packet.will);
    if (packet.user_name) writer.text(*packet.user_name);
    if (packet.password) writer.binary(*packet.password);
    if (packet.version == Version::v3_1_1 && packet.password && !packet.user_name) {
      writer.wrong("a password needs a user name");
    }
    return writer.finish(packet_max);
  }

  Status operator()(const Connack& packet) const {
    PacketWriter writer(out, PacketType::connack, 0, version);
    writer.byte(packet.session_present ? 1 : 0);
    writer.byte(writer.v5() ? static_cast<std::uint8_t>(packet.reason)
                            : connack_code_3_1_1(packet.reason));
    writer.properties(packet.properties, place_of(PacketType::connack));
    return writer.finish(packet_max);
  }

  Status operator()(const Publish& packet) const {
    const auto flags = publish_flags(packet.qos, packet.dup, packet.retain);
    PacketWriter writer(out, PacketType::publish, flags, version);
    if (packet.qos > 2) writer.wrong("QoS above 2");
    if (packet.dup && packet.qos == 0) writer.wrong("DUP with QoS 0");
    const bool aliased = writer.v5() && packet.properties.has(PropertyId::topic_alias);
    if (packet.topic.empty() && !aliased) writer.wrong("there is no topic");
    writer.text(packet.topic);
    if (packet.qos > 0) writer.packet_id(packet.packet_id);
    writer.properties(packet.properties, place_of(PacketType::publish));
    return writer.finish(packet_max, packet.payload);
  }

  // Two bytes in 3.1.1 and for plain success, three without properties (section 3.4.2.1).
  template <class Ack>
  Status acknowledge(const Ack& packet, PacketType type, std::uint8_t flags) const {
    PacketWriter writer(out, type, flags, version);
    writer.packet_id(packet.packet_id);
    const bool properties = writer.v5() && !packet.properties.empty();
    if (writer.v5() && (packet.reason != Reason::success || properties)) {
      writer.reason(packet.reason);
    }
    if (properties) writer.properties(packet.properties, place_of(type));
    return writer.finish(packet_max);
  }
  Status operator()(const Puback& p) const { return acknowledge(p, PacketType::puback, 0); }
  Status operator()(const Pubrec& p) const { return acknowledge(p, PacketType::pubrec, 0); }
  Status operator()(const Pubrel& p) const { return acknowledge(p, PacketType::pubrel, 2); }
  Status operator()(const Pubcomp& p) const { return acknowledge(p, PacketType::pubcomp, 0); }

  Status operator()(const Subscribe& packet) const {
    PacketWriter writer(out, PacketType::subscribe, 2, version);
    writer.packet_id(packet.packet_id);
    writer.properties(packet.properties, place_of(PacketType::subscribe));
    if (packet.subscriptions.empty()) writer.wrong("there is no filter");
    for (const auto& one : packet.subscriptions) {
      if (one.filter.empty()) writer.wrong("a filter is empty");
      if (one.qos > 2 || one.retain_handling > 2) writer.wrong("an option is above 2");
      writer.text(one.filter);
      const int options = one.qos | (one.no_local ? 0x04 : 0) |
                          (one.retain_as_published ? 0x08 : 0) | (one.retain_handling << 4);
      writer.byte(writer.v5() ? static_cast<std::uint8_t>(options) : one.qos);
    }
    return writer.finish(packet_max);
  }

  Status operator()(const Suback& packet) const {
    PacketWriter writer(out, PacketType::suback, 0, version);
    writer.packet_id(packet.packet_id);
    writer.properties(packet.properties, place_of(PacketType::suback));
    if (packet.reasons.empty()) writer.wrong("there is no reason code");
    for (const auto reason : packet.reasons) {
      writer.reason(!writer.v5() && is_error(reason) ? Reason::unspecified_error : reason);
    }
    return writer.finish(packet_max);
  }

  Status operator()(const Unsubscribe& packet) const {
    PacketWriter writer(out, PacketType::unsubscribe, 2, version);
    writer.packet_id(packet.packet_id);
    writer.properties(packet.properties, place_of(PacketType::unsubscribe));
    if (packet.filters.empty()) writer.wrong("there is no filter");
    for (const auto& filter : packet.filters) {
      if (filter.empty()) writer.wrong("a filter is empty");
      writer.text(filter);
    }
    return writer.finish(packet_max);
  }

  Status operator()(const Unsuback& packet) const {
    PacketWriter writer(out, PacketType::unsuback, 0, version);
    writer.packet_id(packet.packet_id);
    writer.properties(packet.properties, place_of(PacketType::unsuback));
    if (writer.v5() && packet.reasons.empty()) writer.wrong("there is no reason code");
    for (const auto reason : packet.reasons) {
      if (writer.v5()) writer.reason(reason);
    }
    return writer.finish(packet_max);
  }

  Status operator()(const Pingreq&) const {
    return PacketWriter(out, PacketType::pingreq, 0, version).finish(packet_max);
  }
  Status operator()(const Pingresp&) const {
    return PacketWriter(out, PacketType::pingresp, 0, version).finish(packet_max);
  }

  // Nothing for plain success, one byte without properties (sections 3.14.2, 3.15.2).
  template <class Ending>
  Status end(const Ending& packet, PacketType type) const {
    PacketWriter writer(out, type, 0, version);
    const bool properties = !packet.properties.empty();
    if (writer.v5() && (packet.reason != Reason::success || properties)) {
      writer.reason(packet.reason);
      if (properties) writer.properties(packet.properties, place_of(type));
    }
    return writer.finish(packet_max);
  }
  Status operator()(const Disconnect& p) const { return end(p, PacketType::disconnect); }
  Status operator()(const Auth& packet) const {
    if (version == Version::v3_1_1) {
      return fail(Code::invalid_argument, "AUTH: MQTT 3.1.1 has no such packet");
    }
    const bool method = packet.properties.has(PropertyId::authentication_method);
    if (packet != Auth{} && !method) {
      return fail(Code::invalid_argument, "AUTH: there is no authentication method");
    }
    return end(packet, PacketType::auth);
  }
};

}  // namespace

bool Publish::operator==(const Publish& other) const {
  return topic == other.topic && packet_id == other.packet_id && qos == other.qos &&
         dup == other.dup && retain == other.retain && properties == other.properties &&
         std::ranges::equal(payload, other.payload);
}

Status encode(const Packet& packet, Version version, Bytes& out, std::uint32_t packet_max) {
  return std::visit(PacketEncoder{version, out, packet_max}, packet);
}

Status encode(const Publish& packet, Version version, Bytes& out, std::uint32_t packet_max) {
  return PacketEncoder{version, out, packet_max}(packet);
}

void encode_puback(std::uint16_t packet_id, Bytes& out) {
  const std::uint8_t bytes[] = {0x40, 2, static_cast<std::uint8_t>(packet_id >> 8),
                                static_cast<std::uint8_t>(packet_id)};
  append(out, bytes);
}

}  // namespace holdfast::wire::mqtt
