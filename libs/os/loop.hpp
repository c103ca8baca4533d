// Loop: one thread that runs tasks, timers and socket callbacks in turn. Every object that waits
// for the network belongs to one loop and is touched by that loop's tasks only. The real loop is an
// Asio io_context; the simulated one runs on simulated time, and all loops of a simulation share a
// thread.
#pragma once

#include <cstdint>
#include <functional>

#include "libs/base/time.hpp"

namespace holdfast::os {

using Task = std::move_only_function<void()>;
enum class TimerId : std::uint64_t { none = 0 };

// Reads the two clocks. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall() const = 0;
  virtual MonoTime mono() const = 0;
};

class Loop {
 public:
  virtual ~Loop() = default;
  virtual const Clock& clock() const = 0;
  // Runs the task on this loop, later, in order of posting. From any thread.
  virtual void post(Task task) = 0;
  // Runs the task at `when` or soon after. On this loop's thread only, as is cancel().
  virtual TimerId at(MonoTime when, Task task) = 0;
  virtual void cancel(TimerId timer) = 0;
  // Runs until stop(): for the loop that the main thread drives (see System::main_loop).
  virtual void run() = 0;
  virtual void stop() = 0;  // from any thread

  TimerId after(Duration delay, Task task) { return at(clock().mono() + delay, std::move(task)); }
};

}  // namespace holdfast::os
