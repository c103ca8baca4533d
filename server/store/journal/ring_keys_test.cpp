#include "server/store/journal/ring_keys.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "libs/os/sim/simulation.hpp"
#include "server/store/journal/memory_keys.hpp"

namespace holdfast::journal {
namespace {

// What every KeySource promises.
void keeps_the_contract(KeySource& keys) {
  const auto one = keys.create("journal");
  const auto other = keys.create("journal");
  ASSERT_TRUE(one && other);
  EXPECT_NE(one->id, 0U);
  EXPECT_NE(one->id, other->id);
  EXPECT_FALSE(std::ranges::equal(one->bytes, other->bytes));
  EXPECT_TRUE(std::ranges::equal(keys.get(one->id)->bytes, one->bytes));

  const auto all = keys.current_all({"series:A", "journal", "series:B"});
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 3U);
  EXPECT_EQ((*all)[1].id, other->id) << "the newest";
  EXPECT_EQ(keys.current_all({"series:B", "series:A"})->at(0).id, (*all)[2].id);
  EXPECT_EQ(keys.find("journal").size(), 2U);
  EXPECT_TRUE(keys.find("series:").empty()) << "no prefix";

  ASSERT_TRUE(keys.destroy_all({one->id, 999'999}));
  ASSERT_TRUE(keys.destroy(one->id));
  const auto gone = keys.get(one->id);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Code::not_found);
  EXPECT_EQ(keys.find("journal"), std::vector<KeyId>{other->id});
}

TEST(KeySource, KeysInMemoryKeepTheContract) {
  os::sim::Simulation world(1);
  MemoryKeys keys(world.node("server").system().entropy);
  keeps_the_contract(keys);
}

TEST(KeySource, TheRingKeepsTheContract) {
  os::sim::Simulation world(1);
  const os::System system = world.node("server").system();
  const seal::SecretKey seal_key(Bytes(32, 5));
  {
    const auto ring = seal::Ring::make(system, "/data/x.ring", seal_key);
    ASSERT_TRUE(ring);
    RingKeys keys(**ring);
    keeps_the_contract(keys);
  }
  const auto again = seal::Ring::open(system, "/data/x.ring", seal_key);
  ASSERT_TRUE(again);
  EXPECT_EQ(RingKeys(**again).find("series:A").size(), 1U);
}

}  // namespace
}  // namespace holdfast::journal
