#include "server/store/journal/windows.hpp"

#include <gtest/gtest.h>

#include "libs/os/sim/simulation.hpp"
#include "server/store/journal/memory_keys.hpp"

namespace holdfast::journal {
namespace {

Entry entry(std::uint64_t session, std::uint16_t packet, std::uint64_t hash = 99) {
  return entry_of({.session = session, .packet = packet, .hash = hash});
}

TEST(Windows, KnowsPacketAndHashTogether) {
  Windows windows(10);
  windows.add(entry(1, 5, 77));
  EXPECT_TRUE(windows.has(entry(1, 5, 77)));
  EXPECT_FALSE(windows.has(entry(1, 5, 78)));
  EXPECT_FALSE(windows.has(entry(1, 6, 77)));
  EXPECT_FALSE(windows.has(entry(2, 5, 77)));
}

TEST(Windows, KeepsTheLastOnesOfASession) {
  Windows windows(10);
  for (std::uint16_t packet = 1; packet <= 100; ++packet) windows.add(entry(1, packet));
  EXPECT_EQ(windows.entries(), kWindowMax);
  EXPECT_FALSE(windows.has(entry(1, 36)));
  EXPECT_TRUE(windows.has(entry(1, 37)));
  EXPECT_TRUE(windows.has(entry(1, 100)));
}

TEST(Windows, AddingAgainPushesNothingOut) {
  Windows windows(10);
  for (std::uint16_t packet = 1; packet <= kWindowMax; ++packet) windows.add(entry(1, packet));
  for (int i = 0; i < 100; ++i) windows.add(entry(1, 64));
  EXPECT_TRUE(windows.has(entry(1, 1)));
}

TEST(Windows, ForgetsASession) {
  Windows windows(10);
  windows.add(entry(1, 5));
  windows.add(entry(2, 5));
  windows.forget(1);
  EXPECT_FALSE(windows.has(entry(1, 5)));
  EXPECT_TRUE(windows.has(entry(2, 5)));
}

TEST(Windows, IsBoundedInSessions) {
  Windows windows(3);
  for (std::uint64_t session = 1; session <= 10; ++session) windows.add(entry(session, 1));
  EXPECT_EQ(windows.sessions(), 3U);
  EXPECT_EQ(windows.evicted(), 7U);
  EXPECT_TRUE(windows.has(entry(10, 1)));
  // Of so few, the idlest always goes.
  EXPECT_FALSE(windows.has(entry(7, 1)));
}

TEST(Windows, EncodedOnesReadBackInOrder) {
  Windows windows(10);
  for (std::uint16_t packet = 1; packet <= 70; ++packet) windows.add(entry(1, packet));
  windows.add(entry(2, 9));
  Windows copy(10);
  for (const Bytes& body : windows.encode_all()) ASSERT_TRUE(copy.decode(body));
  EXPECT_EQ(copy.entries(), kWindowMax + 1);
  // The order is kept: what is added next pushes out the oldest.
  copy.add(entry(1, 71));
  EXPECT_FALSE(copy.has(entry(1, 7)));
  EXPECT_TRUE(copy.has(entry(1, 8)));
}

TEST(Windows, OnlyEntriesStillInAWindowAreCarried) {
  Windows windows(10);
  for (std::uint16_t packet = 1; packet <= 70; ++packet) windows.add(entry(1, packet));
  Windows copy(10);
  for (const Bytes& body : windows.encode({entry(1, 1), entry(1, 70), entry(5, 5)}))
    ASSERT_TRUE(copy.decode(body));
  EXPECT_EQ(copy.entries(), 1U);
  EXPECT_TRUE(copy.has(entry(1, 70)));
  EXPECT_TRUE(windows.encode({entry(1, 1)}).empty());
}

TEST(Windows, CutBodiesAreCorrupt) {
  Windows windows(10);
  windows.add(entry(1, 1));
  windows.add(entry(1, 2));
  const Bytes body = windows.encode_all().at(0);
  for (std::size_t length = 1; length < body.size(); ++length) {
    Windows copy(10);
    EXPECT_FALSE(copy.decode(View(body).first(length))) << length;
  }
  Bytes huge;
  store_le(huge, std::uint64_t{1});
  put_varint(huge, UINT64_MAX);
  EXPECT_FALSE(Windows(10).decode(huge));
}

class WindowFileTest : public testing::Test {
 protected:
  os::sim::Simulation world_{11};
  os::sim::Node& node_ = world_.node("server");
  MemoryKeys keys_{node_.system().entropy};

