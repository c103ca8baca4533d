#include "server/store/chart/quantiles.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace holdfast::chart {
namespace {

double exact(std::vector<double> numbers, double q) {
  std::ranges::sort(numbers);
  const double rank = static_cast<double>(numbers.size() - 1) * q;
  const auto low = static_cast<std::size_t>(rank);
  const std::size_t high = std::min(low + 1, numbers.size() - 1);
  return numbers[low] + (numbers[high] - numbers[low]) * (rank - std::floor(rank));
}

TEST(Quantiles, AreExactBelowTheirBound) {
  Quantiles few;
  EXPECT_EQ(few.at(0.5), std::nullopt);
  for (const double number : {5.0, 1.0, 4.0, 2.0, 3.0}) few.add(number);
  few.add(NAN);
  EXPECT_EQ(few.count(), 5U);
  EXPECT_EQ(few.at(0), 1.0);
  EXPECT_EQ(few.at(0.5), 3.0);
  EXPECT_EQ(few.at(1), 5.0);
  EXPECT_DOUBLE_EQ(few.at(0.9).value(), 4.6);
  EXPECT_EQ(few.error(), 0);
  few.add(-10);
  EXPECT_EQ(few.at(0), -10.0) << "numbers may come after an answer";
}

// The number at that rank, or the next: what a sketch answers is near one of the two.
void expect_near(const Quantiles& sketch, std::vector<double> numbers, double q) {
  std::ranges::sort(numbers);
  const auto low = static_cast<std::size_t>(static_cast<double>(numbers.size() - 1) * q);
  const double got = sketch.at(q).value();
  EXPECT_LE(std::abs(got - numbers[low]), sketch.error() * std::abs(numbers[low]) * 1.000001)
      << "q " << q << " of " << numbers.size() << ": " << got << " for " << numbers[low];
}

TEST(Quantiles, OfManyNumbersLieWithinTheErrorThatTheySay) {
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> skewed(0, 3);
  std::normal_distribution<double> around_zero(0, 100);
  std::uniform_real_distribution<double> exponents(-200, 200);
  for (int style = 0; style < 4; ++style) {
    Quantiles sketch(100);
    std::vector<double> numbers;
    for (int i = 0; i < 20'000; ++i) {
      const double number = style == 0   ? skewed(random)
                            : style == 1 ? around_zero(random)
                            : style == 2 ? std::pow(10, exponents(random)) * (i % 2 ? 1 : -1)
                                         : std::floor(around_zero(random) / 100);
      numbers.push_back(number);
      sketch.add(number);
    }
    EXPECT_EQ(sketch.count(), numbers.size());
    EXPECT_GE(sketch.error(), kSketchError * 0.999);
    EXPECT_LE(sketch.error(), style == 2 ? 0.9 : 0.011);
    EXPECT_LT(sketch.memory(), 80'000U);
    for (const double q : {0.0, 0.01, 0.25, 0.5, 0.75, 0.95, 0.999, 1.0})
      expect_near(sketch, numbers, q);
  }
}

TEST(Quantiles, OfPartsAreThoseOfAll) {
  std::mt19937_64 random(2);
  std::normal_distribution<double> normal(50, 20);
  for (const std::size_t bound : {10U, 1'000U, 100'000U}) {
    Quantiles all(bound);
    Quantiles merged(bound);
    std::vector<double> numbers;
    for (int part = 0; part < 7; ++part) {
      Quantiles one(part % 2 == 0 ? bound : 100'000);
      for (int i = 0; i < 300 * part; ++i) {
        numbers.push_back(normal(random));
        one.add(numbers.back());
        all.add(numbers.back());
      }
      merged.merge(one);
    }
    EXPECT_EQ(merged.count(), all.count());
    for (const double q : {0.0, 0.1, 0.5, 0.99, 1.0}) {
      EXPECT_EQ(merged.at(q), all.at(q)) << bound;
      if (merged.error() == 0) {
        EXPECT_NEAR(merged.at(q).value(), exact(numbers, q), 1e-9);
      }
    }
  }
}

TEST(Quantiles, SurviveEveryNumber) {
  Quantiles odd(4);
  for (const double number : {HUGE_VAL, -HUGE_VAL, 0.0, -0.0, 5e-324, 1.7e308, -1.7e308, 1.0})
    odd.add(number);
  EXPECT_EQ(odd.count(), 8U);
  EXPECT_LT(odd.at(0).value(), -1e307);
  EXPECT_GT(odd.at(1).value(), 1e307);
  EXPECT_EQ(odd.at(0.5), 0.0);
}

}  // namespace
}  // namespace holdfast::chart
