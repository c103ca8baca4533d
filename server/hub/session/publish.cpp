// PUBLISH up and its acknowledgement (MQTT 5.0 sections 3.3, 3.4, 4.3, 4.9): stored first, then
// acknowledged, in the order in which the messages came.
#include <algorithm>

#include "server/hub/session/reasons.hpp"
#include "server/hub/session/session.hpp"

namespace holdfast::hub {
namespace mqtt = wire::mqtt;
using mqtt::PropertyId;

// What ends the connection, whatever the topic.
Status Session::check_publish(const mqtt::Publish& packet) const {
  if (packet.qos > 1) return fail(Code::qos_unsupported, "a message with QoS 2");
  if (packet.properties.has(PropertyId::topic_alias))
    return fail(Code::topic_alias_invalid, "a topic alias");
  if (packet.properties.has(PropertyId::subscription_id)) {
    return fail(Code::protocol_error, "PUBLISH with a subscription identifier");  // [MQTT-3.3.4-6]
  }
  if (packet.retain && v5())
    return fail(Code::retain_unsupported, "a message with the retain flag");
  // Clients that resend after a reconnection may exceed what they then learn: not held against
  // them.
  if (v5() && packet.qos == 1 && !packet.dup && acks_.size() >= kUpInFlightMax) {
    return fail(Code::receive_maximum_exceeded, "more than 64 messages without acknowledgement");
  }
  return {};
}

void Session::publish(const mqtt::Publish& packet, Now now, Output& out) {
  if (const auto checked = check_publish(packet); !checked) {
    record(now, out, checked.error(), packet.topic);
    return end(checked.error(), out);
  }
  const auto topic = parse_up(packet.topic);
  if (!topic) return refuse_publish(packet, topic.error(), now, out);
  if (packet.payload.size() > payload_max(topic->kind)) {
    return refuse_publish(packet,
                          failure(Code::payload_too_large,
                                  std::to_string(packet.payload.size()) + " bytes, at most " +
                                      std::to_string(payload_max(topic->kind))),
                          now, out);
  }
  Publish action{0, *topic, packet.payload, {}};
  if (const auto type = packet.properties.text(PropertyId::content_type)) {
    action.delivery.content_type = *type;
  }
  if (packet.qos == 1) {
    action.ticket = first_ticket_ + acks_.size();
    action.delivery.session_tag = tag_;
    action.delivery.packet_id = packet.packet_id;
    action.delivery.dup = packet.dup;
    acks_.push_back({.packet_id = packet.packet_id});
    ++(packet.dup ? tally_.up_resent : tally_.up_qos1);
  } else {
    ++tally_.up_qos0;
  }
  out.act(std::move(action));
}

void Session::refuse_publish(const mqtt::Publish& packet, const Error& why, Now now, Output& out) {
  ++tally_.up_refused;
  record(now, out, why, packet.topic);
  const bool sender_learns = v5() || final_for_sender(why.code);
  if (!sender_learns) return end(why, out);
  if (packet.qos == 0) return;
  acks_.push_back({.packet_id = packet.packet_id, .ready = true, .code = why.code, .failed = true});
  flush_acks(now, out);
}

void Session::stored(std::uint64_t ticket, const Status& status, Now now, Output& out) {
  if (phase_ != Phase::live || ticket < first_ticket_ || ticket - first_ticket_ >= acks_.size())
    return;
  Ack& ack = acks_[ticket - first_ticket_];
  ack.ready = true;
  ack.failed = !status;
  if (!status) ack.code = status.error().code;
  flush_acks(now, out);
}

void Session::flush_acks(Now, Output& out) {
  std::size_t done = 0;
  for (; done < acks_.size() && acks_[done].ready; ++done) {
    const Ack& ack = acks_[done];
    if (ack.failed && !v5() && !final_for_sender(ack.code)) {
      // Without PUBACK it stays the client's: it sends it again after it has connected anew.
      acks_.clear();
      return end(failure(ack.code, "a message could not be stored, and 3.1.1 has no way to say so"),
                 out);
    }
    encode_ack(ack, out);
  }
  acks_.erase(acks_.begin(), acks_.begin() + static_cast<std::ptrdiff_t>(done));
  first_ticket_ += done;
}

void Session::encode_ack(const Ack& ack, Output& out) const {
  if (!ack.failed || !v5()) return mqtt::encode_puback(ack.packet_id, out.bytes);
  write(mqtt::Puback{.packet_id = ack.packet_id,
                     .reason = puback_reason(ack.code),
                     .properties = reason_string(ack.code)},
        out);
}

}  // namespace holdfast::hub
