// Bucket: how often something may happen. Taking is never refused, it runs into debt: the caller
// waits until the debt is paid (messages are read later, never dropped), or asks may() first.
// Value; one thread at a time.
#pragma once

#include <algorithm>

#include "libs/base/time.hpp"
#include "server/hub/limits.hpp"

namespace holdfast::hub {

class Bucket {
 public:
  explicit Bucket(Rate rate, MonoTime now) : rate_(rate), level_(rate.burst), at_(now) {}

  // How long to wait before the next one; zero: go on.
  Duration take(MonoTime now) {
    fill(now);
    level_ -= 1;
    if (level_ >= 0) return {};
    return Duration{static_cast<std::int64_t>(-level_ / rate_.per_s * 1e6) + 1};
  }
  // Takes one if there is one.
  bool may(MonoTime now) {
    fill(now);
    if (level_ < 1) return false;
    level_ -= 1;
    return true;
  }
  // How long until may() says yes.
  Duration wait(MonoTime now) {
    fill(now);
    if (level_ >= 1) return {};
    return Duration{static_cast<std::int64_t>((1 - level_) / rate_.per_s * 1e6) + 1};
  }
  bool full(MonoTime now) {
    fill(now);
    return level_ >= rate_.burst;
  }

 private:
  void fill(MonoTime now) {
    if (now <= at_) return;
    level_ = std::min(rate_.burst, level_ + (now - at_).seconds() * rate_.per_s);
    at_ = now;
  }

  Rate rate_;
  double level_;
  MonoTime at_;
};

}  // namespace holdfast::hub
