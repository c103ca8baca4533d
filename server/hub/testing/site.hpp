// A hub for real: threads, TLS, SQLite in a folder that goes away; the domains as fakes that may be
// called from many threads.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <atomic>
#include "libs/crypto/testing.hpp"
#include "server/core/migrate.hpp"
#include "server/hub/hub.hpp"
#include "server/hub/testing/device_client.hpp"
#include "server/hub/testing/fakes.hpp"
#include "server/hub/testing/session_rig.hpp"
#include "server/store/seal/ring.hpp"
#include "server/store/sql/sqlite/sqlite.hpp"
#include "server/store/sql/testing/temp_folder.hpp"

namespace holdfast::hub::testing {

// Durable on another thread, some time later.
class ThreadedTelemetry final : public telemetry::Service {
 public:
  explicit ThreadedTelemetry(os::Workers& journal) : journal_(journal) {}
  void reading(DeviceId device, std::string_view, View payload, telemetry::Delivery,
               telemetry::Done done) override {
    take(device, payload, std::move(done));
  }
  void event(DeviceId device, std::string_view, View payload, telemetry::Delivery,
             telemetry::Done done) override {
    take(device, payload, std::move(done));
  }
  void log(DeviceId device, View payload, telemetry::Delivery, telemetry::Done done) override {
    take(device, payload, std::move(done));
  }
  void record(telemetry::ServerEvent) override { ++events; }
  void session_over(std::uint64_t) override { ++over; }
  std::size_t stored(DeviceId device) const {
    return counts_.with(
        [&](const auto& counts) { return counts.contains(device) ? counts.at(device) : 0; });
  }
  std::atomic<int> events{0}, over{0};

 private:
  void take(DeviceId device, View, telemetry::Done done) {
    auto shared = std::make_shared<telemetry::Done>(std::move(done));
    const bool taken = journal_.post([this, device, shared] {
      counts_.with([&](auto& counts) { ++counts[device]; });
      (*shared)({});
    });
    if (!taken) (*shared)(fail(Code::overloaded, "full"));
  }
  os::Workers& journal_;
  Guarded<std::map<DeviceId, std::size_t>> counts_;
};

// One command for each device, until it is delivered.
class ThreadedControl final : public control::Service {
 public:
  Result<std::vector<control::Down>> pending(DeviceId device, std::size_t) override {
    if (done_.with([&](const auto& done) { return done.contains(device); }))
      return std::vector<control::Down>{};
    return std::vector{command("cmd_1")};
  }
  Result<std::optional<control::Down>> find_down(DeviceId, std::string_view) override {
    return command("cmd_1");
  }
  Result<control::TwinView> twin(DeviceId) override { return control::TwinView{}; }
  Status sent(DeviceId, std::string_view, WallTime) override { return {}; }
  Status delivered(DeviceId device, std::string_view, WallTime) override {
    done_.with([&](auto& done) { done.insert(device); });
    return {};
  }
  Status reply(DeviceId, std::string_view, View) override { return {}; }
  Status twin_reported(DeviceId, View) override {
    ++reported;
    return {};
  }
  std::size_t delivered_to() const {
    return done_.with([](const auto& done) { return done.size(); });
  }
  std::atomic<int> reported{0};

 private:
  Guarded<std::set<DeviceId>> done_;
};

// Workers that can be ended while there is still somebody who asks them: they take no more.
class EndableWorkers final : public os::Workers {
 public:
  explicit EndableWorkers(std::unique_ptr<os::Workers> inner) : inner_(std::move(inner)) {}
  bool post(os::Task task) override {
    return inner_.with([&](auto& inner) { return inner && inner->post(std::move(task)); });
  }
  void call(os::Task task) override { task(); }
  void end() {
    inner_.with([](auto& inner) { return std::exchange(inner, {}); }).reset();
  }

