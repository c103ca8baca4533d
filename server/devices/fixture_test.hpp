// For tests of the registry: core and devices on a simulated machine that can be crashed.
#pragma once

#include <gtest/gtest.h>

#include "server/core/testing/asker.hpp"
#include "server/devices/places.hpp"
#include "server/devices/registry.hpp"
#include "server/devices/routes.hpp"

namespace holdfast::devices {

class Plant {
 public:
  explicit Plant(std::uint64_t seed = 1) : t(seed, migrations()) { start(); }
  ~Plant() { drop(); }

  void start() {
    ASSERT_TRUE(t.open());
    workers = t.system().threads.start_workers("test", 1, 10'000);
    auto made = Registry::make(t.store(), *workers, t.node.loop(), t.log, t.metrics);
    ASSERT_TRUE(made) << made.error().text();
    registry = std::move(*made);
    places = std::make_unique<Places>(t.store());
    operations = std::make_unique<core::Operations>();
    ASSERT_TRUE(add_routes(*operations, *registry, *places));
  }
  void drop() {
    operations.reset();
    places.reset();
    registry.reset();
    workers.reset();
  }
  void crash(os::sim::Crash kind = os::sim::Crash::power) {
    t.node.crash(kind);
    drop();
    t.crash(kind);
    start();
  }
  // Lets workers and timers do what is due.
  void settle(Duration time = milliseconds(1)) { t.world.run_for(time); }
  WallTime now() { return t.node.system().clock.wall(); }

  core::Answer ask(std::string_view operation, const core::Asking& asking = {},
                   const core::Caller& caller = core::test_caller()) {
    return core::Asker(*operations, t.node.system().clock)(operation, asking, caller);
  }
  // As identity does it.
  Result<DeviceId> try_device(const NewDevice& wanted, bool enrolled = true) {
    DeviceId id;
    TRY(t.store().change(core::Caller::system(), "test.enrol", [&](core::Change& change) -> Status {
      id = TRY(registry->create(change, wanted));
      if (!enrolled) return {};
      return registry->set_state(change, id, State::enrolled, "test");
    }));
    return id;
  }
  DeviceId device(const std::string& name, std::optional<SiteId> site = {}, Tags tags = {}) {
    NewDevice wanted;
    wanted.name = name;
    wanted.site = site;
    wanted.tags = std::move(tags);
    const auto id = try_device(wanted);
    EXPECT_TRUE(id) << id.error().text();
    return id.value_or(DeviceId{});
  }
  SiteId site(const std::string& name) {
    const auto made = ask("create_site", {.body = wire::JsonObject{{"name", name}}});
    EXPECT_EQ(made.status, 201);
    return SiteId::parse(made.text("/id")).value();
  }
  TypeId type(const std::string& name) {
    const auto made = ask("create_type", {.body = wire::JsonObject{{"name", name}}});
    EXPECT_EQ(made.status, 201);
    return TypeId::parse(made.text("/id")).value();
  }
  Device get(DeviceId id) { return registry->find(id).value(); }

  core::TestStore t;
  std::unique_ptr<os::Workers> workers;
  std::unique_ptr<Registry> registry;
  std::unique_ptr<Places> places;
  std::unique_ptr<core::Operations> operations;
};

inline core::Caller someone(core::Role role, std::optional<std::vector<SiteId>> sites = {}) {
  return core::test_caller({role}, std::move(sites));
}
inline Registry::Matches any_revision() {
  return [](std::int64_t) -> Status { return {}; };
}
inline Code code_of(const Result<Device>& result) {
  return result ? Code::internal : result.error().code;
}

}  // namespace holdfast::devices
