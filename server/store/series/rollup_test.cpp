// What is left of a day when its points go: in the store's whole life, and at every cut.
#include "server/store/series/rollup.hpp"

#include <gtest/gtest.h>

#include <cstdio>

#include "server/store/series/fixture_test.hpp"

namespace holdfast::series {
namespace {

RetentionClass rolling() {
  return {0, "default", days(2), std::nullopt, hours(1), days(30)};
}

struct RollWorld {
  World world;
  Ulid device = device_of(1);
  WallTime from, to;

  explicit RollWorld(std::uint64_t seed) : world(seed) {
    world.options.classes = {rolling()};
    from = {(day_of(world.now()) - 1) * 86'400'000'000};  // yesterday
    to = from + days(1);
  }
  // Two segments of one day: numbers, texts, a sparse field, points that arrive late.
  bool report() {
    for (int part = 0; part < 2; ++part) {
      for (int i = 0; i < 20; ++i) {
        const WallTime at = from + minutes(static_cast<int>(part == 0 ? i * 60 : i * 35 + 1));
        std::vector<std::pair<std::string, Value>> fields{
            {"n", i % 3 == 0 ? Value(std::int64_t{i}) : Value(i * 0.5)},
            {"t", std::string("s") + std::to_string(i % 4)},
            {"b", i % 2 == 0}};
        if (i % 5 == 0) fields.emplace_back("rare", 1.5 * i);
        if (!world.append(device, "s", {reading_of(std::move(fields), at)})) return false;
      }
      if (!world.journal->roll()) return false;
    }
    return true;
  }
  std::vector<std::vector<Bucket>> hourly() {
    std::vector<std::vector<Bucket>> out;
    for (const char* metric : {"s.n", "s.t", "s.b", "s.rare"})
      out.push_back(world.buckets(device, metric, from, to, hours(1)));
    return out;
  }
};

void expect_same(const std::vector<std::vector<Bucket>>& got,
                 const std::vector<std::vector<Bucket>>& want, const std::string& what) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t m = 0; m < got.size(); ++m) {
    ASSERT_EQ(got[m].size(), want[m].size()) << what << " metric " << m;
    for (std::size_t i = 0; i < got[m].size(); ++i) {
      EXPECT_EQ(got[m][i].start, want[m][i].start) << what;
      EXPECT_EQ(got[m][i].count, want[m][i].count) << what << " metric " << m << " bucket " << i;
      EXPECT_EQ(got[m][i].numbers, want[m][i].numbers) << what;
      EXPECT_EQ(got[m][i].min, want[m][i].min) << what;
      EXPECT_EQ(got[m][i].max, want[m][i].max) << what;
      EXPECT_DOUBLE_EQ(got[m][i].sum, want[m][i].sum) << what;
      EXPECT_TRUE(same_value(got[m][i].first, want[m][i].first)) << what;
      EXPECT_TRUE(same_value(got[m][i].last, want[m][i].last)) << what;
    }
  }
}

TEST(Rollup, StaysWhenPointsGoAndGoesInItsTime) {
  RollWorld life(1);
  World& world = life.world;
  ASSERT_TRUE(world.start());
  ASSERT_TRUE(life.report());
  const auto before = life.hourly();
  const auto newest = world.store->metrics(life.device);
  ASSERT_TRUE(newest);
  EXPECT_TRUE(world.store->retention_preview(life.to + days(2) - seconds(1))->empty());
  const auto coming = world.store->retention_preview(life.to + days(40));
  ASSERT_TRUE(coming);
  ASSERT_EQ(coming->size(), 1U);

  world.world.jump_wall(days(4));
  const auto due = world.store->retention_preview(world.now());
  ASSERT_EQ(due->size(), 1U);
  EXPECT_TRUE(due->front().rolls_up);
  EXPECT_EQ(due->front().due, life.to + days(2));
  const auto applied = world.store->retention_apply(world.now());
  ASSERT_TRUE(applied) << applied.error().text();
  EXPECT_EQ(applied->size(), 1U);
  EXPECT_TRUE(world.store->retention_apply(world.now())->empty()) << "once";
  ASSERT_EQ(world.files().size(), 1U);
  EXPECT_TRUE(world.files()[0].ends_with(".hfr"));
  for (int round = 0; round < 2; ++round) {
    expect_same(life.hourly(), before, "round " + std::to_string(round));
    EXPECT_TRUE(world.points(life.device, "s.n").empty());
    const auto answer =
        world.store->buckets({life.device, {"s.n"}, {life.from, life.to}, hours(6), kNever});
    EXPECT_TRUE(answer->outcome.rolled_up);
    EXPECT_FALSE(answer->outcome.partial);
    EXPECT_EQ(answer->metrics[0].size(), 4U);
    ASSERT_TRUE(world.restart());
    const auto known = world.store->metrics(life.device);
    ASSERT_EQ(known->size(), newest->size()) << "newest values are known from roll-ups";
    for (std::size_t i = 0; i < known->size(); ++i) {
      EXPECT_EQ((*known)[i].metric, (*newest)[i].metric);
      EXPECT_TRUE(same_value((*known)[i].point.value, (*newest)[i].point.value));
    }
  }
  const auto use = world.store->retention();
  ASSERT_EQ(use.size(), 1U);
  EXPECT_EQ(use[0].bytes, 0U);
  EXPECT_GT(use[0].rollup_bytes, 0U);
  world.world.jump_wall(days(30));
  EXPECT_EQ(world.store->retention_apply(world.now())->size(), 1U);
  EXPECT_TRUE(world.files().empty());
}

TEST(Rollup, TakesInWhatCameAfterIt) {
  RollWorld life(2);
  World& world = life.world;
  ASSERT_TRUE(world.start());
  ASSERT_TRUE(life.report());
  ASSERT_TRUE(world.append(life.device, "s",
                           {reading_of({{"n", 1000.0}}, life.from + hours(23) + minutes(30))}));
  const auto before = life.hourly();
  // The last point lies in the journal while the day is rolled up, then in a file beside it.
  ASSERT_TRUE(world.store->retention_apply(life.to + days(3)));
  expect_same(life.hourly(), before, "beside");
  ASSERT_TRUE(world.journal->roll());
  ASSERT_EQ(world.files().size(), 2U);
  expect_same(life.hourly(), before, "two files");
  ASSERT_TRUE(world.store->retention_apply(life.to + days(3)));
  ASSERT_EQ(world.files().size(), 1U);
  expect_same(life.hourly(), before, "taken in");
}

TEST(Rollup, OfAnErasedDeviceIsGone) {
  RollWorld life(3);
  World& world = life.world;
  ASSERT_TRUE(world.start());
  ASSERT_TRUE(life.report());
  ASSERT_TRUE(world.store->retention_apply(life.to + days(3)));
  const auto preview = world.store->erase_preview(life.device);
  ASSERT_TRUE(preview);
  EXPECT_EQ(preview->metrics, 4U);
  ASSERT_TRUE(world.store->erase(life.device));
  for (const auto& metric : life.hourly()) EXPECT_TRUE(metric.empty());
  ASSERT_TRUE(world.restart());
  for (const auto& metric : life.hourly()) EXPECT_TRUE(metric.empty());
}

TEST(Rollup, ByBytesTheOldestDaysGoFirst) {
  RollWorld life(4);
  World& world = life.world;
  RetentionClass tight = rolling();
  tight.keep = days(20);
  world.options.classes = {tight};
  ASSERT_TRUE(world.start());
  for (int day = 0; day < 3; ++day) {
    life.from = life.from - days(day == 0 ? 0 : 1);
    ASSERT_TRUE(life.report());
  }
  const auto whole = world.store->retention().front();
  EXPECT_EQ(whole.days, 3U);
  tight.bytes_max = whole.bytes / 2;
  const auto preview = world.store->retention_preview(world.now(), std::vector{tight});
  ASSERT_TRUE(preview);
  ASSERT_EQ(preview->size(), 2U);
  EXPECT_EQ(preview->front().reason, "bytes");
  EXPECT_EQ(preview->front().day, *whole.oldest_day);
  EXPECT_TRUE(world.store->retention_preview(world.now())->empty()) << "a question changes nothing";
  ASSERT_TRUE(world.store->set_retention({tight}));
  ASSERT_TRUE(world.store->retention_apply(world.now()));
  EXPECT_EQ(world.store->retention().front().days, 1U);
}

TEST(Rollup, ClassesThatCannotBeAreRefused) {
  EXPECT_TRUE(check_class(rolling()));
  RetentionClass odd = rolling();
  odd.rollup = minutes(7);
  EXPECT_FALSE(check_class(odd)) << "does not divide a day";
  odd = rolling();
  odd.keep.reset();
  EXPECT_FALSE(check_class(odd));
  odd = rolling();
  odd.rollup_keep = days(1);
  EXPECT_FALSE(check_class(odd)) << "roll-ups would go before points";
  odd = rolling();
  odd.rollup.reset();
  EXPECT_FALSE(check_class(odd));
}

TEST(EveryCut, OfRollingUpLosesAndDoublesNothing) {
  RollWorld calm(5);
  ASSERT_TRUE(calm.world.start());
  ASSERT_TRUE(calm.report());
  const auto want = calm.hourly();
  const std::uint64_t begin = calm.world.node().disk().operations();
  unsigned cuts = 0;
  for (std::uint64_t at = begin + 1;; ++at) {
    RollWorld life(5);
    World& world = life.world;
    world.node().disk().crash_at(at);
    ASSERT_TRUE(world.start());
    ASSERT_TRUE(life.report());
    if (world.node().up()) static_cast<void>(world.store->retention_apply(life.to + days(3)));
    if (world.node().up()) break;
    ++cuts;
    ASSERT_TRUE(world.restart()) << "cut at " << at;
    expect_same(life.hourly(), want, "cut at " + std::to_string(at));
    ASSERT_TRUE(world.store->retention_apply(life.to + days(3)));
    expect_same(life.hourly(), want, "second life after cut at " + std::to_string(at));
    ASSERT_TRUE(world.restart());
    EXPECT_EQ(world.files().size(), 1U);
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(cuts, 5U);
  std::printf("series: %u power cuts of rolling up\n", cuts);
}

}  // namespace
}  // namespace holdfast::series
