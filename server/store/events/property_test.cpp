// The store against a plain list, on random lives; and at every single disk operation.
#include <gtest/gtest.h>

#include <cstdio>

#include "server/store/events/fixture_test.hpp"

namespace holdfast::events {
namespace {

struct Life {
  World world;
  os::sim::Random random;
  std::vector<Event> all;  // acknowledged ones, without id and received; oldest first
  explicit Life(std::uint64_t seed) : world(seed), random(seed, "life") {}

  bool report() {
    NewEvent event;
    event.kind = random.chance(50) ? "log" : "flow";
    event.severity = static_cast<Severity>(random.below(6));
    event.message =
        "word" + std::to_string(random.below(20)) + " Number " + std::to_string(all.size());
    if (random.chance(50)) event.fields["x"] = static_cast<std::int64_t>(random.below(100));
    if (random.chance(30)) event.fields["name"] = "Value" + std::to_string(random.below(5));
    if (random.chance(40))
      event.device_time = world.now() - seconds(static_cast<int>(random.below(100'000)));
    Event kept;
    kept.kind = event.kind;
    kept.severity = event.severity;
    kept.message = event.message;
    kept.fields = event.fields;
    kept.device = device_of(static_cast<unsigned>(random.below(4)));
    if (!world.append(kept.device, event)) return false;
    kept.time = event.device_time.value_or(WallTime{});
    all.push_back(kept);
    return true;
  }

  Query random_query() {
    Query query;
    if (random.chance(30)) query.device = device_of(static_cast<unsigned>(random.below(5)));
    if (random.chance(30)) query.kinds = {"flow"};
    if (random.chance(30)) query.severity_min = static_cast<Severity>(random.below(6));
    if (random.chance(20))
      query.device_filter = [](const Ulid& device) { return device[15] % 2 == 0; };
    const std::vector<std::string> texts = {"word3", "WORD1 number", "value2",  "42",
                                            "x",     "absent",       "number 1"};
    if (random.chance(60)) query.text = texts[random.below(texts.size())];
    query.limit = 1 + random.below(30);
    return query;
  }

  // All pages of a query, against the list.
  void check(Query query, const std::string& what) {
    std::vector<std::string> want;
    for (auto event = all.rbegin(); event != all.rend(); ++event) {
      if (Events::matches(query, *event)) want.push_back(event->message);
    }
    std::vector<std::string> got;
    for (int page = 0; page < 1000; ++page) {
      const Answer answer = world.ask(query);
      EXPECT_LE(answer.items.size(), query.limit);
      for (const Event& event : answer.items) got.push_back(event.message);
      query.cursor = answer.next_cursor;
      if (query.cursor.empty()) break;
    }
    EXPECT_EQ(got, want) << what << " text \"" << query.text << "\"";
  }
};

TEST(StoreProperty, AgreesWithAPlainListOnRandomLives) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Life life(seed);
    ASSERT_TRUE(life.world.start());
    for (int step = 0; step < 150; ++step) {
      const std::uint64_t what = life.random.below(100);
      if (what < 85) {
        ASSERT_TRUE(life.report());
      } else if (what < 93) {
        ASSERT_TRUE(life.world.journal->roll());
      } else if (what < 96) {
        ASSERT_TRUE(life.world.store->maintain());
      } else if (what < 98) {
        life.world.world.jump_wall(hours(static_cast<int>(life.random.below(20))));
      } else {
        ASSERT_TRUE(life.world.restart());
      }
      if (step % 30 != 29) continue;
      for (int i = 0; i < 8; ++i)
        life.check(life.random_query(),
                   "seed " + std::to_string(seed) + " step " + std::to_string(step));
      if (HasFailure()) return;
    }
  }
}

void play(Life& life) {
  World& world = life.world;
  if (!world.start()) return;
  for (int round = 0; round < 10 && world.node().up(); ++round) {
    for (int i = 0; i < 2 && world.node().up(); ++i) life.report();
    if (world.node().up()) static_cast<void>(world.journal->roll());
    if (world.node().up()) world.settle();
  }
  if (world.node().up()) static_cast<void>(world.store->maintain());
  if (world.node().up()) static_cast<void>(world.store->erase(device_of(77)));  // of nobody
  if (world.node().up()) life.report();
}

// What was acknowledged is there once, in order; the one that was not may be.
void check_after_fault(Life& life, const std::string& what) {
  Query all;
  all.limit = 1000;
  const Answer answer = life.world.ask(all);
  EXPECT_FALSE(answer.partial) << what
                               << (life.world.alarms.empty() ? "" : life.world.alarms.back());
  std::vector<std::string> got;
  for (auto event = answer.items.rbegin(); event != answer.items.rend(); ++event)
    got.push_back(event->message);
  std::size_t at = 0;
  std::size_t extra = 0;
  for (const std::string& message : got) {
    if (at < life.all.size() && life.all[at].message == message) {
      ++at;
    } else {
      ++extra;
    }
  }
  EXPECT_EQ(at, life.all.size()) << what << ": lost";
  EXPECT_LE(extra, 1U) << what << ": doubled";
}

TEST(EveryCut, OfSealingAndMergingLosesAndDoublesNothing) {
  unsigned cuts = 0;
  for (std::uint64_t at = 1;; ++at) {
    Life life(5);
    life.world.node().disk().crash_at(at);
    play(life);
    if (life.world.node().up()) break;
    ++cuts;
    ASSERT_TRUE(life.world.restart()) << "cut at " << at;
    check_after_fault(life, "cut at " + std::to_string(at));
    life.world.settle();
    ASSERT_TRUE(life.world.restart());
    check_after_fault(life, "second life after cut at " + std::to_string(at));
    life.world.settle();
    EXPECT_EQ(life.world.keys.count("events:"), life.world.store->files().size()) << at;
    if (HasFailure()) return;
  }
  EXPECT_GT(cuts, 150U);
  std::printf("events: %u power cuts\n", cuts);
}

TEST(EveryCut, ErrorsLoseAndDoubleNothing) {
  unsigned faults = 0;
  for (std::uint64_t at = 1;; ++at) {
    Life life(5);
    life.world.node().disk().fail_at(at, at % 2 == 0 ? Code::io_error : Code::disk_full);
    play(life);
    if (life.world.node().disk().operations() < at) break;
    ++faults;
    ASSERT_TRUE(life.world.restart()) << "fault at " << at;
    // A commit that failed was answered so, and its record may have failed with it.
    check_after_fault(life, "fault at " + std::to_string(at));
    if (HasFailure()) return;
  }
  EXPECT_GT(faults, 150U);
  std::printf("events: %u disk errors\n", faults);
}

}  // namespace
}  // namespace holdfast::events
