#include "libs/os/process.hpp"

#include <gmock/gmock.h>

#include "libs/os/contract_test.hpp"

namespace holdfast::os {
namespace {

using ::testing::HasSubstr;

class ProcessTest : public ::testing::Test {
 protected:
  Result<Exit> run(const std::vector<std::string>& argv, std::string_view input = {},
                   Duration limit = seconds(20), std::size_t output_max = 1 << 20) {
    return world_.system().process.run(argv, input, limit, output_max);
  }
  Result<Exit> shell(const std::string& script, std::string_view input = {}) {
    return run({"/bin/sh", "-c", script}, input);
  }
  RealWorld world_;
};

TEST_F(ProcessTest, GivesStatusAndBothOutputs) {
  const auto exit = shell("echo out; echo err >&2; exit 3").value();
  EXPECT_EQ(exit.status, 3);
  EXPECT_EQ(exit.out, "out\n");
  EXPECT_EQ(exit.err, "err\n");
}

TEST_F(ProcessTest, LooksProgramsUpInThePath) {
  EXPECT_EQ(run({"true"}).value().status, 0);
  EXPECT_EQ(run({"false"}).value().status, 1);
}

TEST_F(ProcessTest, PassesArgumentsWithoutAShell) {
  EXPECT_EQ(run({"printf", "%s|%s", "a b", "$HOME;"}).value().out, "a b|$HOME;");
}

TEST_F(ProcessTest, FeedsStandardInput) {
  EXPECT_EQ(run({"cat"}, "hello").value().out, "hello");
  EXPECT_EQ(run({"cat"}).value().out, "");
  EXPECT_EQ(shell("cat /dev/stdin", "by name").value().out, "by name");
}

TEST_F(ProcessTest, LargeInputAndOutputDoNotBlockEachOther) {
  std::string much(1 << 20, 'x');
  EXPECT_EQ(run({"cat"}, much).value().out, much);
}

TEST_F(ProcessTest, OutputBeyondTheBoundIsDropped) {
  const auto exit = run({"cat"}, std::string(100'000, 'x'), seconds(20), 10).value();
  EXPECT_EQ(exit.out, std::string(10, 'x'));
  EXPECT_EQ(exit.status, 0);
}

TEST_F(ProcessTest, AProgramThatDoesNotReadIsNoError) {
  EXPECT_EQ(run({"true"}, std::string(1 << 20, 'x')).value().status, 0);
}

TEST_F(ProcessTest, TheDeadlineKills) {
  const MonoTime start = world_.loop().clock().mono();
  const auto exit = run({"sleep", "60"}, {}, milliseconds(50));
  ASSERT_FALSE(exit);
  EXPECT_EQ(exit.error().code, Code::deadline_exceeded);
  EXPECT_THAT(exit.error().message, HasSubstr("sleep"));
  EXPECT_LT(world_.loop().clock().mono() - start, seconds(10));
}

TEST_F(ProcessTest, TheDeadlineKillsWhatTheProgramStarted) {
  const std::string file = join(world_.folder(), "pid");
  const std::string script =
      "sleep 60 & echo $! > " + file + ".new; mv " + file + ".new " + file + "; wait";
  // A busy machine may need more than the first deadline to start a shell.
  for (Duration limit = milliseconds(100); !exists(world_.system().files, file);
       limit = limit * 4) {
    ASSERT_LT(limit, minutes(1));
    EXPECT_FALSE(run({"/bin/sh", "-c", script}, {}, limit));
  }
  const auto pid = read_file(world_.system().files, file, 100).value();
  const std::string state = "/proc/" + std::to_string(std::stoi(string_of(pid))) + "/stat";
  EXPECT_TRUE(world_.until([&] {
    // Gone, or a zombie that init has not collected yet: field 3 of proc(5).
    const auto file_of_state = world_.system().files.open(state, Open::read);
    if (!file_of_state) return true;
    const auto text = (*file_of_state)->read_at(0, 100);
    return !text || text_of(*text).find(") Z") != std::string_view::npos;
  }));
}

TEST_F(ProcessTest, ABackgroundChildDoesNotHoldUpTheEnd) {
  const MonoTime start = world_.loop().clock().mono();
  const auto exit = shell("sleep 20 & echo $!").value();
  EXPECT_EQ(exit.status, 0);
  EXPECT_LT(world_.loop().clock().mono() - start, seconds(10));
  EXPECT_TRUE(run({"kill", exit.out.substr(0, exit.out.size() - 1)}));
}

TEST_F(ProcessTest, ASignalIsAStatus) {
  EXPECT_EQ(shell("kill -9 $$").value().status, 137);
}

TEST_F(ProcessTest, SignalsOfTheChildAreAtTheirDefaults) {
  EXPECT_EQ(shell("kill -PIPE $$; exit 0").value().status, 141);
}

TEST_F(ProcessTest, AMissingProgramIsNotFound) {
  EXPECT_EQ(run({"/no/such/program"}).error().code, Code::not_found);
  EXPECT_EQ(run({}).error().code, Code::invalid_argument);
}

TEST_F(ProcessTest, OurDescriptorsAreNotInherited) {
  const auto file = world_.system().files.open(join(world_.folder(), "a"), Open::create).value();
  const std::string ours = "/proc/self/fd/" + std::to_string(file->descriptor());
  EXPECT_NE(run({"ls", ours}).value().status, 0);
}

}  // namespace
}  // namespace holdfast::os
