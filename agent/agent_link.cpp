// Agent, the side of the connection: what is sent in which order, and what an acknowledgement
// means.
#include <algorithm>

#include "agent/agent.hpp"

namespace holdfast::agent {
namespace {

using wire::mqtt::Reason;

// Tags say what a message was; the upper byte is the kind, of the spool's the rest is its own tag.
enum class TagKind : std::uint64_t { spool, hello, inventory, reported, reply, unspooled };
constexpr unsigned kTagShift = 56;
constexpr std::uint64_t kTagMask = (1ULL << kTagShift) - 1;
constexpr std::uint64_t tag_of(TagKind kind, std::uint64_t rest = 0) {
  return (static_cast<std::uint64_t>(kind) << kTagShift) | (rest & kTagMask);
}

constexpr Duration kPatience = seconds(10);  // after quota, busy and the like
constexpr Duration kSampleFresh = seconds(1);

// Section 8 of the device protocol: these are final, others may pass.
bool is_final(Reason reason) {
  return reason == Reason::not_authorized || reason == Reason::topic_name_invalid ||
         reason == Reason::payload_format_invalid || reason == Reason::packet_too_large;
}

}  // namespace

crypto::ClientSettings Agent::client_settings() {
  crypto::ClientSettings out;
  out.trust_der = {identity_.root_der};
  out.check_times = clock_trusted(system_.clock.wall());
  out.server_name = os::parse_endpoint(identity_.mqtt).value_or(os::Endpoint{}).host;
  out.sessions = sessions_;
  using_next_ = identity_.next && try_next_;
  auto credential = state_->credential(using_next_ ? *identity_.next : identity_.current);
  if (!credential && using_next_) {
    using_next_ = false;
    credential = state_->credential(identity_.current);
  }
  if (credential) {
    out.credential = *std::move(credential);
  } else {
    log_.error("the device's key cannot be read", {{"why", credential.error().text()}});
  }
  return out;
}

void Agent::on_online(const Online&) {
  ++counters_.connections;
  log_.info("connected", {{"server", identity_.mqtt}});
  prove_certificate();
  write_status();
  ask_time();
  hello_due_ = true;
  // Replies whose fate is unknown are in flight still, or are told again.
  if (!sampled_ || loop_.clock().mono() - last_sample_ > kSampleFresh) sample();
  pump();
}

// The renewed certificate carried a connection: the old one may go.
void Agent::prove_certificate() {
  if (!using_next_ || !identity_.next) return;
  Identity proven = identity_;
  proven.current = *proven.next;
  proven.next.reset();
  if (const auto saved = state_->save(proven); !saved) {
    log_.warning("the renewed certificate was not stored", {{"why", saved.error().text()}});
    return;
  }
  identity_ = std::move(proven);
  using_next_ = false;
  if (const auto dropped = state_->drop_unused_keys(); !dropped) {
    log_.warning("the old key could not be removed", {{"why", dropped.error().text()}});
  }
  log_.info("renewed certificate in use");
}

void Agent::on_down(Ending ending, const std::string& why, Duration wait) {
  // A refusal may be the renewed certificate's fault: the two take turns.
  if (ending == Ending::unwelcome && identity_.next) try_next_ = !using_next_;
  const bool unwelcome = ending == Ending::unwelcome;
  const std::string next = to_text({wait.us / 1000 * 1000});
  if (unwelcome) {
    if (erasure_) erasure_->ask();
    log_.warning(
        "the server does not let this device in; an operator may release it, or enrol it again",
        {{"why", why}, {"again_in", next}});
  } else {
    log_.info("not connected", {{"why", why}, {"again_in", next}});
  }
  write_status();
}

void Agent::write_status() {
  if (erasure_ && erasure_->ordered()) return;
  const wire::JsonObject status{
      {"connected", online()}, {"since", to_rfc3339(now().wall)}, {"version", options_.version}};
  // For people who ask `status`: nothing depends on it, so it is not synced.
  const auto file = system_.files.open(os::join(options_.state, "status.json"), os::Open::create);
  const std::string text = wire::json_text(status);
  if (!file || !(*file)->write_at(0, view_of(text)) || !(*file)->truncate(text.size())) {
    log_.debug("status.json could not be written");
  }
}

bool Agent::send(std::string topic, std::string payload, std::uint64_t tag) {
  OutMessage message{std::move(topic), std::move(payload), "application/json", tag};
  const auto sent = link_->publish(std::move(message));
  if (!sent && sent.error().code != Code::overloaded) {
    ++counters_.refused;
    log_.warning("a message cannot be sent", {{"why", sent.error().text()}});
  }
  return sent.has_value();
}

// Sends what the window allows, the most urgent first.
void Agent::pump() {
  if (!link_->online()) return;
  if (!pump_state() || !pump_replies()) return;
  if (loop_.clock().mono() < hold_until_) return;
  const TimeMark moment = mark();
  while (link_->online() && link_->window() > 0) {
    auto handed = spool_->next();
    if (!handed) return;
    const SpoolRecord& record = handed->record;
    if (send(record.topic, with_time(record.payload, device_time(record.mark, moment)),
             tag_of(TagKind::spool, handed->tag))) {
      continue;
    }
    if (link_->window() == 0) return spool_->put_back(handed->tag);
    spool_->done(handed->tag);  // it can never be sent
  }
}

bool Agent::pump_state() {
  if (link_->window() == 0) return false;
  if (hello_due_) {
    const wire::JsonObject hello{
        {"version", "holdfast-agent " + options_.version},
        {"protocol", 1},
        {"capabilities", wire::JsonArray{"command", "twin", "log", "inventory", "renewal"}},
        {"agent",
         wire::JsonObject{{"sample_interval_s", applied_.settings.sample_interval.seconds()}}}};
    if (!send("hello", wire::json_text(hello), tag_of(TagKind::hello))) return false;
    hello_due_ = false;
  }
  if (reported_ != reported_known_ && reported_ != reported_sent_) {
    const std::string payload = reported_;
    reported_sent_ = payload;
    if (!send("twin/reported", payload, tag_of(TagKind::reported))) {
      reported_sent_.clear();
      return false;
    }
  }
  if (inventory_ != inventory_known_ && inventory_ != inventory_sent_) {
    inventory_sent_ = inventory_;
    if (!send("inventory", inventory_, tag_of(TagKind::inventory))) {
      inventory_sent_.clear();
      return false;
    }
  }
  return true;
}

bool Agent::pump_replies() {
  while (!replies_due_.empty()) {
    const std::string id = replies_due_.front();
    const CommandEntry* entry = book_->find(id);
    if (!entry || entry->reply.empty()) {  // fell out of the book, or still under way
      replies_due_.pop_front();
      continue;
    }
    if (link_->window() == 0) return false;
    replies_due_.pop_front();
    const std::uint64_t tag = tag_of(TagKind::reply, ++next_reply_);
    replies_sent_.emplace_back(tag, id);
    if (!send("reply/" + id, entry->reply, tag)) {
      replies_sent_.pop_back();
      replies_due_.push_front(id);
      return false;
    }
  }
  return true;
}

void Agent::on_acknowledged(const Acknowledged& acknowledged) {
  const auto kind = static_cast<TagKind>(acknowledged.tag >> kTagShift);
  const Reason reason = acknowledged.reason;
  const bool stored = !wire::mqtt::is_error(reason);
  if (!stored && is_final(reason)) {
    ++counters_.refused;
    log_.warning("the server refuses a message for good",
                 {{"reason", wire::mqtt::name_of(reason)}});
  }
  if (kind == TagKind::spool) on_spooled(acknowledged.tag & kTagMask, reason);
  if (kind == TagKind::reported || kind == TagKind::inventory) {
    std::string& sent = kind == TagKind::reported ? reported_sent_ : inventory_sent_;
    std::string& known = kind == TagKind::reported ? reported_known_ : inventory_known_;
    if (stored || is_final(reason)) known = sent;
    sent.clear();
  }
  if (kind == TagKind::reply) {
    const auto at = std::ranges::find(replies_sent_, acknowledged.tag,
                                      &std::pair<std::uint64_t, std::string>::first);
    if (at != replies_sent_.end()) {
      if (stored || is_final(reason)) {
        book_->mark_delivered(at->second);
      } else {
        replies_due_.push_back(at->second);
      }
      replies_sent_.erase(at);
    }
  }
  if (!stored && !is_final(reason)) {
    hold_until_ = loop_.clock().mono() + kPatience;
    loop_.cancel(hold_timer_);
    hold_timer_ = timer(kPatience, &Agent::pump);
    return;
  }
  pump();
}

void Agent::on_spooled(std::uint64_t tag, Reason reason) {
  if (wire::mqtt::is_error(reason) && !is_final(reason)) return spool_->put_back(tag);
  ++counters_.acknowledged;
  spool_->done(tag);
}

}  // namespace holdfast::agent
