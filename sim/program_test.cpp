#include "sim/program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

namespace holdfast::sim {
namespace {

using testing::HasSubstr;

TEST(ProgramTest, ReadsItsArguments) {
  const auto replay = parse_invocation({"replay", "17", "--trace"});
  ASSERT_TRUE(replay);
  EXPECT_EQ(replay->what, Invocation::What::replay);
  EXPECT_EQ(replay->first, 17U);
  EXPECT_TRUE(replay->trace);
  const auto run = parse_invocation({"run", "--seeds", "3..9", "--seconds", "60"});
  ASSERT_TRUE(run);
  EXPECT_EQ(run->what, Invocation::What::run);
  EXPECT_EQ(run->first, 3U);
  EXPECT_EQ(run->last, 9U);
  EXPECT_EQ(run->budget, seconds(60));
  EXPECT_FALSE(parse_invocation({"run", "--seeds", "1..2"})->budget);
}

TEST(ProgramTest, RefusesWhatItDoesNotUnderstand) {
  const std::vector<std::vector<std::string>> wrong{
      {},
      {"play", "1"},
      {"replay"},
      {"replay", "x"},
      {"replay", "1", "2"},
      {"replay", "1", "--seeds", "1..2"},
      {"run"},
      {"run", "--seeds"},
      {"run", "--seeds", "5"},
      {"run", "--seeds", "9..3"},
      {"run", "--seeds", "1..x"},
      {"run", "--seeds", "1..2", "--trace"},
      {"run", "--seeds", "1..2", "--seconds", "-1"},
      {"run", "--seeds", "1..2", "--seconds", "99999999"},
  };
  for (const auto& arguments : wrong) {
    std::string text;
    for (const std::string& each : arguments) text += each + " ";
    const auto parsed = parse_invocation(arguments);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Code::invalid_argument) << text;
  }
}

TEST(ProgramTest, TheTallyCountsAndNamesWhatFailed) {
  Tally tally;
  Report good;
  good.seed = 1;
  good.faults = {{"link reset", 2}};
  good.acknowledged = 10;
  Report bad = good;
  bad.seed = 2;
  bad.violations = {"agent1 is lost"};
  tally.add(good);
  tally.add(bad);
  EXPECT_EQ(tally.seeds, 2U);
  EXPECT_EQ(tally.failed, std::vector<std::uint64_t>{2});
  const std::string text = tally_text(tally, seconds(3));
  EXPECT_THAT(text, HasSubstr("4 x link reset"));
  EXPECT_THAT(text, HasSubstr("2 seeds in 3.0 s, 1 failed"));
  EXPECT_THAT(text, HasSubstr("replay: holdfast-sim replay 2 --trace"));
  EXPECT_THAT(summary(bad), HasSubstr("seed 2: FAILED, 2 faults"));
  EXPECT_THAT(summary(good), HasSubstr("seed 1: good"));
}

// A clock that is asked, and moves on by ten seconds each time.
class Ticking final : public os::Clock {
 public:
  WallTime wall() const override { return {}; }
  MonoTime mono() const override { return MonoTime{10'000'000 * ++asked_}; }

 private:
  mutable std::int64_t asked_ = 0;
};

TEST(ProgramTest, NoSeedIsBegunAfterTheBudget) {
  RunOptions small;
  small.agents = 1;
  small.trouble = seconds(2);
  small.commands = 0;
  small.faults = false;
  Invocation what;
  what.first = 1;
  what.last = 50;
  what.budget = seconds(25);
  int seen = 0;
  const Tally tally = play_many(what, Ticking(), small, [&](const Report&) { ++seen; });
  EXPECT_EQ(tally.seeds, 2U);
  EXPECT_EQ(seen, 2);
  EXPECT_TRUE(tally.failed.empty());
}

}  // namespace
}  // namespace holdfast::sim
