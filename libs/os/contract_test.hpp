// The two worlds that the contract tests of libs/os run in: this machine, and a simulated one. What
// a test states here holds for both. Include from *_test.cpp only.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <string>

#include "libs/os/sim/simulation.hpp"
#include "libs/os/system.hpp"

namespace holdfast::os {

inline constexpr Duration kPatience = seconds(10);  // a condition that takes longer has failed

// The code of an error; Code{} of a success, which no error has.
Code code_of(const auto& result) {
  return result ? Code{} : result.error().code;
}

class World {
 public:
  virtual ~World() = default;
  virtual System system() = 0;
  virtual Loop& loop() = 0;
  virtual std::string folder() = 0;  // empty at first
  // Runs the main loop until the condition holds, which is asked often; false when it never does.
  virtual bool until(std::function<bool()> condition) = 0;

  // Lets everything happen that is due now.
  void settle() {
    bool done = false;
    loop().post([&] { done = true; });
    EXPECT_TRUE(until([&] { return done; }));
  }
};

class RealWorld final : public World {
 public:
  RealWorld() : system_(RealSystem::make().value()) {
    char name[] = "/tmp/holdfast-os-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~RealWorld() override { EXPECT_TRUE(remove_tree(system().files, folder_)); }

  System system() override { return system_->system(); }
  Loop& loop() override { return system_->main_loop(); }
  RealSystem& real() { return *system_; }
  std::string folder() override { return folder_; }
  bool until(std::function<bool()> condition) override {
    const MonoTime end = loop().clock().mono() + kPatience;
    bool held = false;
    ask(condition, end, held);
    loop().run();
    return held;
  }

 private:
  void ask(const std::function<bool()>& condition, MonoTime end, bool& held) {
    held = condition();
    if (held || loop().clock().mono() > end) return loop().stop();
    loop().after(microseconds(300), [this, &condition, end, &held] { ask(condition, end, held); });
  }

  std::unique_ptr<RealSystem> system_;
  std::string folder_;
};

class SimWorld final : public World {
 public:
  explicit SimWorld(std::uint64_t seed = 1) : simulation_(seed), node_(simulation_.node("one")) {}
  System system() override { return node_.system(); }
  Loop& loop() override { return node_.loop(); }
  std::string folder() override { return "/data"; }
  bool until(std::function<bool()> condition) override {
    return simulation_.run_until(condition, kPatience);
  }

 private:
  sim::Simulation simulation_;
  sim::Node& node_;
};

enum class Kind { real, sim };

class ContractTest : public ::testing::TestWithParam<Kind> {
 protected:
  ContractTest() {
    if (GetParam() == Kind::real) {
      world_ = std::make_unique<RealWorld>();
    } else {
      world_ = std::make_unique<SimWorld>();
    }
  }
  World& world() { return *world_; }
  System system() { return world_->system(); }
  Loop& loop() { return world_->loop(); }
  Files& files() { return world_->system().files; }
  Network& network() { return world_->system().network; }
  MonoTime now() { return loop().clock().mono(); }
  bool until(std::function<bool()> condition) { return world_->until(std::move(condition)); }
  std::string path(std::string_view name) { return join(world_->folder(), name); }

 private:
  std::unique_ptr<World> world_;
};

inline std::string kind_name(const ::testing::TestParamInfo<Kind>& info) {
  return info.param == Kind::real ? "real" : "sim";
}

#define HOLDFAST_BOTH_WORLDS(suite) \
  INSTANTIATE_TEST_SUITE_P(Both, suite, ::testing::Values(Kind::real, Kind::sim), kind_name)

}  // namespace holdfast::os
