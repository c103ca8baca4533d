#include "server/hub/session/session.hpp"

#include <algorithm>

#include "server/hub/session/reasons.hpp"

namespace holdfast::hub {
namespace mqtt = wire::mqtt;

namespace {

constexpr Rate kEvents{1, 20};          // of one connection, on the device's timeline
constexpr std::size_t kWaitingMax = 8;  // SUBACKs and UNSUBACKs that wait for the store
constexpr std::size_t kDetailBytesMax = 256;

Duration silence_max(std::uint16_t keep_alive_s) {
  return milliseconds(1'500) * keep_alive_s;
}

}  // namespace

std::string_view name_of(Phase phase) {
  switch (phase) {
    case Phase::connecting:
      return "connecting";
    case Phase::entering:
      return "entering";
    case Phase::opening:
      return "opening";
    case Phase::live:
      return "live";
    case Phase::closed:
      return "closed";
  }
  return "unknown";
}

Session::Session(os::Entropy& entropy, Now now, MonoTime connect_by)
    : entropy_(entropy), heard_(now.mono), connect_by_(connect_by), events_(kEvents, now.mono) {}

// ---- from the network

void Session::packet(const mqtt::Packet& packet, Now now, Output& out) {
  if (phase_ == Phase::closed) return;
  heard_ = now.mono;
  const bool first = phase_ == Phase::connecting && !connect_;
  if (phase_ != Phase::live && (!first || !std::holds_alternative<mqtt::Connect>(packet))) {
    // The decoder takes CONNECT first, and the shell leaves the rest unread until CONNACK.
    finish({.code = Code::protocol_error, .detail = "a packet before CONNACK", .flush = false},
           false, out);
    return;
  }
  std::visit([&](const auto& each) { handle(each, now, out); }, packet);
}

void Session::refused(const mqtt::Refusal& refusal, std::optional<mqtt::Version> version, Now now,
                      Output& out) {
  if (phase_ == Phase::closed) return;
  heard_ = now.mono;
  if (phase_ == Phase::connecting && !connect_) {
    const bool say = !refusal.silent && version.has_value();
    if (say && version == mqtt::Version::v5) {
      static_cast<void>(mqtt::encode(mqtt::Connack{.reason = refusal.reason, .properties = {}},
                                     *version, out.bytes));
    } else if (say && refusal.reason != mqtt::Reason::malformed_packet &&
               refusal.reason != mqtt::Reason::protocol_error) {
      append(out.bytes,
             std::array<std::uint8_t, 4>{0x20, 2, 0, mqtt::connack_code_3_1_1(refusal.reason)});
    }
    finish({.code = refusal.error().code, .detail = refusal.message, .flush = say}, false, out);
    return;
  }
  if (phase_ == Phase::live && v5() && !refusal.silent) {
    write(mqtt::Disconnect{.reason = disconnect_reason(refusal.reason), .properties = {}}, out);
  }
  finish({.code = refusal.error().code, .detail = refusal.message, .flush = !refusal.silent}, true,
         out);
}

void Session::lost(const Error& why, Now, Output& out) {
  if (phase_ == Phase::closed) return;
  const Code code = why.code == Code::closed ? Code::connection_lost : why.code;
  finish({.code = code, .detail = why.text(), .flush = false}, true, out);
}

void Session::blocked(bool blocked, Output& out) {
  blocked_ = blocked;
  if (!blocked) maybe_fetch(out);
}

// ---- the packets of a live connection; CONNECT, PUBLISH and SUBSCRIBE have files of their own

void Session::handle(const mqtt::Connect& packet, Now now, Output& out) {
  if (phase_ == Phase::connecting) return connect(packet, now, out);
  end(failure(Code::protocol_error, "a second CONNECT"), out);
}
void Session::handle(const mqtt::Publish& packet, Now now, Output& out) {
  publish(packet, now, out);
}
void Session::handle(const mqtt::Puback& packet, Now now, Output& out) {
  acknowledged(packet, now, out);
}
void Session::handle(const mqtt::Subscribe& packet, Now now, Output& out) {
  subscribe(packet, now, out);
}
void Session::handle(const mqtt::Unsubscribe& packet, Now now, Output& out) {
  unsubscribe(packet, now, out);
}
void Session::handle(const mqtt::Pingreq&, Now, Output& out) {
  write(mqtt::Pingresp{}, out);
}

// QoS 2 is spoken in neither direction: what is left of it belongs to no message of this session.
// It is answered all the same, so that a client that recovers from another server comes to an end.
void Session::handle(const mqtt::Pubrec& packet, Now, Output& out) {
  const bool ours = std::ranges::any_of(
      in_flight_, [&](const Down& down) { return down.packet_id == packet.packet_id; });
  if (ours) return end(failure(Code::protocol_error, "PUBREC for a QoS 1 message"), out);
  if (mqtt::is_error(packet.reason)) return;
  mqtt::Pubrel pubrel;
  pubrel.packet_id = packet.packet_id;
  write(pubrel, out);
}
void Session::handle(const mqtt::Pubrel& packet, Now, Output& out) {
  mqtt::Pubcomp pubcomp;
  pubcomp.packet_id = packet.packet_id;
  write(pubcomp, out);
}
void Session::handle(const mqtt::Pubcomp&, Now, Output&) {}

void Session::handle(const mqtt::Disconnect& packet, Now, Output& out) {
  if (const auto expiry = packet.properties.number(mqtt::PropertyId::session_expiry)) {
    if (*expiry > 0 && !kept_) {
      return end(failure(Code::protocol_error,
                         "DISCONNECT asks for a session that CONNECT did not ask for"),
                 out);
    }
    expiry_s_ = std::min(*expiry, kSessionExpiryMax_s);
  }
  std::string detail;
  if (packet.reason != mqtt::Reason::success) detail = mqtt::name_of(packet.reason);
  if (const auto text = packet.properties.text(mqtt::PropertyId::reason_string)) {
    detail += (detail.empty() ? "" : ": ") + std::string(text->substr(0, kDetailBytesMax));
  }
  const bool fire_will = packet.reason != mqtt::Reason::success;
  finish({.code = Code::connection_lost, .by_client = true, .detail = std::move(detail)}, fire_will,
         out);
}

// AUTH, and packets that only a server sends: the decoder refuses most of them.
template <class ForClients>
void Session::handle(const ForClients& packet, Now, Output& out) {
  end(failure(Code::protocol_error,
              std::string(mqtt::name_of(mqtt::Packet(packet))) + " is not taken here"),
      out);
}

// ---- from the server

void Session::wake(Output& out) {
  if (phase_ != Phase::live) return;
  fetch_wanted_ = true;
  maybe_fetch(out);
}

void Session::evict(const Error& why, bool continues, Now, Output& out) {
  if (phase_ == Phase::closed) return;
  if (phase_ != Phase::live) {
    if (connect_ && why.code != Code::taken_over) return refuse_connect(why, out);
    return finish({.code = why.code, .detail = why.message, .flush = false}, false, out);
  }
  // A session that goes on under a new connection has not ended: a will that may wait is not sent
  // [MQTT-3.1.3-9].
  if (continues && kept_ && will_ && will_->delay_s > 0) drop_will(out);
  if (why.code == Code::taken_over && !continues) expiry_s_ = 0;  // a clean start ended it
  end(why, out);
}

void Session::time(Now now, Output& out) {
  if (phase_ == Phase::closed) return;
  if (phase_ != Phase::live) {
    if (now.mono < connect_by_) return;
    if (connect_) {
      return refuse_connect(
          failure(Code::unavailable, "the server took too long to answer CONNECT"), out);
    }
    return finish({.code = Code::handshake_timeout, .detail = "no CONNECT in time", .flush = false},
                  false, out);
  }
  if (!wants_input() && !blocked_)
    heard_ = now.mono;  // unread for our sake: its pings may wait there
  if (now.mono >= heard_ + silence_max(keep_alive_s_)) {
    return end(failure(Code::keep_alive_timeout, "nothing came for 1.5 times the keep-alive time"),
               out);
  }
  if (now.wall >= certificate_end_) {
    return end(
        failure(Code::certificate_expired, "the certificate has ended during the connection"), out);
  }
  aim_at_certificate_end(now);
  if (now.mono >= retry_at_) {
    retry_at_ = kNever;
    wake(out);
  }
}

// ---- asks

bool Session::wants_input() const {
  if (phase_ == Phase::connecting) return !connect_;
  if (phase_ != Phase::live) return false;
  // What 5.0 clients may exceed is told in publish(); 3.1.1 knows no such limit and is read later.
  const std::size_t acks_max = v5() ? 2 * kUpInFlightMax : kUpInFlightMax;
  return !blocked_ && acks_.size() < acks_max && waiting_.size() < kWaitingMax;
}

MonoTime Session::deadline() const {
  switch (phase_) {
    case Phase::closed:
      return kNever;
    case Phase::live:
      return std::min({heard_ + silence_max(keep_alive_s_), retry_at_, certificate_by_});
    default:
      return connect_by_;
  }
}

void Session::shrink() {
  if (acks_.empty()) acks_.shrink_to_fit();
  if (outbox_.empty()) outbox_.shrink_to_fit();
  if (waiting_.empty()) waiting_.shrink_to_fit();
  if (in_flight_.empty()) in_flight_.shrink_to_fit();
}

// ---- the ends

// False: longer than what the client takes, and left out.
bool Session::write(const mqtt::Packet& packet, Output& out) const {
  return mqtt::encode(packet, version_, out.bytes, peer_packet_max_).has_value();
}

// Malformed packets get the short form that conformance suites look for; the timeline has the text.
mqtt::Properties Session::reason_string(Code code) const {
  mqtt::Properties properties;
  if (v5() && problem_info_ && code != Code::protocol_error && code != Code::packet_malformed) {
    properties.set(mqtt::PropertyId::reason_string, std::string(row_of(code).title));
  }
  return properties;
}

void Session::end(const Error& why, Output& out) {
  end_with(why, disconnect_reason(why.code), out);
}

void Session::end_with(const Error& why, mqtt::Reason reason, Output& out) {
  if (phase_ == Phase::live && v5()) {
    write(mqtt::Disconnect{.reason = reason, .properties = reason_string(why.code)}, out);
  }
  finish({.code = why.code, .detail = why.text()}, true, out);
}

void Session::finish(Close close, bool fire_will, Output& out) {
  if (fire_will && will_ && phase_ == Phase::live) {
    will_->delay_s = std::min(will_->delay_s, expiry_s_);
    out.act(std::move(*will_));
    will_.reset();
  }
  drop_will(out);
  connect_.reset();
  close.was_live = phase_ == Phase::live;
  close.expiry_s = kept_ ? expiry_s_ : 0;
  phase_ = Phase::closed;
  out.act(std::move(close));
}

void Session::drop_will(Output& out) {
  if (will_) out.act(DropWill{will_->id});
  will_.reset();
}

void Session::record(Now now, Output& out, const Error& why, std::string_view topic) {
  if (!events_.may(now.mono)) {
    ++tally_.events_suppressed;
    return;
  }
  telemetry::ServerEvent event{device_, "refused", "warning", why.text(), {}};
  event.fields.emplace("code", std::string(row_of(why.code).name));
  event.fields.emplace("topic", std::string(topic.substr(0, kTopicBytesMax)));
  event.fields.emplace("client_id", client_id_);
  out.act(Record{std::move(event)});
}

}  // namespace holdfast::hub