  void SetUp() override {
    ASSERT_TRUE(node_.system().files.make_folder("/data/j"));
    ASSERT_TRUE(node_.system().files.sync_dir("/data"));
  }
  WindowFile file() { return {node_.system(), keys_, "/data/j"}; }
  std::size_t files() { return node_.system().files.list("/data/j")->size(); }
  Windows load() {
    Windows windows(1000);
    auto from = file();
    EXPECT_TRUE(from.load(windows));
    return windows;
  }
};

TEST_F(WindowFileTest, NothingToCarryWritesNothing) {
  auto to = file();
  ASSERT_TRUE(to.carry({}, [] { return std::vector<Bytes>{}; }));
  EXPECT_EQ(files(), 0U);
  EXPECT_EQ(keys_.count(), 0U);
}

TEST_F(WindowFileTest, CarriedEntriesSurviveAPowerCut) {
  Windows windows(1000);
  auto to = file();
  for (std::uint64_t session = 1; session <= 20; ++session) {
    windows.add(entry(session, 1));
    ASSERT_TRUE(
        to.carry(windows.encode({entry(session, 1)}), [&] { return windows.encode_all(); }));
  }
  node_.crash();
  node_.restart();
  const Windows loaded = load();
  EXPECT_EQ(loaded.entries(), 20U);
  for (std::uint64_t session = 1; session <= 20; ++session)
    EXPECT_TRUE(loaded.has(entry(session, 1)));
}

TEST_F(WindowFileTest, IsWrittenAnewWhenMostOfItIsDead) {
  Windows windows(1000);
  auto to = file();
  for (int round = 0; round < 40; ++round) {
    std::vector<Entry> entries;
    for (std::uint64_t session = 1; session <= 50; ++session) {
      for (std::uint16_t packet = 1; packet <= 20; ++packet) {
        entries.push_back(entry(session, packet, static_cast<std::uint64_t>(round)));
        windows.add(entries.back());
      }
    }
    ASSERT_TRUE(to.carry(windows.encode(entries), [&] { return windows.encode_all(); }));
    EXPECT_EQ(files(), 1U);
    EXPECT_EQ(keys_.count(), 1U) << "the old file's key goes with it";
  }
  const auto entries = node_.system().files.list("/data/j");
  EXPECT_NE(entries->at(0).name, "windows.1");
  EXPECT_LT(entries->at(0).size, 700'000U);
  EXPECT_EQ(load().entries(), windows.entries());
}

// At each operation of carrying: power cut, error, full disk. What was carried before stays.
TEST_F(WindowFileTest, NothingCarriedIsLostAtAnyCut) {
  unsigned cuts = 0;
  for (std::uint64_t cut = 1; cut < 200; ++cut) {
    os::sim::Simulation world(cut);
    os::sim::Node& node = world.node("server");
    MemoryKeys keys(node.system().entropy);
    ASSERT_TRUE(node.system().files.make_folder("/data/j"));
    ASSERT_TRUE(node.system().files.sync_dir("/data"));
    const std::uint64_t begun = node.disk().operations();
    node.disk().crash_at(begun + cut);
    Windows windows(1000);
    std::vector<Entry> carried;
    {
      WindowFile to(node.system(), keys, "/data/j");
      for (std::uint64_t session = 1; session <= 6; ++session) {
        windows.add(entry(session, 1));
        const auto encoded = windows.encode({entry(session, 1)});
        const auto snapshot = [&] { return windows.encode_all(); };
        if (session == 4 ? to.rewrite(snapshot()).has_value()
                         : to.carry(encoded, snapshot).has_value()) {
          carried.push_back(entry(session, 1));
        }
      }
    }
    if (node.up()) break;  // the whole story has fewer operations
    ++cuts;
    node.restart();
    Windows loaded(1000);
    WindowFile from(node.system(), keys, "/data/j");
    ASSERT_TRUE(from.load(loaded)) << cut;
    for (const Entry& each : carried)
      EXPECT_TRUE(loaded.has(each)) << "session " << each.session << " at cut " << cut;
  }
  EXPECT_GT(cuts, 20U);
}

}  // namespace
}  // namespace holdfast::journal
