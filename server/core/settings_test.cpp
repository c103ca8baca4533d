#include "server/core/settings.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "libs/os/system.hpp"

namespace holdfast::core {
namespace {

constexpr const char* kPage = "docs/reference/configuration.md";

config::Config defaults() {
  auto loaded = config::load(server_settings(), {});
  EXPECT_TRUE(loaded) << loaded.error().text();
  return loaded->config;
}

TEST(Settings, EveryDefaultIsAllowedAndEveryKeyUnique) {
  std::set<std::string> flags;
  std::set<std::string> names;
  for (const config::Setting& setting : server_settings()) {
    if (!setting.default_value.empty()) {
      const auto normal = config::normalise(setting, setting.default_value);
      ASSERT_TRUE(normal) << setting.key << ": " << normal.error().message;
      EXPECT_EQ(*normal, setting.default_value)
          << setting.key << ": write the default in its own spelling";
    }
    EXPECT_TRUE(flags.insert(config::flag_name(setting.key)).second) << setting.key;
    EXPECT_TRUE(names.insert(config::environment_name("HOLDFAST_", setting.key)).second)
        << setting.key;
    EXPECT_TRUE(setting.help.ends_with('.')) << setting.key << ": a sentence ends with a full stop";
    if (setting.type == config::Type::integer || setting.type == config::Type::size) {
      EXPECT_NE(setting.low, INT64_MIN) << setting.key << " has no bound";
    }
  }
}

TEST(Settings, NoNameIsTakenByTheCommandLineTool) {
  for (const config::Setting& setting : server_settings()) {
    const std::string name = config::environment_name("HOLDFAST_", setting.key);
    EXPECT_TRUE(name != "HOLDFAST_SERVER" && name != "HOLDFAST_CA" && name != "HOLDFAST_TOKEN")
        << name;
  }
}

TEST(Settings, TheFixedFlagsAreThere) {
  config::Inputs inputs;
  inputs.arguments = {"--data",        "/tmp/x", "--api-listen",    "127.0.0.1:0",
                      "--mqtt-listen", ":0",     "--device-listen", ":0"};
  const auto loaded = config::load(server_settings(), inputs);
  ASSERT_TRUE(loaded) << loaded.error().text();
  EXPECT_EQ(loaded->config.text("data"), "/tmp/x");
  EXPECT_EQ(loaded->config.text("device.listen"), ":0");
}

TEST(Settings, WhatLiesBesideTheDataFolder) {
  config::Config config = defaults();
  ASSERT_TRUE(config.set("data", "/srv/holdfast//"));
  EXPECT_EQ(seal_file(config), "/srv/holdfast.seal");
  EXPECT_EQ(ring_file(config), "/srv/holdfast.ring");
  EXPECT_EQ(checkpoint_folder(config), "/srv/holdfast.checkpoints");
  ASSERT_TRUE(config.set("seal.key_file", "/run/credentials/seal"));
  EXPECT_EQ(seal_file(config), "/run/credentials/seal");
}

TEST(Settings, ConnectionStringsAreSecret) {
  for (const config::Setting& setting : server_settings()) {
    EXPECT_EQ(setting.secret, setting.key.ends_with(".url")) << setting.key;
  }
}

// The page is made from the table; `UPDATE_DOCS=1 ctest -R core_test` writes it anew.
TEST(Settings, TheReferencePageIsUpToDate) {
  const auto system = std::move(*os::RealSystem::make());
  os::Files& files = system->system().files;
  const std::string page = server_settings_page();
  if (std::getenv("UPDATE_DOCS") != nullptr) {
    ASSERT_TRUE(files.make_folder(os::folder_of(kPage)));
    ASSERT_TRUE(os::replace_file(files, kPage, view_of(page)));
  }
  const auto stored = os::read_file(files, kPage, 1 << 20);
  ASSERT_TRUE(stored) << stored.error().text();
  EXPECT_EQ(text_of(*stored), page) << "run with UPDATE_DOCS=1";
}

}  // namespace
}  // namespace holdfast::core
