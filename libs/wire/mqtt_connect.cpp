// Reading CONNECT (section 3.1) and CONNACK (3.2).
#include "libs/wire/mqtt_cursor.hpp"

namespace holdfast::wire::mqtt {
namespace {

constexpr std::uint8_t kCleanFlag = 0x02;
constexpr std::uint8_t kWillFlag = 0x04;
constexpr std::uint8_t kWillRetainFlag = 0x20;
constexpr std::uint8_t kPasswordFlag = 0x40;
constexpr std::uint8_t kUserFlag = 0x80;

// Protocol name and level. Levels 3 (of "MQIsdp") and 4 are answered as 3.1.1, others as 5.0.
void read_protocol(Cursor& cursor, std::optional<Version>& version) {
  const auto protocol = text_of(cursor.binary());
  const std::uint8_t level = cursor.byte();
  if (!cursor.ok()) return;
  if (protocol != "MQTT" && protocol != "MQIsdp") {
    return cursor.fault(Reason::unsupported_protocol_version, "the protocol is not MQTT", true);
  }
  version = level == 3 || level == 4 ? Version::v3_1_1 : Version::v5;
  if (protocol != "MQTT" || (level != 4 && level != 5)) {
    cursor.fault(Reason::unsupported_protocol_version, "only MQTT 3.1.1 and 5.0 are spoken");
  }
}

void check_connect_flags(Cursor& cursor, std::uint8_t flags, Version version) {
  if ((flags & 0x01) != 0) cursor.malformed("the reserved flag is set [MQTT-3.1.2-3]");
  const std::uint8_t will_qos = (flags >> 3) & 0x03;
  if (will_qos == 3) cursor.malformed("will QoS 3 [MQTT-3.1.2-12]");
  const bool will_parts = will_qos != 0 || (flags & kWillRetainFlag) != 0;
  if ((flags & kWillFlag) == 0 && will_parts) cursor.malformed("will flags without a will");
  if (version == Version::v3_1_1 && (flags & kPasswordFlag) != 0 && (flags & kUserFlag) == 0) {
    cursor.malformed("a password without a user name [MQTT-3.1.2-22]");
  }
}

Will read_will(Cursor& cursor, std::uint8_t flags, Version version, Side side) {
  Will will;
  will.qos = (flags >> 3) & 0x03;
  will.retain = (flags & kWillRetainFlag) != 0;
  if (version == Version::v5) will.properties = read_properties(cursor, kWillPlace, side);
  will.topic = cursor.name("the will topic is not valid UTF-8");
  if (will.topic.empty() || will.topic.find_first_of("+#") != std::string::npos) {
    cursor.malformed("the will topic is empty or has wildcards");
  }
  const View payload = cursor.binary();
  will.payload.assign(payload.begin(), payload.end());
  return will;
}

void read_client_id(Cursor& cursor, Connect& connect) {
  const auto read = text_of(cursor.binary());
  if (!cursor.ok()) return;
  if (!valid_mqtt_name(read)) {
    return cursor.fault(Reason::client_identifier_not_valid, "the client id is not valid UTF-8");
  }
  if (read.empty() && connect.version == Version::v3_1_1 && !connect.clean_start) {
    return cursor.fault(Reason::client_identifier_not_valid,
                        "an empty client id wants a clean session [MQTT-3.1.3-8]");
  }
  connect.client_id = read;
}

// Faults in credentials, as in the fixed part, are not answered: nobody has been authenticated.
void read_credentials(Cursor& cursor, std::uint8_t flags, Connect& connect) {
  cursor.set_silent(true);
  if ((flags & kUserFlag) != 0) {
    connect.user_name = std::string(cursor.name("the user name is not valid UTF-8"));
  }
  if ((flags & kPasswordFlag) != 0) {
    const View password = cursor.binary();
    connect.password.emplace(password.begin(), password.end());
  }
  cursor.set_silent(false);
}

// The numbers of 3.1.1 (its table 3.1), by index.
constexpr Reason kConnackReasons[] = {
    Reason::success,
    Reason::unsupported_protocol_version,
    Reason::client_identifier_not_valid,
    Reason::server_unavailable,
    Reason::bad_user_name_or_password,
    Reason::not_authorized,
};

}  // namespace

Connect read_connect(Cursor& cursor, Side side, std::optional<Version>& version) {
  Connect connect;
  cursor.set_silent(true);
  std::optional<Version> spoken;
  read_protocol(cursor, spoken);
  if (!version) version = spoken;
  if (!cursor.ok()) return connect;
  connect.version = *spoken;
  const std::uint8_t flags = cursor.byte();
  check_connect_flags(cursor, flags, connect.version);
  connect.clean_start = (flags & kCleanFlag) != 0;
  connect.keep_alive_s = cursor.two_bytes();
  cursor.set_silent(false);
  if (connect.version == Version::v5) {
    connect.properties = read_properties(cursor, place_of(PacketType::connect), side);
  }
  read_client_id(cursor, connect);
  if ((flags & kWillFlag) != 0) connect.will = read_will(cursor, flags, connect.version, side);
  read_credentials(cursor, flags, connect);
  cursor.expect_end();
  return connect;
}

Connack read_connack(Cursor& cursor, Version version) {
  Connack connack;
  const std::uint8_t flags = cursor.byte();
  if (flags > 1) cursor.malformed("reserved flags are set [MQTT-3.2.2-1]");
  connack.session_present = flags == 1;
  const std::uint8_t code = cursor.byte();
  if (version == Version::v3_1_1) {
    if (code >= std::size(kConnackReasons)) cursor.forbidden("the return code is not known");
    if (cursor.ok()) connack.reason = kConnackReasons[code];
  } else {
    if (!reason_allowed(PacketType::connack, Side::client, code)) {
      cursor.forbidden("the reason code does not belong here");
    }
    connack.reason = static_cast<Reason>(code);
    connack.properties = read_properties(cursor, place_of(PacketType::connack), Side::client);
  }
  if (connack.session_present && connack.reason != Reason::success) {
    cursor.forbidden("a refusal with a session [MQTT-3.2.2-6]");
  }
  cursor.expect_end();
  return connack;
}

}  // namespace holdfast::wire::mqtt