 private:
  Guarded<std::unique_ptr<os::Workers>> inner_;
};

class LockedDevices final : public devices::Service {
 public:
  Result<DeviceId> create(core::Change&, const devices::NewDevice&) override {
    return fail(Code::unsupported, "");
  }
  Status set_state(core::Change&, DeviceId, devices::State, std::string_view) override {
    return {};
  }
  Status set_serial(core::Change&, DeviceId, std::string_view) override { return {}; }
  Status set_certificate(core::Change&, DeviceId, const devices::Certificate&) override {
    return {};
  }
  Result<devices::Device> find(DeviceId) override { return fail(Code::not_found, ""); }
  Result<std::optional<devices::Device>> look(sql::Tx&, DeviceId) override { return std::nullopt; }
  Result<wire::Json> view(DeviceId) override { return fail(Code::not_found, ""); }
  Status hello(DeviceId, const wire::Json&) override { return {}; }
  Status inventory(DeviceId, const wire::Json&) override { return {}; }
  void connected(DeviceId, std::string_view, std::string_view, WallTime) override { ++online; }
  void disconnected(DeviceId, const devices::Disconnect&, WallTime) override { --online; }
  void seen(DeviceId, WallTime) override {}
  void https_seen(DeviceId, std::string_view, WallTime) override {}
  devices::Presence presence(DeviceId) const override { return {}; }
  void on_presence(std::function<void(DeviceId, bool)>) override {}
  std::atomic<int> online{0};
};

class Site {
 public:
  explicit Site(std::shared_ptr<crypto::testing::Pki> given = {})
      : real(crypto::testing::must(os::RealSystem::make())),
        system{real->system()},
        loop(real->main_loop()),
        pki(given ? std::move(given)
                  : std::make_shared<crypto::testing::Pki>(system.clock.wall())) {
    using crypto::testing::must;
    const seal::SecretKey key(Bytes(seal::kKeyBytes, 0x42));
    ring = must(seal::Ring::make(system, folder / "ring", key));
    sealer = std::make_unique<seal::Sealer>(*ring, system.entropy);
    sql::SqliteSettings settings;
    settings.path = folder / "db";
    database = must(sql::open_sqlite(system, metrics, settings));
    auto migrations = core::core_migrations();
    for (auto& each : hub_migrations()) migrations.push_back(each);
    must(core::migrate(*database, migrations, system.clock.wall()));
    store = std::make_unique<core::Store>(*database, system, *sealer, metrics);
    workers = std::make_unique<EndableWorkers>(system.threads.start_workers("work", 4, 1'000));
    journal = std::make_unique<EndableWorkers>(system.threads.start_workers("journal", 1, 1'000));
    telemetry = std::make_unique<ThreadedTelemetry>(*journal);
    dispatcher = must(core::Dispatcher::make(*store, *bus, *workers, loop, log, metrics));
    identity.trust = {pki->issuing_der(), pki->root_der()};
    identity.credential = pki->server();
    transport = crypto::make_tls_transport(system.network, metrics);
    Options options;
    options.mqtt = options.device = {"127.0.0.1", 0};
    options.loops = 3;
    hub = must(Hub::make({system, *transport, *store, *dispatcher, devices, identity, control,
                          *telemetry, *workers, log, metrics},
                         options));
  }
  ~Site() {
    clients.clear();
    if (dispatcher) dispatcher->stop();
    workers->end();
    journal->end();
    hub.reset();
    dispatcher.reset();
  }

  // Runs the loop of this thread until it holds.
  bool until(const std::function<bool()>& condition, Duration within = seconds(30)) {
    const auto end = system.clock.mono() + within;
    std::function<void()> look = [&] {
      if (condition() || system.clock.mono() >= end) return loop.stop();
      loop.after(milliseconds(5), [&] { look(); });
    };
    loop.post([&] { look(); });
    loop.run();
    return condition();
  }
  bool start() {
    std::optional<Status> status;
    hub->start(loop, [&](Status answer) { status = std::move(answer); });
    return until([&] { return status.has_value(); }) && *status;
  }
  bool stop() {
    bool stopped = false;
    hub->stop(seconds(10), loop, [&] { stopped = true; });
    return until([&] { return stopped; });
  }
  DeviceClient& client(int number) {
    auto& credential = credentials[number];
    if (!credential)
      credential = pki->device(device_number(static_cast<std::uint8_t>(number)).text());
    clients.push_back(std::make_unique<DeviceClient>(
        loop, crypto::make_tls_transport(system.network, client_metrics), *credential,
        pki->trust()));
    return *clients.back();
  }
  os::Endpoint mqtt() const { return {"127.0.0.1", hub->mqtt_endpoint().port}; }

  std::unique_ptr<os::RealSystem> real;
  os::System system;
  os::Loop& loop;
  sql::TempFolder folder{system.files};
  Metrics metrics, client_metrics;
  Log log{[](std::string_view) {}};
  std::shared_ptr<crypto::testing::Pki> pki;
  std::unique_ptr<seal::Ring> ring;
  std::unique_ptr<seal::Sealer> sealer;
  std::unique_ptr<sql::Database> database;
  std::unique_ptr<core::Store> store;
  std::unique_ptr<core::Bus> bus = core::make_local_bus();
  LockedDevices devices;
  FakeIdentity identity;  // its lists are not changed while it is asked
  ThreadedControl control;
  std::unique_ptr<EndableWorkers> workers, journal;
  std::unique_ptr<ThreadedTelemetry> telemetry;
  std::unique_ptr<core::Dispatcher> dispatcher;
  std::unique_ptr<crypto::Transport> transport;
  std::unique_ptr<Hub> hub;
  std::map<int, std::optional<crypto::Credential>> credentials;
  std::vector<std::unique_ptr<DeviceClient>> clients;
};

}  // namespace holdfast::hub::testing
