// The real Loop: an Asio io_context behind plain C++, so that no other file includes Asio.
// Tasks and timers are ours (timers run by time, then in order of asking); Asio waits for
// descriptors and for the earliest timer.
//
// LoopCore is what sockets hold: it outlives the Loop, and after the Loop is gone nothing runs on
// it any more. Threads: post() and stop() from any; everything else on the loop's own.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "libs/base/guarded.hpp"
#include "libs/os/loop.hpp"

namespace holdfast::os::real {

class RealClock final : public Clock {
 public:
  WallTime wall() const override;
  MonoTime mono() const override;
};

class Watch;

class LoopCore final {
 public:
  LoopCore();
  ~LoopCore();
  LoopCore(const LoopCore&) = delete;
  LoopCore& operator=(const LoopCore&) = delete;

  void post(Task task);
  TimerId at(MonoTime when, Task task);
  void cancel(TimerId timer);
  void run();
  void stop();
  // Drops all tasks, timers and waits, and refuses new ones. After run() has returned for good.
  void shut();
  bool here() const;  // on the loop's thread, or the loop does not run yet
  // Calls on the loop for each SIGINT and SIGTERM.
  void on_stop_signal(Task stop);

 private:
  friend class Watch;
  struct Asio;
  struct Posted {
    std::deque<Task> tasks;
    bool woken = false;  // run_posted() is on its way
    bool shut = false;
  };
  using TimerKey = std::pair<std::int64_t, std::uint64_t>;  // microseconds, TimerId

  void run_posted();
  void run_timers();
  void arm();
  void wait_signal();

  const RealClock clock_;
  std::unique_ptr<Asio> asio_;
  Guarded<Posted> posted_;
  std::map<TimerKey, Task> timers_;
  std::unordered_map<std::uint64_t, std::int64_t> timer_times_;
  std::uint64_t next_timer_ = 1;
  MonoTime armed_ = kNever;
  std::set<Watch*> watches_;
  Task on_signal_;
  bool signals_wanted_ = false;
  std::atomic<std::thread::id> owner_{};
  std::atomic<bool> stop_{false};
  bool shut_ = false;
};

// Waits for one descriptor, which it owns. On the loop's thread only, but for release of the last
// reference after the loop is gone.
class Watch final : public std::enable_shared_from_this<Watch> {
 public:
  enum Kind : unsigned { kReadable, kWritable };

  static std::shared_ptr<Watch> make(std::shared_ptr<LoopCore> core, int fd);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // Calls `ready` once, later; replaces an earlier wait of the same kind. Empty: stops waiting.
  void wait(Kind kind, Task ready);
  int release();                  // drops the waits and gives the descriptor to the caller
  void close();                   // drops the waits and closes the descriptor
  int fd() const { return fd_; }  // -1 when closed
  LoopCore& core() const { return *core_; }
  const std::shared_ptr<LoopCore>& shared_core() const { return core_; }

 private:
  struct Descriptor;
  Watch(std::shared_ptr<LoopCore> core, int fd);
  void fired(Kind kind);

  const std::shared_ptr<LoopCore> core_;
  std::unique_ptr<Descriptor> descriptor_;
  int fd_;
  std::array<Task, 2> tasks_;
  std::array<bool, 2> armed_{};
};

class RealLoop final : public Loop {
 public:
  static std::unique_ptr<RealLoop> make_main(const Clock& clock);
  static std::unique_ptr<RealLoop> start(const Clock& clock, std::string_view name);
  ~RealLoop() override;

  const Clock& clock() const override { return clock_; }
  void post(Task task) override { core_->post(std::move(task)); }
  TimerId at(MonoTime when, Task task) override { return core_->at(when, std::move(task)); }
  void cancel(TimerId timer) override { core_->cancel(timer); }
  void run() override;
  void stop() override { core_->stop(); }
  const std::shared_ptr<LoopCore>& core() const { return core_; }

 private:
  explicit RealLoop(const Clock& clock);

  const Clock& clock_;
  const std::shared_ptr<LoopCore> core_;
  std::thread thread_;  // of started loops; the main loop has none
};

// Names the calling thread in debuggers and in /proc; cut to 15 characters.
void name_this_thread(std::string_view name);

}  // namespace holdfast::os::real
