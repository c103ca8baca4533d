#include "libs/wire/mqtt_properties.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "libs/wire/mqtt_cursor.hpp"

namespace holdfast::wire::mqtt {
// A namespace of its own: the enumerators below are short names.
namespace property_table {

// Places of section 2.2.2.2, table 2-4, as bits.
constexpr std::uint32_t at_places(std::initializer_list<PacketType> types) {
  std::uint32_t bits = 0;
  for (const auto type : types) bits |= 1u << place_of(type);
  return bits;
}
using enum PacketType;
constexpr std::uint32_t kWill = 1u << kWillPlace;
constexpr std::uint32_t kConnects = at_places({connect, connack});
constexpr std::uint32_t kAnswers =
    at_places({connack, puback, pubrec, pubrel, pubcomp, suback, unsuback, disconnect, auth});

struct PropertyRow {
  PropertyId id;
  PropertyKind kind;
  std::uint32_t places;
  std::uint32_t least = 0;
};
using enum PropertyId;
using Kind = PropertyKind;

constexpr std::array kPropertyRows = {
    PropertyRow{payload_format, Kind::byte, at_places({publish}) | kWill},
    PropertyRow{message_expiry, Kind::four_bytes, at_places({publish}) | kWill},
    PropertyRow{content_type, Kind::text, at_places({publish}) | kWill},
    PropertyRow{response_topic, Kind::text, at_places({publish}) | kWill},
    PropertyRow{correlation_data, Kind::binary, at_places({publish}) | kWill},
    PropertyRow{subscription_id, Kind::varint, at_places({publish, subscribe}), 1},
    PropertyRow{session_expiry, Kind::four_bytes, kConnects | at_places({disconnect})},
    PropertyRow{assigned_client_id, Kind::text, at_places({connack})},
    PropertyRow{server_keep_alive, Kind::two_bytes, at_places({connack})},
    PropertyRow{authentication_method, Kind::text, kConnects | at_places({auth})},
    PropertyRow{authentication_data, Kind::binary, kConnects | at_places({auth})},
    PropertyRow{request_problem_information, Kind::byte, at_places({connect})},
    PropertyRow{will_delay, Kind::four_bytes, kWill},
    PropertyRow{request_response_information, Kind::byte, at_places({connect})},
    PropertyRow{response_information, Kind::text, at_places({connack})},
    PropertyRow{server_reference, Kind::text, at_places({connack, disconnect})},
    PropertyRow{reason_string, Kind::text, kAnswers},
    PropertyRow{receive_maximum, Kind::two_bytes, kConnects, 1},
    PropertyRow{topic_alias_maximum, Kind::two_bytes, kConnects},
    PropertyRow{topic_alias, Kind::two_bytes, at_places({publish}), 1},
    PropertyRow{maximum_qos, Kind::byte, at_places({connack})},
    PropertyRow{retain_available, Kind::byte, at_places({connack})},
    PropertyRow{user_property, Kind::pair,
                kAnswers | kWill | at_places({connect, publish, subscribe, unsubscribe})},
    PropertyRow{maximum_packet_size, Kind::four_bytes, kConnects, 1},
    PropertyRow{wildcard_available, Kind::byte, at_places({connack})},
    PropertyRow{subscription_id_available, Kind::byte, at_places({connack})},
    PropertyRow{shared_available, Kind::byte, at_places({connack})},
};

static const PropertyRow* row_of_property(std::uint32_t id) {
  const auto row = std::ranges::find_if(
      kPropertyRows, [id](const auto& r) { return static_cast<std::uint32_t>(r.id) == id; });
  return row == kPropertyRows.end() ? nullptr : &*row;
}

static Property read_property_value(Cursor& cursor, const PropertyRow& row) {
  Property property{row.id, 0, {}, {}};
  switch (row.kind) {
    case Kind::byte:
      property.number = cursor.byte();
      break;
    case Kind::two_bytes:
      property.number = cursor.two_bytes();
      break;
    case Kind::four_bytes:
      property.number = cursor.four_bytes();
      break;
    case Kind::varint:
      property.number = cursor.varint();
      break;
    case Kind::text:
      property.text = cursor.text();
      break;
    case Kind::binary:
      property.text = text_of(cursor.binary());
      break;
    case Kind::pair:
      property.text = cursor.text();
      property.value = cursor.text();
      break;
  }
  return property;
}

// What the value itself may not be.
static void check_property_value(Cursor& cursor, const PropertyRow& row, const Property& property) {
  if (row.kind == Kind::byte && property.number > 1) {
    cursor.forbidden("a property that is 0 or 1 has another value");
  }
  if (property.number < row.least) {
    if (row.id == topic_alias) return cursor.fault(Reason::topic_alias_invalid, "topic alias 0");
    cursor.forbidden("a property that must not be 0 is 0");
  }
  if (row.id == response_topic) {
    if (!valid_mqtt_name(property.text)) return cursor.malformed("the response topic is not valid");
    if (property.text.empty() || property.text.find_first_of("+#") != std::string::npos) {
      cursor.forbidden("the response topic is empty or has wildcards [MQTT-3.3.2-14]");
    }
  }
}

// Whether a property that stands in the right packet comes from the wrong side.
static bool from_wrong_side(PropertyId id, unsigned place, Side reader) {
  if (id == subscription_id && place == place_of(publish)) return reader == Side::server;
  if (id == session_expiry && place == place_of(disconnect)) return reader == Side::client;
  return false;
}

static void check_together(Cursor& cursor, const Properties& properties) {
  if (properties.has(authentication_data) && !properties.has(authentication_method)) {
    cursor.forbidden("authentication data without a method [MQTT-4.12.0]");
  }
}

}  // namespace property_table

std::optional<PropertyKind> kind_of(std::uint32_t id) {
  const auto* row = property_table::row_of_property(id);
  if (row == nullptr) return std::nullopt;
  return row->kind;
}

bool property_allowed(PropertyId id, unsigned place) {
  const auto* row = property_table::row_of_property(static_cast<std::uint32_t>(id));
  return row != nullptr && (row->places & (1u << place)) != 0;
}

// A property in the wrong place is 0x81 by section 2.2.2.2 and 0x82 to the reference brokers, but
// for SUBSCRIBE and UNSUBSCRIBE; conformance suites compare, so this follows the brokers.
Properties read_properties(Cursor& cursor, unsigned place, Side side) {
  Properties properties;
  const std::uint32_t length = cursor.varint();
  if (length > cursor.left()) cursor.malformed("the properties end behind the packet");
  if (!cursor.ok() || length == 0) return properties;
  const std::size_t behind = cursor.left() - length;
  const bool strict =
      place == place_of(PacketType::subscribe) || place == place_of(PacketType::unsubscribe);
  std::uint64_t seen = 0;
  while (cursor.ok() && cursor.left() > behind) {
    const auto* row = property_table::row_of_property(cursor.varint());
    if (row == nullptr) cursor.malformed("a property is not known");
    if (!cursor.ok()) break;
    Property property = property_table::read_property_value(cursor, *row);
    if (cursor.ok() && cursor.left() < behind) {
      cursor.malformed("a property ends behind the properties");
    }
    if ((row->places & (1u << place)) == 0) {
      strict ? cursor.malformed("a property does not belong here")
             : cursor.forbidden("a property does not belong here");
    }
    if (property_table::from_wrong_side(row->id, place, side))
      cursor.forbidden("a property of the other side");
    const std::uint64_t bit = std::uint64_t{1} << static_cast<unsigned>(row->id);
    const bool repeats =
        row->id == PropertyId::user_property ||
        (row->id == PropertyId::subscription_id && place == place_of(PacketType::publish));
    if ((seen & bit) != 0 && !repeats) cursor.forbidden("a property stands twice");
    seen |= bit;
    property_table::check_property_value(cursor, *row, property);
    if (properties.all().size() == Properties::kCountMax) {
      cursor.fault(Reason::quota_exceeded, "more than 128 properties");
    }
    if (cursor.ok()) properties.add(std::move(property));
  }
  property_table::check_together(cursor, properties);
  return properties;
}

std::optional<std::uint32_t> Properties::number(PropertyId id) const {
  const auto found = std::ranges::find(list_, id, &Property::id);
  if (found == list_.end()) return std::nullopt;
  return found->number;
}

std::optional<std::string_view> Properties::text(PropertyId id) const {
  const auto found = std::ranges::find(list_, id, &Property::id);
  if (found == list_.end()) return std::nullopt;
  return found->text;
}

bool Properties::has(PropertyId id) const {
  return std::ranges::find(list_, id, &Property::id) != list_.end();
}

Properties& Properties::set(PropertyId id, std::uint32_t number) {
  erase(id);
  return add({id, number, {}, {}});
}

Properties& Properties::set(PropertyId id, std::string text) {
  erase(id);
  return add({id, 0, std::move(text), {}});
}

Properties& Properties::add_user(std::string name, std::string value) {
  return add({PropertyId::user_property, 0, std::move(name), std::move(value)});
}

Properties& Properties::add(Property property) {
  list_.push_back(std::move(property));
  return *this;
}

void Properties::erase(PropertyId id) {
  std::erase_if(list_, [id](const Property& p) { return p.id == id; });
}

}  // namespace holdfast::wire::mqtt
