// CONNECT (MQTT 3.1.1 section 3.1; 5.0 section 3.1) up to CONNACK: the packet is checked, the
// device admitted, a seat taken, what was kept is taken up.
#include <algorithm>
#include <array>

#include "server/hub/session/reasons.hpp"
#include "server/hub/session/session.hpp"

namespace holdfast::hub {
namespace mqtt = wire::mqtt;
using mqtt::PropertyId;

namespace {

constexpr Duration kOpeningMax = seconds(30);  // from CONNECT to CONNACK: all of it is ours

std::string assigned_client_id(os::Entropy& entropy) {
  return "auto-" + to_base64url(entropy.bytes(12));
}

}  // namespace

void Session::connect(const mqtt::Connect& packet, Now now, Output& out) {
  const auto& properties = packet.properties;
  version_ = packet.version;
  problem_info_ = properties.number(PropertyId::request_problem_information).value_or(1) != 0;
  peer_packet_max_ =
      properties.number(PropertyId::maximum_packet_size).value_or(mqtt::kRemainingMax + 5);
  window_ = static_cast<std::uint16_t>(std::min<std::uint32_t>(
      properties.number(PropertyId::receive_maximum).value_or(65'535), kDownInFlightMax));
  keep_alive_s_ = packet.keep_alive_s;
  if (keep_alive_s_ == 0 || keep_alive_s_ > kKeepAliveMax_s) keep_alive_s_ = kKeepAliveMax_s;
  const auto asked = v5() ? properties.number(PropertyId::session_expiry).value_or(0)
                          : (packet.clean_start ? 0 : kSessionExpiryMax_s);
  expiry_s_ = std::min(asked, kSessionExpiryMax_s);
  connect_by_ = now.mono + kOpeningMax;
  connect_ = std::make_unique<mqtt::Connect>(packet);
  connect_->password.reset();  // the certificate says who speaks; secrets are not kept
  connect_->user_name.reset();

  if (properties.has(PropertyId::authentication_method)) {
    return refuse_connect(failure(Code::unauthenticated, "enhanced authentication is not offered"),
                          out, mqtt::Reason::bad_authentication_method);
  }
  if (const auto checked = check_connect(packet); !checked)
    return refuse_connect(checked.error(), out);
  client_id_ = packet.client_id.empty() ? assigned_client_id(entropy_) : packet.client_id;
  proceed(now, out);
}

Status Session::check_connect(const mqtt::Connect& packet) const {
  if (packet.client_id.size() > kClientIdBytesMax) {
    return fail(Code::client_id_invalid, "the client id is longer than 128 bytes");
  }
  if (packet.client_id.empty() && !v5() && !packet.clean_start) {
    return fail(Code::client_id_invalid, "an empty client id needs a clean session");
  }
  if (!packet.will) return {};
  const auto& will = *packet.will;
  if (will.qos > 1) return fail(Code::qos_unsupported, "the will has QoS 2");
  if (will.retain && v5()) return fail(Code::retain_unsupported, "the will has the retain flag");
  const auto topic = TRY(with_context(parse_up(will.topic), "the will"));
  if (will.payload.size() > payload_max(topic.kind)) {
    return fail(Code::payload_too_large, "the will's payload is too large");
  }
  return {};
}

void Session::admitted(Result<Admitted> admission, Now now, Output& out) {
  if (phase_ != Phase::connecting) return;
  admission_ = std::move(admission);
  proceed(now, out);
}

// The wall clock may be set: time() looks again when the moment has come by the other one.
void Session::aim_at_certificate_end(Now now) {
  const bool never = certificate_end_ >= now.wall + days(3'650);
  certificate_by_ = never ? kNever : now.mono + (certificate_end_ - now.wall);
}

void Session::proceed(Now now, Output& out) {
  if (!connect_ || !admission_) return;
  if (!*admission_) return refuse_connect(admission_->error(), out);
  device_ = (*admission_)->device;
  certificate_end_ = (*admission_)->not_after;
  aim_at_certificate_end(now);
  phase_ = Phase::entering;
  out.act(Enter{client_id_, !connect_->clean_start});
}

void Session::entered(Status seat, Now, Output& out) {
  if (phase_ != Phase::entering) return;
  if (!seat) return refuse_connect(seat.error(), out);
  phase_ = Phase::opening;
  kept_ = expiry_s_ > 0;
  tag_ = std::max<std::uint64_t>(entropy_.number(), 1);
  Open open{client_id_, connect_->clean_start, expiry_s_, version_, tag_, {}};
  if (connect_->will) {
    auto& will = *connect_->will;
    const auto delay_s = std::min(will.properties.number(PropertyId::will_delay).value_or(0),
                                  std::min(kWillDelayMax_s, expiry_s_));
    will_ =
        std::make_unique<FireWill>(FireWill{std::move(will.topic), std::move(will.payload), delay_s,
                                            std::max<std::uint64_t>(entropy_.number(), 1)});
    open.will = *will_;
  }
  out.act(std::move(open));
}

void Session::opened(Result<std::optional<Kept>> kept, Now now, Output& out) {
  if (phase_ != Phase::opening) return;
  if (!kept) return refuse_connect(kept.error(), out);
  const bool present = kept->has_value() && !connect_->clean_start;
  if (kept->has_value()) take_up(std::move(**kept));
  accept(present, now, out);
}

void Session::take_up(Kept kept) {
  tag_ = kept.tag;
  granted_ = std::move(kept.granted);
  for (auto& row : kept.in_flight) {
    in_flight_.push_back({row.packet_id, Sending::resend, std::move(row.key)});
    last_packet_id_ = row.packet_id;
  }
  settled_.insert(std::make_move_iterator(kept.settled.begin()),
                  std::make_move_iterator(kept.settled.end()));
  listens_ = std::ranges::any_of(
      granted_, [](const Granted& each) { return matches_something(each.filter); });
}

void Session::accept(bool present, Now now, Output& out) {
  mqtt::Connack connack;
  connack.session_present = present;
  if (v5()) {
    auto& properties = connack.properties;
    const auto asked = connect_->properties.number(PropertyId::session_expiry).value_or(0);
    if (asked != expiry_s_) properties.set(PropertyId::session_expiry, expiry_s_);
    properties.set(PropertyId::receive_maximum, kUpInFlightMax)
        .set(PropertyId::maximum_qos, 1)
        .set(PropertyId::retain_available, 0)
        .set(PropertyId::maximum_packet_size, kPacketBytesMax);
    if (connect_->client_id.empty()) properties.set(PropertyId::assigned_client_id, client_id_);
    properties.set(PropertyId::topic_alias_maximum, 0)
        .set(PropertyId::wildcard_available, 1)
        .set(PropertyId::subscription_id_available, 0)
        .set(PropertyId::shared_available, 0);
    if (connect_->keep_alive_s != keep_alive_s_)
      properties.set(PropertyId::server_keep_alive, keep_alive_s_);
  }
  if (!write(connack, out)) {  // [MQTT-3.1.2-24]
    return finish({.code = Code::payload_too_large,
                   .detail = "CONNACK is larger than the client's Maximum Packet Size",
                   .flush = false},
                  false, out);
  }
  connect_.reset();
  admission_.reset();
  heard_ = now.mono;
  phase_ = Phase::live;
  out.act(Accepted{client_id_});
  fetch_wanted_ = true;
  maybe_fetch(out);
}

void Session::refuse_connect(const Error& why, Output& out, std::optional<mqtt::Reason> reason) {
  bool said = true;
  if (v5()) {
    write(mqtt::Connack{.reason = reason.value_or(connack_reason(why.code)),
                        .properties = reason_string(why.code)},
          out);
  } else {
    auto code = connack_code(why.code);
    if (why.code == Code::topic_refused || why.code == Code::topic_invalid) code = 5;  // of a will
    said = code.has_value();
    if (said) append(out.bytes, std::array<std::uint8_t, 4>{0x20, 2, 0, *code});
  }
  finish({.code = why.code, .detail = why.text(), .flush = said}, false, out);
}

}  // namespace holdfast::hub
