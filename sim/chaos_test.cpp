#include "sim/chaos.hpp"

#include <gtest/gtest.h>

#include "sim/fleet.hpp"

namespace holdfast::sim {
namespace {

RunOptions small() {
  RunOptions out;
  out.agents = 3;
  out.trouble = seconds(8);
  out.commands = 2;
  out.faults = false;  // the test strikes
  return out;
}

void live(Fleet& fleet, Duration time) {
  const MonoTime end = fleet.world().now() + time;
  while (fleet.world().now() < end) fleet.tick();
}

// One kind of fault at a time, on a fleet that works, and again a moment later.
TEST(ChaosTest, TheFleetGetsOverEachKindOfFault) {
  for (std::size_t kind = 0; kind < Chaos::kinds(); ++kind) {
    Fleet fleet(100 + kind, small());
    fleet.live_through_trouble();
    ASSERT_TRUE(fleet.settle()) << fleet.unwell();
    for (int i = 0; i < 2; ++i) {
      fleet.chaos().strike(kind);
      live(fleet, seconds(12));
    }
    ASSERT_EQ(fleet.chaos().counts().size(), 1U);
    const auto& [name, count] = *fleet.chaos().counts().begin();
    EXPECT_EQ(count, 2U) << name;
    fleet.chaos().heal();
    EXPECT_TRUE(fleet.settle()) << name << ": " << fleet.unwell() << "\n"
                                << fleet.journal().text();
  }
}

TEST(ChaosTest, EveryKindIsDrawnAndTheSameSeedDrawsTheSame) {
  const auto draw = [](std::uint64_t seed) {
    RunOptions options = small();
    options.agents = 2;
    options.commands = 0;
    Fleet fleet(seed, options);
    for (int i = 0; i < 400; ++i) fleet.chaos().strike();
    return fleet.chaos().counts();
  };
  const FaultCounts first = draw(1);
  EXPECT_EQ(first.size(), Chaos::kinds());
  EXPECT_EQ(first, draw(1));
  EXPECT_NE(first, draw(2));
}

TEST(ChaosTest, ACutLastsUntilItIsUndone) {
  Fleet fleet(3, small());
  fleet.live_through_trouble();
  ASSERT_TRUE(fleet.settle()) << fleet.unwell();
  fleet.chaos().strike(4);  // the server, from all
  ASSERT_EQ(fleet.chaos().counts().count("server cut off"), 1U);
  live(fleet, milliseconds(750));
  bool answered = false;
  fleet.person().ask("GET", "/v1/devices", nullptr, "", [&](const auto&) { answered = true; });
  live(fleet, milliseconds(250));
  EXPECT_FALSE(answered);
  fleet.chaos().heal();
  live(fleet, seconds(15));
  EXPECT_TRUE(answered);
}

TEST(ChaosTest, TheServersClockIsRightAfterHealing) {
  Fleet fleet(4, small());
  fleet.live_through_trouble();
  const auto off = [&] {
    return fleet.server().node().system().clock.wall() - fleet.world().wall();
  };
  for (std::size_t kind = 0; kind < Chaos::kinds(); ++kind) {
    const auto before = fleet.chaos().counts();
    if (off() != Duration{}) break;
    fleet.chaos().strike(kind);
  }
  EXPECT_NE(off(), Duration{}) << "no kind moved it";
  EXPECT_LT(off(), minutes(5));
  EXPECT_GT(off(), Duration{} - minutes(5));
  fleet.chaos().heal();
  EXPECT_EQ(off(), Duration{});
}

}  // namespace
}  // namespace holdfast::sim
