#include "server/store/chart/quantiles.hpp"

#include <algorithm>
#include <cfloat>
#include <cmath>

namespace holdfast::chart {
namespace {

constexpr double kZeroBelow = 1e-300;  // smaller ones count as zero

// The ratio of a bin's ends.
double ratio_of(unsigned widenings) {
  const double ratio = (1 + kSketchError) / (1 - kSketchError);
  return std::pow(ratio, static_cast<double>(1U << widenings));
}

std::int32_t bin_of(double size, unsigned widenings) {
  const double narrow = std::ceil(std::log(size) / std::log(ratio_of(0)));
  auto bin = static_cast<std::int32_t>(narrow);
  // Joining pairs is what widen() does, so that old and new numbers meet in the same bins.
  for (unsigned i = 0; i < widenings; ++i) bin = (bin >= 0 ? bin + 1 : bin) / 2;
  return bin;
}

}  // namespace

void Quantiles::add(double number) {
  if (number != number) return;
  number = std::clamp(number, -DBL_MAX, DBL_MAX);
  if (!sketch_ && numbers_.size() >= exact_max_) to_sketch();
  if (sketch_) return put(number, 1);
  ++count_;
  sorted_ = sorted_ && (numbers_.empty() || numbers_.back() <= number);
  numbers_.push_back(number);
}

void Quantiles::put(double number, std::uint64_t times) {
  least_ = count_ == 0 ? number : std::min(least_, number);
  most_ = count_ == 0 ? number : std::max(most_, number);
  count_ += times;
  if (std::abs(number) < kZeroBelow) {
    zeros_ += times;
  } else {
    (number > 0 ? above_ : below_)[bin_of(std::abs(number), widenings_)] += times;
  }
  while (above_.size() + below_.size() > kBinsMax) widen();
}

void Quantiles::to_sketch() {
  sketch_ = true;
  count_ = 0;
  for (const double number : std::exchange(numbers_, {})) put(number, 1);
  sorted_ = true;
}

void Quantiles::widen() {
  for (Bins* bins : {&above_, &below_}) {
    Bins wide;
    for (const auto& [bin, times] : *bins) wide[(bin >= 0 ? bin + 1 : bin) / 2] += times;
    *bins = std::move(wide);
  }
  ++widenings_;
}

void Quantiles::merge(const Quantiles& other) {
  if (!other.sketch_) {
    for (const double number : other.numbers_) add(number);
    return;
  }
  if (!sketch_) to_sketch();
  if (other.count_ == 0) return;
  least_ = count_ == 0 ? other.least_ : std::min(least_, other.least_);
  most_ = count_ == 0 ? other.most_ : std::max(most_, other.most_);
  while (widenings_ < other.widenings_) widen();
  Quantiles same = other;
  while (same.widenings_ < widenings_) same.widen();
  for (const auto& [bin, times] : same.above_) above_[bin] += times;
  for (const auto& [bin, times] : same.below_) below_[bin] += times;
  zeros_ += other.zeros_;
  count_ += other.count_;
  while (above_.size() + below_.size() > kBinsMax) widen();
}

std::optional<double> Quantiles::at(double q) const {
  if (count_ == 0) return std::nullopt;
  const double rank = static_cast<double>(count_ - 1) * std::clamp(q, 0.0, 1.0);
  if (!sketch_) {
    if (!std::exchange(sorted_, true)) std::ranges::sort(numbers_);
    const auto low = static_cast<std::size_t>(rank);
    const std::size_t high = std::min(low + 1, numbers_.size() - 1);
    const double part = rank - static_cast<double>(low);
    if (part == 0 || numbers_[low] == numbers_[high]) return numbers_[low];
    return numbers_[low] * (1 - part) + numbers_[high] * part;
  }
  auto left = static_cast<std::uint64_t>(rank);
  const double ratio = ratio_of(widenings_);
  const auto middle = [&](std::int32_t bin) { return 2 * std::pow(ratio, bin) / (ratio + 1); };
  const auto within = [&](double number) { return std::clamp(number, least_, most_); };
  for (auto bin = below_.rbegin(); bin != below_.rend(); ++bin) {
    if (left < bin->second) return within(-middle(bin->first));
    left -= bin->second;
  }
  if (left < zeros_) return within(0);
  left -= zeros_;
  for (const auto& [bin, times] : above_) {
    if (left < times) return within(middle(bin));
    left -= times;
  }
  return most_;
}

double Quantiles::error() const {
  if (!sketch_) return 0;
  const double ratio = ratio_of(widenings_);
  return (ratio - 1) / (ratio + 1);
}

std::size_t Quantiles::memory() const {
  return sizeof(Quantiles) + numbers_.capacity() * 8 + (above_.size() + below_.size()) * 56;
}

}  // namespace holdfast::chart
