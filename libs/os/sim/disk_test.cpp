// What a power cut, a failing and a full disk leave behind. Each property is asked of many seeds,
// and where several outcomes are possible, that each of them comes up.
#include "libs/os/sim/disk.hpp"

#include <gtest/gtest.h>

#include <set>

#include "libs/os/sim/inode.hpp"
#include "libs/os/sim/simulation.hpp"

namespace holdfast::os::sim {
namespace {

constexpr std::uint64_t kSeeds = 200;

// One node's disk, used as a program would.
class Machine {
 public:
  explicit Machine(std::uint64_t seed) : world_(seed), node_(world_.node("one")) {}
  Files& files() { return node_.system().files; }
  Disk& disk() { return node_.disk(); }
  Simulation& world() { return world_; }
  Node& node() { return node_; }
  void power_cycle() {
    node_.crash(Crash::power);
    node_.restart();
  }
  std::unique_ptr<File> open(const std::string& path, Open mode = Open::create) {
    return files().open(path, mode).value();
  }
  void put(const std::string& path, std::string_view text) {
    const auto file = open(path);
    EXPECT_TRUE(file->truncate(0));
    EXPECT_TRUE(file->write_at(0, view_of(text)));
  }
  // With all that it takes to be on disk.
  void put_durable(const std::string& path, std::string_view text) {
    put(path, text);
    EXPECT_TRUE(open(path)->sync());
    EXPECT_TRUE(files().sync_dir(folder_of(path)));
  }
  std::string text(const std::string& path) {
    const auto read = read_file(files(), path, 1 << 24);
    return read ? string_of(*read) : "<none>";
  }

 private:
  Simulation world_;
  Node& node_;
};

TEST(Disk, WhatIsSyncedSurvives) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Machine machine(seed);
    machine.put_durable("/data/a", "content");
    machine.power_cycle();
    EXPECT_EQ(machine.text("/data/a"), "content") << seed;
  }
}

TEST(Disk, AnUnsyncedNameSurvivesOrNot) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Machine machine(seed);
    machine.put("/data/a", "content");
    EXPECT_TRUE(machine.open("/data/a")->sync());
    machine.power_cycle();
    seen.insert(machine.text("/data/a"));
  }
  EXPECT_EQ(seen, (std::set<std::string>{"<none>", "content"}));
}

TEST(Disk, UnsyncedSectorsAreKeptOrLostOneByOne) {
  const std::string before(kSectorSize * 4, 'o');
  const std::string after(kSectorSize * 4, 'n');
  bool kept = false;
  bool lost = false;
  bool torn = false;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Machine machine(seed);
    machine.put_durable("/data/a", before);
    EXPECT_TRUE(machine.open("/data/a")->write_at(0, view_of(after)));
    EXPECT_EQ(machine.text("/data/a"), after);
    machine.power_cycle();
    const std::string left = machine.text("/data/a");
    ASSERT_EQ(left.size(), after.size());
    for (std::size_t at = 0; at < left.size(); at += kSectorSize) {
      const std::string sector = left.substr(at, kSectorSize);
      EXPECT_TRUE(sector == before.substr(0, kSectorSize) || sector == after.substr(0, kSectorSize))
          << seed;
    }
    kept |= left == after;
    lost |= left == before;
    torn |= left != after && left != before;
  }
  EXPECT_TRUE(kept && lost && torn);
}

TEST(Disk, AnUnsyncedTailHasAnySizeAndZerosWhereDataIsMissing) {
  std::set<std::size_t> sizes;
  bool zeros = false;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Machine machine(seed);
    machine.put_durable("/data/log", std::string(100, 'a'));
    const auto file = machine.open("/data/log");
    EXPECT_TRUE(file->write_at(100, view_of(std::string(1000, 'b'))));
    EXPECT_TRUE(file->write_at(1100, view_of(std::string(1000, 'c'))));
    machine.power_cycle();
    const std::string left = machine.text("/data/log");
    sizes.insert(left.size());
    EXPECT_EQ(left.substr(0, 100), std::string(100, 'a')) << seed;
    for (std::size_t i = 100; i < left.size(); ++i) {
      EXPECT_TRUE(left[i] == (i < 1100 ? 'b' : 'c') || left[i] == '\0') << seed << " at " << i;
      zeros |= left[i] == '\0';
    }
  }
  EXPECT_TRUE(sizes.contains(100));
  EXPECT_TRUE(sizes.contains(2100));
  EXPECT_GE(sizes.size(), 3U);
  EXPECT_TRUE(zeros);
}

