#include "agent/join/state_lock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "libs/os/sim/simulation.hpp"
#include "libs/os/system.hpp"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class StateLockTest : public ::testing::Test {
 protected:
  StateLockTest() : machine_(*os::RealSystem::make()) {
    std::string pattern = (std::filesystem::temp_directory_path() / "lock-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~StateLockTest() override { std::filesystem::remove_all(folder_); }

  os::Files& files() { return machine_->system().files; }
  Result<std::unique_ptr<StateLock>> take(std::string_view command) {
    return StateLock::take(files(), WallTime{1'795'000'000'000'000}, folder_, command);
  }

  std::unique_ptr<os::RealSystem> machine_;
  std::string folder_;
};

TEST_F(StateLockTest, ASecondOneIsToldWhoHoldsIt) {
  auto first = take("run");
  ASSERT_TRUE(first) << first.error().text();
  const auto second = take("join");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::folder_locked);
  EXPECT_THAT(second.error().message, HasSubstr("holdfast-agent run, process " +
                                                std::to_string(::getpid()) + ", since 2026-"));
  EXPECT_THAT(second.error().message, HasSubstr(folder_));
  first->reset();
  const auto third = take("join");
  ASSERT_TRUE(third) << third.error().text();
  EXPECT_THAT(take("run").error().message, HasSubstr("holdfast-agent join"));
}

// The kernel's lock, not the file's being there: a killed process leaves none behind.
TEST_F(StateLockTest, EndsWithItsProcess) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto mine = take("run");
    ::_exit(mine ? 0 : 1);  // without a destructor, as a kill
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_TRUE(os::exists(files(), os::join(folder_, "lock")));
  EXPECT_TRUE(take("run"));
}

TEST_F(StateLockTest, WhatTheFileSaysCannotMoveACursor) {
  auto held = take("run");
  ASSERT_TRUE(held);
  auto file = files().open(os::join(folder_, "lock"), os::Open::write);
  ASSERT_TRUE(file);
  const std::string trick = "\x1b[2Jnobody\r\n" + std::string(4000, 'x');
  ASSERT_TRUE((*file)->write_at(0, view_of(trick)));
  const auto refused = take("run");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("[2Jnobody"));
  EXPECT_THAT(refused.error().message, Not(HasSubstr("\x1b")));
  EXPECT_LT(refused.error().message.size(), 400u);
}

TEST_F(StateLockTest, AFolderThatIsNotThereIsNotMade) {
  const auto none = StateLock::take(files(), WallTime{}, folder_ + "/none", "run");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::not_found);
  EXPECT_FALSE(os::exists(files(), folder_ + "/none"));
}

TEST(StateLockSimulationTest, OneProcessIsAllThereIs) {
  os::sim::Simulation simulation(1);
  os::Files& files = simulation.node("device").system().files;
  ASSERT_TRUE(files.make_folder("/data"));
  EXPECT_TRUE(StateLock::take(files, WallTime{}, "/data", "run"));
}

}  // namespace
}  // namespace holdfast::agent
