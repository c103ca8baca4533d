// Gate: lets tasks in while an object lives, and lets its owner wait for those inside before it
// ends. A task that finds the gate closed does nothing. Threads: any; close() not from inside.
#pragma once

#include <condition_variable>
#include <mutex>

namespace holdfast::core {

class Gate {
 public:
  class Pass {
   public:
    explicit Pass(Gate& gate) : gate_(gate), in_(gate.enter()) {}
    ~Pass() {
      if (in_) gate_.leave();
    }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    explicit operator bool() const { return in_; }

   private:
    Gate& gate_;
    bool in_;
  };

  // No one enters any more; returns when all have left.
  void close() {
    std::unique_lock lock(mutex_);
    open_ = false;
    empty_.wait(lock, [this] { return inside_ == 0; });
  }
  // No one enters any more; who is inside goes on.
  void shut() {
    const std::scoped_lock lock(mutex_);
    open_ = false;
  }

 private:
  bool enter() {
    const std::scoped_lock lock(mutex_);
    if (open_) ++inside_;
    return open_;
  }
  void leave() {
    const std::scoped_lock lock(mutex_);
    if (--inside_ == 0) empty_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable empty_;
  bool open_ = true;
  int inside_ = 0;
};

}  // namespace holdfast::core
