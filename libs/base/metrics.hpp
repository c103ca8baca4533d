// Counters and gauges for /metrics (Prometheus text format 0.0.4). A Metrics object is passed down
// from main; each part registers its names once, at construction, and keeps the reference.
// Thread-safe: counters are atomic, registration is guarded.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "libs/base/guarded.hpp"

namespace holdfast {

class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Metrics {
 public:
  // Names are `holdfast_<part>_<what>_<unit or total>`; labels are written as `name="value",...`.
  // The same name and labels give the same counter.
  Counter& counter(std::string_view name, std::string_view help, std::string_view labels = {});
  // Read at scrape time, from any thread, outside the lock; lives until the Metrics object dies or
  // the same name and labels are registered again.
  void gauge(std::string_view name, std::string_view help, std::function<double()> read,
             std::string_view labels = {});
  std::string text() const;

 private:
  struct Row {
    std::string name, help, labels;
    Counter counter;
    std::shared_ptr<const std::function<double()>> read;  // of gauges
  };
  Guarded<std::deque<Row>> rows_;
};

}  // namespace holdfast
