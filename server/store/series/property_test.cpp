// The store against the simplest model of it, on random lives: readings in and out of order,
// repeats, seals, merges, power cuts; and at every single disk operation.
#include <gtest/gtest.h>

#include <cstdio>

#include "server/store/series/fixture_test.hpp"

namespace holdfast::series {
namespace {

Value random_value(os::sim::Random& random, std::uint64_t style) {
  switch (style % 6) {
    case 0:
      return static_cast<double>(random.below(1000)) / 10;
    case 1:
      return static_cast<std::int64_t>(random.below(100));
    case 2:
      return random.chance(50) ? Value(static_cast<double>(random.below(50)) + 0.5)
                               : Value(static_cast<std::int64_t>(random.below(50)));
    case 3:
      return std::string("state ") + std::to_string(random.below(3));
    case 4:
      return std::bit_cast<double>(random.next());
    default:
      return random.chance(50);
  }
}

struct Life {
  World world;
  Model model;
  os::sim::Random random;
  explicit Life(std::uint64_t seed) : world(seed), random(seed, "life") {}

  // One message of one or more samples; into the model when it is acknowledged.
  bool report() {
    const Ulid device = device_of(static_cast<unsigned>(random.below(3)));
    const std::string stream = random.chance(50) ? "cpu" : "lab";
    std::vector<wire::Reading> readings;
    const std::size_t samples = 1 + random.below(5);
    const std::uint64_t fields = 1 + random.below(7);  // which of three
    for (std::size_t i = 0; i < samples; ++i) {
      std::vector<std::pair<std::string, Value>> values;
      for (std::uint64_t f = 0; f < 3; ++f) {
        if ((fields >> f & 1) != 0 || (fields & 7) == 0)
          values.emplace_back("f" + std::to_string(f), random_value(random, f + device[15] * 2U));
      }
      readings.push_back(reading_of(std::move(values), random_time()));
    }
    const WallTime before = world.now();
    if (!world.append(device, stream, readings)) return false;
    note(device, stream, readings, before);
    return true;
  }

