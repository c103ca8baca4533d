#include "agent/spool/ranges.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace holdfast::agent {
namespace {

TEST(SequenceRangesTest, NeighboursBecomeOneRange) {
  SequenceRanges set;
  for (const std::uint64_t n : {5, 7, 6, 9, 8, 5}) set.add(n);
  EXPECT_EQ(set.ranges(), 1u);
  EXPECT_FALSE(set.contains(4));
  for (std::uint64_t n = 5; n <= 9; ++n) EXPECT_TRUE(set.contains(n));
  EXPECT_FALSE(set.contains(10));
}

TEST(SequenceRangesTest, TheEndsOfTheWorld) {
  SequenceRanges set;
  for (const std::uint64_t n : {std::uint64_t{0}, UINT64_MAX, UINT64_MAX - 1, std::uint64_t{1}}) {
    set.add(n);
  }
  EXPECT_EQ(set.ranges(), 2u);
  EXPECT_TRUE(set.contains(0) && set.contains(1) && set.contains(UINT64_MAX));
  EXPECT_FALSE(set.contains(2) || set.contains(UINT64_MAX - 2));
}

TEST(SequenceRangesTest, IsASetWhateverTheOrder) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 50; ++round) {
    SequenceRanges set;
    std::set<std::uint64_t> truth;
    for (int i = 0; i < 300; ++i) {
      const std::uint64_t n = random() % 200;
      set.add(n);
      truth.insert(n);
      if (i % 100 == 99) {
        const std::uint64_t below = random() % 100;
        set.forget_below(below);
        std::erase_if(truth, [&](std::uint64_t each) { return each < below; });
      }
    }
    for (std::uint64_t n = 0; n <= 201; ++n) ASSERT_EQ(set.contains(n), truth.contains(n)) << n;
  }
}

TEST(SequenceRangesTest, IsBoundedAndForgetsTheRest) {
  SequenceRanges set;
  for (std::uint64_t n = 0; n < 3 * SequenceRanges::kRangesMax; ++n) set.add(2 * n);
  EXPECT_EQ(set.ranges(), SequenceRanges::kRangesMax);
  EXPECT_TRUE(set.contains(2 * (SequenceRanges::kRangesMax - 1)));
  EXPECT_FALSE(set.contains(2 * SequenceRanges::kRangesMax));
  set.add(1);  // joins two: no new range
  EXPECT_TRUE(set.contains(1));
  set.forget_below(UINT64_MAX);
  EXPECT_EQ(set.ranges(), 0u);
}

}  // namespace
}  // namespace holdfast::agent
