// What flows down: commands and the desired twin (MQTT 5.0 sections 3.3, 4.3, 4.4, 4.9). The domain
// keeps the messages; a session keeps their keys and packet ids, and says what it has done.
#include <algorithm>

#include "libs/wire/topic.hpp"
#include "server/hub/session/session.hpp"

namespace holdfast::hub {
namespace mqtt = wire::mqtt;

namespace {
constexpr std::size_t kFetchMin = 2 * kDownInFlightMax;
constexpr Duration kRetry = seconds(5);
}  // namespace

bool Session::resends() const {
  return std::ranges::any_of(in_flight_,
                             [](const Down& down) { return down.state == Sending::resend; });
}

std::size_t Session::window_left() const {
  return in_flight_.size() < window_ ? window_ - in_flight_.size() : 0;
}

bool Session::flies(std::string_view key) const {
  return std::ranges::find(in_flight_, key, &Down::key) != in_flight_.end();
}

void Session::maybe_fetch(Output& out) {
  if (phase_ != Phase::live || fetching_ || preparing_ || blocked_ || !fetch_wanted_) return;
  const bool more = listens_ && window_left() > 0;
  if (!more && !resends()) return;
  Fetch fetch;
  for (const auto& down : in_flight_) {
    if (down.state == Sending::resend) fetch.resolve.push_back(down.key);
  }
  fetch_limit_ = std::max(fetch_limit_, kFetchMin);
  asked_ = more ? fetch_limit_ : 0;
  fetch.limit = asked_;
  fetch.twin = more && twin_wanted_;
  if (more) twin_wanted_ = false;
  fetching_ = true;
  fetch_wanted_ = !more;
  out.act(std::move(fetch));
}

void Session::fetched(Result<Fetched> result, Now now, Output& out) {
  if (phase_ != Phase::live || !fetching_) return;
  fetching_ = false;
  if (!result) {
    fetch_wanted_ = true;
    retry_at_ = now.mono + kRetry;
    return;
  }
  resend(*result, now, out);
  if (listens_) choose(*result, now);
  forget_settled(*result, out);
  prepare(out);
  maybe_fetch(out);
}

// Once after each reconnection, before anything new, in the old order [MQTT-4.4.0-1].
void Session::resend(Fetched& result, Now now, Output& out) {
  Forget gone;
  for (auto& [key, message] : result.resolved) {
    const auto down = std::ranges::find(in_flight_, key, &Down::key);
    if (down == in_flight_.end() || down->state != Sending::resend) continue;
    if (!message || (message->deadline && *message->deadline <= now.wall)) {
      in_flight_.erase(down);
      ++tally_.down_expired;
      gone.keys.push_back(key);
      continue;
    }
    down->state = Sending::sent;
    ++tally_.down_resent;
    send({std::move(*message), 1, down->packet_id}, true, now, out);
  }
  if (!gone.keys.empty()) out.act(std::move(gone));
}

// Takes what is new, matches and fits into the window; remembers whether there may be more.
void Session::choose(Fetched& result, Now now) {
  const auto before = outbox_.size();
  if (result.twin) {
    settled_.erase(result.twin->key);
    offer(*result.twin, now);
  }
  bool full = false;
  for (auto& message : result.pending) {
    full = !offer(message, now);
    if (full) break;
  }
  const bool more = full || (asked_ > 0 && result.pending.size() >= asked_);
  if (outbox_.size() > before) {
    fetch_limit_ = kFetchMin;
    fetch_wanted_ = fetch_wanted_ || more;
  } else if (more && !full && fetch_limit_ < kDownFetchMax) {
    fetch_limit_ =
        std::min(fetch_limit_ * 2, kDownFetchMax);  // what this session wants lies behind
    fetch_wanted_ = true;
  } else if (full) {
    fetch_wanted_ = true;  // when an acknowledgement makes room
  }
}

// False: it would be sent, but there is no room now.
bool Session::offer(control::Down& message, Now now) {
  if (flies(message.key) || settled_.contains(message.key)) return true;
  const auto qos = best_qos(message.topic);
  if (!qos) return true;
  if (message.deadline && *message.deadline <= now.wall) {
    ++tally_.down_expired;
    return true;
  }
  if (window_left() == 0 || outbox_.size() >= kDownInFlightMax) return false;
  Outgoing outgoing{std::move(message), *qos, 0};
  if (*qos == 1) {
    outgoing.packet_id = free_packet_id();
    in_flight_.push_back({outgoing.packet_id, Sending::preparing, outgoing.message.key});
  } else {
    settled_.insert(outgoing.message.key);
  }
  outbox_.push_back(std::move(outgoing));
  return true;
}

// Keys are remembered as long as the domain offers them; only a whole list can tell.
void Session::forget_settled(const Fetched& result, Output& out) {
  if (asked_ == 0 || result.pending.size() >= asked_) return;
  Forget gone;
  for (auto key = settled_.begin(); key != settled_.end();) {
    const bool offered =
        std::ranges::any_of(result.pending,
                            [&](const control::Down& each) { return each.key == *key; }) ||
        std::ranges::any_of(outbox_,
                            [&](const Outgoing& each) { return each.message.key == *key; }) ||
        (result.twin && result.twin->key == *key);
    if (!offered) gone.keys.push_back(*key);
    key = offered ? std::next(key) : settled_.erase(key);
  }
  if (!gone.keys.empty()) out.act(std::move(gone));
}

void Session::prepare(Output& out) {
  if (outbox_.empty() || preparing_) return;
  Prepare action;
  for (const auto& outgoing : outbox_) {
    action.keys.push_back(outgoing.message.key);
    if (outgoing.qos == 1) action.rows.push_back({outgoing.packet_id, outgoing.message.key});
  }
  preparing_ = true;
  out.act(std::move(action));
}

void Session::prepared(Result<Prepared> result, Now now, Output& out) {
  if (phase_ != Phase::live || !preparing_) return;
  preparing_ = false;
  Forget gone;
  for (const auto& outgoing : std::exchange(outbox_, {})) {
    const auto& key = outgoing.message.key;
    const auto down = std::ranges::find(in_flight_, key, &Down::key);
    if (!result || std::ranges::find(result->dropped, key) != result->dropped.end()) {
      if (outgoing.qos == 1 && down != in_flight_.end()) in_flight_.erase(down);
      if (outgoing.qos == 0) settled_.erase(key);
      if (result) ++tally_.down_expired;
      gone.keys.push_back(key);
      continue;
    }
    if (outgoing.qos == 1 && down != in_flight_.end()) down->state = Sending::sent;
    ++tally_.down_sent;
    send(outgoing, false, now, out);
  }
  if (!gone.keys.empty()) out.act(std::move(gone));
  if (!result) {
    fetch_wanted_ = true;
    retry_at_ = now.mono + kRetry;
    return;
  }
  maybe_fetch(out);
}

void Session::send(const Outgoing& outgoing, bool dup, Now now, Output& out) {
  const auto& message = outgoing.message;
  mqtt::Publish packet{.topic = message.topic,
                       .payload = message.payload,
                       .packet_id = outgoing.packet_id,
                       .qos = outgoing.qos,
                       .dup = dup,
                       .retain = false,
                       .properties = {}};
  if (v5() && message.deadline) {
    const auto left_s = std::max<std::int64_t>(1, (*message.deadline - now.wall).us / 1'000'000);
    packet.properties.set(mqtt::PropertyId::message_expiry,
                          static_cast<std::uint32_t>(std::min<std::int64_t>(left_s, 0xFFFFFFFF)));
  }
  if (mqtt::encode(packet, version_, out.bytes, peer_packet_max_)) return;
  // Larger than what the client takes: as if sent and acknowledged [MQTT-3.1.2-25], slot included.
  ++tally_.down_too_large;
  record(
      now, out,
      failure(Code::payload_too_large, "a message is larger than the client's Maximum Packet Size"),
      message.topic);
  std::erase_if(in_flight_, [&](const Down& down) {
    return outgoing.qos == 1 && down.packet_id == outgoing.packet_id;
  });
  settle(message.key, outgoing.packet_id, false, out);
}

void Session::acknowledged(const mqtt::Puback& packet, Now now, Output& out) {
  const auto down = std::ranges::find(in_flight_, packet.packet_id, &Down::packet_id);
  if (down == in_flight_.end() || down->state != Sending::sent) {
    ++tally_.acks_unknown;
    return;
  }
  std::string key = std::move(down->key);
  in_flight_.erase(down);
  ++tally_.down_acked;
  const bool refused = mqtt::is_error(packet.reason);
  if (refused) {
    record(now, out,
           failure(Code::conflict,
                   "the device refused a message: " + std::string(mqtt::name_of(packet.reason))),
           key);
  }
  settle(std::move(key), packet.packet_id, !refused, out);
  maybe_fetch(out);
}

void Session::settle(std::string key, std::uint16_t packet_id, bool delivered, Output& out) {
  if (settled_.size() >= kDownSettledMax) {
    out.act(Forget{{*settled_.begin()}});
    settled_.erase(settled_.begin());
    ++tally_.settled_dropped;
  }
  settled_.insert(key);
  out.act(Settle{std::move(key), packet_id, delivered});
}

std::optional<std::uint8_t> Session::best_qos(std::string_view topic) const {
  std::optional<std::uint8_t> best;
  for (const auto& each : granted_) {
    if (mqtt::topic_matches(each.filter, topic)) best = std::max(best.value_or(0), each.qos);
  }
  return best;
}

std::uint16_t Session::free_packet_id() {
  do {
    ++last_packet_id_;
  } while (last_packet_id_ == 0 ||
           std::ranges::find(in_flight_, last_packet_id_, &Down::packet_id) != in_flight_.end());
  return last_packet_id_;
}

}  // namespace holdfast::hub
