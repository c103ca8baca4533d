// SUBSCRIBE and UNSUBSCRIBE (MQTT 5.0 sections 3.8 to 3.11). A subscription counts at once; the
// SUBACK waits until it is stored, where the session is.
#include <algorithm>

#include "libs/wire/topic.hpp"
#include "server/hub/session/reasons.hpp"
#include "server/hub/session/session.hpp"

namespace holdfast::hub {
namespace mqtt = wire::mqtt;

void Session::subscribe(const mqtt::Subscribe& packet, Now now, Output& out) {
  if (packet.properties.has(mqtt::PropertyId::subscription_id)) {
    return end(
        failure(Code::subscription_id_unsupported, "SUBSCRIBE with a subscription identifier"),
        out);
  }
  for (const auto& asked : packet.subscriptions) {
    if (asked.no_local && mqtt::is_shared(asked.filter)) {  // [MQTT-3.8.3-4]
      return end(failure(Code::protocol_error, "a shared subscription with No Local"), out);
    }
  }
  Waiting waiting;
  mqtt::Suback suback;
  suback.packet_id = packet.packet_id;
  bool any = false;
  for (const auto& asked : packet.subscriptions) {
    suback.reasons.push_back(grant(asked, waiting, now, out));
    any = any || !mqtt::is_error(suback.reasons.back());
  }
  waiting.answer = std::move(suback);
  waiting.fetch = any;
  changed(std::move(waiting), any, out);
}

mqtt::Reason Session::grant(const mqtt::Subscription& asked, Waiting& waiting, Now now,
                            Output& out) {
  if (const auto checked = check_filter(asked.filter); !checked) {
    record(now, out, checked.error(), asked.filter);
    return suback_reason(checked.error().code);
  }
  const std::uint8_t qos = std::min<std::uint8_t>(asked.qos, 1);
  const auto old = std::ranges::find(granted_, asked.filter, &Granted::filter);
  const bool existed = old != granted_.end();
  if (!existed && granted_.size() >= kSubscriptionsMax) {
    record(now, out, failure(Code::quota_exceeded, "a session has at most 32 subscriptions"),
           asked.filter);
    return mqtt::Reason::quota_exceeded;
  }
  if (existed) {
    old->qos = qos;
  } else {
    granted_.push_back({asked.filter, qos});
  }
  // The desired twin is what comes nearest to a retained message: Retain Handling applies to it.
  const bool wants = asked.retain_handling == 0 || (asked.retain_handling == 1 && !existed);
  waiting.twin = waiting.twin || (wants && mqtt::topic_matches(asked.filter, kTwinTopic));
  return qos == 1 ? mqtt::Reason::granted_qos_1 : mqtt::Reason::success;
}

void Session::unsubscribe(const mqtt::Unsubscribe& packet, Now, Output& out) {
  mqtt::Unsuback unsuback;
  unsuback.packet_id = packet.packet_id;
  bool any = false;
  for (const auto& filter : packet.filters) {
    const auto gone =
        std::erase_if(granted_, [&](const Granted& each) { return each.filter == filter; });
    unsuback.reasons.push_back(gone > 0 ? mqtt::Reason::success
                                        : mqtt::Reason::no_subscription_existed);
    any = any || gone > 0;
  }
  Waiting waiting;
  waiting.answer = std::move(unsuback);
  changed(std::move(waiting), any, out);
}

void Session::changed(Waiting waiting, bool save, Output& out) {
  listens_ = std::ranges::any_of(
      granted_, [](const Granted& each) { return matches_something(each.filter); });
  if (!save || !kept_) return answer(waiting, out);
  waiting_.push_back(std::move(waiting));
  out.act(SaveGranted{granted_});
}

void Session::saved(const Status& status, Now, Output& out) {
  if (phase_ != Phase::live || waiting_.empty()) return;
  if (!status) return end(status.error(), out);  // on the next connection the client asks again
  Waiting first = std::move(waiting_.front());
  waiting_.erase(waiting_.begin());
  answer(first, out);
}

void Session::answer(Waiting& waiting, Output& out) {
  write(waiting.answer, out);
  if (!waiting.fetch) return;
  fetch_wanted_ = true;
  twin_wanted_ = twin_wanted_ || waiting.twin;
  maybe_fetch(out);
}

}  // namespace holdfast::hub
