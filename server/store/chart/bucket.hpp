// A bucket of points of one metric, what can be asked of it, and how two become one. Values; pure.
//
// Shapes: starts are aligned to 1970. min, max and sum are doubles; first and last are the values
// themselves, so an int64 comes back exactly. Rates are in units of the metric a second.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/time.hpp"
#include "libs/wire/value.hpp"
#include "server/store/chart/quantiles.hpp"
#include "server/store/chart/rise.hpp"

namespace holdfast::chart {

using wire::Value;

// Numbers have all; texts and booleans have count, first and last (numbers == 0).
struct Bucket {
  WallTime start;
  std::uint64_t count = 0;
  std::uint64_t numbers = 0;  // points that went into min, max and sum: not NaN
  double min = 0, max = 0, sum = 0;
  Value first, last;
  std::optional<Quantiles> quantiles;  // if asked for
  std::optional<double> increase;      // if asked for, and a number came before the last one
  double rate = 0;                     // with `increase`: by the time that it took
  double mean() const { return sum / static_cast<double>(numbers); }
};

std::int64_t bucket_start(std::int64_t time_us, std::int64_t length_us);

// `more` of the same start: another device's, or later points of the same metric. Rates add up.
void merge_bucket(Bucket& into, const Bucket& more);
// By start; both ordered.
void merge_buckets(std::vector<Bucket>& into, std::vector<Bucket> more);

// What is asked of a bucket.
struct Function {
  enum class Kind { min, max, mean, sum, count, first, last, increase, rate, quantile };
  Kind kind = Kind::mean;
  double q = 0;  // of a quantile
  bool operator==(const Function&) const = default;
};
// "min", ..., "rate", "p50", "p99.9", "median"; nullopt: there is no such function.
std::optional<Function> function_named(std::string_view name);
std::string name_of(const Function& function);
// Null where the bucket has none, as the mean of texts.
Value value_of(const Bucket& bucket, const Function& function);
// Does it make sense of several devices together? first and last do not.
bool adds_up(const Function& function);

// Collects a metric's points in order of time into buckets: the slow and plain way.
class Bucketer {
 public:
  Bucketer(std::int64_t length_us, bool quantiles, bool rates, std::size_t exact_max = kExactMax)
      : length_us_(length_us), quantiles_(quantiles), rates_(rates), exact_max_(exact_max) {}

  void add(std::int64_t time_us, const Value& value);
  // Of the bucket at this time, which add() has made or this makes.
  Bucket& at(std::int64_t time_us);
  // What percentiles and rates need of a number; add() does it too.
  void add_number(Bucket& bucket, std::int64_t time_us, const Number& number);
  bool needs_each() const { return quantiles_ || rates_; }

  std::vector<Bucket> buckets;

 private:
  std::int64_t length_us_;
  bool quantiles_, rates_;
  std::size_t exact_max_;
  Rise rise_;
  std::int64_t rise_last_us_ = 0;  // of the last number
  std::int64_t rise_from_us_ = 0;  // of the number from which this bucket's increase counts
};

}  // namespace holdfast::chart
