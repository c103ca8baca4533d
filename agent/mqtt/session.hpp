// MqttSession: the client's half of an MQTT 5.0 session (OASIS MQTT 5.0 sections 3.1, 4.3, 4.4) as
// a pure machine: bytes and times in, bytes and events out; no socket, no clock. It lives longer
// than one connection: what was sent at QoS 1 and not acknowledged is sent again, with DUP when the
// server still has the session, as new messages when it has not.
//
// Everything goes out at QoS 1, within the server's Receive Maximum and kInFlightMax. What comes in
// at QoS 1 is acknowledged by acknowledge(), once its effect is durable.
// Errors: publish() answers overloaded when the window is full, payload_too_large. One owner
// thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "libs/wire/mqtt.hpp"

namespace holdfast::agent {

struct SessionOptions {
  std::string client_id = "agent";
  std::uint16_t keep_alive_s = 60;
  std::uint32_t session_expiry_s = 604'800;
};

struct OutMessage {
  std::string topic;
  std::string payload;
  std::string content_type;  // "" for none
  std::uint64_t tag = 0;     // the caller's, comes back in Acknowledged
  bool operator==(const OutMessage&) const = default;
};

// ---- events
struct Online {  // CONNACK and SUBACK are in: messages flow both ways
  bool session_present = false;
};
struct Acknowledged {
  std::uint64_t tag = 0;
  wire::mqtt::Reason reason = wire::mqtt::Reason::success;
};
struct Incoming {
  std::string topic;
  Bytes payload;
  std::uint16_t packet_id = 0;  // 0: QoS 0, needs no acknowledge()
};
struct Ended {  // the connection cannot go on; the caller closes it
  wire::mqtt::Reason reason = wire::mqtt::Reason::success;
  bool by_server = false;
  bool at_connect = false;  // refused by CONNACK
  std::string message;
};
using SessionEvent = std::variant<Online, Acknowledged, Incoming, Ended>;

class MqttSession {
 public:
  static constexpr std::size_t kInFlightMax = 32;  // messages
  static constexpr std::uint32_t kPacketMax = 262'144;
  static constexpr Duration kConnackLimit = seconds(20);
  static constexpr Duration kPingLimit = seconds(20);

  explicit MqttSession(SessionOptions options) : options_(std::move(options)) {}

  void start(MonoTime now);  // on a fresh connection: writes CONNECT
  void receive(View bytes, MonoTime now);
  void lost();              // the connection is gone; in-flight messages stay
  void tick(MonoTime now);  // at or after deadline()
  MonoTime deadline() const;

  bool online() const { return phase_ == Phase::online; }
  bool idle() const { return phase_ == Phase::offline; }
  std::size_t in_flight() const { return flights_.size(); }
  std::size_t window() const;  // how many more may be published now
  Status publish(OutMessage message, MonoTime now);
  void acknowledge(std::uint16_t packet_id, wire::mqtt::Reason reason, MonoTime now);
  void leave(MonoTime now);  // writes DISCONNECT

  Bytes take_output() { return std::exchange(output_, {}); }
  std::vector<SessionEvent> take_events() { return std::exchange(events_, {}); }

 private:
  enum class Phase { offline, connecting, subscribing, online, ended };
  struct Flight {
    std::uint16_t packet_id = 0;
    OutMessage message;
  };

  void handle(const wire::mqtt::Packet& packet, MonoTime now);
  void on_connack(const wire::mqtt::Connack& connack, MonoTime now);
  void on_suback(const wire::mqtt::Suback& suback, MonoTime now);
  void on_publish(const wire::mqtt::Publish& publish, MonoTime now);
  void on_puback(const wire::mqtt::Puback& puback);
  void send(const wire::mqtt::Packet& packet, MonoTime now);
  Status send_flight(const Flight& flight, bool again, MonoTime now);
  void end(wire::mqtt::Reason reason, std::string message, bool by_server, MonoTime now);
  std::uint16_t free_packet_id();

  const SessionOptions options_;
  Phase phase_ = Phase::offline;
  std::optional<wire::mqtt::Decoder> decoder_;
  std::deque<Flight> flights_;  // in the order of sending
  std::uint16_t last_packet_id_ = 0;
  std::uint16_t subscribe_id_ = 0;
  std::uint16_t keep_alive_s_ = 0;
  std::size_t receive_max_ = kInFlightMax;
  std::uint32_t packet_max_ = kPacketMax;
  bool session_present_ = false;
  MonoTime last_sent_{};
  MonoTime answer_by_ = kNever;  // CONNACK, SUBACK or PINGRESP
  Bytes output_;
  std::vector<SessionEvent> events_;
};

}  // namespace holdfast::agent
