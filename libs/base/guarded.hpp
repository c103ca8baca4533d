// Guarded<T>: data that threads share, reachable only through its lock. Prefer one owner thread and
// messages; where that does not fit, this is the only mutex of the code base.
#pragma once

#include <mutex>
#include <utility>

namespace holdfast {

template <class T>
class Guarded {
 public:
  template <class... Args>
  explicit Guarded(Args&&... args) : value_(std::forward<Args>(args)...) {}
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  // Runs `use` on the data under the lock; keep it short, and never call out from it.
  template <class F>
  decltype(auto) with(F&& use) {
    std::scoped_lock lock(mutex_);
    return std::forward<F>(use)(value_);
  }
  template <class F>
  decltype(auto) with(F&& use) const {
    std::scoped_lock lock(mutex_);
    return std::forward<F>(use)(value_);
  }

 private:
  mutable std::mutex mutex_;
  T value_;
};

}  // namespace holdfast
