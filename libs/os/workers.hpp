// Workers: a bounded pool of threads for work that blocks (SQL, fsync, password hashing). In a
// simulation the "pool" is the one thread: post() queues on the simulated loop, call() runs inline.
#pragma once

#include <memory>
#include <string_view>

#include "libs/os/loop.hpp"

namespace holdfast::os {

class Workers {
 public:
  virtual ~Workers() = default;  // finishes what was posted, then joins
  // False when the queue is full (queue_max): the caller answers Code::overloaded.
  [[nodiscard]] virtual bool post(Task task) = 0;
  // Runs the task on a worker and returns when it is done. Never from a worker of the same pool.
  virtual void call(Task task) = 0;
};

// Starts threads; the only place in the code base that does.
class Threads {
 public:
  virtual ~Threads() = default;
  virtual std::unique_ptr<Workers> start_workers(std::string_view name, unsigned threads,
                                                 std::size_t queue_max) = 0;
  // A loop with its own thread; the destructor stops and joins it.
  virtual std::unique_ptr<Loop> start_loop(std::string_view name) = 0;
};

}  // namespace holdfast::os
