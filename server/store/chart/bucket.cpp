#include "server/store/chart/bucket.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace holdfast::chart {
namespace {

constexpr std::array<std::string_view, 9> kNames{"min",   "max",  "mean",     "sum", "count",
                                                 "first", "last", "increase", "rate"};

}  // namespace

std::int64_t bucket_start(std::int64_t time_us, std::int64_t length_us) {
  const std::int64_t rest = time_us % length_us;
  return time_us - (rest < 0 ? rest + length_us : rest);
}

void merge_bucket(Bucket& into, const Bucket& more) {
  if (more.count == 0) return;
  if (into.count == 0) into.first = more.first;
  into.last = more.last;
  into.count += more.count;
  if (more.numbers > 0) {
    into.min = into.numbers == 0 ? more.min : std::min(into.min, more.min);
    into.max = into.numbers == 0 ? more.max : std::max(into.max, more.max);
    into.sum += more.sum;
    into.numbers += more.numbers;
  }
  if (more.quantiles) {
    if (!into.quantiles) {
      into.quantiles = more.quantiles;
    } else {
      into.quantiles->merge(*more.quantiles);
    }
  }
  if (more.increase) {
    into.increase = into.increase.value_or(0) + *more.increase;
    into.rate += more.rate;
  }
}

void merge_buckets(std::vector<Bucket>& into, std::vector<Bucket> more) {
  std::vector<Bucket> out;
  out.reserve(std::max(into.size(), more.size()));
  auto a = into.begin();
  auto b = more.begin();
  while (a != into.end() || b != more.end()) {
    if (b == more.end() || (a != into.end() && a->start < b->start)) {
      out.push_back(std::move(*a++));
    } else if (a == into.end() || b->start < a->start) {
      out.push_back(std::move(*b++));
    } else {
      out.push_back(std::move(*a++));
      merge_bucket(out.back(), *b++);
    }
  }
  into = std::move(out);
}

std::optional<Function> function_named(std::string_view name) {
  const auto at = std::ranges::find(kNames, name);
  if (at != kNames.end()) return Function{static_cast<Function::Kind>(at - kNames.begin()), 0};
  if (name == "median") return Function{Function::Kind::quantile, 0.5};
  if (name.size() < 2 || name.size() > 8 || name.front() != 'p') return std::nullopt;
  double percent = 0;
  const auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), percent,
                                            std::chars_format::fixed);
  if (error != std::errc{} || end != name.data() + name.size() || !(percent >= 0 && percent <= 100))
    return std::nullopt;
  return Function{Function::Kind::quantile, percent / 100};
}

std::string name_of(const Function& function) {
  if (function.kind != Function::Kind::quantile)
    return std::string(kNames[static_cast<std::size_t>(function.kind)]);
  char text[32];
  std::snprintf(text, sizeof text, "p%.6g", function.q * 100);
  return text;
}

Value value_of(const Bucket& bucket, const Function& function) {
  using enum Function::Kind;
  const auto number = [&](double of) { return bucket.numbers > 0 ? Value(of) : Value(); };
  switch (function.kind) {
    case min:
      return number(bucket.min);
    case max:
      return number(bucket.max);
    case mean:
      return number(bucket.mean());
    case sum:
      return number(bucket.sum);
    case count:
      return static_cast<std::int64_t>(bucket.count);
    case first:
      return bucket.first;
    case last:
      return bucket.last;
    case increase:
      return bucket.increase ? Value(*bucket.increase) : Value();
    case rate:
      return bucket.increase ? Value(bucket.rate) : Value();
    case quantile:
      break;
  }
  const auto at = bucket.quantiles ? bucket.quantiles->at(function.q) : std::nullopt;
  return at ? Value(*at) : Value();
}

bool adds_up(const Function& function) {
  return function.kind != Function::Kind::first && function.kind != Function::Kind::last;
}

// ---- Bucketer

Bucket& Bucketer::at(std::int64_t time_us) {
  const std::int64_t start = bucket_start(time_us, length_us_);
  if (buckets.empty() || buckets.back().start.us != start) {
    buckets.emplace_back();
    buckets.back().start = {start};
  }
  return buckets.back();
}

void Bucketer::add_number(Bucket& bucket, std::int64_t time_us, const Number& number) {
  if (!number.whole && std::isnan(number.real)) return;
  if (quantiles_) {
    if (!bucket.quantiles) bucket.quantiles.emplace(exact_max_);
    bucket.quantiles->add(number.as_double());
  }
  if (!rates_) return;
  const auto grown = rise_.add(number);
  const std::int64_t before = std::exchange(rise_last_us_, time_us);
  if (!grown) return;
  if (!bucket.increase) {  // the first growth that ends in this bucket
    bucket.increase = 0;
    rise_from_us_ = before;
  }
  *bucket.increase += *grown;
  if (time_us > rise_from_us_)
    bucket.rate = *bucket.increase * 1e6 / static_cast<double>(time_us - rise_from_us_);
}

void Bucketer::add(std::int64_t time_us, const Value& value) {
  Bucket& bucket = at(time_us);
  if (bucket.count++ == 0) bucket.first = value;
  bucket.last = value;
  const auto* integer = std::get_if<std::int64_t>(&value);
  const auto* real = std::get_if<double>(&value);
  if (integer == nullptr && real == nullptr) return;
  const Number number = integer != nullptr ? Number{true, *integer, 0} : Number{false, 0, *real};
  const double as_double = number.as_double();
  if (std::isnan(as_double)) return;
  bucket.min = bucket.numbers == 0 ? as_double : std::min(bucket.min, as_double);
  bucket.max = bucket.numbers == 0 ? as_double : std::max(bucket.max, as_double);
  bucket.sum += as_double;
  ++bucket.numbers;
  add_number(bucket, time_us, number);
}

}  // namespace holdfast::chart
