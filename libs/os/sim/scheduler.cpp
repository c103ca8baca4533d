#include "libs/os/sim/scheduler.hpp"

#include <cassert>
#include <cstdio>

namespace holdfast::os::sim {
namespace {

constexpr std::uint64_t kFnvPrime = 0x100000001B3ULL;

}  // namespace

// ---- Trace

void Trace::mix(std::uint64_t number) {
  for (int i = 0; i < 8; ++i) {
    hash_ = (hash_ ^ (number & 0xFFU)) * kFnvPrime;
    number >>= 8;
  }
}

void Trace::note(MonoTime now, std::string_view who, std::string_view what, std::string_view detail,
                 std::uint64_t number) {
  mix(static_cast<std::uint64_t>(now.us));
  for (const std::string_view text : {who, what, detail}) {
    for (const char c : text) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * kFnvPrime;
    mix(text.size());
  }
  mix(number);
  if (!keep_) return;
  char time[40];
  std::snprintf(time, sizeof time, "%lld.%06lld ", static_cast<long long>(now.us / 1'000'000),
                static_cast<long long>(now.us % 1'000'000));
  std::string line = time + std::string(who) + " " + std::string(what);
  if (!detail.empty()) line += " " + std::string(detail);
  if (number != 0) line += " " + std::to_string(number);
  lines_.push_back(std::move(line));
  if (lines_.size() > kTraceLinesMax) {
    lines_.pop_front();
    ++lines_lost_;
  }
}

std::string Trace::text() const {
  std::string out;
  if (lines_lost_ > 0) out = "(" + std::to_string(lines_lost_) + " earlier lines are lost)\n";
  for (const std::string& line : lines_) out += line + "\n";
  return out;
}

// ---- Scheduler

LoopId Scheduler::open_loop() {
  open_.insert(next_loop_);
  return next_loop_++;
}

std::vector<Task> Scheduler::take(LoopId loop) {
  std::vector<Task> out;
  for (auto it = events_.begin(); it != events_.end();) {
    if (it->second.loop != loop) {
      ++it;
      continue;
    }
    out.push_back(std::move(it->second.task));
    times_.erase(it->first.second);
    it = events_.erase(it);
  }
  return out;
}

void Scheduler::close_loop(LoopId loop) {
  if (open_.erase(loop) == 0) return;
  for (Task& task : take(loop)) bury(std::move(task));
}

std::uint64_t Scheduler::at(MonoTime when, LoopId loop, Task task) {
  if (!is_open(loop)) return 0;
  const std::uint64_t number = next_event_++;
  const std::int64_t time = std::max(when, now_).us;
  events_.emplace(Key{time, number}, Event{loop, std::move(task)});
  times_.emplace(number, time);
  return number;
}

void Scheduler::cancel(std::uint64_t event) {
  const auto found = times_.find(event);
  if (found == times_.end()) return;
  const auto row = events_.extract(Key{found->second, event});
  times_.erase(found);
  // The task dies here, after the maps are whole again: it may own what cancels other events.
}

bool Scheduler::step(MonoTime limit) {
  if (events_.empty() || events_.begin()->first.first > limit.us) return false;
  auto row = events_.extract(events_.begin());
  const auto [time, number] = row.key();
  times_.erase(number);
  now_ = std::max(now_, MonoTime{time});
  if (std::exchange(instant_, now_) != now_) events_at_once_ = 0;
  ++events_at_once_;
  assert(events_at_once_ < kEventsAtOnceMax);
  trace_.mix(static_cast<std::uint64_t>(now_.us));
  trace_.mix(number);
  trace_.mix(row.mapped().loop);
  const Wake wake(*this);
  row.mapped().task();
  return true;
}

void Scheduler::bury(Task task) {
  if (!task) return;
  if (depth_ == 0) return;  // dies at the end of this call
  dead_.push_back(std::move(task));
}

Scheduler::Wake::~Wake() {
  if (--scheduler_.depth_ > 0) return;
  // What dies may bury more: that then dies at once.
  const auto dead = std::exchange(scheduler_.dead_, {});
}

}  // namespace holdfast::os::sim
