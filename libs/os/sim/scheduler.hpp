// Scheduler: the one clock and the one queue of a simulation. Events run by time, then in the order
// in which they were asked for. Each event belongs to a loop (or to the world, loop 0); closing a
// loop drops its events. Inside the simulation only; tests use simulation.hpp.
//
// Trace: everything that happens is noted into a running hash, and into text when that is kept.
// Threads: one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "libs/os/loop.hpp"

namespace holdfast::os::sim {

using LoopId = std::uint64_t;
inline constexpr LoopId kWorld = 0;
inline constexpr std::size_t kTraceLinesMax = 200'000;
// When a simulation starts: an hour, so that `now - five minutes` is a time too.
inline constexpr MonoTime kStart{3'600'000'000};
// More events than this at one moment is a loop that never lets time pass.
inline constexpr std::uint64_t kEventsAtOnceMax = 2'000'000;

class Trace {
 public:
  void keep(bool keep) { keep_ = keep; }
  void note(MonoTime now, std::string_view who, std::string_view what, std::string_view detail,
            std::uint64_t number);
  void mix(std::uint64_t number);
  std::uint64_t hash() const { return hash_; }
  std::string text() const;

 private:
  std::uint64_t hash_ = 0xCBF29CE484222325ULL;
  bool keep_ = false;
  std::deque<std::string> lines_;
  std::uint64_t lines_lost_ = 0;
};

class Scheduler {
 public:
  Scheduler() = default;
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  MonoTime now() const { return now_; }
  void pass(Duration time) { now_ = now_ + time; }  // inside the running event

  LoopId open_loop();
  bool is_open(LoopId loop) const { return loop == kWorld || open_.contains(loop); }
  void close_loop(LoopId loop);
  // The loop's events in order, taken out.
  std::vector<Task> take(LoopId loop);

  // The event's number, never 0; 0 when the loop is closed (the task is dropped).
  std::uint64_t at(MonoTime when, LoopId loop, Task task);
  std::uint64_t post(LoopId loop, Task task) { return at(now_, loop, std::move(task)); }
  void cancel(std::uint64_t event);

  // Runs the next event if it is due at `limit` or before; false when there is none.
  bool step(MonoTime limit);
  void advance(MonoTime to) { now_ = std::max(now_, to); }
  bool running() const { return depth_ > 0; }

  // Destroys a task as soon as no event is running: it may own what is on the stack now.
  void bury(Task task);
  // While one lives, the dead are kept.
  class Wake {
   public:
    explicit Wake(Scheduler& scheduler) : scheduler_(scheduler) { ++scheduler_.depth_; }
    ~Wake();
    Wake(const Wake&) = delete;
    Wake& operator=(const Wake&) = delete;

   private:
    Scheduler& scheduler_;
  };

  Trace& trace() { return trace_; }
  const Trace& trace() const { return trace_; }
  void note(std::string_view who, std::string_view what, std::string_view detail = {},
            std::uint64_t number = 0) {
    trace_.note(now_, who, what, detail, number);
  }

 private:
  struct Event {
    LoopId loop;
    Task task;
  };
  using Key = std::pair<std::int64_t, std::uint64_t>;  // microseconds, number

  MonoTime now_ = kStart;
  std::uint64_t next_event_ = 1;
  LoopId next_loop_ = 1;
  std::map<Key, Event> events_;
  std::unordered_map<std::uint64_t, std::int64_t> times_;  // by number; looked up, never walked
  std::set<LoopId> open_;
  std::vector<Task> dead_;
  unsigned depth_ = 0;
  MonoTime instant_{};
  std::uint64_t events_at_once_ = 0;
  Trace trace_;
};

}  // namespace holdfast::os::sim
