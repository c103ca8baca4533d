#include "server/store/journal/journal.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "server/store/journal/fixture_test.hpp"
#include "server/store/journal/live.hpp"

namespace holdfast::journal {
namespace {

class JournalTest : public testing::Test {
 protected:
  Machine machine_{1};
  void SetUp() override { ASSERT_TRUE(machine_.start()); }
  Journal& journal() { return *machine_.journal; }

  void append_all(int count, const std::string& prefix = "r") {
    for (int i = 0; i < count; ++i)
      ASSERT_TRUE(machine_.append_and_wait(prefix + std::to_string(i)));
  }
  std::vector<std::string> bodies_of(const Page& page, Cursor from) {
    std::vector<std::string> out;
    for (const BatchPtr& batch : page.batches) {
      EXPECT_TRUE(batch->for_each([&](const Stored& record) {
        if (record.at >= from) out.push_back(string_of(record.body));
        return true;
      }));
    }
    return out;
  }
  // Follows from the cursor to the end, as a durable follower does.
  std::vector<std::string> follow_to_end(Cursor& from, std::size_t bytes_max = 300) {
    std::vector<std::string> out;
    for (int round = 0; round < 10'000; ++round) {
      const auto page = journal().read(from, bytes_max);
      EXPECT_TRUE(page);
      EXPECT_FALSE(page->lost);
      const auto bodies = bodies_of(*page, from);
      out.insert(out.end(), bodies.begin(), bodies.end());
      if (page->next == from) break;
      from = page->next;
    }
    return out;
  }
};

TEST_F(JournalTest, AcknowledgesWhatIsOnDisk) {
  const std::uint64_t operations = machine_.disk().operations();
  ASSERT_TRUE(machine_.append("hello"));
  EXPECT_TRUE(machine_.acknowledged.empty());
  machine_.settle();
  EXPECT_EQ(machine_.acknowledged, std::vector<std::string>{"hello"});
  EXPECT_GE(machine_.disk().operations(), operations + 2) << "a write and a sync";
  EXPECT_EQ(machine_.consumer->served().at("hello"), 1);
}

TEST_F(JournalTest, ManyShareOneSync) {
  machine_.options.fill_bytes = 64 * 1024;
  const std::uint64_t operations = machine_.disk().operations();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(machine_.append("r" + std::to_string(i)));
  machine_.settle();
  EXPECT_EQ(machine_.acknowledged.size(), 20U);
  EXPECT_LE(machine_.disk().operations(), operations + 4);
}

TEST_F(JournalTest, AnswersOnTheCallersLoop) {
  Record record;
  const auto loop = machine_.node().system().threads.start_loop("caller");
  bool called = false;
  ASSERT_TRUE(journal().append(record, loop.get(),
                               [&](const Status& status) { called = status.has_value(); }));
  EXPECT_TRUE(machine_.world.run_until([&] { return called; }, seconds(1)));
}

TEST_F(JournalTest, ConsumersSeeARecordBeforeItsAcknowledgement) {
  Record record;
  const std::string body = "first";
  record.body = view_of(body);
  bool seen = false;
  ASSERT_TRUE(journal().append(record, nullptr, [&](const Status&) {
    seen = machine_.consumer->served().contains("first");
  }));
  machine_.settle();
  EXPECT_TRUE(seen);
}

TEST_F(JournalTest, RefusesWhatIsTooLarge) {
  const Bytes body(kBodyBytesMax + 1);
  Record record;
  record.body = body;
  EXPECT_EQ(journal().append(record, nullptr, {}).error().code, Code::invalid_argument);
  record.body = {};
  record.ticks = 0;
  EXPECT_EQ(journal().append(record, nullptr, {}).error().code, Code::invalid_argument);
}

TEST_F(JournalTest, AFullQueueIsOverloadNotGrowth) {
  machine_.stop();
  machine_.options.queue_bytes_max = 4096;
  ASSERT_TRUE(machine_.start());
  const std::string body(500, 'x');
  int taken = 0;
  Status status;
  while ((status = machine_.append(body))) ++taken;
  EXPECT_EQ(status.error().code, Code::overloaded);
  EXPECT_EQ(taken, 7);
  machine_.settle();
  EXPECT_EQ(machine_.acknowledged.size(), 7U);
  EXPECT_TRUE(machine_.append(body)) << "there is room again";
}

TEST_F(JournalTest, ServerTimesRiseStrictly) {
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(machine_.append("r", {}, i % 5 == 0 ? 100 : 1));
  machine_.settle();
  machine_.world.jump_wall(seconds(-30));  // a correction
  ASSERT_TRUE(machine_.append_and_wait("later"));
  const auto& times = machine_.consumer->times();
  for (std::size_t i = 1; i < times.size(); ++i) {
    const std::int64_t ticks = (i - 1) < 50 && (i - 1) % 5 == 0 ? 100 : 1;
    EXPECT_GE(times[i].us, times[i - 1].us + ticks) << i;
  }
}

TEST_F(JournalTest, AfterALargeStepBackTheClockIsBelieved) {
  ASSERT_TRUE(machine_.append_and_wait("from the future"));
  machine_.world.jump_wall(days(-1000));
  ASSERT_TRUE(machine_.append_and_wait("now"));
  const auto& times = machine_.consumer->times();
  EXPECT_LT(times.back(), times.front() - days(999));
}

TEST_F(JournalTest, ABarrierComesAfterWhatWasAppended) {
  ASSERT_TRUE(machine_.append("before"));
  std::size_t acknowledged = 0;
  ASSERT_TRUE(journal().barrier(
      nullptr, [&](const Status&) { acknowledged = machine_.acknowledged.size(); }));
  machine_.settle();
  EXPECT_EQ(acknowledged, 1U);
}

TEST_F(JournalTest, AResendIsStoredOnce) {
  const Delivery first{.session = 9, .packet = 1, .hash = 55};
  Delivery again = first;
  again.dup = true;
  ASSERT_TRUE(machine_.append("m", first));
  ASSERT_TRUE(machine_.append("m", again));  // while the first is under way
  machine_.settle();
  ASSERT_TRUE(machine_.append_and_wait("m", again));  // after it
  EXPECT_EQ(machine_.acknowledged.size(), 3U);
  EXPECT_EQ(machine_.consumer->served().at("m"), 1);
  EXPECT_TRUE(journal().seen(again));
}

TEST_F(JournalTest, WithoutDupOrWithAnotherPayloadItIsNew) {
  ASSERT_TRUE(machine_.append_and_wait("m", {.session = 9, .packet = 1, .hash = 55}));
  ASSERT_TRUE(machine_.append_and_wait("m", {.session = 9, .packet = 1, .hash = 55}));
  ASSERT_TRUE(machine_.append_and_wait("m", {.session = 9, .packet = 1, .hash = 56, .dup = true}));
  ASSERT_TRUE(machine_.append_and_wait("m", {.session = 8, .packet = 1, .hash = 55, .dup = true}));
  EXPECT_EQ(machine_.consumer->served().at("m"), 4);
}

TEST_F(JournalTest, AForgottenSessionHasNoResends) {
  ASSERT_TRUE(machine_.append_and_wait("m", {.session = 9, .packet = 1, .hash = 55}));
  journal().forget(9);
  EXPECT_FALSE(journal().seen({.session = 9, .packet = 1, .hash = 55}));
}

TEST_F(JournalTest, ResendsAreKnownAfterRestartAndSealing) {
  const Delivery early{.session = 9, .packet = 1, .hash = 55, .dup = true};
  const Delivery late{.session = 9, .packet = 2, .hash = 56, .dup = true};
  ASSERT_TRUE(machine_.append_and_wait("early", early));
  ASSERT_TRUE(journal().roll());
  ASSERT_TRUE(machine_.append_and_wait("late", late));
  ASSERT_TRUE(machine_.restart());
  EXPECT_TRUE(machine_.journal->seen(early));
  EXPECT_TRUE(machine_.journal->seen(late));
  ASSERT_TRUE(machine_.append_and_wait("early", early));
  ASSERT_TRUE(machine_.append_and_wait("late", late));
  EXPECT_EQ(machine_.consumer->served(), (std::map<std::string, int>{{"early", 1}, {"late", 1}}));
}

TEST_F(JournalTest, SegmentsRollAndAreSealed) {
  append_all(200);
  machine_.settle();
  EXPECT_GT(journal().state().end.segment, 2U);
  EXPECT_EQ(machine_.with_suffix(".hfj"), 1U) << "only the open one is left";
  EXPECT_EQ(machine_.with_suffix(".done"), 0U);
  EXPECT_EQ(machine_.consumer->served().size(), 200U);
  // The keys of sealed segments are gone: one for the open segment, none of their windows.
  EXPECT_EQ(machine_.keys.count("journal"), 1U);
}

TEST_F(JournalTest, AnOldSegmentRollsByAge) {
  append_all(1);
  const SegmentId before = journal().state().end.segment;
  ASSERT_TRUE(journal().roll_old());
  EXPECT_EQ(journal().state().end.segment, before);
  machine_.world.run_for(hours(2));
  ASSERT_TRUE(journal().roll_old());
  EXPECT_EQ(journal().state().end.segment, before + 1);
  ASSERT_TRUE(journal().roll_old()) << "an empty one does not roll";
  EXPECT_EQ(journal().state().end.segment, before + 1);
}

TEST_F(JournalTest, ASealThatFailsIsTriedAgain) {
  machine_.consumer->fail_seals = 1;
  append_all(3);
  EXPECT_FALSE(journal().roll());
  EXPECT_EQ(machine_.alarms.size(), 1U);
  EXPECT_EQ(machine_.with_suffix(".hfj"), 2U);
  ASSERT_TRUE(journal().roll());
  EXPECT_EQ(machine_.with_suffix(".hfj"), 1U);
  EXPECT_EQ(machine_.consumer->served().size(), 3U);
}

TEST_F(JournalTest, ReadsByCursorFromMemoryAndFromDisk) {
  machine_.stop();
  machine_.options.recent_bytes_max = 200;  // nearly all from disk
  machine_.options.segment_bytes = 64 * 1024;
  ASSERT_TRUE(machine_.start());
  append_all(100);
  Cursor from;
  const auto all = follow_to_end(from);
  ASSERT_EQ(all.size(), 100U);
  EXPECT_EQ(all.front(), "r0");
  EXPECT_EQ(all.back(), "r99");
  append_all(3, "s");
  EXPECT_EQ(follow_to_end(from), (std::vector<std::string>{"s0", "s1", "s2"}));
  EXPECT_TRUE(follow_to_end(from).empty());
}

TEST_F(JournalTest, ACursorSurvivesARestart) {
  append_all(4);
  Cursor from;
  ASSERT_EQ(follow_to_end(from).size(), 4U);
  append_all(1, "unread");
  ASSERT_TRUE(machine_.restart());
  // What was unread may be sealed by now; before that, it is read.
  const auto page = journal().read(from, 1000);
  ASSERT_TRUE(page);
  if (!page->lost) {
    EXPECT_EQ(bodies_of(*page, from), std::vector<std::string>{"unread0"});
  }
  machine_.settle();
  append_all(1, "new");
  const auto later = journal().read(from, 1000);
  ASSERT_TRUE(later);
  EXPECT_TRUE(later->lost) << "its segment is sealed: the follower is told";
  EXPECT_EQ(bodies_of(*later, {}), std::vector<std::string>{"new0"});
}

TEST_F(JournalTest, AFollowerThatKeptUpLosesNothingWhenSegmentsAreSealed) {
  Cursor from;
  std::size_t read = 0;
  for (int round = 0; round < 20; ++round) {
    append_all(5, "round" + std::to_string(round) + "-");
    read += follow_to_end(from).size();
    ASSERT_TRUE(journal().roll());
  }
  EXPECT_EQ(read, 100U);
}

TEST_F(JournalTest, AFollowerGetsBatchesOnItsLoop) {
  std::vector<std::string> got;
  auto follower =
      journal().follow(machine_.node().loop(), 1 << 20,
                       [&](const std::vector<BatchPtr>& batches, std::uint64_t dropped) {
                         EXPECT_EQ(dropped, 0U);
                         for (const BatchPtr& batch : batches) {
                           EXPECT_TRUE(batch->for_each([&](const Stored& record) {
                             got.push_back(string_of(record.body));
                             return true;
                           }));
                         }
                       });
  append_all(3);
  machine_.settle();
  EXPECT_EQ(got, (std::vector<std::string>{"r0", "r1", "r2"}));
  follower.reset();
  append_all(1, "unheard");
  machine_.settle();
  EXPECT_EQ(got.size(), 3U);
}

TEST_F(JournalTest, ASlowFollowerIsToldWhatItMissed) {
  Live live(1 << 20, machine_.metrics.counter("dropped", "for the test"));
  std::vector<Cursor> got;
  std::uint64_t dropped = 0;
  const auto follower = live.follow(machine_.node().loop(), 100,
                                    [&](const std::vector<BatchPtr>& batches, std::uint64_t n) {
                                      for (const BatchPtr& batch : batches)
                                        got.push_back(batch->first);
                                      dropped += n;
                                    });
  for (std::uint32_t i = 0; i < 10; ++i)
    live.publish(std::make_shared<Batch>(Batch{{1, i}, 1, Bytes(40)}));
  machine_.settle();
  EXPECT_EQ(got.size(), 2U);
  EXPECT_EQ(dropped, 8U);
  EXPECT_EQ(machine_.metrics.counter("dropped", "for the test").value(), 8U);
  EXPECT_EQ(live.recent(got.back(), 1 << 20)->size(), 9U) << "the rest can be read";
}

TEST_F(JournalTest, AFreshFolderHasOneSegmentAndHeadroom) {
  EXPECT_EQ(machine_.folder(), (std::vector<std::string>{"0000000000000001.hfj", "headroom"}));
  EXPECT_EQ(machine_.node().system().files.stat("/data/journal/headroom")->size, 8192U);
}

TEST_F(JournalTest, InMemoryItAcknowledgesBeforeTheSync) {
  machine_.stop();
  machine_.options.durability = Durability::memory;
  ASSERT_TRUE(machine_.start());
  Record record;
  const std::string body = "quick";
  record.body = view_of(body);
  std::uint64_t operations = machine_.disk().operations();
  ASSERT_TRUE(journal().append(record, nullptr, [&](const Status&) {
    operations = machine_.disk().operations() - operations;
  }));
  machine_.settle();
  EXPECT_EQ(operations, 1U) << "a write";
  ASSERT_TRUE(machine_.restart());
  EXPECT_EQ(machine_.consumer->served().at("quick"), 1) << "the sync came after it";
}

// A start that cannot read what it has to is no start; the next one finds everything.
TEST_F(JournalTest, AReadErrorAtTheStartLosesNothing) {
  append_all(20);
  ASSERT_TRUE(machine_.restart());
  append_all(5, "more");
  unsigned refused = 0;
  for (std::uint64_t read = 1; read < 40; ++read) {
    machine_.node().crash();
    machine_.stop();
    machine_.node().restart();
    machine_.disk().fail_read_at(machine_.disk().reads() + read);
    refused += machine_.start() ? 0 : 1;
    machine_.disk().plan_no_faults();
    ASSERT_TRUE(machine_.restart()) << "read " << read;
    const auto served = machine_.consumer->served();
    for (const std::string& body : machine_.acknowledged) {
      ASSERT_EQ(served.count(body), 1U) << body << " after read " << read << " failed";
    }
  }
  EXPECT_GE(refused, 2U);
}

TEST_F(JournalTest, KeysThatNoFileNamesAreDestroyedAtStart) {
  ASSERT_TRUE(machine_.append_and_wait("m", {.session = 9, .packet = 1, .hash = 55}));
  ASSERT_TRUE(journal().roll());
  const auto orphan = machine_.keys.create("journal");
  const auto other = machine_.keys.create("series:x");
  ASSERT_TRUE(machine_.restart());
  EXPECT_FALSE(machine_.keys.get(orphan->id));
  EXPECT_TRUE(machine_.keys.get(other->id));
  EXPECT_TRUE(journal().seen({.session = 9, .packet = 1, .hash = 55})) << "the windows' key stays";
  ASSERT_TRUE(machine_.restart());
  EXPECT_TRUE(journal().seen({.session = 9, .packet = 1, .hash = 55}));
}

TEST_F(JournalTest, NothingReportedIsReadableOnDisk) {
  const std::string secret = "a very secret reading";
  ASSERT_TRUE(machine_.append_and_wait(secret));
  for (const std::string& name : machine_.folder()) {
    const auto bytes =
        os::read_file(machine_.node().system().files, "/data/journal/" + name, 1 << 20);
    ASSERT_TRUE(bytes);
    EXPECT_EQ(text_of(*bytes).find("secret"), std::string_view::npos) << name;
  }
}

}  // namespace
}  // namespace holdfast::journal
