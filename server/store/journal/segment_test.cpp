#include "server/store/journal/segment.hpp"

#include <gtest/gtest.h>

#include "libs/os/sim/simulation.hpp"

namespace holdfast::journal {
namespace {

constexpr const char* kPath = "/data/0000000000000005.hfj";

class SegmentTest : public testing::Test {
 protected:
  os::sim::Simulation world_{5};
  os::sim::Node& node_ = world_.node("server");
  Key key_;

  void SetUp() override {
    key_.id = 1;
    key_.bytes.fill(7);
  }
  os::Files& files() { return node_.system().files; }

  std::unique_ptr<SegmentWriter> writer(std::uint32_t fill = 4096) {
    SegmentHeader header;
    header.number = 5;
    header.key = 1;
    auto made = SegmentWriter::create(files(), kPath, header, key_, fill);
    EXPECT_TRUE(made);
    return std::move(*made);
  }
  // A commit of `frames` frames with `records` records each, whose bodies are their numbers.
  Status commit(SegmentWriter& to, int frames, int records, bool sync = true) {
    for (int f = 0; f < frames; ++f) {
      RecordWriter plain;
      for (int r = 0; r < records; ++r) {
        const std::string body = "record " + std::to_string(next_++);
        Record record;
        record.body = view_of(body);
        plain.add(record, {next_});
      }
      TRY(to.stage(plain.take(), static_cast<std::uint32_t>(records)));
    }
    return to.commit(sync);
  }
  struct Read {
    Scan scan;
    std::vector<std::string> bodies;
  };
  Read read(std::optional<std::uint32_t> length = std::nullopt) {
    Read out;
    const auto file = files().open(kPath, os::Open::read);
    FrameCipher cipher = FrameCipher::make(5, key_.view()).value();
    auto scan = scan_segment(**file, cipher, kSegmentHeaderBytes, length, [&](Frame frame) {
      EXPECT_TRUE(for_each_record(frame.plain, {}, [&](const Stored& record) {
        out.bodies.push_back(string_of(record.body));
        return true;
      }));
      return true;
    });
    EXPECT_TRUE(scan);
    out.scan = *scan;
    return out;
  }
  void overwrite(std::uint64_t offset, View bytes) {
    const auto file = files().open(kPath, os::Open::write);
    ASSERT_TRUE((*file)->write_at(offset, bytes));
    ASSERT_TRUE((*file)->sync());
  }
  int next_ = 0;
};

TEST(SegmentName, ReadsBack) {
  EXPECT_EQ(segment_name(0xAB, ".hfj"), "00000000000000ab.hfj");
  EXPECT_EQ(segment_number("00000000000000ab.hfj", ".hfj"), SegmentId{0xAB});
  for (const char* name : {"ab.hfj", "00000000000000ab.bad", "00000000000000zz.hfj",
                           "0000000000000000.hfj", "headroom", "00000000000000ab.hfj.tmp"}) {
    EXPECT_FALSE(segment_number(name, ".hfj")) << name;
  }
}

TEST_F(SegmentTest, WhatWasCommittedIsRead) {
  const auto to = writer();
  ASSERT_TRUE(commit(*to, 1, 3));
  ASSERT_TRUE(commit(*to, 2, 2));
  EXPECT_EQ(to->records(), 7U);
  const Read all = read();
  EXPECT_EQ(all.bodies.size(), 7U);
  EXPECT_EQ(all.bodies.back(), "record 6");
  EXPECT_EQ(all.scan.length, to->length());
  EXPECT_EQ(all.scan.records, 7U);
  EXPECT_FALSE(all.scan.damaged);
  EXPECT_EQ(read(to->length()).bodies, all.bodies);
}

TEST_F(SegmentTest, IsFilledAheadWithZeros) {
  const auto to = writer(4096);
  EXPECT_EQ(files().stat(kPath)->size, kSegmentHeaderBytes + 4096);
  ASSERT_TRUE(commit(*to, 1, 20));
  EXPECT_EQ(files().stat(kPath)->size, kSegmentHeaderBytes + 4096)
      << "a commit inside grows nothing";
  while (to->length() < 3500) ASSERT_TRUE(commit(*to, 1, 20));
  ASSERT_TRUE(to->fill_ahead());
  EXPECT_EQ(files().stat(kPath)->size, to->length() + 4096);
  ASSERT_TRUE(commit(*to, 1, 1000));
  EXPECT_GT(files().stat(kPath)->size, to->length());
  const Read all = read();
  EXPECT_EQ(all.scan.records, to->records());
  EXPECT_FALSE(all.scan.damaged);
}

TEST_F(SegmentTest, AClosedOneIsCutToItsLength) {
  const auto to = writer();
  ASSERT_TRUE(commit(*to, 1, 2));
  to->close();
  EXPECT_EQ(files().stat(kPath)->size, to->length());
}

TEST_F(SegmentTest, TheTemporaryNameIsGone) {
  const auto to = writer();
  EXPECT_EQ(files().list("/data")->size(), 1U);
  EXPECT_FALSE(SegmentWriter::create(files(), "/nowhere/0000000000000001.hfj", {}, key_, 0));
}

TEST_F(SegmentTest, ATornTailIsCut) {
  const auto to = writer();
  ASSERT_TRUE(commit(*to, 1, 2));
  const std::uint32_t good = to->length();
  ASSERT_TRUE(commit(*to, 2, 2));
  overwrite(good + 30, Bytes(1, 0xFF));  // the first frame of the last commit; its second one holds
  const Read torn = read();
  EXPECT_EQ(torn.bodies.size(), 2U);
  EXPECT_EQ(torn.scan.length, good);
  EXPECT_FALSE(torn.scan.damaged);
}

TEST_F(SegmentTest, DamageBeforeALaterCommitIsNoTornTail) {
  const auto to = writer();
  ASSERT_TRUE(commit(*to, 1, 2));
  const std::uint32_t good = to->length();
  ASSERT_TRUE(commit(*to, 2, 2));
  ASSERT_TRUE(commit(*to, 1, 2));
  overwrite(good + 30, Bytes(1, 0xFF));
  const Read damaged = read();
  EXPECT_TRUE(damaged.scan.damaged);
  EXPECT_EQ(damaged.bodies, (std::vector<std::string>{"record 0", "record 1", "record 4",
                                                      "record 5", "record 6", "record 7"}));
  EXPECT_EQ(damaged.scan.records, 8U);
}

TEST_F(SegmentTest, WithAKnownLengthNothingIsTorn) {
  const auto to = writer();
  ASSERT_TRUE(commit(*to, 1, 2));
  const std::uint32_t first = to->length();
  ASSERT_TRUE(commit(*to, 1, 2));
  const std::uint32_t both = to->length();
  // What lies beyond the committed length does not exist, though it holds.
  EXPECT_EQ(read(first).bodies.size(), 2U);
  EXPECT_FALSE(read(first).scan.damaged);
  overwrite(first + 8, Bytes(1, 0xFF));
  EXPECT_TRUE(read(both).scan.damaged);
  EXPECT_EQ(read(both).bodies.size(), 2U);
}

TEST_F(SegmentTest, AFileShorterThanItsKnownLengthIsDamaged) {
  const auto to = writer();
  ASSERT_TRUE(commit(*to, 1, 2));
  const std::uint32_t first = to->length();
  ASSERT_TRUE(commit(*to, 1, 2));
  const auto file = files().open(kPath, os::Open::write);
  ASSERT_TRUE((*file)->truncate(first));
  const Read cut = read(to->length());
  EXPECT_TRUE(cut.scan.damaged);
  EXPECT_EQ(cut.bodies.size(), 2U);
}

TEST_F(SegmentTest, CommitsWithoutSyncFormOneGroup) {
  const auto to = writer();
  ASSERT_TRUE(commit(*to, 1, 1, false));
  const std::uint32_t first = to->length();
  ASSERT_TRUE(commit(*to, 1, 1, false));
  EXPECT_TRUE(to->unsynced());
  overwrite(first - 10, Bytes(1, 0xFF));  // in the first: nothing shows that it was ever synced
  EXPECT_FALSE(read().scan.damaged);
  EXPECT_TRUE(read().bodies.empty());
  ASSERT_TRUE(to->sync());
  EXPECT_FALSE(to->unsynced());
  ASSERT_TRUE(commit(*to, 1, 1, true));
  EXPECT_TRUE(read().scan.damaged) << "now a later commit shows it";
  EXPECT_EQ(read().bodies, (std::vector<std::string>{"record 1", "record 2"}));
}

TEST_F(SegmentTest, ABadSectorIsSkipped) {
  const auto to = writer();
  ASSERT_TRUE(commit(*to, 1, 2));
  ASSERT_TRUE(commit(*to, 1, 2));
  const auto file = files().open(kPath, os::Open::read);
  FrameCipher cipher = FrameCipher::make(5, key_.view()).value();
  node_.disk().fail_read_at(node_.disk().reads() + 1);
  const auto scan =
      scan_segment(**file, cipher, kSegmentHeaderBytes, to->length(), [](Frame) { return true; });
  ASSERT_TRUE(scan);
  EXPECT_TRUE(scan->damaged);
}

TEST_F(SegmentTest, AfterAPowerCutCommittedFramesAreThere) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    os::sim::Simulation world(seed);
    os::sim::Node& node = world.node("server");
    SegmentHeader header;
    header.number = 5;
    header.key = 1;
    std::uint32_t committed = 0;
    {
      auto to = SegmentWriter::create(node.system().files, kPath, header, key_, 2048);
      ASSERT_TRUE(to);
      next_ = 0;
      node.disk().crash_at(node.disk().operations() + 3 + seed % 7);
      while (commit(**to, 2, 3)) committed = (*to)->records();
    }
    ASSERT_FALSE(node.up());
    node.restart();
    const auto file = node.system().files.open(kPath, os::Open::read);
    ASSERT_TRUE(file);
    FrameCipher cipher = FrameCipher::make(5, key_.view()).value();
    const auto scan =
        scan_segment(**file, cipher, kSegmentHeaderBytes, std::nullopt, [](Frame) { return true; });
    ASSERT_TRUE(scan);
    EXPECT_FALSE(scan->damaged) << "seed " << seed;
    EXPECT_GE(scan->records, committed) << "seed " << seed;
    EXPECT_LE(scan->records, committed + 6) << "seed " << seed;
  }
}

}  // namespace
}  // namespace holdfast::journal
