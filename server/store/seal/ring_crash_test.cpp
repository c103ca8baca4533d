// The ring on a simulated disk: the power goes, or an operation fails, at every write, sync and
// rename.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "libs/os/sim/simulation.hpp"
#include "server/store/seal/ring.hpp"

namespace holdfast::seal {
namespace {

const std::string kPath = "/data.ring";

// What a caller was told: keys that exist for it, and keys that are gone for it.
struct Told {
  std::map<KeyId, Bytes> have;
  std::vector<KeyId> destroyed;
  std::optional<KeyId> half_destroyed;  // destroy() did not answer: either is right
};

Bytes secret(const Ring& ring, KeyId id) {
  const auto key = ring.get(id);
  return key ? Bytes(key->view().begin(), key->view().end()) : Bytes{};
}

// Creates, destroys, creates, until something fails.
void work(Ring& ring, Told& told) {
  for (int i = 0; i < 3; ++i) {
    const auto id = ring.create("series:dev_" + std::to_string(i));
    if (!id) return;
    told.have[*id] = secret(ring, *id);
  }
  const KeyId victim = told.have.begin()->first;
  told.half_destroyed = victim;
  told.have.erase(victim);
  if (!ring.destroy(victim)) return;
  told.destroyed.push_back(victim);
  told.half_destroyed.reset();
  const auto ids = ring.create_all({"events:1", "events:2"});
  if (!ids) return;
  for (const KeyId id : *ids) told.have[id] = secret(ring, id);
}

void expect_told(const Ring& ring, const Told& told, std::uint64_t cut) {
  for (const auto& [id, bytes] : told.have)
    EXPECT_EQ(secret(ring, id), bytes) << id << " at " << cut;
  for (const KeyId id : told.destroyed) {
    EXPECT_EQ(ring.get(id).error().code, Code::not_found) << id << " at " << cut;
  }
}

TEST(RingCrash, EveryAnswerHoldsAtEveryCut) {
  const SecretKey seal_key(Bytes(kKeyBytes, 7));
  int cuts = 0;
  for (std::uint64_t extra = 1;; ++extra) {
    os::sim::Simulation world(extra);
    os::sim::Node& node = world.node("server");
    Told told;
    {
      const auto ring = std::move(*Ring::make(node.system(), kPath, seal_key));
      node.disk().crash_at(node.disk().operations() + extra);
      work(*ring, told);
    }
    if (node.up()) break;
    ++cuts;
    node.crash();
    node.restart();
    const auto ring = Ring::open(node.system(), kPath, seal_key);
    ASSERT_TRUE(ring) << ring.error().text() << " at " << extra;
    expect_told(**ring, told, extra);
    // An id that was given out never comes again.
    const auto next = (*ring)->create("sql");
    ASSERT_TRUE(next) << next.error().text();
    EXPECT_FALSE(told.have.contains(*next));
    EXPECT_EQ(std::ranges::count(told.destroyed, *next), 0);
  }
  EXPECT_GT(cuts, 10);
  std::printf("cut points of the key ring: %d\n", cuts);
}

TEST(RingCrash, AFailedOperationIsSurvivedAndWhatFollowsIsWhole) {
  const SecretKey seal_key(Bytes(kKeyBytes, 7));
  for (std::uint64_t extra = 1; extra < 30; ++extra) {
    os::sim::Simulation world(extra);
    os::sim::Node& node = world.node("server");
    const auto ring = std::move(*Ring::make(node.system(), kPath, seal_key));
    node.disk().fail_at(node.disk().operations() + extra,
                        extra % 2 == 0 ? Code::disk_full : Code::io_error);
    Told told;
    work(*ring, told);
    expect_told(*ring, told, extra);
    // A call finds a good disk, and writes what the failed one left in doubt. (The fault may have
    // been planned for later than the work took: then this is the one that meets it.)
    auto id = ring->create("sql");
    if (!id) id = ring->create("sql");
    ASSERT_TRUE(id) << id.error().text() << " at " << extra;
    told.have[*id] = secret(*ring, *id);
    node.crash();
    node.restart();
    const auto again = Ring::open(node.system(), kPath, seal_key);
    ASSERT_TRUE(again) << again.error().text() << " at " << extra;
    expect_told(**again, told, extra);
  }
}

TEST(RingCrash, RewrapLeavesTheOldOrTheNewSealingKey) {
  const SecretKey old_key(Bytes(kKeyBytes, 7));
  const SecretKey new_key(Bytes(kKeyBytes, 8));
  int old_ones = 0;
  int new_ones = 0;
  for (std::uint64_t extra = 1;; ++extra) {
    os::sim::Simulation world(extra);
    os::sim::Node& node = world.node("server");
    Bytes before;
    bool answered = false;
    {
      const auto ring = std::move(*Ring::make(node.system(), kPath, old_key));
      ASSERT_TRUE(ring->create("sql"));
      before = secret(*ring, 1);
      node.disk().crash_at(node.disk().operations() + extra);
      answered = ring->rewrap(new_key).has_value();
    }
    if (node.up()) break;
    EXPECT_FALSE(answered);
    node.crash();
    node.restart();
    const auto by_old = Ring::open(node.system(), kPath, old_key);
    const auto by_new = Ring::open(node.system(), kPath, new_key);
    ASSERT_NE(by_old.has_value(), by_new.has_value()) << "one of them, at " << extra;
    EXPECT_EQ(secret(by_old ? **by_old : **by_new, 1), before);
    ++(by_old ? old_ones : new_ones);
  }
  EXPECT_GT(old_ones, 0);
  EXPECT_GT(old_ones + new_ones, 3);
}

}  // namespace
}  // namespace holdfast::seal
