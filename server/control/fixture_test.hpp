// For tests of control: core, devices and control on a simulated machine that can be crashed.
#pragma once

#include <gtest/gtest.h>

#include "server/control/controller.hpp"
#include "server/control/routes.hpp"
#include "server/core/bus.hpp"
#include "server/core/testing/asker.hpp"
#include "server/devices/registry.hpp"
#include "server/telemetry/testing/heard.hpp"

namespace holdfast::control {

inline std::vector<core::Migration> plant_migrations() {
  auto all = devices::migrations();
  for (auto& one : migrations()) all.push_back(one);
  return all;
}

class Plant {
 public:
  explicit Plant(std::uint64_t seed = 1) : t(seed, plant_migrations()) {
    start();
    pump = device("pump");
  }
  ~Plant() { drop(); }

  void start() {
    ASSERT_TRUE(t.open());
    workers = t.system().threads.start_workers("test", 2, 10'000);
    bus = core::make_local_bus();
    auto& loop = t.node.loop();
    dispatcher = core::Dispatcher::make(t.store(), *bus, *workers, loop, t.log, t.metrics).value();
    jobs = core::Jobs::make(t.store(), *workers, loop, t.log, t.metrics).value();
    t.store().on_commit([this](bool, bool noticed) {
      if (noticed && dispatcher) dispatcher->wake();
    });
    registry = devices::Registry::make(t.store(), *workers, loop, t.log, t.metrics).value();
    controller =
        Controller::make(t.store(), *jobs, *dispatcher, *registry, heard, t.metrics).value();
    operations = std::make_unique<core::Operations>();
    ASSERT_TRUE(add_routes(*operations, *controller, loop, *workers));
    ASSERT_TRUE(dispatcher->start());
    ASSERT_TRUE(jobs->start());
  }
  void drop() {
    if (dispatcher && t.node.up()) dispatcher->stop();
    if (jobs && t.node.up()) jobs->stop();
    operations.reset();
    controller.reset();
    registry.reset();
    jobs.reset();
    dispatcher.reset();
    bus.reset();
    workers.reset();
  }
  void crash(os::sim::Crash kind = os::sim::Crash::power) {
    t.node.crash(kind);
    drop();
    t.crash(kind);
    start();
  }
  void settle(Duration time = milliseconds(1)) { t.world.run_for(time); }
  WallTime now() { return t.node.system().clock.wall(); }

  DeviceId device(const std::string& name, std::optional<SiteId> site = {}) {
    DeviceId id;
    EXPECT_TRUE(
        t.store().change(core::Caller::system(), "test.enrol", [&](core::Change& change) -> Status {
          devices::NewDevice wanted;
          wanted.name = name;
          wanted.site = site;
          id = TRY(registry->create(change, wanted));
          return {};
        }));
    return id;
  }
  SiteId site(const std::string& name) {
    SiteId id;
    EXPECT_TRUE(
        t.store().change(core::Caller::system(), "test.site", [&](core::Change& change) -> Status {
          id = change.new_id<SiteId>();
          TRY(
              change.tx().exec("INSERT INTO site (id,name,description,revision,created_at,"
                               "updated_at) VALUES (?,?,'',1,?,?)",
                               {id, name, change.now(), change.now()}));
          return change.audit(id.text(), "", "{}");
        }));
    return id;
  }
  Result<Command> try_run(const std::string& name, wire::Json payload = {},
                          Duration limit = seconds(300)) {
    return controller->run(core::test_caller(), pump, {name, std::move(payload), limit});
  }
  CommandId run(const std::string& name, Duration limit = seconds(300)) {
    const auto command = try_run(name, {}, limit);
    EXPECT_TRUE(command) << command.error().text();
    return command ? command->id : CommandId{};
  }
  Command get(CommandId id) { return controller->command(core::test_caller(), id).value(); }
  Status reply(CommandId id, std::string_view payload = R"({"status":"ok"})") {
    return controller->reply(pump, id.text(), view_of(payload));
  }
  std::vector<std::string> waiting(std::size_t limit = 100) {
    std::vector<std::string> keys;
    const auto downs = controller->pending(pump, limit).value();
    for (const Down& down : downs) keys.push_back(down.key);
    return keys;
  }
  core::Answer ask(std::string_view operation, const core::Asking& asking = {},
                   const core::Caller& caller = core::test_caller()) {
    return core::Asker(*operations, t.node.system().clock)(operation, asking, caller);
  }
  std::int64_t jobs_open() {
    std::int64_t open = -1;
    EXPECT_TRUE(t.store().read([&](sql::Tx& tx) -> Status {
      open = TRY(tx.number("SELECT count(*) FROM job WHERE state IN ('scheduled','running')"));
      return {};
    }));
    return open;
  }

  core::TestStore t;
  telemetry::Heard heard;
  DeviceId pump;
  std::unique_ptr<os::Workers> workers;
  std::unique_ptr<core::Bus> bus;
  std::unique_ptr<core::Dispatcher> dispatcher;
  std::unique_ptr<core::Jobs> jobs;
  std::unique_ptr<devices::Registry> registry;
  std::unique_ptr<Controller> controller;
  std::unique_ptr<core::Operations> operations;
};

inline Controller::Matches any_version() {
  return [](std::int64_t) -> Status { return {}; };
}

}  // namespace holdfast::control
