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
    if (random.chance(20)) event.fields["net"] = "10.0.0." + std::to_string(random.below(9));
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
    // As it was stored.
    Query newest;
    newest.limit = 1;
    kept.time = world.ask(newest).items.at(0).time;
    all.push_back(kept);
    return true;
  }

  std::string random_text() {
    const std::vector<std::string> parts = {"word3",
                                            "WORD1 number",
                                            "value2",
                                            "name:value2",
                                            "x:42",
                                            "x>=50",
                                            "x<20",
                                            "word1*",
                                            "*alue*",
                                            "absent",
                                            "kind:flow",
                                            "10.0.0.0/30",
                                            "severity>=warning",
                                            "net:10.0.0.0/8",
                                            "\"number 1\"",
                                            "device:server",
                                            "x:*",
                                            "42"};
    const auto part = [&] {
      return (random.chance(20) ? "NOT " : "") + parts[random.below(parts.size())];
    };
    switch (random.below(5)) {
      case 0:
        return "";
      case 1:
        return part() + " " + part();
      case 2:
        return "(" + part() + " OR " + part() + ") " + part();
      default:
        return part();
    }
  }
  Query random_query() {
    Query query = World::query(random_text());
    if (random.chance(30)) query.device = device_of(static_cast<unsigned>(random.below(5)));
    if (random.chance(20))
      query.device_filter = [](const Ulid& device) { return device[15] % 2 == 0; };
    if (random.chance(20))
      query.from = world.now() - seconds(static_cast<int>(random.below(90'000)));
    if (random.chance(20)) query.to = world.now() - seconds(static_cast<int>(random.below(90'000)));
    query.limit = 1 + random.below(30);
    return query;
  }

  // Counts of all kinds, against the list.
  void check_tally(const Query& query, const std::string& what) {
    static const std::vector<std::string> by{"", "severity", "kind", "device", "x", "name"};
    TallyQuery counted;
    counted.of = query;
    counted.by = by[random.below(by.size())];
    if (random.chance(50)) counted.step = random.chance(50) ? minutes(60) : seconds(1000);
    std::map<std::pair<std::int64_t, std::string>, std::uint64_t> want, got;
    std::uint64_t total = 0, without = 0;
    for (const Event& event : all) {
      if (!Events::matches(query, event)) continue;
      ++total;
      const std::int64_t start =
          counted.step ? event.time.us / counted.step->us * counted.step->us : 0;
      std::string value;
      if (counted.by == "severity") value = wire::name_of(event.severity);
      if (counted.by == "kind") value = event.kind;
      if (counted.by == "device")
        value = event.device == Ulid{} ? "server" : DeviceId{event.device}.text();
      if (counted.by == "x" || counted.by == "name") {
        const auto at = event.fields.find(counted.by);
        without += at == event.fields.end() ? 1 : 0;
        if (at == event.fields.end()) continue;
        const auto* text = std::get_if<std::string>(&at->second);
        value = text != nullptr ? *text : wire::value_text(at->second);
      }
      ++want[{start, value}];
    }
    const auto answer = world.store->tally(counted);
    ASSERT_TRUE(answer);
    for (const TallyRow& row : answer->rows) got[{row.start.us, row.value}] = row.count;
    EXPECT_EQ(got, want) << what << " by " << counted.by << " of " << query::to_text(query.filter);
    EXPECT_EQ(answer->total, total);
    EXPECT_EQ(answer->without, without);
    EXPECT_FALSE(answer->partial);
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
    EXPECT_EQ(got, want) << what << " query " << query::to_text(query.filter);
    const auto explained = world.store->explain(query);
    ASSERT_TRUE(explained);
    EXPECT_GE(explained->events_left, want.size());
    EXPECT_EQ(explained->events, all.size());
    check_tally(query, what);
  }
};

TEST(StoreProperty, AgreesWithAPlainListOnRandomLives) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
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
