// For tests and fuzz targets of this folder: one full example of every packet, and both ways at
// once.
#pragma once

#include <vector>

#include "libs/wire/mqtt.hpp"

namespace holdfast::wire::mqtt {

inline Properties text_property(PropertyId id, std::string text) {
  Properties properties;
  properties.set(id, std::move(text)).add_user("shape", "round").add_user("shape", "red");
  return properties;
}

inline Connect sample_connect(Version version) {
  Connect connect;
  connect.version = version;
  connect.clean_start = false;
  connect.keep_alive_s = 1200;
  connect.client_id = "boiler-7";
  connect.user_name = "someone";
  connect.password = Bytes{0, 1, 2};
  connect.will = Will{"event/gone", bytes_of("{}"), 1, true, {}};
  if (version == Version::v5) {
    connect.properties.set(PropertyId::session_expiry, 3600)
        .set(PropertyId::receive_maximum, 20)
        .set(PropertyId::maximum_packet_size, 65'536)
        .set(PropertyId::authentication_method, "SCRAM")
        .set(PropertyId::authentication_data, std::string("\0\1", 2));
    connect.will->properties.set(PropertyId::will_delay, 5)
        .set(PropertyId::payload_format, 1)
        .set(PropertyId::content_type, "application/json");
  }
  return connect;
}

// What a client sends, then what a server sends, in the given version.
inline std::vector<Packet> sample_packets(Version version, Side reader) {
  using enum PropertyId;
  const bool v5 = version == Version::v5;
  const auto reason = [v5](Reason r) { return v5 ? r : Reason::success; };
  const auto text = [v5](PropertyId id) {
    return v5 ? text_property(id, "because") : Properties{};
  };
  static const Bytes payload = bytes_of("{\"temp\":20.5}");
  std::vector<Packet> packets;
  packets.push_back(Publish{"telemetry/lab", payload, 0, 0, false, true, {}});
  packets.push_back(Publish{"telemetry/lab", payload, 7, 1, true, false, text(content_type)});
  packets.push_back(Publish{"a", {}, 65'535, 2, false, false, {}});
  packets.push_back(Puback{1, reason(Reason::payload_format_invalid), text(reason_string)});
  packets.push_back(Puback{2, reason(Reason::not_authorized), {}});
  packets.push_back(Puback{3, Reason::success, {}});
  packets.push_back(Pubrec{4, reason(Reason::quota_exceeded), text(reason_string)});
  packets.push_back(Pubrel{5, reason(Reason::packet_identifier_not_found), {}});
  packets.push_back(Pubcomp{6, Reason::success, {}});
  if (reader == Side::server) {
    packets.insert(packets.begin(), sample_connect(version));
    Subscribe subscribe{9, {{"twin/desired", 1, false, false, 0}, {"command/#", 2}}, {}};
    if (v5) {
      subscribe.properties.set(subscription_id, 268'435'455);
      subscribe.subscriptions.push_back({"#", 0, true, true, 2});
    }
    packets.push_back(subscribe);
    packets.push_back(Unsubscribe{10, {"command/#", "+"}, {}});
    packets.push_back(Pingreq{});
    packets.push_back(Disconnect{reason(Reason::disconnect_with_will), {}});
  } else {
    packets.push_back(Connack{true, Reason::success, {}});
    packets.push_back(Connack{false, Reason::not_authorized, text(server_reference)});
    packets.push_back(Suback{9, {Reason::granted_qos_1, Reason::unspecified_error}, {}});
    const std::vector<Reason> gone{Reason::success, Reason::no_subscription_existed};
    packets.push_back(Unsuback{10, v5 ? gone : std::vector<Reason>{}, {}});
    packets.push_back(Pingresp{});
    if (v5) packets.push_back(Disconnect{Reason::session_taken_over, text(reason_string)});
  }
  if (v5) {
    packets.push_back(Auth{Reason::continue_authentication, text(authentication_method)});
    packets.push_back(Auth{});
  }
  return packets;
}

}  // namespace holdfast::wire::mqtt
