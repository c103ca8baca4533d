// MQTT 3.1.1 and 5.0 (OASIS standards) packets, both ways: a hub decodes as Side::server, a device
// as Side::client. Pure: no I/O, no clock, no session state; what needs a session (second CONNECT,
// packet ids in use, topic aliases, Receive Maximum, offered features) is the session's matter.
//
// In: Decoder. Bytes are fed, packets pulled; a packet above the limit is refused by its fixed
// header. Out: encode(). Short forms are used wherever the specification allows them. A Refusal is
// final for its connection. Its reason is the MQTT 5.0 code exactly: 0x81 cannot be parsed, 0x82
// can be parsed but is forbidden, 0x84 version, 0x85 client id, 0x94 alias 0, 0x95 too large, 0x97
// too many parts. Threads: a Decoder has one owner; the rest is pure.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/base/result.hpp"
#include "libs/wire/mqtt_properties.hpp"

namespace holdfast::wire::mqtt {

enum class Version : std::uint8_t { v3_1_1 = 4, v5 = 5 };
enum class Side : std::uint8_t { server, client };  // who reads

// Remaining length that four bytes can say (section 1.5.5).
inline constexpr std::uint32_t kRemainingMax = 268'435'455;
// Filters in one SUBSCRIBE or UNSUBSCRIBE, codes in one SUBACK or UNSUBACK.
inline constexpr std::size_t kFiltersMax = 256;

// MQTT 5.0 section 2.4. In 3.1.1 packets the numbers of that version are mapped to these.
enum class Reason : std::uint8_t {
  success = 0x00,  // also normal disconnection, granted QoS 0
  granted_qos_1 = 0x01,
  granted_qos_2 = 0x02,
  disconnect_with_will = 0x04,
  no_matching_subscribers = 0x10,
  no_subscription_existed = 0x11,
  continue_authentication = 0x18,
  reauthenticate = 0x19,
  unspecified_error = 0x80,
  malformed_packet = 0x81,
  protocol_error = 0x82,
  implementation_specific_error = 0x83,
  unsupported_protocol_version = 0x84,
  client_identifier_not_valid = 0x85,
  bad_user_name_or_password = 0x86,
  not_authorized = 0x87,
  server_unavailable = 0x88,
  server_busy = 0x89,
  banned = 0x8A,
  server_shutting_down = 0x8B,
  bad_authentication_method = 0x8C,
  keep_alive_timeout = 0x8D,
  session_taken_over = 0x8E,
  topic_filter_invalid = 0x8F,
  topic_name_invalid = 0x90,
  packet_identifier_in_use = 0x91,
  packet_identifier_not_found = 0x92,
  receive_maximum_exceeded = 0x93,
  topic_alias_invalid = 0x94,
  packet_too_large = 0x95,
  message_rate_too_high = 0x96,
  quota_exceeded = 0x97,
  administrative_action = 0x98,
  payload_format_invalid = 0x99,
  retain_not_supported = 0x9A,
  qos_not_supported = 0x9B,
  use_another_server = 0x9C,
  server_moved = 0x9D,
  shared_not_supported = 0x9E,
  connection_rate_exceeded = 0x9F,
  maximum_connect_time = 0xA0,
  subscription_id_not_supported = 0xA1,
  wildcard_not_supported = 0xA2,
};
constexpr bool is_error(Reason reason) {
  return static_cast<std::uint8_t>(reason) >= 0x80;
}
std::string_view name_of(Reason reason);  // "malformed packet"
// The CONNACK return code of 3.1.1 that fits best (0 to 5); 0x81 and 0x82 have none: close instead.
std::uint8_t connack_code_3_1_1(Reason reason);

struct Will {
  std::string topic;
  Bytes payload;
  std::uint8_t qos = 0;
  bool retain = false;
  Properties properties;
  bool operator==(const Will&) const = default;
};

struct Connect {
  Version version = Version::v5;
  bool clean_start = true;  // 3.1.1: clean session
  std::uint16_t keep_alive_s = 0;
  std::string client_id;
  std::optional<Will> will;
  std::optional<std::string> user_name;
  std::optional<Bytes> password;
  Properties properties;
  bool operator==(const Connect&) const = default;
};

struct Connack {
  bool session_present = false;
  Reason reason = Reason::success;
  Properties properties;
  bool operator==(const Connack&) const = default;
};

// `payload` is a view: into the decoder's bytes until its next call, or into the sender's.
struct Publish {
  std::string topic;  // empty only with a topic alias
  View payload;
  std::uint16_t packet_id = 0;  // 0 with QoS 0
  std::uint8_t qos = 0;
  bool dup = false;
  bool retain = false;
  Properties properties;
  bool operator==(const Publish& other) const;
};

struct Puback {
  std::uint16_t packet_id = 0;
  Reason reason = Reason::success;
  Properties properties;
  bool operator==(const Puback&) const = default;
};
struct Pubrec {
  std::uint16_t packet_id = 0;
  Reason reason = Reason::success;
  Properties properties;
  bool operator==(const Pubrec&) const = default;
};
struct Pubrel {
  std::uint16_t packet_id = 0;
  Reason reason = Reason::success;
  Properties properties;
  bool operator==(const Pubrel&) const = default;
};
struct Pubcomp {
  std::uint16_t packet_id = 0;
  Reason reason = Reason::success;
  Properties properties;
  bool operator==(const Pubcomp&) const = default;
};

// The filter's text is checked (not empty, UTF-8), its wildcards are not: valid_topic_filter().
struct Subscription {
  std::string filter;
  std::uint8_t qos = 0;
  bool no_local = false;
  bool retain_as_published = false;
  std::uint8_t retain_handling = 0;  // 0 to 2
  bool operator==(const Subscription&) const = default;
};
struct Subscribe {
  std::uint16_t packet_id = 0;
  std::vector<Subscription> subscriptions;
  Properties properties;
  bool operator==(const Subscribe&) const = default;
};
struct Suback {
  std::uint16_t packet_id = 0;
  std::vector<Reason> reasons;  // 3.1.1: any error is written as 0x80
  Properties properties;
  bool operator==(const Suback&) const = default;
};
struct Unsubscribe {
  std::uint16_t packet_id = 0;
  std::vector<std::string> filters;
  Properties properties;
  bool operator==(const Unsubscribe&) const = default;
};
struct Unsuback {
  std::uint16_t packet_id = 0;
  std::vector<Reason> reasons;  // 3.1.1: not on the wire
  Properties properties;
  bool operator==(const Unsuback&) const = default;
};
struct Pingreq {
  bool operator==(const Pingreq&) const = default;
};
struct Pingresp {
  bool operator==(const Pingresp&) const = default;
};
struct Disconnect {  // 3.1.1: from a client only, without reason
  Reason reason = Reason::success;
  Properties properties;
  bool operator==(const Disconnect&) const = default;
};
struct Auth {  // 5.0 only
  Reason reason = Reason::success;
  Properties properties;
  bool operator==(const Auth&) const = default;
};

using Packet = std::variant<Connect, Connack, Publish, Puback, Pubrec, Pubrel, Pubcomp, Subscribe,
                            Suback, Unsubscribe, Unsuback, Pingreq, Pingresp, Disconnect, Auth>;
std::string_view name_of(const Packet& packet);  // "PUBLISH"

// Why a connection cannot go on.
struct Refusal {
  Reason reason = Reason::malformed_packet;
  // Close without CONNACK or DISCONNECT: the peer is not known to speak MQTT, its framing is lost,
  // or it is leaving anyway. (3.1.1 never gets a DISCONNECT, whatever this says.)
  bool silent = false;
  std::string message;  // "PUBLISH: the topic is not valid UTF-8"
  // Code::packet_malformed, protocol_error, protocol_version_unsupported, client_id_invalid, ...
  Error error() const;
  bool operator==(const Refusal&) const = default;
};

class Decoder {
 public:
  // `packet_max` counts the whole packet, fixed header included, as Maximum Packet Size does.
  // A server learns the version from CONNECT, which must come first; give it a small limit and
  // raise it once the CONNECT is accepted.
  static Decoder for_server(std::uint32_t packet_max);
  static Decoder for_client(Version version, std::uint32_t packet_max);

