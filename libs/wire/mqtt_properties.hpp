// MQTT 5.0 properties (section 2.2.2): kept in the order they came, so that user properties are
// forwarded unaltered and in order [MQTT-3.3.2-18], and a packet encodes back to its own bytes.
// Values; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/bytes.hpp"

namespace holdfast::wire::mqtt {

enum class PropertyId : std::uint8_t {
  payload_format = 0x01,
  message_expiry = 0x02,  // seconds
  content_type = 0x03,
  response_topic = 0x08,
  correlation_data = 0x09,
  subscription_id = 0x0B,
  session_expiry = 0x11,  // seconds; 0xFFFFFFFF never
  assigned_client_id = 0x12,
  server_keep_alive = 0x13,  // seconds
  authentication_method = 0x15,
  authentication_data = 0x16,
  request_problem_information = 0x17,
  will_delay = 0x18,  // seconds
  request_response_information = 0x19,
  response_information = 0x1A,
  server_reference = 0x1C,
  reason_string = 0x1F,
  receive_maximum = 0x21,
  topic_alias_maximum = 0x22,
  topic_alias = 0x23,
  maximum_qos = 0x24,
  retain_available = 0x25,
  user_property = 0x26,
  maximum_packet_size = 0x27,
  wildcard_available = 0x28,
  subscription_id_available = 0x29,
  shared_available = 0x2A,
};

enum class PropertyKind : std::uint8_t { byte, two_bytes, four_bytes, varint, text, binary, pair };
// nullopt for an identifier that the specification does not have.
std::optional<PropertyKind> kind_of(std::uint32_t id);

struct Property {
  PropertyId id{};
  std::uint32_t number = 0;  // byte, two_bytes, four_bytes, varint
  std::string text;          // text; binary (raw bytes); pair: the name
  std::string value;         // pair: the value
  bool operator==(const Property&) const = default;
};

class Properties {
 public:
  // Refused by the decoder with 0x97 beyond this; a property costs far more memory than wire bytes.
  static constexpr std::size_t kCountMax = 128;

  std::optional<std::uint32_t> number(PropertyId id) const;
  std::optional<std::string_view> text(PropertyId id) const;  // also binary
  bool has(PropertyId id) const;

  Properties& set(PropertyId id, std::uint32_t number);
  Properties& set(PropertyId id, std::string text);
  Properties& add_user(std::string name, std::string value);
  Properties& add(Property property);
  void erase(PropertyId id);

  const std::vector<Property>& all() const { return list_; }
  bool empty() const { return list_.empty(); }
  bool operator==(const Properties&) const = default;

 private:
  std::vector<Property> list_;
};

}  // namespace holdfast::wire::mqtt
