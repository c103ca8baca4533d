#include "server/hub/directory.hpp"

#include <algorithm>

namespace holdfast::hub {
namespace {

constexpr Duration kEvictionsKept = minutes(1);  // an admission takes no longer
constexpr std::size_t kEvictionsMax = 10'000;
constexpr unsigned kTicksPerSweep = 16;

}  // namespace

Directory::Directory(os::Loop& loop, LanePtr lane, const Limits& limits, WillFns wills,
                     Metrics& metrics)
    : loop_(loop),
      lane_(std::move(lane)),
      limits_(limits),
      will_fns_(std::move(wills)),
      take_overs_(metrics.counter("holdfast_hub_takeovers_total",
                                  "Sessions taken over by a new connection")),
      refused_(metrics.counter("holdfast_hub_seats_refused_total", "Connections that got no seat")),
      evicted_(metrics.counter("holdfast_hub_evictions_total",
                               "Sessions ended because of the device's state")),
      wills_(metrics.counter("holdfast_hub_wills_total", "Wills published")),
      wills_at_once_(
          metrics.counter("holdfast_hub_wills_undelayed_total",
                          "Wills published before their delay, because too many waited")) {}

// ---- from any thread

void Directory::enter(SeatRequest request) {
  lane_->post([self = shared_from_this(), request = std::move(request)]() mutable {
    self->do_enter(std::move(request));
  });
}

void Directory::leave(DeviceId device, std::string client_id, std::uint64_t seat_id) {
  lane_->post([self = shared_from_this(), device, client_id = std::move(client_id), seat_id] {
    self->do_leave(device, client_id, seat_id);
  });
}

void Directory::wake(DeviceId device) {
  lane_->post([self = shared_from_this(), device] {
    const auto found = self->devices_.find(device);
    if (found == self->devices_.end()) return;
    for (const auto& sitting : found->second.seats) {
      sitting.lane->post([seat = sitting.seat] {
        if (const auto there = seat.lock()) there->wake();
      });
    }
    call(found->second.watch, Woken::message);
  });
}

void Directory::evict(DeviceId device, Error why) {
  evict_certificate(device, {}, std::move(why));
}

void Directory::evict_certificate(DeviceId device, std::string serial_hex, Error why) {
  lane_->post([self = shared_from_this(), device, serial_hex = std::move(serial_hex),
               why = std::move(why)] { self->do_evict(device, serial_hex, why); });
}

void Directory::evict_all(Error why) {
  lane_->post([self = shared_from_this(), why = std::move(why)] {
    self->stopping_ = true;
    for (auto& [device, entry] : self->devices_) {
      for (auto& sitting : entry.seats) {
        if (sitting.next) answer(std::move(*std::exchange(sitting.next, {})), std::unexpected(why));
        order(sitting, why, false);
      }
      call(entry.watch, Woken::over);
    }
  });
}

void Directory::will(DeviceId device, std::string client_id, FireWill will) {
  lane_->post([self = shared_from_this(), device, client_id = std::move(client_id),
               will = std::move(will)]() mutable {
    self->do_will(device, std::move(client_id), std::move(will));
  });
}

void Directory::watch(DeviceId device, std::uint64_t id, LanePtr lane, WatchFn wake) {
  lane_->post([self = shared_from_this(), device, id, lane = std::move(lane),
               wake = std::move(wake)]() mutable {
    auto& entry = self->devices_.try_emplace(device, self->limits_, self->now()).first->second;
    if (entry.watch && entry.watch->id > id) {  // a newer poll has come meanwhile
      std::optional<Watch> older(Watch{id, std::move(lane), std::move(wake)});
      return call(older, Woken::over);
    }
    call(entry.watch, Woken::over);
    entry.watch = Watch{id, std::move(lane), std::move(wake)};
    if (self->stopping_) call(entry.watch, Woken::over);
  });
}

void Directory::call(std::optional<Watch>& watch, Woken why) {
  if (!watch) return;
  Watch called = std::move(*watch);
  watch.reset();
  called.lane->post([wake = std::move(called.wake), why]() mutable { wake(why); });
}

void Directory::unwatch(DeviceId device, std::uint64_t id) {
  lane_->post([self = shared_from_this(), device, id] {
    const auto found = self->devices_.find(device);
    if (found != self->devices_.end() && found->second.watch && found->second.watch->id == id) {
      found->second.watch.reset();
    }
  });
}

// ---- seats

void Directory::answer(SeatRequest request, Result<Seated> result) {
  request.lane->post([done = std::move(request.done), result = std::move(result)]() mutable {
    done(std::move(result));
  });
}

void Directory::order(const Sitting& sitting, const Error& why, bool continues) {
  sitting.lane->post([seat = sitting.seat, why, continues] {
    if (const auto there = seat.lock()) there->evict(why, continues);
  });
}

// An eviction that was carried out while the request was on its way counts for it too.
const Error* Directory::refusal(const SeatRequest& request) {
  if (request.asked_at < evictions_from_) return &unsure_;
  const auto hit = std::ranges::find_if(evictions_, [&](const Eviction& each) {
    return each.device == request.device && each.at >= request.asked_at &&
           (each.serial_hex.empty() || each.serial_hex == request.serial_hex);
  });
  return hit == evictions_.end() ? nullptr : &hit->why;
}

void Directory::do_enter(SeatRequest request) {
  auto& entry = devices_.try_emplace(request.device, limits_, now()).first->second;
  std::optional<Error> refused;
  if (stopping_) {
    refused = failure(Code::server_shutting_down, "the server is shutting down");
  } else if (const auto* why = refusal(request)) {
    refused = *why;
  } else if (!entry.connections.may(now())) {
    refused = failure(Code::overloaded, "the device connects too often");
  }
  const auto old = std::ranges::find(entry.seats, request.client_id, &Sitting::client_id);
  if (!refused && old == entry.seats.end() && entry.seats.size() >= kLiveSessionsMax) {
    refused = failure(Code::session_limit, "the device has 4 live sessions");
  }
  if (refused) {
    refused_.add();
    return answer(std::move(request), std::unexpected(*std::move(refused)));
  }
  if (old != entry.seats.end()) return take_over(*old, std::move(request));
  seat(entry, std::move(request), false);
}

void Directory::take_over(Sitting& sitting, SeatRequest request) {
  take_overs_.add();
  const auto why = failure(Code::taken_over, "another connection took the session over");
  const bool asked = sitting.next != nullptr;
  if (asked) answer(std::move(*sitting.next), std::unexpected(why));
  const bool continues = request.continues;
  sitting.next = std::make_unique<SeatRequest>(std::move(request));
  if (!asked) order(sitting, why, continues);
}

void Directory::seat(Entry& entry, SeatRequest request, bool took_over) {
  settle_will(request.device, request.client_id, request.continues);
  entry.seats.push_back(
      {request.seat, request.seat_id, request.lane, request.client_id, request.serial_hex, {}});
  ++live_;
  answer(std::move(request), Seated{entry.share, took_over});
}

void Directory::do_leave(DeviceId device, const std::string& client_id, std::uint64_t seat_id) {
  const auto found = devices_.find(device);
  if (found == devices_.end()) return;
  auto& seats = found->second.seats;
  const auto old = std::ranges::find_if(seats, [&](const Sitting& each) {
    return each.id == seat_id && each.client_id == client_id;
  });
  if (old == seats.end()) return;
  auto next = std::move(old->next);
  seats.erase(old);
  --live_;
  if (!next) return;
  if (const auto* why = refusal(*next)) return answer(std::move(*next), std::unexpected(*why));
  seat(found->second, std::move(*next), true);
}

void Directory::do_evict(DeviceId device, const std::string& serial_hex, const Error& why) {
  evictions_.push_back({device, serial_hex, why, now()});
  if (evictions_.size() > kEvictionsMax) {
    evictions_from_ = evictions_.front().at + microseconds(1);
    evictions_.pop_front();
  }
  const auto found = devices_.find(device);
  if (found == devices_.end()) return;
  for (const auto& sitting : found->second.seats) {
    if (!serial_hex.empty() && sitting.serial_hex != serial_hex) continue;
    evicted_.add();
    order(sitting, why, false);
  }
  call(found->second.watch, Woken::over);
}

// ---- wills

void Directory::do_will(DeviceId device, std::string client_id, FireWill will) {
  if (stopping_ && will.delay_s > 0)
    return;  // in store: it waits for the next start, or its device
  const bool crowded = delayed_.size() >= kDelayedWillsMax;
  if (will.delay_s == 0 || crowded) {
    if (crowded) wills_at_once_.add();
    wills_.add();
    return will_fns_.send(device, will);
  }
  WillKey key{device, std::move(client_id)};
  if (const auto old = delayed_.find(key); old != delayed_.end()) {
    will_fns_.drop(device, old->second.second.id);
    due_.erase(old->second.first);
    delayed_.erase(old);
  }
  const auto due = due_.emplace(now() + seconds(will.delay_s), key);
  delayed_.emplace(std::move(key), std::pair{due, std::move(will)});
}

// A session that is taken up again has not died; one that begins anew ended the old [MQTT-3.1.3-9].
void Directory::settle_will(DeviceId device, const std::string& client_id, bool continues) {
  const auto found = delayed_.find({device, client_id});
  if (found == delayed_.end()) return;
  const auto will = std::move(found->second.second);
  due_.erase(found->second.first);
  delayed_.erase(found);
  if (continues) return will_fns_.drop(device, will.id);
  wills_.add();
  will_fns_.send(device, will);
}

void Directory::tick() {
  while (!due_.empty() && due_.begin()->first <= now()) {
    const auto key = due_.begin()->second;
    settle_will(key.first, key.second, false);
  }
  while (!evictions_.empty() && evictions_.front().at + kEvictionsKept < now())
    evictions_.pop_front();
  if (++ticks_ % kTicksPerSweep != 0) return;
  // Devices that are gone are remembered only as long as their allowance says something.
  for (auto each = devices_.begin(); each != devices_.end();) {
    Entry& entry = each->second;
    const bool gone =
        entry.seats.empty() && !entry.watch && entry.connections.full(now()) &&
        entry.share.use_count() == 1 &&
        entry.share->messages.with([&](Bucket& bucket) { return bucket.full(now()); });
    each = gone ? devices_.erase(each) : std::next(each);
  }
}

}  // namespace holdfast::hub