TEST(Disk, AnUnsyncedTruncateKeepsOldOrNew) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Machine machine(seed);
    machine.put_durable("/data/a", "old old old");
    machine.put("/data/a", "new");
    machine.power_cycle();
    seen.insert(machine.text("/data/a"));
  }
  EXPECT_TRUE(seen.contains("old old old"));
  EXPECT_TRUE(seen.contains("new"));
  EXPECT_TRUE(seen.contains(""));
  EXPECT_FALSE(seen.contains("new old old"));
}

// The heart of it: whatever is written and synced, each sector afterwards is one that was once
// there.
TEST(Disk, EachSectorHoldsSomethingThatWasWrittenThere) {
  constexpr std::size_t kSectors = 8;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Machine machine(seed);
    Random random(seed, "writes");
    machine.put_durable("/data/a", std::string(kSectors * kSectorSize, '\1'));
    const auto file = machine.open("/data/a");
    std::array<std::set<std::string>, kSectors> allowed;
    std::string now = machine.text("/data/a");
    const auto remember = [&](bool only) {
      for (std::size_t i = 0; i < kSectors; ++i) {
        if (only) allowed[i].clear();
        allowed[i].insert(now.substr(i * kSectorSize, kSectorSize));
      }
    };
    remember(true);
    for (int step = 0; step < 20; ++step) {
      const std::size_t at = random.below(now.size() - 1);
      const std::size_t size = 1 + random.below(now.size() - at);
      const std::string bytes(size, static_cast<char>(2 + step));
      EXPECT_TRUE(file->write_at(at, view_of(bytes)));
      now.replace(at, size, bytes);
      const bool sync = random.chance(15);
      if (sync) {
        EXPECT_TRUE(file->sync());
      }
      remember(sync);
    }
    EXPECT_EQ(machine.text("/data/a"), now);
    machine.power_cycle();
    const std::string left = machine.text("/data/a");
    ASSERT_EQ(left.size(), now.size());
    for (std::size_t i = 0; i < kSectors; ++i) {
      EXPECT_TRUE(allowed[i].contains(left.substr(i * kSectorSize, kSectorSize))) << seed;
    }
  }
}

TEST(Disk, OldUnsyncedWritesReachTheDiskByThemselves) {
  Machine machine(1);
  machine.put_durable("/data/a", "");
  const auto file = machine.open("/data/a");
  for (std::uint64_t i = 0; i <= kUnsyncedWritesMax; ++i) {
    EXPECT_TRUE(file->write_at(i, view_of("x")));
  }
  const std::size_t durable = machine.disk().durable_content("/data/a").value().size();
  EXPECT_GT(durable, 0U);
  EXPECT_LT(durable, kUnsyncedWritesMax);
  EXPECT_TRUE(file->sync());
  EXPECT_EQ(machine.disk().durable_content("/data/a").value().size(), kUnsyncedWritesMax + 1);
}

// ---- names

TEST(Disk, ARenameSurvivesWholeOrNotAtAll) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Machine machine(seed);
    machine.put_durable("/data/a", "old");
    machine.put_durable("/data/b", "new");
    EXPECT_TRUE(machine.files().rename("/data/b", "/data/a"));
    machine.power_cycle();
    seen.insert(machine.text("/data/a") + "," + machine.text("/data/b"));
  }
  EXPECT_EQ(seen, (std::set<std::string>{"old,new", "new,<none>"}));
}

TEST(Disk, ChangesToOneNameKeepTheirOrder) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Machine machine(seed);
    for (const char* content : {"1", "2", "3"}) {
      machine.put("/data/tmp", content);
      EXPECT_TRUE(machine.open("/data/tmp")->sync());
      EXPECT_TRUE(machine.files().rename("/data/tmp", "/data/a"));
    }
    machine.power_cycle();
    seen.insert(machine.text("/data/a"));
    const std::string left = machine.text("/data/tmp");
    if (left != "<none>" && machine.text("/data/a") != "<none>") {
      EXPECT_GT(left, machine.text("/data/a")) << seed;
    }
  }
  EXPECT_EQ(seen, (std::set<std::string>{"<none>", "1", "2", "3"}));
}

TEST(Disk, AFolderNeedsItsParentsSync) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Machine machine(seed);
    EXPECT_TRUE(machine.files().make_folder("/data/folder"));
    machine.put_durable("/data/folder/a", "content");
    if (seed % 2 == 0) {
      EXPECT_TRUE(machine.files().sync_dir("/data"));
    }
    machine.power_cycle();
    if (seed % 2 == 0) {
      EXPECT_EQ(machine.text("/data/folder/a"), "content");
    } else {
      seen.insert(machine.text("/data/folder/a"));
    }
  }
  EXPECT_EQ(seen, (std::set<std::string>{"<none>", "content"}));
}

