#include "server/store/series/store.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "server/store/series/fixture_test.hpp"

namespace holdfast::series {
namespace {

class StoreTest : public testing::Test {
 protected:
  World world_{1};
  const Ulid device_ = device_of(1);
  void SetUp() override { ASSERT_TRUE(world_.start()); }

  std::vector<double> numbers(const std::string& metric, Range range = {},
                              bool newest_first = false) {
    std::vector<double> out;
    for (const Point& point : world_.points(device_, metric, range, newest_first))
      out.push_back(std::get<double>(point.value));
    return out;
  }
  // The same question before and after each change of where the data lies.
  void everywhere(const std::function<void()>& check) {
    check();
    ASSERT_TRUE(world_.journal->roll());
    check();
    ASSERT_TRUE(world_.restart());
    check();
    ASSERT_TRUE(world_.store->maintain());
    check();
  }
};

TEST_F(StoreTest, AReadingIsThereOnceItIsAcknowledged) {
  const WallTime at = world_.now() - seconds(5);
  ASSERT_TRUE(world_.append(device_, "lab", {reading_of({{"temp", 20.5}}, at)}));
  everywhere([&] {
    const auto points = world_.points(device_, "lab.temp");
    ASSERT_EQ(points.size(), 1U);
    EXPECT_EQ(points[0].time, at);
    EXPECT_EQ(points[0].source, TimeSource::device);
    EXPECT_EQ(std::get<double>(points[0].value), 20.5);
    EXPECT_LE(points[0].received, world_.now());
    EXPECT_GE(points[0].received, at);
  });
}

TEST_F(StoreTest, EveryKindOfValueComesBack) {
  const std::vector<Value> values = {true,
                                     false,
                                     std::int64_t{INT64_MAX},
                                     std::int64_t{-1},
                                     -0.0,
                                     std::numeric_limits<double>::infinity(),
                                     std::string("text"),
                                     std::string()};
  for (std::size_t i = 0; i < values.size(); ++i) {
    ASSERT_TRUE(world_.append(
        device_, "lab",
        {reading_of({{"v", values[i]}}, world_.now() + milliseconds(static_cast<int>(i)))}));
  }
  everywhere([&] {
    const auto points = world_.points(device_, "lab.v");
    ASSERT_EQ(points.size(), values.size());
    for (std::size_t i = 0; i < values.size(); ++i)
      EXPECT_TRUE(same_value(points[i].value, values[i])) << i;
  });
}

TEST_F(StoreTest, WithoutDeviceTimeReadingsNeverMerge) {
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(world_.append(device_, "s", {reading_of({{"a", 1.0}}), reading_of({{"a", 2.0}})}));
  everywhere([&] {
    const auto points = world_.points(device_, "s.a");
    ASSERT_EQ(points.size(), 10U);
    for (std::size_t i = 1; i < points.size(); ++i) EXPECT_LT(points[i - 1].time, points[i].time);
    EXPECT_EQ(points[0].source, TimeSource::server);
    EXPECT_EQ(points[0].received, points[0].time);
  });
}

TEST_F(StoreTest, TheLastWriteOfADeviceTimeWins) {
  const WallTime at = world_.now() - hours(1);
  ASSERT_TRUE(world_.append(device_, "s", {reading_of({{"a", 1.0}, {"b", 10.0}}, at)}));
  ASSERT_TRUE(world_.journal->roll());
  ASSERT_TRUE(world_.append(device_, "s", {reading_of({{"a", 2.0}}, at)}));
  EXPECT_EQ(numbers("s.a"), std::vector<double>{2.0});
  ASSERT_TRUE(
      world_.append(device_, "s", {reading_of({{"a", 3.0}}, at), reading_of({{"a", 4.0}}, at)}));
  everywhere([&] {
    EXPECT_EQ(numbers("s.a"), std::vector<double>{4.0});
    EXPECT_EQ(numbers("s.b"), std::vector<double>{10.0}) << "what was not written again stays";
  });
}

TEST_F(StoreTest, AnImpossibleTimeIsUncertain) {
  ASSERT_TRUE(world_.append(device_, "s", {reading_of({{"a", 1.0}}, WallTime{1'000'000})}));
  everywhere([&] {
    const auto points = world_.points(device_, "s.a");
    ASSERT_EQ(points.size(), 1U);
    EXPECT_EQ(points[0].source, TimeSource::uncertain);
    EXPECT_EQ(points[0].claimed.us, 1'000'000);
    EXPECT_GT(points[0].time, world_.now() - minutes(10));
  });
}

TEST_F(StoreTest, RangesAreHalfOpenAndReadBothWays) {
  const WallTime start = world_.now() - days(3);
  for (int day = 0; day < 3; ++day) {
    std::vector<wire::Reading> readings;
    for (int i = 0; i < 10; ++i)
      readings.push_back(
          reading_of({{"a", static_cast<double>(day * 10 + i)}}, start + days(day) + seconds(i)));
    ASSERT_TRUE(world_.append(device_, "s", readings));
  }
  everywhere([&] {
    EXPECT_EQ(numbers("s.a").size(), 30U);
    EXPECT_EQ(numbers("s.a", {start + seconds(8), start + days(1) + seconds(2)}),
              (std::vector<double>{8, 9, 10, 11}));
    EXPECT_EQ(numbers("s.a", {start + seconds(8), start + days(1) + seconds(2)}, true),
              (std::vector<double>{11, 10, 9, 8}));
    EXPECT_TRUE(numbers("s.a", {start + seconds(8), start + seconds(8)}).empty());
    EXPECT_TRUE(numbers("s.b").empty());
    EXPECT_TRUE(numbers("other.a").empty());
  });
}

TEST_F(StoreTest, AQueryStopsWhenToldTo) {
  std::vector<wire::Reading> readings;
  for (int i = 0; i < 9'000; ++i)
    readings.push_back(reading_of({{"a", 1.0}}, world_.now() - seconds(9'000 - i)));
  ASSERT_TRUE(world_.append(device_, "s", readings));
  ASSERT_TRUE(world_.journal->roll());
  std::size_t seen = 0;
  const auto outcome = world_.store->range({device_, "s.a", {}, false, kNever},
                                           [&](const std::vector<Point>& points) {
                                             seen += points.size();
                                             return false;
                                           });
  EXPECT_TRUE(outcome);
  EXPECT_GT(seen, 0U);
  EXPECT_LT(seen, 9'000U);
}

TEST_F(StoreTest, ADeadlineMakesAnAnswerPartial) {
  ASSERT_TRUE(world_.append(device_, "s", {reading_of({{"a", 1.0}})}));
  ASSERT_TRUE(world_.journal->roll());
  const auto past = world_.node().system().clock.mono() - microseconds(1);
  const auto outcome = world_.store->range({device_, "s.a", {}, false, past},
                                           [](const std::vector<Point>&) { return true; });
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->partial);
  const auto buckets = world_.store->buckets(
      {device_, {"s.a"}, {world_.now() - hours(1), world_.now()}, minutes(1), past});
  ASSERT_TRUE(buckets);
  EXPECT_TRUE(buckets->outcome.partial);
}

TEST_F(StoreTest, WrongQuestionsAreRefused) {
  for (const char* metric : {"", "a", ".a", "a.", "."}) {
    EXPECT_FALSE(world_.store->range({device_, metric, {}, false, kNever}, [](const auto&) {
      return true;
    })) << metric;
  }
  const WallTime now = world_.now();
  EXPECT_FALSE(world_.store->buckets({device_, {"s.a"}, {}, seconds(1), kNever})) << "no ends";
  EXPECT_FALSE(world_.store->buckets({device_, {"s.a"}, {now, now}, seconds(1), kNever}));
  EXPECT_FALSE(
      world_.store->buckets({device_, {"s.a"}, {now, now + days(1)}, Duration{0}, kNever}));
  EXPECT_FALSE(world_.store->buckets({device_, {"s.a"}, {now, now + days(1)}, seconds(1), kNever}))
      << "too many";
}

TEST_F(StoreTest, BucketsHoldWhatTheirPointsSay) {
  const WallTime start{1'767'052'800'000'000};  // a midnight
  std::vector<wire::Reading> readings;
  for (int i = 0; i < 600; ++i)
    readings.push_back(reading_of({{"a", static_cast<double>(i)}}, start + seconds(i)));
  ASSERT_TRUE(world_.append(device_, "s", readings));
  everywhere([&] {
    const auto buckets =
        world_.buckets(device_, "s.a", start + seconds(30), start + seconds(200), minutes(1));
    ASSERT_EQ(buckets.size(), 4U);
    EXPECT_EQ(buckets[0].start, start);
    EXPECT_EQ(buckets[0].count, 30U);
    EXPECT_EQ(buckets[0].min, 30);
    EXPECT_EQ(std::get<double>(buckets[0].first), 30);
    EXPECT_EQ(buckets[1].count, 60U);
    EXPECT_EQ(buckets[1].sum, 60 * 89.5);
    EXPECT_EQ(buckets[1].mean(), 89.5);
    EXPECT_EQ(std::get<double>(buckets[1].last), 119);
    EXPECT_EQ(buckets[3].count, 20U);
    EXPECT_EQ(buckets[3].max, 199);
  });
}

TEST_F(StoreTest, WholeGroupsInABucketNeedNoDecoding) {
  const WallTime start{1'767'052'800'000'000};
  std::vector<wire::Reading> readings;
  for (int i = 0; i < 600; ++i)
    readings.push_back(reading_of({{"a", static_cast<double>(i)}}, start + seconds(i)));
  ASSERT_TRUE(world_.append(device_, "s", readings));
  ASSERT_TRUE(world_.journal->roll());
  const std::uint64_t reads = world_.node().disk().reads();
  const auto buckets = world_.buckets(device_, "s.a", start, start + days(1), days(1));
  ASSERT_EQ(buckets.size(), 1U);
  EXPECT_EQ(buckets[0].count, 600U);
  EXPECT_EQ(buckets[0].sum, 599 * 300.0);
  EXPECT_EQ(std::get<double>(buckets[0].first), 0);
  EXPECT_EQ(std::get<double>(buckets[0].last), 599);
  EXPECT_LE(world_.node().disk().reads(), reads + 2) << "footer and directory";
}

TEST_F(StoreTest, BucketsOfTextsAndOddNumbers) {
  const WallTime start{1'767'052'800'000'000};
  ASSERT_TRUE(world_.append(device_, "s",
                            {reading_of({{"a", std::string("up")}}, start),
                             reading_of({{"a", std::nan("")}}, start + seconds(1)),
                             reading_of({{"a", std::int64_t{4}}}, start + seconds(2)),
                             reading_of({{"a", true}}, start + seconds(3))}));
  everywhere([&] {
    const auto buckets = world_.buckets(device_, "s.a", start, start + minutes(1), minutes(1));
    ASSERT_EQ(buckets.size(), 1U);
    EXPECT_EQ(buckets[0].count, 4U);
    EXPECT_EQ(buckets[0].numbers, 1U);
    EXPECT_EQ(buckets[0].min, 4);
    EXPECT_EQ(buckets[0].max, 4);
    EXPECT_EQ(std::get<std::string>(buckets[0].first), "up");
    EXPECT_EQ(std::get<bool>(buckets[0].last), true);
  });
}

TEST_F(StoreTest, NewestValuesAreKnownAlsoAfterARestart) {
  const WallTime at = world_.now() - days(2);
  ASSERT_TRUE(
      world_.append(device_, "old", {reading_of({{"a", 1.0}, {"t", std::string(1000, 'x')}}, at)}));
  ASSERT_TRUE(world_.append(device_, "new",
                            {reading_of({{"b", std::int64_t{7}}}, at + hours(1)),
                             reading_of({{"b", std::int64_t{8}}}, at)}));
  everywhere([&] {
    const auto metrics = world_.store->metrics(device_);
    ASSERT_TRUE(metrics);
    ASSERT_EQ(metrics->size(), 3U);
    EXPECT_EQ((*metrics)[0].metric, "new.b");
    EXPECT_EQ(std::get<std::int64_t>((*metrics)[0].point.value), 7)
        << "the newest by time, not by arrival";
    EXPECT_EQ((*metrics)[0].point.time, at + hours(1));
    EXPECT_EQ((*metrics)[1].metric, "old.a");
    EXPECT_EQ(std::get<std::string>((*metrics)[2].point.value).size(), 1000U);
    std::vector<std::pair<std::size_t, std::size_t>> places;
    ASSERT_TRUE(world_.store->last({device_of(9), device_}, {"none.at", "old.a"}, kNever,
                                   [&](std::size_t device, std::size_t metric, const Point& point) {
                                     places.emplace_back(device, metric);
                                     EXPECT_EQ(std::get<double>(point.value), 1.0);
                                   }));
    EXPECT_EQ(places, (std::vector<std::pair<std::size_t, std::size_t>>{{1, 1}}));
  });
}

TEST_F(StoreTest, NewestValuesReadOnlyTheDaysThatTheyNeed) {
  for (int day = 5; day > 0; --day) {
    ASSERT_TRUE(
        world_.append(device_, "s", {reading_of({{"a", 1.0 * day}}, world_.now() - days(day))}));
    ASSERT_TRUE(world_.append(device_, "s", {reading_of({{"rare", 1.0}}, world_.now() - days(5))}));
    ASSERT_TRUE(world_.journal->roll());
  }
  ASSERT_TRUE(world_.restart());
  const auto newest = [&](const std::string& metric, MonoTime deadline = kNever) {
    std::vector<double> out;
    const auto outcome = world_.store->last({device_}, {metric}, deadline,
                                            [&](std::size_t, std::size_t, const Point& point) {
                                              out.push_back(std::get<double>(point.value));
                                            });
    EXPECT_TRUE(outcome);
    world_.partial = outcome && outcome->partial;
    return out;
  };
  EXPECT_EQ(newest("s.a"), std::vector<double>{1.0});
  EXPECT_EQ(world_.store->cardinality(device_).device, 1U) << "older days were not read";
  EXPECT_EQ(newest("s.rare", world_.node().system().clock.mono()), std::vector<double>{});
  EXPECT_TRUE(world_.partial) << "the deadline is said";
  EXPECT_EQ(newest("s.rare"), std::vector<double>{1.0});
  EXPECT_FALSE(world_.partial);
  EXPECT_EQ(world_.store->cardinality(device_).device, 2U);
  // A late point is older than what files have.
  ASSERT_TRUE(world_.restart());
  ASSERT_TRUE(world_.append(device_, "s", {reading_of({{"a", 99.0}}, world_.now() - days(4))}));
  EXPECT_EQ(newest("s.a"), std::vector<double>{1.0});
}

TEST_F(StoreTest, TheNewestValueOfASparseColumnHasItsOwnTime) {
  const WallTime at = world_.now() - days(1);
  ASSERT_TRUE(world_.append(device_, "s", {reading_of({{"a", 1.0}, {"rare", 5.0}}, at)}));
  ASSERT_TRUE(world_.append(device_, "s", {reading_of({{"a", 2.0}}, at + seconds(10))}));
  everywhere([&] {
    const auto metrics = world_.store->metrics(device_);
    ASSERT_EQ(metrics->size(), 2U);
    EXPECT_EQ((*metrics)[1].metric, "s.rare");
    EXPECT_EQ((*metrics)[1].point.time, at);
  });
}

TEST_F(StoreTest, TooManyMetricsAreRefused) {
  world_.stop();
  world_.options.limits = {.device_metrics_max = 3, .metrics_max = 5};
  ASSERT_TRUE(world_.start());
  const auto admit = [&](unsigned device, std::vector<std::string> fields) {
    wire::Reading reading;
    for (const std::string& field : fields) reading.fields.push_back({field, true, {}});
    const auto body = encode_readings("s", {reading}, world_.now());
    return world_.store->admit(device_of(device), *body);
  };
  EXPECT_TRUE(admit(1, {"a", "b", "c"}));
  EXPECT_TRUE(admit(1, {"c", "a"})) << "known ones";
  const auto refused = admit(1, {"d"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::quota_exceeded);
  EXPECT_NE(refused.error().message.find('3'), std::string::npos);
  EXPECT_TRUE(admit(2, {"a", "b"}));
  const auto full = admit(3, {"a"});
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Code::quota_exceeded);
  EXPECT_EQ(world_.store->series_count(), 5U);
  EXPECT_EQ(admit(1, {}).has_value(), true);
}

TEST_F(StoreTest, PointsOlderThanTheirRetentionAreDropped) {
  ASSERT_TRUE(
      world_.store->set_retention({{.id = 0, .name = "month", .keep = days(30), .bytes_max = {}}}));
  ASSERT_TRUE(world_.append(device_, "s",
                            {reading_of({{"a", 1.0}}, world_.now() - days(31)),
                             reading_of({{"a", 2.0}}, world_.now() - days(29))}));
  EXPECT_EQ(numbers("s.a"), std::vector<double>{2.0});
}

TEST_F(StoreTest, RetentionRemovesWholeDaysByAgeAndSaysSoBefore) {
  const std::vector<RetentionClass> classes = {
      {.id = 0, .name = "short", .keep = days(2), .bytes_max = {}},
      {.id = 1, .name = "long", .keep = {}, .bytes_max = {}}};
  ASSERT_TRUE(world_.store->set_retention(classes));
  for (int day = 0; day < 4; ++day) {
    ASSERT_TRUE(world_.append(device_, "s", {reading_of({{"a", static_cast<double>(day)}})}));
    ASSERT_TRUE(world_.append(device_, "l", {reading_of({{"a", static_cast<double>(day)}})}, 1));
    ASSERT_TRUE(world_.journal->roll());
    world_.world.jump_wall(days(1));
  }
  const auto preview = world_.store->retention_preview(world_.now());
  ASSERT_TRUE(preview);
  ASSERT_EQ(preview->size(), 2U);
  EXPECT_EQ((*preview)[0].class_name, "short");
  EXPECT_EQ((*preview)[0].reason, "age");
  EXPECT_LT((*preview)[0].day, (*preview)[1].day);
  EXPECT_EQ(world_.store->retention_preview(world_.now() + days(1))->size(), 3U);
  EXPECT_EQ(numbers("s.a").size(), 4U) << "a preview removes nothing";

  const auto applied = world_.store->retention_apply(world_.now());
  ASSERT_TRUE(applied);
  EXPECT_EQ(applied->size(), 2U);
  EXPECT_EQ(numbers("s.a"), (std::vector<double>{2, 3}));
  EXPECT_EQ(numbers("l.a").size(), 4U);
  EXPECT_EQ(world_.files().size(), 6U);
  ASSERT_TRUE(world_.restart());
  EXPECT_EQ(numbers("s.a"), (std::vector<double>{2, 3}));
}

TEST_F(StoreTest, RetentionByBytesTakesTheOldestDays) {
  for (int day = 0; day < 4; ++day) {
    ASSERT_TRUE(world_.append(device_, "s", {reading_of({{"a", static_cast<double>(day)}})}));
    ASSERT_TRUE(world_.journal->roll());
    world_.world.jump_wall(days(1));
  }
  const std::uint64_t bytes = world_.node().system().files.stat(world_.files().front())->size;
  ASSERT_TRUE(world_.store->set_retention(
      {{.id = 0, .name = "small", .keep = {}, .bytes_max = bytes * 5 / 2}}));
  const auto applied = world_.store->retention_apply(world_.now());
  ASSERT_TRUE(applied);
  ASSERT_EQ(applied->size(), 2U);
  EXPECT_EQ((*applied)[0].reason, "bytes");
  EXPECT_EQ(numbers("s.a"), (std::vector<double>{2, 3}));
  // An empty day's folder goes too.
  EXPECT_EQ(world_.node().system().files.list("/data/series")->size(), 2U);
}

TEST_F(StoreTest, RetentionIsRefusedWhereItMakesNoSense) {
  EXPECT_FALSE(world_.store->set_retention({{.id = 0, .name = "a", .keep = {}, .bytes_max = {}},
                                            {.id = 0, .name = "b", .keep = {}, .bytes_max = {}}}));
  EXPECT_FALSE(
      world_.store->set_retention({{.id = 0, .name = "a", .keep = Duration{0}, .bytes_max = {}}}));
}

TEST_F(StoreTest, FilesAreMergedAndReadersAreNotDisturbed) {
  for (int i = 0; i < 9; ++i) {
    ASSERT_TRUE(world_.append(device_, "s", {reading_of({{"a", static_cast<double>(i)}})}));
    ASSERT_TRUE(world_.journal->roll());
  }
  world_.settle();
  EXPECT_LT(world_.files().size(), 9U);
  const VersionPtr held = world_.store->version();
  world_.world.jump_wall(days(2));
  ASSERT_TRUE(world_.store->maintain());
  EXPECT_EQ(world_.store->version()->days.begin()->second.size(), 1U);
  EXPECT_EQ(numbers("s.a").size(), 9U);
  for (const FilePtr& file : held->days.begin()->second)
    EXPECT_TRUE(file->footer()) << "still there for who reads it";
}

TEST_F(StoreTest, DamagedFilesAreLeftOutAndSaidSo) {
  ASSERT_TRUE(world_.append(device_, "s", {reading_of({{"a", 1.0}})}));
  ASSERT_TRUE(world_.journal->roll());
  world_.world.jump_wall(days(1));
  ASSERT_TRUE(world_.append(device_, "s", {reading_of({{"a", 2.0}})}));
  ASSERT_TRUE(world_.journal->roll());
  // In a block: found when it is read.
  const auto files = world_.files();
  ASSERT_TRUE(world_.node().disk().flip_bit(files[0], 80));
  EXPECT_EQ(numbers("s.a"), std::vector<double>{2.0});
  EXPECT_TRUE(world_.partial);
  // In the header: found at start.
  ASSERT_TRUE(world_.node().disk().flip_bit(files[0], 9));
  ASSERT_TRUE(world_.restart());
  EXPECT_EQ(world_.alarms.size(), 1U);
  EXPECT_EQ(numbers("s.a"), std::vector<double>{2.0});
  EXPECT_TRUE(world_.partial);
  EXPECT_EQ(world_.files(), files) << "left where it is";
}

// The first file of three cannot be read when the server starts.
TEST_F(StoreTest, AReadErrorAtTheStartHidesAFileForAMomentOnly) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(world_.append(device_, "s", {reading_of({{"a" + std::to_string(i), 1.0}})}));
    ASSERT_TRUE(world_.journal->roll());
  }
  ASSERT_TRUE(world_.node().up());
  world_.node().crash();
  world_.stop();
  world_.node().restart();
  // Which read it is depends on how the journal starts: the one that leaves a file unread.
  bool met = false;
  for (std::uint64_t read = 1; read < 60 && !met; ++read) {
    world_.node().disk().fail_read_at(world_.node().disk().reads() + read);
    const Status started = world_.start();
    met = started && world_.store->version()->unread.size() == 1;
    if (!met) {
      world_.node().disk().plan_no_faults();
      world_.node().crash();
      world_.stop();
      world_.node().restart();
    }
  }
  ASSERT_TRUE(met);
  EXPECT_EQ(world_.alarms.size(), 1U);
  const auto known = world_.store->metrics(device_);  // looks again, and so do queries
  ASSERT_TRUE(known);
  EXPECT_EQ(known->size(), 3U);
  for (const char* metric : {"s.a0", "s.a1", "s.a2"}) {
    EXPECT_EQ(numbers(metric), std::vector<double>{1.0}) << metric;
    EXPECT_FALSE(world_.partial) << metric;
  }
}

// It would take the place of the one that is left out, and remove it at the next start.
TEST_F(StoreTest, AMergeDoesNotReachOverAFileThatIsLeftOut) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(world_.append(device_, "s", {reading_of({{"a", static_cast<double>(i)}})}));
    ASSERT_TRUE(world_.journal->roll());
  }
  const auto files = world_.files();
  ASSERT_EQ(files.size(), 3U);
  ASSERT_TRUE(world_.node().disk().flip_bit(files[1], 9));
  ASSERT_TRUE(world_.restart());
  ASSERT_EQ(world_.store->version()->damaged.size(), 1U);
  world_.world.jump_wall(days(2));
  ASSERT_TRUE(world_.store->maintain());
  EXPECT_EQ(world_.files(), files);
  ASSERT_TRUE(world_.node().disk().flip_bit(files[1], 9));  // mended
  ASSERT_TRUE(world_.restart());
  EXPECT_EQ(numbers("s.a"), (std::vector<double>{0, 1, 2}));
}

TEST_F(StoreTest, DamagedInputsAreNotMergedAway) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(world_.append(device_, "s", {reading_of({{"a", static_cast<double>(i)}})}));
    ASSERT_TRUE(world_.journal->roll());
  }
  ASSERT_TRUE(world_.node().disk().flip_bit(world_.files()[1], 80));
  world_.world.jump_wall(days(2));
  ASSERT_TRUE(world_.store->maintain());
  EXPECT_EQ(world_.alarms.size(), 1U);
  EXPECT_EQ(world_.files().size(), 3U);
  ASSERT_TRUE(world_.store->maintain());
  EXPECT_EQ(world_.alarms.size(), 1U) << "not tried again and again";
}

TEST_F(StoreTest, ErasingASubjectErasesItEverywhere) {
  const Ulid person = device_of(500);
  const Ulid other = device_of(2);
  const std::string secret = "MARKER-of-a-person";
  ASSERT_TRUE(world_.append(device_, "s", {reading_of({{"a", 1.0}})}));
  ASSERT_TRUE(
      world_.append(device_, "heart", {reading_of({{"rate", 60.0}, {"note", secret}})}, 0, person));
  ASSERT_TRUE(world_.append(other, "heart", {reading_of({{"rate", 61.0}})}, 0, person));
  ASSERT_TRUE(world_.journal->roll());
  ASSERT_TRUE(world_.append(device_, "heart", {reading_of({{"rate", 62.0}})}, 0,
                            person));  // still in the journal

  const auto preview = world_.store->erase_preview(person);
  ASSERT_TRUE(preview);
  EXPECT_EQ(preview->devices, 2U);
  EXPECT_EQ(preview->metrics, 3U);
  EXPECT_EQ(preview->points, 3U);
  const auto receipt = world_.store->erase(person);
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->points, 4U) << "what was in the journal as well";
  everywhere([&] {
    EXPECT_TRUE(world_.points(device_, "heart.rate").empty());
    EXPECT_TRUE(world_.points(other, "heart.rate").empty());
    EXPECT_EQ(numbers("s.a"), std::vector<double>{1.0});
    EXPECT_EQ(world_.store->metrics(device_)->size(), 1U);
    EXPECT_EQ(world_.store->erase_preview(person)->points, 0U);
  });
  EXPECT_TRUE(world_.keys.find(subject_purpose(person)).empty());
  // Merging leaves the dead bytes behind.
  world_.world.jump_wall(days(2));
  ASSERT_TRUE(world_.store->maintain());
  const auto files = world_.store->version()->days.begin()->second;
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(files[0]->units(), 1U);
}

TEST_F(StoreTest, AnErasedDeviceMayReportAgain) {
  ASSERT_TRUE(world_.append(device_, "s", {reading_of({{"a", 1.0}})}));
  ASSERT_TRUE(world_.store->erase(device_));
  EXPECT_TRUE(world_.store->metrics(device_)->empty());
  ASSERT_TRUE(world_.append(device_, "s", {reading_of({{"a", 2.0}})}));
  everywhere([&] { EXPECT_EQ(numbers("s.a"), std::vector<double>{2.0}); });
}

TEST_F(StoreTest, NothingReportedIsReadableOnDisk) {
  const std::string secret = "a-very-secret-value-that-repeats";
  std::vector<wire::Reading> readings;
  for (int i = 0; i < 100; ++i)
    readings.push_back(reading_of({{"secretfield", secret}, {"n", static_cast<double>(i)}}));
  ASSERT_TRUE(world_.append(device_, "secretstream", readings));
  ASSERT_TRUE(world_.journal->roll());
  ASSERT_EQ(world_.files().size(), 1U);
  const auto bytes = os::read_file(world_.node().system().files, world_.files()[0], 1 << 20);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(text_of(*bytes).find("secret"), std::string_view::npos);
}

}  // namespace
}  // namespace holdfast::series
