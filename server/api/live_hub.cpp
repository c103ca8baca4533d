#include "server/api/live_hub.hpp"

#include <algorithm>
#include <charconv>

namespace holdfast::api {
namespace {

std::string_view name_of(LiveItem::Kind kind) {
  switch (kind) {
    case LiveItem::Kind::device:
      return "device";
    case LiveItem::Kind::reading:
      return "reading";
    case LiveItem::Kind::event:
      return "event";
  }
  return "device";
}

std::string_view permission_of(LiveItem::Kind kind) {
  switch (kind) {
    case LiveItem::Kind::device:
      return "device.read";
    case LiveItem::Kind::reading:
      return "telemetry.read";
    case LiveItem::Kind::event:
      return "event.read";
  }
  return "device.read";
}

}  // namespace

LiveHub::LiveHub(std::string run, Metrics& metrics)
    : run_(std::move(run)),
      state_(std::make_shared<Guarded<State>>()),
      published_(metrics.counter("holdfast_live_items_total", "Changes offered to live streams")),
      resets_(metrics.counter("holdfast_live_resets_total", "Streams told to read anew")) {}

std::optional<http::Event> LiveHub::view(const LiveItem& item, const Wish& wish) {
  if (!wish.devices.empty() && (!item.device || !wish.devices.contains(*item.device)))
    return std::nullopt;
  const std::string_view permission = permission_of(item.kind);
  http::Event event;
  event.name = name_of(item.kind);
  event.data = item.data;
  if (core::require_at(wish.caller, permission, item.site)) return event;
  // It has left: whoever could see it before is told so, and no more.
  if (item.removed.empty() || !core::require_at(wish.caller, permission, item.old_site))
    return std::nullopt;
  event.data = item.removed;
  return event;
}

Status LiveHub::join(Wish wish, std::shared_ptr<http::EventStream> stream) {
  auto member = std::make_shared<Member>(std::move(wish), std::move(stream));
  const bool joined = state_->with([&](State& state) {
    if (state.members.size() >= kLiveStreamsMax) return false;
    greet(state, *member);
    state.members.push_back(member);
    return true;
  });
  if (!joined) return fail(Code::overloaded, "There are too many live streams.");
  member->stream->on_closed([state = std::weak_ptr(state_), gone = std::weak_ptr(member)] {
    auto shared = state.lock();
    if (!shared) return;
    shared->with([&](State& all) { std::erase(all.members, gone.lock()); });
  });
  return {};
}

std::optional<std::uint64_t> LiveHub::number_of(std::string_view id) const {
  if (!id.starts_with(run_) || !id.substr(run_.size()).starts_with('.')) return std::nullopt;
  id.remove_prefix(run_.size() + 1);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  if (error != std::errc{} || end != id.data() + id.size()) return std::nullopt;
  return number;
}

// The first thing that a stream gets: an id to resume from, what it missed, or `reset`.
void LiveHub::greet(State& state, const Member& member) const {
  const std::uint64_t last = state.next - 1;
  const auto& asked = member.wish.last_event_id;
  if (asked.empty()) {
    (void)member.stream->send({id_of(last), "", ""});
    return;
  }
  const auto seen = number_of(asked);
  const std::uint64_t oldest = state.recent.empty() ? state.next : state.recent.front().number;
  if (!seen || *seen > last || *seen + 1 < oldest) {
    resets_.add();
    (void)member.stream->send(
        {id_of(last), "reset", "{\"reason\":\"what was missed is no longer kept\"}"});
    return;
  }
  const auto missed = std::ranges::upper_bound(state.recent, *seen, {}, &Numbered::number);
  std::set<std::pair<DeviceId, std::string_view>> later;
  std::vector<const Numbered*> newest;
  for (auto at = state.recent.end(); at != missed;) {
    const LiveItem& item = (--at)->item;
    const bool reading = item.kind == LiveItem::Kind::reading && item.device;
    if (reading && !later.emplace(*item.device, item.metric).second) continue;
    newest.push_back(&*at);
  }
  for (auto at = newest.rbegin(); at != newest.rend(); ++at) {
    if (!pass(**at, member)) return;
  }
}

// False: the stream has ended.
bool LiveHub::pass(const Numbered& numbered, const Member& member) const {
  auto event = view(numbered.item, member.wish);
  if (!event) return !member.stream->closed();
  event->id = id_of(numbered.number);
  return member.stream->send(*event).has_value();
}

void LiveHub::publish(LiveItem item) {
  published_.add();
  state_->with([&](State& state) {
    state.bytes += item.data.size();
    state.recent.push_back({state.next++, std::move(item)});
    const Numbered& newest = state.recent.back();
    std::erase_if(state.members, [&](const auto& member) { return !pass(newest, *member); });
    while (state.recent.size() > kLiveItemsMax || state.bytes > kLiveBytesMax) {
      state.bytes -= state.recent.front().item.data.size();
      state.recent.pop_front();
    }
  });
}

bool LiveHub::watched(MonoTime now) {
  return state_->with([&](State& state) {
    if (!state.members.empty()) {
      state.looked_at = now;
      state.resting = false;
    } else if (!state.resting && now - kLiveGrace > state.looked_at) {
      state.resting = true;
      state.recent.clear();
      state.bytes = 0;
      ++state.next;  // a gap that no one resumes over
    }
    return !state.resting;
  });
}

}  // namespace holdfast::api