  std::optional<WallTime> random_time() {
    if (random.chance(30)) return std::nullopt;
    if (random.chance(5)) return WallTime{static_cast<std::int64_t>(random.below(1'000'000))};
    // Few distinct times, so that they repeat; some days back.
    const WallTime base{1'767'225'600'000'000};
    return base - hours(static_cast<int>(random.below(60))) -
           seconds(static_cast<int>(random.below(5)) * 10);
  }

  // Server times are the journal's: they are read back, each once.
  void note(const Ulid& device, const std::string& stream,
            const std::vector<wire::Reading>& readings, WallTime now) {
    for (const wire::Reading& reading : readings) {
      for (const wire::Field& field : reading.fields) {
        Point point;
        point.source = judge(reading.device_time, now);
        point.value = field.value;
        if (point.source == TimeSource::device) {
          point.time = point.claimed = *reading.device_time;
          model.add(device, stream + "." + field.name, point);
        } else {
          ++undated[{device, stream + "." + field.name}];
        }
      }
    }
  }

  void check(const std::string& what) {
    for (const auto& [device, metric] : model.metrics()) {
      std::vector<Point> dated;
      std::size_t others = 0;
      WallTime last{INT64_MIN};
      for (const Point& point : world.points(device, metric)) {
        EXPECT_LE(last, point.time) << what;
        last = point.time;
        if (point.source == TimeSource::device) {
          dated.push_back(point);
        } else {
          ++others;
        }
      }
      expect_points(dated, model.points(device, metric), what + " " + metric);
      EXPECT_EQ(others, (undated[{device, metric}])) << what << " " << metric;
      if (testing::Test::HasFailure()) return;
    }
  }

  // Buckets, percentiles and rates, against those that the points themselves make one by one.
  void check_buckets() {
    const WallTime from{1'767'225'600'000'000 - 60LL * 3600 * 1'000'000};
    const WallTime to = world.now() + hours(1);
    for (const bool each : {false, true}) {
      BucketQuery query{
          {},     {""}, {from, to}, seconds(60 + static_cast<int>(random.below(7200))),
          kNever, each, each};
      for (const auto& [device, metric] : model.metrics()) {
        chart::Bucketer naive(query.length.us, each, each);
        for (const Point& point : world.points(device, metric, {from, to}))
          naive.add(point.time.us, point.value);
        query.device = device;
        query.metrics = {metric};
        const auto got = world.store->buckets(query);
        ASSERT_TRUE(got);
        expect_buckets(got->metrics.at(0), naive.buckets, metric);
      }
    }
  }

  static void expect_buckets(const std::vector<Bucket>& got, const std::vector<Bucket>& want,
                             const std::string& metric) {
    ASSERT_EQ(got.size(), want.size()) << metric;
    for (std::size_t i = 0; i < got.size(); ++i) {
      EXPECT_EQ(got[i].start, want[i].start);
      EXPECT_EQ(got[i].count, want[i].count);
      EXPECT_EQ(got[i].numbers, want[i].numbers);
      EXPECT_TRUE(same_value(got[i].first, want[i].first));
      EXPECT_TRUE(same_value(got[i].last, want[i].last));
      if (want[i].numbers > 0) {
        EXPECT_EQ(got[i].min, want[i].min);
        EXPECT_EQ(got[i].max, want[i].max);
      }
      ASSERT_EQ(got[i].quantiles.has_value(), want[i].quantiles.has_value()) << metric;
      for (const double q : {0.0, 0.5, 0.95}) {
        if (got[i].quantiles) {
          EXPECT_EQ(got[i].quantiles->at(q), want[i].quantiles->at(q));
        }
      }
      EXPECT_EQ(got[i].increase, want[i].increase) << metric;
      EXPECT_EQ(got[i].rate, want[i].rate) << metric;
    }
  }

  std::map<std::pair<Ulid, std::string>, std::size_t> undated;
};

TEST(StoreProperty, AgreesWithTheModelOnRandomLives) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    Life life(seed);
    ASSERT_TRUE(life.world.start());
    for (int step = 0; step < 120; ++step) {
      const std::uint64_t what = life.random.below(100);
      if (what < 80) {
        ASSERT_TRUE(life.report());
      } else if (what < 90) {
        ASSERT_TRUE(life.world.journal->roll());
      } else if (what < 94) {
        ASSERT_TRUE(life.world.store->maintain());
      } else if (what < 97) {
        life.world.world.jump_wall(hours(static_cast<int>(life.random.below(30))));
      } else {
        ASSERT_TRUE(life.world.restart());
      }
      if (step % 20 == 19)
        life.check("seed " + std::to_string(seed) + " step " + std::to_string(step));
      if (HasFailure()) return;
    }
    life.check_buckets();
    if (HasFailure()) return;
  }
}

// Reports, seals, merges and retention, until the disk operation that a test chose.
void play(Life& life) {
  auto& world = life.world;
  if (!world.start()) return;
  for (int round = 0; round < 3 && world.node().up(); ++round) {
    for (int i = 0; i < 3 && world.node().up(); ++i) life.report();
    if (world.node().up()) static_cast<void>(world.journal->roll());
    if (world.node().up()) world.settle();
  }
  if (world.node().up()) world.world.jump_wall(days(3));
  if (world.node().up()) static_cast<void>(world.store->maintain());
  if (world.node().up()) life.report();
}

// What was acknowledged is there; what was not may be there, once.
void check_after_fault(Life& life, const std::string& what) {
  for (const auto& [device, metric] : life.model.metrics()) {
    std::map<std::int64_t, int> dated;
    std::size_t others = 0;
    for (const Point& point : life.world.points(device, metric)) {
      if (point.source == TimeSource::device) {
        ++dated[point.time.us];
      } else {
        ++others;
      }
    }
    for (const auto& [time, times] : dated) EXPECT_EQ(times, 1) << what << ": doubled " << metric;
    for (const Point& point : life.model.points(device, metric))
      EXPECT_TRUE(dated.contains(point.time.us)) << what << ": lost " << metric;
    EXPECT_GE(others, (life.undated[{device, metric}])) << what << ": lost " << metric;
    // The one message that was not acknowledged has at most five samples.
    EXPECT_LE(others, (life.undated[{device, metric}]) + 5) << what << ": doubled " << metric;
  }
  EXPECT_FALSE(life.world.partial) << what;
}

TEST(EveryCut, OfSealingAndMergingLosesAndDoublesNothing) {
  unsigned cuts = 0;
  for (const std::uint64_t seed : {7U, 8U, 9U}) {
    for (std::uint64_t at = 1;; ++at) {
      const std::string what = "seed " + std::to_string(seed) + " cut at " + std::to_string(at);
      Life life(seed);
      life.world.node().disk().crash_at(at);
      play(life);
      if (life.world.node().up()) break;
      ++cuts;
      ASSERT_TRUE(life.world.restart()) << what;
      check_after_fault(life, what);
      life.world.settle();
      ASSERT_TRUE(life.world.store->maintain());
      ASSERT_TRUE(life.world.restart());
      check_after_fault(life, "second life after " + what);
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(cuts, 500U);
  std::printf("series: %u power cuts\n", cuts);
}

TEST(EveryCut, ErrorsOfSealingAndMergingLoseAndDoubleNothing) {
  unsigned faults = 0;
  for (const Code code : {Code::io_error, Code::disk_full}) {
    for (std::uint64_t at = 1;; at += code == Code::disk_full ? 3 : 1) {
      Life life(7);
      life.world.node().disk().fail_at(at, code);
      play(life);
      if (life.world.node().disk().operations() < at) break;
      ++faults;
      if (life.world.store && life.world.journal && at > 20)
        check_after_fault(life, "in the life of the fault at " + std::to_string(at));
      ASSERT_TRUE(life.world.restart()) << "fault at " << at;
      check_after_fault(life, "fault at " + std::to_string(at));
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(faults, 240U);
  std::printf("series: %u disk errors\n", faults);
}

}  // namespace
}  // namespace holdfast::series
