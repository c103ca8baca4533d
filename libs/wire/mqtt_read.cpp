// Reading the bodies of all packets but CONNECT and CONNACK.
#include <algorithm>

#include "libs/wire/mqtt_cursor.hpp"
#include "libs/wire/topic.hpp"

namespace holdfast::wire::mqtt {
namespace {

std::uint16_t read_packet_id(Cursor& cursor) {
  const std::uint16_t id = cursor.two_bytes();
  if (id == 0) cursor.forbidden("packet id 0 [MQTT-2.2.1-3]");
  return id;
}

// SUBSCRIBE and UNSUBSCRIBE with packet id 0 are 0x81 to the reference brokers.
std::uint16_t read_strict_packet_id(Cursor& cursor) {
  const std::uint16_t id = cursor.two_bytes();
  if (id == 0) cursor.malformed("packet id 0 [MQTT-2.2.1-3]");
  return id;
}

Publish read_publish(Cursor& cursor, const Frame& frame, Side side, Version version) {
  Publish publish;
  publish.qos = (frame.flags >> 1) & 0x03;
  publish.dup = (frame.flags & 0x08) != 0;
  publish.retain = (frame.flags & 0x01) != 0;
  if (publish.qos == 3) cursor.malformed("QoS 3 [MQTT-3.3.1-4]");
  if (publish.dup && publish.qos == 0) cursor.malformed("DUP with QoS 0 [MQTT-3.3.1-2]");
  publish.topic = cursor.name("the topic is not valid UTF-8");
  if (publish.topic.find_first_of("+#") != std::string::npos) {
    cursor.malformed("the topic has wildcards [MQTT-3.3.2-2]");
  }
  if (publish.qos > 0) publish.packet_id = read_packet_id(cursor);
  if (version == Version::v5) {
    publish.properties = read_properties(cursor, place_of(PacketType::publish), side);
  }
  if (publish.topic.empty() && !publish.properties.has(PropertyId::topic_alias)) {
    cursor.malformed("neither topic nor alias");
  }
  publish.payload = cursor.rest();
  return publish;
}

// PUBACK, PUBREC, PUBREL, PUBCOMP: in 5.0 reason and properties may be left out at the end.
template <class Ack>
Ack read_ack(Cursor& cursor, PacketType type, Side side, Version version) {
  Ack ack;
  ack.packet_id = read_packet_id(cursor);
  if (version == Version::v5 && cursor.left() > 0) {
    const std::uint8_t reason = cursor.byte();
    ack.reason = static_cast<Reason>(reason);
    if (!reason_allowed(type, side, reason)) cursor.forbidden("the reason code is not known");
    if (cursor.left() > 0) ack.properties = read_properties(cursor, place_of(type), side);
  }
  cursor.expect_end();
  return ack;
}

std::string read_filter(Cursor& cursor) {
  const auto filter = cursor.name("a topic filter is not valid UTF-8");
  if (filter.empty()) cursor.malformed("a topic filter is empty [MQTT-4.7.3-1]");
  return std::string(filter);
}

void check_count(Cursor& cursor, std::size_t count) {
  if (count >= kFiltersMax) cursor.fault(Reason::quota_exceeded, "more than 256 entries");
}

Subscription read_subscription(Cursor& cursor, Version version) {
  Subscription subscription;
  subscription.filter = read_filter(cursor);
  const std::uint8_t options = cursor.byte();
  subscription.qos = options & 0x03;
  if (subscription.qos == 3) cursor.malformed("QoS 3 [MQTT-3.8.3-4]");
  if (version == Version::v3_1_1) {
    if ((options & 0xFC) != 0) cursor.malformed("reserved bits are set [MQTT-3.8.3-4]");
    return subscription;
  }
  subscription.no_local = (options & 0x04) != 0;
  subscription.retain_as_published = (options & 0x08) != 0;
  subscription.retain_handling = (options >> 4) & 0x03;
  if (subscription.retain_handling == 3) cursor.malformed("retain handling 3");
  if ((options & 0xC0) != 0) cursor.malformed("reserved bits are set [MQTT-3.8.3-5]");
  if (subscription.no_local && is_shared(subscription.filter)) {
    cursor.forbidden("No Local on a shared subscription [MQTT-3.8.3-4]");
  }
  return subscription;
}

Subscribe read_subscribe(Cursor& cursor, Side side, Version version) {
  Subscribe subscribe;
  subscribe.packet_id = read_strict_packet_id(cursor);
  if (version == Version::v5) {
    subscribe.properties = read_properties(cursor, place_of(PacketType::subscribe), side);
  }
  do {
    check_count(cursor, subscribe.subscriptions.size());
    subscribe.subscriptions.push_back(read_subscription(cursor, version));
  } while (cursor.left() > 0);
  return subscribe;
}

Unsubscribe read_unsubscribe(Cursor& cursor, Side side, Version version) {
  Unsubscribe unsubscribe;
  unsubscribe.packet_id = read_strict_packet_id(cursor);
  if (version == Version::v5) {
    unsubscribe.properties = read_properties(cursor, place_of(PacketType::unsubscribe), side);
  }
  do {
    check_count(cursor, unsubscribe.filters.size());
    unsubscribe.filters.push_back(read_filter(cursor));
  } while (cursor.left() > 0);
  return unsubscribe;
}

bool suback_code_3_1_1(std::uint8_t code) {
  return code <= 2 || code == 0x80;
}

// SUBACK and UNSUBACK: a code for each filter, none in UNSUBACK of 3.1.1.
template <class Ack>
Ack read_codes(Cursor& cursor, PacketType type, Side side, Version version) {
  Ack ack;
  ack.packet_id = read_packet_id(cursor);
  if (version == Version::v5) ack.properties = read_properties(cursor, place_of(type), side);
  const bool coded = version == Version::v5 || type == PacketType::suback;
  if (coded && cursor.left() == 0) cursor.malformed("there is no reason code");
  while (coded && cursor.left() > 0) {
    check_count(cursor, ack.reasons.size());
    const std::uint8_t code = cursor.byte();
    const bool known =
        version == Version::v5 ? reason_allowed(type, side, code) : suback_code_3_1_1(code);
    if (!known) cursor.forbidden("the reason code is not known");
    ack.reasons.push_back(static_cast<Reason>(code));
  }
  cursor.expect_end();
  return ack;
}

// DISCONNECT and AUTH of 5.0.
template <class Ending>
Ending read_ending(Cursor& cursor, PacketType type, Side side) {
  Ending ending;
  if (cursor.left() == 0) return ending;
  const std::uint8_t reason = cursor.byte();
  ending.reason = static_cast<Reason>(reason);
  if (!reason_allowed(type, side, reason)) {
    // Who disconnects is leaving: nothing is sent any more.
    cursor.fault(Reason::protocol_error, "the reason code does not belong here",
                 type == PacketType::disconnect);
  }
  if (cursor.left() > 0) ending.properties = read_properties(cursor, place_of(type), side);
  const bool method = ending.properties.has(PropertyId::authentication_method);
  if (type == PacketType::auth && !method) {
    cursor.forbidden("there is no authentication method (section 3.15.2.2.2)");
  }
  cursor.expect_end();
  return ending;
}

Packet read_any(Cursor& cursor, const Frame& frame, Side side, std::optional<Version>& spoken) {
  const Version version = spoken.value_or(Version::v5);
  switch (frame.type) {
    case PacketType::connect:
      return read_connect(cursor, side, spoken);
    case PacketType::connack:
      return read_connack(cursor, version);
    case PacketType::publish:
      return read_publish(cursor, frame, side, version);
    case PacketType::puback:
      return read_ack<Puback>(cursor, frame.type, side, version);
    case PacketType::pubrec:
      return read_ack<Pubrec>(cursor, frame.type, side, version);
    case PacketType::pubrel:
      return read_ack<Pubrel>(cursor, frame.type, side, version);
    case PacketType::pubcomp:
      return read_ack<Pubcomp>(cursor, frame.type, side, version);
    case PacketType::subscribe:
      return read_subscribe(cursor, side, version);
    case PacketType::suback:
      return read_codes<Suback>(cursor, frame.type, side, version);
    case PacketType::unsubscribe:
      return read_unsubscribe(cursor, side, version);
    case PacketType::unsuback:
      return read_codes<Unsuback>(cursor, frame.type, side, version);
    case PacketType::pingreq:
      return Pingreq{};
    case PacketType::pingresp:
      return Pingresp{};
    case PacketType::disconnect:
      return read_ending<Disconnect>(cursor, frame.type, side);
    case PacketType::auth:
      return read_ending<Auth>(cursor, frame.type, side);
    case PacketType::reserved:
      break;
  }
  cursor.forbidden("there is no such packet");
  return Pingreq{};
}

}  // namespace

std::expected<Packet, Refusal> read_body(const Frame& frame, View body, Side side,
                                         std::optional<Version>& version) {
  Cursor cursor(body, name_of(frame.type));
  Packet packet = read_any(cursor, frame, side, version);
  if (!cursor.ok()) return std::unexpected(cursor.refusal());
  return packet;
}

}  // namespace holdfast::wire::mqtt
