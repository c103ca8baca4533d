#include "server/hub/session/reasons.hpp"

#include <algorithm>
#include <initializer_list>

namespace holdfast::hub {
namespace {
using wire::mqtt::Reason;

Reason reason_of(Code code) {
  return static_cast<Reason>(row_of(code).mqtt_reason);
}

bool among(Reason reason, std::initializer_list<int> allowed) {
  return std::ranges::find(allowed, static_cast<int>(reason)) != allowed.end();
}

bool in_disconnect(Reason reason) {
  return among(reason,
               {0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95,
                0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2});
}

}  // namespace

Reason connack_reason(Code code) {
  const Reason reason = reason_of(code);
  if (among(reason, {0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A,
                     0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F})) {
    return reason;
  }
  switch (reason) {
    case Reason::server_shutting_down:
      return Reason::server_unavailable;
    case Reason::message_rate_too_high:
      return Reason::connection_rate_exceeded;
    default:
      return Reason::unspecified_error;
  }
}

Reason puback_reason(Code code) {
  const Reason reason = reason_of(code);
  if (among(reason, {0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99})) return reason;
  switch (reason) {
    case Reason::packet_too_large:
      return Reason::payload_format_invalid;  // final, like it
    case Reason::server_unavailable:          // try later, like it
    case Reason::server_busy:
    case Reason::server_shutting_down:
    case Reason::message_rate_too_high:
      return Reason::quota_exceeded;
    default:
      return Reason::unspecified_error;
  }
}

Reason suback_reason(Code code) {
  const Reason reason = reason_of(code);
  if (among(reason, {0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2})) return reason;
  return Reason::unspecified_error;
}

Reason disconnect_reason(Code code) {
  const Reason reason = reason_of(code);
  if (in_disconnect(reason)) return reason;
  return reason == Reason::server_unavailable ? Reason::server_busy : Reason::unspecified_error;
}

Reason disconnect_reason(Reason refused) {
  return in_disconnect(refused) ? refused : Reason::protocol_error;
}

std::optional<std::uint8_t> connack_code(Code code) {
  const auto number = row_of(code).mqtt311;
  if (number < 0) return std::nullopt;
  return static_cast<std::uint8_t>(number);
}

bool final_for_sender(Code code) {
  return puback_reason(code) == Reason::payload_format_invalid;
}

}  // namespace holdfast::hub
