#include "agent/mqtt/session.hpp"

#include <algorithm>

namespace holdfast::agent {

namespace mqtt = wire::mqtt;
using mqtt::PropertyId;
using mqtt::Reason;

void MqttSession::start(MonoTime now) {
  phase_ = Phase::connecting;
  decoder_ = mqtt::Decoder::for_client(mqtt::Version::v5, kPacketMax);
  output_.clear();
  session_present_ = false;
  keep_alive_s_ = options_.keep_alive_s;
  mqtt::Connect connect;
  connect.clean_start = false;
  connect.keep_alive_s = options_.keep_alive_s;
  connect.client_id = options_.client_id;
  connect.properties.set(PropertyId::session_expiry, options_.session_expiry_s);
  connect.properties.set(PropertyId::receive_maximum, std::uint32_t{16});
  connect.properties.set(PropertyId::maximum_packet_size, kPacketMax);
  send(connect, now);
  answer_by_ = now + kConnackLimit;
}

void MqttSession::receive(View bytes, MonoTime now) {
  if (!decoder_ || phase_ == Phase::ended) return;
  decoder_->feed(bytes);
  while (phase_ != Phase::ended) {
    auto packet = decoder_->next();
    if (!packet) return end(packet.error().reason, packet.error().message, false, now);
    if (!*packet) return;
    handle(**packet, now);
  }
}

void MqttSession::lost() {
  phase_ = Phase::offline;
  decoder_.reset();
  output_.clear();
  answer_by_ = kNever;
}

MonoTime MqttSession::deadline() const {
  if (phase_ == Phase::offline || phase_ == Phase::ended) return kNever;
  if (phase_ != Phase::online || answer_by_ != kNever) return answer_by_;
  if (keep_alive_s_ == 0) return kNever;
  // A quarter early: the ping has to cross the network before the server's patience ends.
  return last_sent_ + milliseconds(std::int64_t{keep_alive_s_} * 750);
}

void MqttSession::tick(MonoTime now) {
  if (now < deadline()) return;
  if (answer_by_ != kNever) {
    return end(Reason::keep_alive_timeout, "the server does not answer", false, now);
  }
  send(mqtt::Pingreq{}, now);
  answer_by_ = now + kPingLimit;
}

std::size_t MqttSession::window() const {
  if (phase_ != Phase::online || flights_.size() >= receive_max_) return 0;
  return receive_max_ - flights_.size();
}

Status MqttSession::publish(OutMessage message, MonoTime now) {
  if (window() == 0) return fail(Code::overloaded, "no message can be sent now; try again later");
  Flight flight{free_packet_id(), std::move(message)};
  TRY(send_flight(flight, false, now));
  flights_.push_back(std::move(flight));
  return {};
}

void MqttSession::acknowledge(std::uint16_t packet_id, Reason reason, MonoTime now) {
  if (packet_id == 0 || phase_ == Phase::offline || phase_ == Phase::ended) return;
  mqtt::Puback puback;
  puback.packet_id = packet_id;
  puback.reason = reason;
  send(puback, now);
}

void MqttSession::leave(MonoTime now) {
  if (phase_ == Phase::offline || phase_ == Phase::ended) return;
  send(mqtt::Disconnect{}, now);
  phase_ = Phase::ended;
}

void MqttSession::handle(const mqtt::Packet& packet, MonoTime now) {
  if (phase_ == Phase::connecting && !std::holds_alternative<mqtt::Connack>(packet)) {
    return end(Reason::protocol_error, "the server spoke before CONNACK", false, now);
  }
  if (const auto* connack = std::get_if<mqtt::Connack>(&packet)) return on_connack(*connack, now);
  if (const auto* suback = std::get_if<mqtt::Suback>(&packet)) return on_suback(*suback, now);
  if (const auto* publish = std::get_if<mqtt::Publish>(&packet)) return on_publish(*publish, now);
  if (const auto* puback = std::get_if<mqtt::Puback>(&packet)) return on_puback(*puback);
  if (std::holds_alternative<mqtt::Pingresp>(packet)) {
    if (phase_ == Phase::online) answer_by_ = kNever;
    return;
  }
  if (const auto* bye = std::get_if<mqtt::Disconnect>(&packet)) {
    const auto text = bye->properties.text(PropertyId::reason_string);
    return end(bye->reason, std::string(text.value_or(mqtt::name_of(bye->reason))), true, now);
  }
  end(Reason::protocol_error, "unexpected " + std::string(mqtt::name_of(packet)), false, now);
}

void MqttSession::on_connack(const mqtt::Connack& connack, MonoTime now) {
  if (phase_ != Phase::connecting) {
    return end(Reason::protocol_error, "a second CONNACK", false, now);
  }
  if (mqtt::is_error(connack.reason)) {
    const auto text = connack.properties.text(PropertyId::reason_string);
    phase_ = Phase::ended;
    events_.push_back(Ended{connack.reason, true, true,
                            std::string(text.value_or(mqtt::name_of(connack.reason)))});
    return;
  }
  const auto& said = connack.properties;
  const std::uint32_t server_max = said.number(PropertyId::receive_maximum).value_or(65'535);
  receive_max_ = std::min<std::size_t>(kInFlightMax, server_max);
  packet_max_ = said.number(PropertyId::maximum_packet_size).value_or(mqtt::kRemainingMax);
  keep_alive_s_ = static_cast<std::uint16_t>(
      said.number(PropertyId::server_keep_alive).value_or(options_.keep_alive_s));
  session_present_ = connack.session_present;
  phase_ = Phase::subscribing;
  // Section 4.4: the unacknowledged ones first, in their order, before anything new.
  for (auto& flight : flights_) {
    if (!session_present_) flight.packet_id = free_packet_id();
    if (const auto sent = send_flight(flight, session_present_, now); !sent) {
      return end(Reason::packet_too_large, sent.error().message, false, now);
    }
  }
  // Again on every connection: it makes the server send the current twin.
  mqtt::Subscribe subscribe;
  subscribe_id_ = free_packet_id();
  subscribe.packet_id = subscribe_id_;
  subscribe.subscriptions.push_back({"#", 1, false, false, 0});
  send(subscribe, now);
  answer_by_ = now + kConnackLimit;
}

void MqttSession::on_suback(const mqtt::Suback& suback, MonoTime now) {
  if (phase_ != Phase::subscribing || suback.packet_id != subscribe_id_) return;
  if (suback.reasons.empty() || mqtt::is_error(suback.reasons.front())) {
    return end(Reason::unspecified_error, "the server refused the subscription", false, now);
  }
  subscribe_id_ = 0;
  phase_ = Phase::online;
  answer_by_ = kNever;
  events_.push_back(Online{session_present_});
}

void MqttSession::on_publish(const mqtt::Publish& publish, MonoTime now) {
  if (publish.topic.empty() || publish.qos > 1) {
    return end(Reason::protocol_error, "a message by alias or at QoS 2, neither asked for", false,
               now);
  }
  events_.push_back(Incoming{publish.topic, Bytes(publish.payload.begin(), publish.payload.end()),
                             publish.qos == 0 ? std::uint16_t{0} : publish.packet_id});
}

void MqttSession::on_puback(const mqtt::Puback& puback) {
  const auto at = std::ranges::find(flights_, puback.packet_id, &Flight::packet_id);
  if (at == flights_.end()) return;  // a repeat of one that was counted already
  events_.push_back(Acknowledged{at->message.tag, puback.reason});
  flights_.erase(at);
}

void MqttSession::send(const mqtt::Packet& packet, MonoTime now) {
  // Packets of ours are always valid; the options' client id is bounded by the schema.
  if (mqtt::encode(packet, mqtt::Version::v5, output_)) last_sent_ = now;
}

Status MqttSession::send_flight(const Flight& flight, bool again, MonoTime now) {
  mqtt::Publish publish;
  publish.topic = flight.message.topic;
  publish.payload = view_of(flight.message.payload);
  publish.packet_id = flight.packet_id;
  publish.qos = 1;
  publish.dup = again;
  if (!flight.message.content_type.empty()) {
    publish.properties.set(PropertyId::content_type, flight.message.content_type);
  }
  TRY(mqtt::encode(publish, mqtt::Version::v5, output_, packet_max_));
  last_sent_ = now;
  return {};
}

void MqttSession::end(Reason reason, std::string message, bool by_server, MonoTime now) {
  if (phase_ == Phase::ended || phase_ == Phase::offline) return;
  if (!by_server && phase_ != Phase::connecting) {
    mqtt::Disconnect bye;
    // 0x8D is the server's alone to say (MQTT 5.0 table 3-13).
    bye.reason = reason == Reason::keep_alive_timeout ? Reason::unspecified_error : reason;
    send(bye, now);
  }
  phase_ = Phase::ended;
  answer_by_ = kNever;
  events_.push_back(Ended{reason, by_server, false, std::move(message)});
}

std::uint16_t MqttSession::free_packet_id() {
  // At most kInFlightMax are taken, so this ends.
  do {
    ++last_packet_id_;
  } while (last_packet_id_ == 0 || last_packet_id_ == subscribe_id_ ||
           std::ranges::find(flights_, last_packet_id_, &Flight::packet_id) != flights_.end());
  return last_packet_id_;
}

}  // namespace holdfast::agent
