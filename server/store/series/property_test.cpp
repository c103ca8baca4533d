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

  // Buckets, against those that the points themselves make.
  void check_buckets() {
    const WallTime from{1'767'225'600'000'000 - 60LL * 3600 * 1'000'000};
    const WallTime to = world.now() + hours(1);
    const Duration length = seconds(static_cast<int>(60 + random.below(7200)));
    for (const auto& [device, metric] : model.metrics()) {
      std::map<std::int64_t, std::vector<Value>> want;
      for (const Point& point : world.points(device, metric, {from, to}))
        want[point.time.us / length.us * length.us].push_back(point.value);
      const auto got = world.buckets(device, metric, from, to, length);
      ASSERT_EQ(got.size(), want.size()) << metric;
      for (const Bucket& bucket : got) {
        const auto& values = want.at(bucket.start.us);
        ASSERT_EQ(bucket.count, values.size());
        EXPECT_TRUE(same_value(bucket.first, values.front()));
        EXPECT_TRUE(same_value(bucket.last, values.back()));
        double low = INFINITY;
        double high = -INFINITY;
        std::uint64_t numbers = 0;
        for (const Value& value : values) {
          const auto* integer = std::get_if<std::int64_t>(&value);
          const auto* number = std::get_if<double>(&value);
          if (integer == nullptr && number == nullptr) continue;
          const double x = integer != nullptr ? static_cast<double>(*integer) : *number;
          if (x != x) continue;
          low = std::min(low, x);
          high = std::max(high, x);
          ++numbers;
        }
        EXPECT_EQ(bucket.numbers, numbers);
        if (numbers > 0) {
          EXPECT_EQ(bucket.min, low);
          EXPECT_EQ(bucket.max, high);
        }
      }
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
  for (std::uint64_t at = 1;; ++at) {
    Life life(7);
    life.world.node().disk().crash_at(at);
    play(life);
    if (life.world.node().up()) break;
    ++cuts;
    ASSERT_TRUE(life.world.restart()) << "cut at " << at;
    check_after_fault(life, "cut at " + std::to_string(at));
    life.world.settle();
    ASSERT_TRUE(life.world.store->maintain());
    ASSERT_TRUE(life.world.restart());
    check_after_fault(life, "second life after cut at " + std::to_string(at));
    if (HasFailure()) return;
  }
  EXPECT_GT(cuts, 120U);
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
