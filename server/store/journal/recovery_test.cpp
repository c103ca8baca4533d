// Damage, full disks and power cuts at every operation: nothing acknowledged is lost or doubled.
#include <gtest/gtest.h>

#include <cstdio>

#include "server/store/journal/fixture_test.hpp"

namespace holdfast::journal {
namespace {

TEST(Recovery, ATornTailIsCutAndTheRestServed) {
  Machine machine(3);
  ASSERT_TRUE(machine.start());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(machine.append_and_wait("r" + std::to_string(i)));
  ASSERT_TRUE(machine.restart());
  EXPECT_EQ(machine.consumer->served().size(), 5U);
  EXPECT_TRUE(machine.alarms.empty());
  machine.settle();
  EXPECT_EQ(machine.with_suffix(".hfj"), 1U) << "what the old life left is sealed";
}

TEST(Recovery, DamageIsQuarantinedAndTheRestServed) {
  Machine machine(4);
  machine.options.segment_bytes = 1 << 20;
  ASSERT_TRUE(machine.start());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(machine.append_and_wait("r" + std::to_string(i)));
  machine.stop();
  ASSERT_TRUE(machine.disk().flip_bit("/data/journal/0000000000000001.hfj", 200));
  ASSERT_TRUE(machine.start());
  EXPECT_EQ(machine.alarms.size(), 1U);
  EXPECT_EQ(machine.journal->state().damaged_segments, 1U);
  EXPECT_EQ(machine.consumer->served().size(), 4U);
  machine.settle();
  EXPECT_EQ(machine.with_suffix(".bad"), 1U);
  EXPECT_EQ(machine.consumer->served().size(), 4U);
  // From then on it is history.
  ASSERT_TRUE(machine.restart());
  EXPECT_EQ(machine.journal->state().damaged_segments, 0U);
  EXPECT_EQ(machine.consumer->served().size(), 4U);
}

TEST(Recovery, ASegmentWithoutHeaderOrKeyIsPutAside) {
  Machine machine(5);
  ASSERT_TRUE(machine.start());
  ASSERT_TRUE(machine.append_and_wait("lost"));
  machine.stop();
  ASSERT_TRUE(machine.disk().flip_bit("/data/journal/0000000000000001.hfj", 3));
  ASSERT_TRUE(machine.start());
  EXPECT_EQ(machine.alarms.size(), 1U);
  EXPECT_EQ(machine.with_suffix(".bad"), 1U);
  ASSERT_TRUE(machine.append_and_wait("kept"));
  machine.stop();
  ASSERT_TRUE(machine.keys.destroy(2));
  ASSERT_TRUE(machine.start());
  EXPECT_EQ(machine.alarms.size(), 2U);
  EXPECT_EQ(machine.with_suffix(".bad"), 2U);
  EXPECT_EQ(machine.journal->state().end.segment, 3U) << "numbers are never used twice";
}

TEST(Recovery, AfterAnErrorANewSegmentBegins) {
  Machine machine(6);
  ASSERT_TRUE(machine.start());
  ASSERT_TRUE(machine.append_and_wait("before"));
  machine.disk().fail_at(machine.disk().operations() + 2);  // the sync
  ASSERT_TRUE(machine.append_and_wait("during")) << "written again, elsewhere";
  EXPECT_EQ(machine.journal->state().end.segment, 2U);
  EXPECT_EQ(machine.alarms.size(), 1U);
  ASSERT_TRUE(machine.append_and_wait("after"));
  // The failed sync may have left "during" in the old segment as well: it must not come back twice.
  ASSERT_TRUE(machine.restart());
  EXPECT_EQ(machine.consumer->served(),
            (std::map<std::string, int>{{"after", 1}, {"before", 1}, {"during", 1}}));
}

TEST(Recovery, AFullDiskRefusesAndComesBackByItself) {
  Machine machine(7);
  ASSERT_TRUE(machine.start());
  ASSERT_TRUE(machine.append_and_wait("before"));
  machine.disk().set_capacity(machine.disk().used() + 300);
  int stored = 0;
  while (machine.append_and_wait("filling" + std::to_string(stored))) ++stored;
  EXPECT_FALSE(machine.failed.empty());
  EXPECT_TRUE(machine.journal->state().disk_full);
  EXPECT_EQ(machine.with_suffix("headroom"), 0U) << "the headroom is given to the others";
  EXPECT_EQ(machine.append("refused").error().code, Code::disk_full);
  const std::size_t alarms = machine.alarms.size();
  EXPECT_GE(alarms, 1U);

  machine.world.run_for(seconds(2));
  EXPECT_FALSE(machine.append_and_wait("still full"));
  EXPECT_EQ(machine.alarms.size(), alarms) << "one alarm is enough";

  machine.disk().set_capacity(UINT64_MAX);
  machine.world.run_for(seconds(2));
  EXPECT_TRUE(machine.append_and_wait("room again"));
  EXPECT_FALSE(machine.journal->state().disk_full);
  machine.settle();
  EXPECT_EQ(machine.with_suffix("headroom"), 1U);
  ASSERT_TRUE(machine.restart());
  for (const std::string& body : machine.acknowledged)
    EXPECT_EQ(machine.consumer->served()[body], 1) << body;
}

TEST(Recovery, TheServerStartsOnAFullDisk) {
  Machine machine(8);
  ASSERT_TRUE(machine.start());
  ASSERT_TRUE(machine.append_and_wait("kept"));
  machine.disk().set_capacity(machine.disk().used());
  ASSERT_TRUE(machine.restart());
  EXPECT_EQ(machine.consumer->served().at("kept"), 1);
  EXPECT_FALSE(machine.append_and_wait("no room"));
  machine.disk().set_capacity(UINT64_MAX);
  machine.world.run_for(seconds(2));
  EXPECT_TRUE(machine.append_and_wait("room"));
}

TEST(Recovery, NumbersGoOnAfterTheFolderIsLost) {
  Machine machine(9);
  ASSERT_TRUE(machine.start());
  ASSERT_TRUE(machine.append_and_wait("sealed"));
  ASSERT_TRUE(machine.journal->roll());
  machine.stop();
  ASSERT_TRUE(os::remove_tree(machine.node().system().files, "/data/journal"));
  ASSERT_TRUE(machine.start());
  EXPECT_GT(machine.journal->state().end.segment, 1U);
  EXPECT_EQ(machine.consumer->served().at("sealed"), 1)
      << "its output is not taken for an unfinished one";
}

// ---- at every operation

struct Story {
  std::vector<std::string> sent;
  bool whole = false;  // it came to its end
};

// Appends with and without delivery data, over segment borders, with a seal in between.
Story play(Machine& machine) {
  Story story;
  const auto send = [&](const std::string& body, Delivery delivery = {}) {
    story.sent.push_back(body);
    return machine.append_and_wait(body, delivery);
  };
  if (!machine.start()) return story;
  std::uint16_t packet = 0;
  for (int round = 0; round < 3 && machine.node().up(); ++round) {
    for (int i = 0; i < 8 && machine.node().up(); ++i) {
      const std::string body =
          std::to_string(round) + "." + std::to_string(i) + std::string(200, '-');
      ++packet;
      if (!send(body, {.session = packet % 3U, .packet = packet, .hash = packet})) continue;
    }
    if (machine.node().up()) static_cast<void>(machine.journal->roll());
    machine.settle();
  }
  story.whole = machine.node().up();
  return story;
}

// What must hold after any fault, in the next life and in the one after.
void check(Machine& machine, const std::string& what) {
  for (int life = 0; life < 2; ++life) {
    const auto served = machine.consumer->served();
    for (const std::string& body : machine.acknowledged) {
      EXPECT_TRUE(served.contains(body))
          << what << ": lost " << body.substr(0, 5) << ", life " << life;
    }
    for (const auto& [body, times] : served) {
      EXPECT_EQ(times, 1) << what << ": doubled " << body.substr(0, 5) << ", life " << life;
    }
    machine.settle();
    if (life == 0) {
      ASSERT_TRUE(machine.restart()) << what;
    }
  }
}

TEST(EveryCut, APowerCutLosesAndDoublesNothing) {
  unsigned cuts = 0;
  for (std::uint64_t at = 1;; ++at) {
    Machine machine(at);
    machine.disk().crash_at(at);
    const Story story = play(machine);
    if (story.whole) break;
    ++cuts;
    const std::vector<std::string> acknowledged = machine.acknowledged;
    ASSERT_TRUE(machine.restart()) << "cut at " << at;
    check(machine, "cut at " + std::to_string(at));
    // Devices send again what was not acknowledged, with DUP where it was sent before.
    std::uint16_t packet = 0;
    for (const std::string& body : story.sent) {
      ++packet;
      if (packet % 3 != 0) {
        machine.append_and_wait(
            body, {.session = packet % 3U, .packet = packet, .hash = packet, .dup = true});
      }
    }
    const auto served = machine.consumer->served();
    for (const auto& [body, times] : served) EXPECT_EQ(times, 1) << "resent after cut at " << at;
    if (HasFailure()) return;
  }
  EXPECT_GT(cuts, 100U);
  std::printf("journal: %u power cuts\n", cuts);
}

TEST(EveryCut, AnErrorLosesAndDoublesNothing) {
  unsigned faults = 0;
  for (const Code code : {Code::io_error, Code::disk_full}) {
    for (std::uint64_t at = 1;; ++at) {
      Machine machine(at);
      machine.disk().fail_at(at, code);
      Story story = play(machine);
      if (machine.disk().operations() < at) break;
      if (!machine.journal || !story.whole) {
        machine.stop();
        ASSERT_TRUE(machine.start()) << "a start that failed works the next time";
      }
      check(machine, "fault at " + std::to_string(at));
      ++faults;
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(faults, 200U);
  std::printf("journal: %u disk errors\n", faults);
}

}  // namespace
}  // namespace holdfast::journal
