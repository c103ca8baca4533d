// The whole system by seed.
#include "sim/run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "sim/program.hpp"

namespace holdfast::sim {
namespace {

using testing::IsEmpty;

// A few, so that sanitizers see them too; ./test plays 200 with holdfast-sim on all cores, and
// ./test --long 2,000.
constexpr std::uint64_t kSeeds = 8;
constexpr Duration kBudget = minutes(10);

std::uint64_t seeds_wanted() {
  const char* text = std::getenv("HOLDFAST_SIM_SEEDS");
  if (text == nullptr) return kSeeds;
  const std::string_view word = text;
  std::uint64_t wanted = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), wanted);
  const bool good = error == std::errc() && end == word.data() + word.size() && wanted > 0;
  EXPECT_TRUE(good) << "HOLDFAST_SIM_SEEDS is \"" << word << "\", a number above 0 is wanted";
  return good ? wanted : kSeeds;
}

TEST(RunTest, WithoutFaultsNothingIsLostAndNothingHappensTwice) {
  RunOptions peace;
  peace.agents = 4;
  peace.trouble = seconds(60);
  peace.faults = false;
  const Report report = play(7, peace);
  EXPECT_THAT(report.violations, IsEmpty()) << report.journal;
  EXPECT_EQ(report.server_starts, 1U);
  EXPECT_EQ(report.commands, peace.commands);
  EXPECT_THAT(report.faults, IsEmpty());
  // Four agents, two values each ten seconds, for most of a minute.
  EXPECT_GE(report.readings, 4U * 2U * 3U);
  EXPECT_LT(report.simulated, minutes(5));
}

TEST(RunTest, TheSameSeedIsTheSameRun) {
  for (const std::uint64_t seed : {11U, 12U}) {
    const Report first = play(seed);
    const Report second = play(seed);
    EXPECT_EQ(first.hash, second.hash) << "seed " << seed;
    EXPECT_EQ(first.violations, second.violations);
    EXPECT_EQ(first.faults, second.faults);
    EXPECT_EQ(first.acknowledged, second.acknowledged);
    EXPECT_EQ(first.simulated, second.simulated);
  }
  EXPECT_NE(play(11).hash, play(12).hash);
}

TEST(RunTest, EveryPromiseIsKeptWhateverBreaks) {
  const auto real = os::RealSystem::make();
  ASSERT_TRUE(real);
  const os::Clock& clock = (*real)->system().clock;
  Invocation what;
  what.last = seeds_wanted();
  what.budget = kBudget * static_cast<std::int64_t>(1 + what.last / 100);
  const MonoTime start = clock.mono();
  const Tally tally = play_many(what, clock, {}, [](const Report& report) {
    EXPECT_TRUE(report.good()) << summary(report) << "\n"
                               << testing::PrintToString(report.violations)
                               << "\nreplay: " << replay_command(report.seed);
  });
  std::printf("%s", tally_text(tally, clock.mono() - start).c_str());
  RecordProperty("seeds", std::to_string(tally.seeds));
  EXPECT_EQ(tally.seeds, what.last) << "the others found no time";
  EXPECT_GE(tally.faults.size(), Chaos::kinds() * 3 / 4) << "too peaceful to say anything";
  EXPECT_GT(tally.readings, 100 * tally.seeds);
}

}  // namespace
}  // namespace holdfast::sim
