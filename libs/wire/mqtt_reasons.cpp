// Reason codes (section 2.4): names, where each may stand, and the numbers of 3.1.1.
#include <algorithm>
#include <array>
#include <span>

#include "libs/wire/mqtt_cursor.hpp"

namespace holdfast::wire::mqtt {
namespace {

constexpr std::uint8_t kConnackCodes[] = {0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86,
                                          0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97,
                                          0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F};
constexpr std::uint8_t kPubackCodes[] = {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99};
constexpr std::uint8_t kPubrelCodes[] = {0x00, 0x92};
constexpr std::uint8_t kSubackCodes[] = {0x00, 0x01, 0x02, 0x80, 0x83, 0x87,
                                         0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2};
constexpr std::uint8_t kUnsubackCodes[] = {0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91};
constexpr std::uint8_t kClientDisconnectCodes[] = {0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90,
                                                   0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99};
constexpr std::uint8_t kServerDisconnectCodes[] = {
    0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94,
    0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2};
constexpr std::uint8_t kClientAuthCodes[] = {0x00, 0x18, 0x19};
constexpr std::uint8_t kServerAuthCodes[] = {0x00, 0x18};

std::span<const std::uint8_t> codes_of(PacketType type, Side reader) {
  switch (type) {
    case PacketType::connack:
      return kConnackCodes;
    case PacketType::puback:
    case PacketType::pubrec:
      return kPubackCodes;
    case PacketType::pubrel:
    case PacketType::pubcomp:
      return kPubrelCodes;
    case PacketType::suback:
      return kSubackCodes;
    case PacketType::unsuback:
      return kUnsubackCodes;
    case PacketType::disconnect:
      if (reader == Side::server) return kClientDisconnectCodes;
      return kServerDisconnectCodes;
    case PacketType::auth:
      if (reader == Side::server) return kClientAuthCodes;
      return kServerAuthCodes;
    default:
      return {};
  }
}

struct ReasonName {
  Reason reason;
  std::string_view name;
};
constexpr std::array kReasonNames = {
    ReasonName{Reason::success, "success"},
    ReasonName{Reason::granted_qos_1, "granted QoS 1"},
    ReasonName{Reason::granted_qos_2, "granted QoS 2"},
    ReasonName{Reason::disconnect_with_will, "disconnect with will message"},
    ReasonName{Reason::no_matching_subscribers, "no matching subscribers"},
    ReasonName{Reason::no_subscription_existed, "no subscription existed"},
    ReasonName{Reason::continue_authentication, "continue authentication"},
    ReasonName{Reason::reauthenticate, "re-authenticate"},
    ReasonName{Reason::unspecified_error, "unspecified error"},
    ReasonName{Reason::malformed_packet, "malformed packet"},
    ReasonName{Reason::protocol_error, "protocol error"},
    ReasonName{Reason::implementation_specific_error, "implementation specific error"},
    ReasonName{Reason::unsupported_protocol_version, "unsupported protocol version"},
    ReasonName{Reason::client_identifier_not_valid, "client identifier not valid"},
    ReasonName{Reason::bad_user_name_or_password, "bad user name or password"},
    ReasonName{Reason::not_authorized, "not authorized"},
    ReasonName{Reason::server_unavailable, "server unavailable"},
    ReasonName{Reason::server_busy, "server busy"},
    ReasonName{Reason::banned, "banned"},
    ReasonName{Reason::server_shutting_down, "server shutting down"},
    ReasonName{Reason::bad_authentication_method, "bad authentication method"},
    ReasonName{Reason::keep_alive_timeout, "keep alive timeout"},
    ReasonName{Reason::session_taken_over, "session taken over"},
    ReasonName{Reason::topic_filter_invalid, "topic filter invalid"},
    ReasonName{Reason::topic_name_invalid, "topic name invalid"},
    ReasonName{Reason::packet_identifier_in_use, "packet identifier in use"},
    ReasonName{Reason::packet_identifier_not_found, "packet identifier not found"},
    ReasonName{Reason::receive_maximum_exceeded, "receive maximum exceeded"},
    ReasonName{Reason::topic_alias_invalid, "topic alias invalid"},
    ReasonName{Reason::packet_too_large, "packet too large"},
    ReasonName{Reason::message_rate_too_high, "message rate too high"},
    ReasonName{Reason::quota_exceeded, "quota exceeded"},
    ReasonName{Reason::administrative_action, "administrative action"},
    ReasonName{Reason::payload_format_invalid, "payload format invalid"},
    ReasonName{Reason::retain_not_supported, "retain not supported"},
    ReasonName{Reason::qos_not_supported, "QoS not supported"},
    ReasonName{Reason::use_another_server, "use another server"},
    ReasonName{Reason::server_moved, "server moved"},
    ReasonName{Reason::shared_not_supported, "shared subscriptions not supported"},
    ReasonName{Reason::connection_rate_exceeded, "connection rate exceeded"},
    ReasonName{Reason::maximum_connect_time, "maximum connect time"},
    ReasonName{Reason::subscription_id_not_supported, "subscription identifiers not supported"},
    ReasonName{Reason::wildcard_not_supported, "wildcard subscriptions not supported"},
};

Code code_of(Reason reason) {
  switch (reason) {
    case Reason::unsupported_protocol_version:
      return Code::protocol_version_unsupported;
    case Reason::client_identifier_not_valid:
      return Code::client_id_invalid;
    case Reason::topic_alias_invalid:
      return Code::topic_alias_invalid;
    case Reason::packet_too_large:
      return Code::payload_too_large;
    case Reason::quota_exceeded:
      return Code::quota_exceeded;
    case Reason::protocol_error:
      return Code::protocol_error;
    default:
      return Code::packet_malformed;
  }
}

}  // namespace

bool reason_allowed(PacketType type, Side side, std::uint8_t reason) {
  return std::ranges::binary_search(codes_of(type, side), reason);
}

std::string_view name_of(Reason reason) {
  const auto found = std::ranges::find(kReasonNames, reason, &ReasonName::reason);
  return found == kReasonNames.end() ? std::string_view("unknown reason") : found->name;
}

std::uint8_t connack_code_3_1_1(Reason reason) {
  switch (reason) {
    case Reason::success:
      return 0;
    case Reason::unsupported_protocol_version:
      return 1;
    case Reason::client_identifier_not_valid:
      return 2;
    case Reason::bad_user_name_or_password:
      return 4;
    case Reason::not_authorized:
    case Reason::banned:
    case Reason::bad_authentication_method:
    case Reason::topic_name_invalid:
    case Reason::administrative_action:
      return 5;
    default:
      return 3;
  }
}

Error Refusal::error() const {
  return {code_of(reason), message, {}, {}, {}};
}

}  // namespace holdfast::wire::mqtt