  // Takes the bytes of one read. They stay the caller's and must stay in place until next() has
  // answered nullopt, or keep() was called; an unfinished packet is copied then, and nothing else.
  void feed(View bytes);
  // The next packet; nullopt when more bytes are needed. Views in the packet hold until the next
  // call of any member. After a Refusal it answers the same one for ever.
  std::expected<std::optional<Packet>, Refusal> next();
  // To stop half way (the session is full): copies what was fed and not yet read, at most one read.
  // Do not feed more before it is drained.
  void keep();

  void set_packet_max(std::uint32_t packet_max) { packet_max_ = packet_max; }
  // nullopt: no CONNECT yet. After a refusal with 0x84: in whose format to answer.
  std::optional<Version> version() const { return version_; }
  std::size_t buffered() const { return pending_.size() - start_ + window_.size(); }

 private:
  Decoder(Side side, std::optional<Version> version, std::uint32_t packet_max)
      : side_(side), version_(version), packet_max_(packet_max) {}
  void release_consumed();
  std::unexpected<Refusal> refuse(Refusal refusal);

  Side side_;
  std::optional<Version> version_;
  std::uint32_t packet_max_;
  View window_;            // the caller's bytes, not yet read
  Bytes pending_;          // what had to be copied
  std::size_t start_ = 0;  // of the first unread byte in pending_
  std::optional<Refusal> refused_;
};

// Appends the packet to `out`. Fails, and leaves `out` as it was, when the packet is longer than
// `packet_max` (Code::payload_too_large; the peer's Maximum Packet Size) or cannot be said in
// this version or at all (Code::invalid_argument: a string above 65,535 bytes, QoS above 2, packet
// id 0, AUTH in 3.1.1, a property that does not belong there). Properties are left out in 3.1.1.
Status encode(const Packet& packet, Version version, Bytes& out,
              std::uint32_t packet_max = kRemainingMax + 5);
// Without the variant, for the hot path.
Status encode(const Publish& packet, Version version, Bytes& out,
              std::uint32_t packet_max = kRemainingMax + 5);
// An acknowledgement of success, the packet that a hub sends most: four bytes.
void encode_puback(std::uint16_t packet_id, Bytes& out);

}  // namespace holdfast::wire::mqtt