TEST(Disk, SyncingTheTargetFolderMakesAMoveDurable) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Machine machine(seed);
    EXPECT_TRUE(machine.files().make_folder("/data/from"));
    EXPECT_TRUE(machine.files().make_folder("/data/to"));
    EXPECT_TRUE(machine.files().sync_dir("/data"));
    machine.put("/data/from/a", "content");
    EXPECT_TRUE(machine.open("/data/from/a")->sync());
    EXPECT_TRUE(machine.files().rename("/data/from/a", "/data/to/a"));
    EXPECT_TRUE(machine.files().sync_dir("/data/to"));
    machine.power_cycle();
    EXPECT_EQ(machine.text("/data/to/a"), "content") << seed;
    EXPECT_EQ(machine.text("/data/from/a"), "<none>") << seed;
  }
}

TEST(Disk, ARemovalSurvivesOrNot) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Machine machine(seed);
    machine.put_durable("/data/a", "content");
    EXPECT_TRUE(machine.files().remove("/data/a"));
    machine.power_cycle();
    seen.insert(machine.text("/data/a"));
  }
  EXPECT_EQ(seen, (std::set<std::string>{"<none>", "content"}));
}

TEST(Disk, AKilledProcessLosesNothingWritten) {
  Machine machine(3);
  machine.put("/data/a", "unsynced");
  machine.node().crash(Crash::process);
  machine.node().restart();
  EXPECT_EQ(machine.text("/data/a"), "unsynced");
}

// ---- planned faults

// replace_file promises old or new: cut the power, and fail, in each of its operations.
TEST(Disk, ReplaceFileIsOldOrNewWhereverItIsCut) {
  Machine rehearsal(0);
  rehearsal.put_durable("/data/a", "old");
  const std::uint64_t first = rehearsal.disk().operations() + 1;
  EXPECT_TRUE(replace_file(rehearsal.files(), "/data/a", view_of("new")));
  const std::uint64_t last = rehearsal.disk().operations();
  EXPECT_EQ(last - first + 1, 6U);  // create, truncate, write, sync, rename, sync folder

  std::set<std::string> seen;
  for (std::uint64_t operation = first; operation <= last; ++operation) {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      Machine machine(seed);
      machine.put_durable("/data/a", "old");
      machine.disk().crash_at(operation);
      EXPECT_FALSE(replace_file(machine.files(), "/data/a", view_of("new")));
      EXPECT_FALSE(machine.node().up());
      machine.node().restart();
      const std::string left = machine.text("/data/a");
      EXPECT_TRUE(left == "old" || left == "new") << left;
      seen.insert(std::to_string(operation - first) + left);
    }
  }
  EXPECT_TRUE(seen.contains("0old"));
  EXPECT_TRUE(seen.contains("3old"));
  EXPECT_FALSE(seen.contains("3new"));
  EXPECT_TRUE(seen.contains("4old") && seen.contains("4new"));
  EXPECT_TRUE(seen.contains("5old") && seen.contains("5new"));
}

TEST(Disk, ReplaceFileIsOldOrNewWhereverItFails) {
  for (std::uint64_t step = 1; step <= 6; ++step) {
    for (const Code code : {Code::io_error, Code::disk_full}) {
      Machine machine(step);
      machine.put_durable("/data/a", "old");
      machine.disk().fail_at(machine.disk().operations() + step, code);
      const auto done = replace_file(machine.files(), "/data/a", view_of("new"));
      ASSERT_FALSE(done);
      EXPECT_EQ(done.error().code, code);
      EXPECT_EQ(machine.text("/data/a"), step == 6 ? "new" : "old");
      EXPECT_TRUE(replace_file(machine.files(), "/data/a", view_of("again")));
      machine.power_cycle();
      EXPECT_EQ(machine.text("/data/a"), "again");
    }
  }
}

TEST(Disk, AFailedSyncIsNotRepairedByALaterOne) {
  unsigned lost = 0;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Machine machine(seed);
    machine.put_durable("/data/a", "old");
    const auto file = machine.open("/data/a");
    EXPECT_TRUE(file->write_at(0, view_of("new")));
    machine.disk().fail_at(machine.disk().operations() + 1);
    EXPECT_FALSE(file->sync());
    EXPECT_EQ(machine.text("/data/a"), "new");
    EXPECT_TRUE(file->sync());  // says yes, as Linux does
    machine.power_cycle();
    lost += machine.text("/data/a") == "old" ? 1 : 0;
  }
  EXPECT_GT(lost, kSeeds / 10);
  EXPECT_LT(lost, kSeeds);
}

