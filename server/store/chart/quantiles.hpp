// Quantiles: percentiles of many numbers in bounded memory. Up to a bound the numbers are kept and
// answers are exact; beyond it they are counted in bins whose width grows with the value (DDSketch,
// Masson, Rim and Lee 2019), and pairs of bins are joined when there are too many (UDDSketch,
// Epicoco et al. 2020). A value; pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace holdfast::chart {

inline constexpr std::size_t kExactMax = 65'536;  // numbers kept as they are
inline constexpr std::size_t kBinsMax = 1'024;    // of a sketch
inline constexpr double kSketchError = 0.005;     // relative, at first

class Quantiles {
 public:
  explicit Quantiles(std::size_t exact_max = kExactMax) : exact_max_(exact_max) {}

  void add(double number);  // NaN counts for nothing
  void merge(const Quantiles& other);
  std::uint64_t count() const { return count_; }
  // The number at rank (count - 1) q, q from 0 to 1; nothing if there are none.
  std::optional<double> at(double q) const;
  // How far an answer may lie from the number at its rank, relative to that; 0: exact.
  double error() const;
  std::size_t memory() const;

 private:
  using Bins = std::map<std::int32_t, std::uint64_t>;  // by logarithm
  void put(double number, std::uint64_t times);
  void to_sketch();
  void widen();

  std::size_t exact_max_;
  std::uint64_t count_ = 0;
  mutable std::vector<double> numbers_;  // sorted by at()
  mutable bool sorted_ = true;
  bool sketch_ = false;
  unsigned widenings_ = 0;
  std::uint64_t zeros_ = 0;
  Bins above_, below_;  // of numbers above and below zero
  double least_ = 0, most_ = 0;
};

}  // namespace holdfast::chart
