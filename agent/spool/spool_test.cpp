#include "agent/spool/spool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "libs/os/sim/simulation.hpp"

namespace holdfast::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

SpoolRecord reading(int n, std::size_t padding = 0) {
  return {SpoolClass::reading,
          "telemetry/x",
          "{\"n\":" + std::to_string(n) + ",\"p\":\"" + std::string(padding, 'p') + "\"}",
          {WallTime{1'700'000'000'000'000 + n}, MonoTime{n}, 7, true}};
}
SpoolRecord event(int n) {
  SpoolRecord out = reading(n);
  out.kind = SpoolClass::event;
  out.topic = "log";
  return out;
}

class SpoolTest : public ::testing::Test {
 protected:
  void open(std::uint64_t bytes_max = 64 * 1024 * 1024) {
    spool.reset();
    auto opened = Spool::open(node().system().files, node().system().entropy, "/data/spool",
                              Bytes(32, key), bytes_max);
    ASSERT_TRUE(opened) << opened.error().text();
    spool = *std::move(opened);
  }
  void restart(os::sim::Crash kind = os::sim::Crash::power) {
    if (node().up()) node().crash(kind);
    spool.reset();
    node().restart();
    open();
  }
  std::vector<std::int64_t> drain() {
    std::vector<std::int64_t> out;
    while (auto handed = spool->next()) {
      out.push_back(handed->record.mark.mono.us);
      spool->done(handed->tag);
    }
    return out;
  }
  std::vector<std::string> names() {
    std::vector<std::string> out;
    const auto entries = node().system().files.list("/data/spool");
    for (const auto& each : *entries) out.push_back(each.name);
    return out;
  }
  os::sim::Node& node() { return simulation.node("device"); }

  os::sim::Simulation simulation{3};
  std::uint8_t key = 9;
  std::unique_ptr<Spool> spool;
};

TEST_F(SpoolTest, HandsOutInOrderEventsFirst) {
  open();
  ASSERT_TRUE(spool->append({reading(1), event(2), reading(3)}));
  ASSERT_TRUE(spool->append({event(4)}));
  EXPECT_EQ(spool->waiting(), 4u);
  const auto first = spool->next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->record, event(2));
  EXPECT_THAT(drain(), ElementsAre(4, 1, 3));
  EXPECT_EQ(spool->waiting(), 1u);
  spool->put_back(first->tag);
  EXPECT_THAT(drain(), ElementsAre(2));
  EXPECT_FALSE(spool->next());
}

TEST_F(SpoolTest, KeepsWhatIsNotDoneAcrossAPowerCut) {
  open();
  ASSERT_TRUE(spool->append({reading(1), reading(2), event(3)}));
  const auto handed = spool->next();
  ASSERT_TRUE(handed);
  restart();
  EXPECT_THAT(drain(), ElementsAre(3, 1, 2)) << "handed out is not done";
}

TEST_F(SpoolTest, WhatWasDoneStaysDoneAfterAKill) {
  open();
  ASSERT_TRUE(spool->append({reading(1), reading(2), reading(3)}));
  spool->done(spool->next()->tag);
  restart(os::sim::Crash::process);
  EXPECT_THAT(drain(), ElementsAre(2, 3));
  restart(os::sim::Crash::process);
  EXPECT_THAT(drain(), IsEmpty());
}

TEST_F(SpoolTest, DrainedFilesGo) {
  open();
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(spool->append({reading(i, 30'000)}));
  EXPECT_GT(names().size(), 4u);
  EXPECT_THAT(drain(), SizeIs(40));
  EXPECT_LE(names().size(), 1u);
}

TEST_F(SpoolTest, DropsTheOldestReadingsFirstAndCountsThem) {
  open(2 * Spool::kSegmentBytes);
  ASSERT_TRUE(spool->append({event(-1)}));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(spool->append({reading(i, 30'000)}));
  EXPECT_LE(spool->bytes(), 2 * Spool::kSegmentBytes);
  const auto dropped = spool->counters().readings_dropped;
  EXPECT_GT(dropped, 50u);
  EXPECT_EQ(spool->counters().events_dropped, 0u);
  const auto left = drain();
  ASSERT_EQ(left.size(), 101 - dropped);
  EXPECT_EQ(left.front(), -1);
  EXPECT_EQ(left.back(), 99);
}

TEST_F(SpoolTest, ATagThatWasDroppedMeansNothing) {
  open(2 * Spool::kSegmentBytes);
  ASSERT_TRUE(spool->append({reading(0, 30'000)}));
  const auto handed = spool->next();
  for (int i = 1; i < 60; ++i) ASSERT_TRUE(spool->append({reading(i, 30'000)}));
  const auto waiting = spool->waiting();
  spool->done(handed->tag);
  spool->put_back(handed->tag);
  EXPECT_EQ(spool->waiting(), waiting);
}

TEST_F(SpoolTest, AFullDiskCostsTheOldest) {
  open();
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(spool->append({reading(i, 30'000)}));
  node().disk().set_capacity(node().disk().used() + 1000);
  ASSERT_TRUE(spool->append({reading(30, 30'000)}));
  EXPECT_GT(spool->counters().readings_dropped, 0u);
  EXPECT_EQ(drain().back(), 30);
}

TEST_F(SpoolTest, AFullDiskWithNothingToDropIsAnError) {
  open();
  node().disk().set_capacity(node().disk().used());
  const auto kept = spool->append({reading(1)});
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().code, Code::disk_full);
  EXPECT_GT(spool->counters().write_failures, 0u);
}

TEST_F(SpoolTest, AMessageThatIsTooLargeIsRefused) {
  open();
  EXPECT_EQ(spool->append({reading(1, 400'000)}).error().code, Code::payload_too_large);
  ASSERT_TRUE(spool->append({reading(2)}));
  EXPECT_THAT(drain(), ElementsAre(2));
}

TEST_F(SpoolTest, NothingReadableTouchesTheDisk) {
  open();
  SpoolRecord secret = reading(1);
  secret.payload = R"({"secret":"correct horse battery staple"})";
  ASSERT_TRUE(spool->append({secret}));
  for (const auto& name : names()) {
    const auto bytes = *os::read_file(node().system().files, "/data/spool/" + name, 1 << 20);
    EXPECT_EQ(text_of(bytes).find("horse"), std::string_view::npos);
    EXPECT_EQ(text_of(bytes).find("telemetry"), std::string_view::npos);
  }
}

TEST_F(SpoolTest, DamageCostsTheDamagedRecordsOnly) {
  open();
  ASSERT_TRUE(spool->append({reading(1)}));
  ASSERT_TRUE(spool->append({reading(2)}));
  node().crash(os::sim::Crash::process);
  spool.reset();
  node().restart();
  const auto size = node().system().files.stat("/data/spool/" + names().front())->size;
  ASSERT_TRUE(node().disk().flip_bit("/data/spool/" + names().front(), size - 3));
  open();
  EXPECT_EQ(spool->counters().damaged, 1u);
  EXPECT_THAT(drain(), ElementsAre(1));
}

TEST_F(SpoolTest, AnotherKeyReadsNothing) {
  open();
  ASSERT_TRUE(spool->append({reading(1)}));
  key = 8;
  restart();
  EXPECT_THAT(drain(), IsEmpty());
  EXPECT_EQ(spool->counters().damaged, 1u);
}

// Days without a network: what waits is on disk, not in memory, and all of it comes in order, once.
TEST_F(SpoolTest, MemoryDoesNotGrowWithWhatWaits) {
  constexpr int kMany = 30'000, kBatch = 50;
  // The rest of the file that was begun at the bound: records are some 150 bytes here.
  constexpr std::size_t kBound = Spool::kIndexedMax + Spool::kSegmentBytes / 100;
  open();
  ASSERT_TRUE(spool->append({event(-1)}));
  for (int i = 0; i < kMany; i += kBatch) {
    std::vector<SpoolRecord> batch;
    for (int n = i; n < i + kBatch; ++n) batch.push_back(reading(n, 40));
    ASSERT_TRUE(spool->append(batch));
    ASSERT_LE(spool->indexed(), kBound);
  }
  EXPECT_EQ(spool->waiting(), kMany + 1u);
  // Half of it goes out before a restart, while new ones come; afterwards the rest does, once.
  std::int64_t next = -1;
  int come = kMany;
  while (next < kMany / 2) {
    const auto handed = spool->next();
    ASSERT_TRUE(handed);
    ASSERT_EQ(handed->record.mark.mono.us, next++);
    spool->done(handed->tag);
    if (next % 100 == 0) {
      ASSERT_TRUE(spool->append({reading(come++)}));
    }
    ASSERT_LE(spool->indexed(), kBound);
  }
  restart(os::sim::Crash::process);
  EXPECT_EQ(spool->waiting(), static_cast<std::size_t>(come) - static_cast<std::size_t>(next));
  EXPECT_EQ(spool->indexed(), 0u) << "nothing is read before it is wanted";
  const auto rest = drain();
  ASSERT_EQ(rest.size(), static_cast<std::size_t>(come - next));
  for (const std::int64_t each : rest) ASSERT_EQ(each, next++);
  EXPECT_EQ(spool->counters().damaged, 0u);
  EXPECT_LE(names().size(), 1u);
}

TEST_F(SpoolTest, AFileThatGoesBadWhileItWaitsCostsItsRecordsOnly) {
  open();
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(spool->append({reading(i, 30'000)}));
  restart();
  const auto before = spool->waiting();
  ASSERT_EQ(before, 40u);
  ASSERT_TRUE(node().system().files.remove("/data/spool/" + names()[1]));
  const auto rest = drain();
  EXPECT_EQ(spool->counters().damaged, 1u);
  EXPECT_LT(rest.size(), 40u);
  EXPECT_GT(rest.size(), 30u - 8u);
  EXPECT_TRUE(std::ranges::is_sorted(rest));
  EXPECT_EQ(spool->waiting(), 0u);
}

TEST_F(SpoolTest, WhatIsDroppedUnreadIsCounted) {
  open();
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(spool->append({reading(i, 30'000)}));
  restart();
  open(2 * Spool::kSegmentBytes);
  ASSERT_TRUE(spool->append({reading(60)}));
  const auto dropped = spool->counters().readings_dropped;
  EXPECT_GT(dropped, 30u);
  EXPECT_EQ(spool->waiting(), 61 - dropped);
  EXPECT_EQ(drain().front(), static_cast<std::int64_t>(dropped));
}

// Power goes, or the disk fails, at every operation of a history: what append() promised is there,
// in order and once; nothing that was never appended appears.
TEST_F(SpoolTest, HoldsItsPromisesAtEveryOperation) {
  struct History {
    std::set<std::int64_t> promised, tried, done;
  };
  const auto play = [](Spool& subject) {
    History out;
    for (int i = 0; i < 12; ++i) {
      out.tried.insert(i);
      if (subject.append({reading(i, 60'000)})) out.promised.insert(i);
      if (i % 3 != 2) continue;
      if (const auto handed = subject.next()) {
        subject.done(handed->tag);
        out.done.insert(handed->record.mark.mono.us);
      }
    }
    return out;
  };
  for (const bool crash : {true, false}) {
    for (std::uint64_t at = 1;; ++at) {
      SCOPED_TRACE((crash ? "crash at " : "failure at ") + std::to_string(at));
      os::sim::Simulation weather(at);
      auto& machine = weather.node("device");
      auto opened = Spool::open(machine.system().files, machine.system().entropy, "/data/spool",
                                Bytes(32, 1), 1 << 24);
      ASSERT_TRUE(opened);
      auto& disk = machine.disk();
      const std::uint64_t planned = disk.operations() + at;
      crash ? disk.crash_at(planned) : disk.fail_at(planned);
      const History history = play(**opened);
      if (disk.operations() < planned) break;  // the history was over before
      if (machine.up()) machine.crash();
      opened->reset();
      machine.restart();
      auto again = Spool::open(machine.system().files, machine.system().entropy, "/data/spool",
                               Bytes(32, 1), 1 << 24);
      ASSERT_TRUE(again) << again.error().text();
      std::vector<std::int64_t> found;
      while (auto handed = (*again)->next()) found.push_back(handed->record.mark.mono.us);
      EXPECT_TRUE(std::ranges::is_sorted(found));
      EXPECT_EQ(std::ranges::adjacent_find(found), found.end()) << "twice";
      for (const auto n : found) EXPECT_TRUE(history.tried.contains(n));
      for (const auto n : history.promised) {
        EXPECT_TRUE(history.done.contains(n) || std::ranges::find(found, n) != found.end())
            << "lost " << n;
      }
    }
  }
}

// ---- records

TEST(SpoolRecordTest, RoundTrip) {
  const SpoolRecord record = event(5);
  EXPECT_EQ(*decode_record(encode_record(record)), record);
  const Bytes whole = encode_record(record);
  for (std::size_t size = 0; size < 27 + record.topic.size(); ++size) {
    EXPECT_FALSE(decode_record(View(whole).first(size))) << size;
  }
}

TEST(SpoolRecordTest, FramesAreReadUpToTheDamage) {
  Bytes file = bytes_of(kSpoolMagic);
  append_frame(file, FrameType::record, 1, view_of("abc"));
  append_frame(file, FrameType::done, 1, {});
  EXPECT_THAT(scan_frames(file).frames, SizeIs(2));
  EXPECT_FALSE(scan_frames(file).damaged);
  EXPECT_EQ(text_of(scan_frames(file).frames.front().sealed), "abc");
  file.pop_back();
  EXPECT_THAT(scan_frames(file).frames, SizeIs(1));
  EXPECT_TRUE(scan_frames(file).damaged);
  EXPECT_TRUE(scan_frames(view_of("other")).damaged);
}

TEST(SpoolRecordTest, DeviceTime) {
  const TimeMark wrong{WallTime{5'000'000}, MonoTime{100}, 1, false};
  const TimeMark now{WallTime{1'800'000'000'000'000}, MonoTime{400}, 1, true};
  EXPECT_EQ(device_time(wrong, now), now.wall - microseconds(300)) << "told by what has passed";
  TimeMark other_run = now;
  other_run.run = 2;
  EXPECT_EQ(device_time(wrong, other_run), wrong.wall);
  TimeMark still_wrong = now;
  still_wrong.trusted = false;
  EXPECT_EQ(device_time(wrong, still_wrong), wrong.wall);
  TimeMark right = wrong;
  right.trusted = true;
  EXPECT_EQ(device_time(right, now), right.wall);
  EXPECT_EQ(with_time(R"({"a":1})", WallTime{0}), R"({"time":"1970-01-01T00:00:00Z","a":1})");
}

}  // namespace
}  // namespace holdfast::agent