TEST(Disk, AFullDiskTakesWhatFits) {
  Machine machine(1);
  machine.disk().set_capacity(10);
  const auto file = machine.open("/data/a");
  EXPECT_TRUE(file->write_at(0, view_of("12345")));
  EXPECT_EQ(machine.files().space("/data").value().free_bytes, 5U);
  const auto full = file->write_at(5, view_of("6789012345"));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Code::disk_full);
  EXPECT_EQ(machine.text("/data/a"), "1234567890");
  EXPECT_EQ(machine.disk().used(), 10U);
  EXPECT_TRUE(file->write_at(0, view_of("overwritten?").first(10)));  // needs no room
  EXPECT_TRUE(file->truncate(4));
  EXPECT_EQ(machine.disk().used(), 4U);
  EXPECT_TRUE(machine.files().remove("/data/a"));
  EXPECT_EQ(machine.disk().used(), 0U);
  EXPECT_TRUE(machine.open("/data/b")->write_at(0, view_of("0123456789")));
  machine.power_cycle();
  EXPECT_LE(machine.disk().used(), 14U);
}

TEST(Disk, AReadCanFail) {
  Machine machine(1);
  machine.put("/data/a", "x");
  machine.disk().fail_read_at(machine.disk().reads() + 1);
  const auto file = machine.open("/data/a");
  EXPECT_EQ(file->read_at(0, 1).error().code, Code::io_error);
  EXPECT_TRUE(file->read_at(0, 1));
}

TEST(Disk, ABitFlips) {
  Machine machine(1);
  machine.put_durable("/data/a", "abc");
  EXPECT_TRUE(machine.open("/data/a")->write_at(2, view_of("d")));
  EXPECT_TRUE(machine.disk().flip_bit("/data/a", 0));
  EXPECT_TRUE(machine.disk().flip_bit("/data/a", 2, 1));
  EXPECT_EQ(machine.text("/data/a"), "`bf");
  EXPECT_TRUE(machine.open("/data/a")->sync());
  machine.power_cycle();
  EXPECT_EQ(machine.text("/data/a"), "`bf");
  EXPECT_EQ(machine.disk().flip_bit("/data/a", 3).error().code, Code::not_found);
  EXPECT_EQ(machine.disk().flip_bit("/data/b", 0).error().code, Code::not_found);
}

TEST(Disk, ASlowDiskTakesTime) {
  Machine machine(1);
  const MonoTime start = machine.world().now();
  machine.disk().set_slow(milliseconds(100));
  machine.put("/data/a", "x");  // create, truncate, write
  EXPECT_EQ(machine.world().now() - start, milliseconds(300));
}

TEST(Disk, DurableContentTellsWhatIsCertain) {
  Machine machine(1);
  machine.put("/data/a", "x");
  EXPECT_FALSE(machine.disk().durable_content("/data/a"));
  EXPECT_TRUE(machine.files().sync_dir("/data"));
  EXPECT_EQ(string_of(machine.disk().durable_content("/data/a").value()), "");
  EXPECT_TRUE(machine.open("/data/a")->sync());
  EXPECT_EQ(string_of(machine.disk().durable_content("/data/a").value()), "x");
  EXPECT_FALSE(machine.disk().durable_content("/data"));
}

TEST(Disk, FilesOfADeadMachineAnswerErrors) {
  Machine machine(1);
  Files& old = machine.files();
  const auto file = machine.open("/data/a");
  machine.node().crash();
  EXPECT_EQ(file->write_at(0, view_of("x")).error().code, Code::io_error);
  EXPECT_FALSE(file->sync());
  EXPECT_FALSE(file->read_at(0, 1));
  EXPECT_FALSE(file->size());
  EXPECT_FALSE(file->truncate(0));
  machine.node().restart();
  EXPECT_FALSE(file->write_at(0, view_of("x")));
  EXPECT_FALSE(old.open("/data/b", Open::create));
  EXPECT_FALSE(old.list("/data"));
  EXPECT_FALSE(old.rename("/data/a", "/data/b"));
  EXPECT_FALSE(old.remove("/data/a"));
  EXPECT_FALSE(old.make_folder("/data/x"));
  EXPECT_FALSE(old.sync_dir("/data"));
  EXPECT_FALSE(old.stat("/data"));
  EXPECT_FALSE(old.space("/data"));
  EXPECT_TRUE(machine.files().list("/data"));
}

}  // namespace
}  // namespace holdfast::os::sim
