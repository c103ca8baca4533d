// A hub in a simulation: its own store and notices for real, the domains as fakes, devices as
// clients. The server may be crashed and started again; what is durable stays.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "libs/crypto/testing.hpp"
#include "server/core/testing/test_store.hpp"
#include "server/hub/hub.hpp"
#include "server/hub/testing/device_client.hpp"
#include "server/hub/testing/fakes.hpp"
#include "server/hub/testing/session_rig.hpp"

namespace holdfast::hub::testing {

class HubWorld {
 public:
  explicit HubWorld(std::uint64_t seed = 1)
      : machine(seed, hub_migrations()), pki(machine.world.wall()) {
    identity.trust = {pki.issuing_der(), pki.root_der()};
    identity.credential = pki.server({"server"});
    options.loops = 2;
    options.limits.connections = {1, 10};  // soon reached
    start();
  }
  ~HubWorld() {
    devices_.clear();
    drop();
  }

  void start() {
    ASSERT_TRUE(machine.open());
    const auto system = machine.node.system();
    workers = system.threads.start_workers("w", 4, 10'000);
    bus = core::make_local_bus();
    auto made = core::Dispatcher::make(machine.store(), *bus, *workers, machine.node.loop(),
                                       machine.log, machine.metrics);
    ASSERT_TRUE(made);
    dispatcher = std::move(*made);
    machine.store().on_commit([this](bool, bool noticed) {
      if (noticed && dispatcher) dispatcher->wake();
    });
    transport = crypto::make_plain_transport(system.network, machine.metrics);
    auto hub_made = Hub::make({system, *transport, machine.store(), *dispatcher, devices, identity,
                               control, telemetry, *workers, machine.log, machine.metrics},
                              options);
    ASSERT_TRUE(hub_made);
    hub = std::move(*hub_made);
    Status status = fail(Code::internal, "not started");
    hub->start(machine.node.loop(), [&](Status answer) { status = std::move(answer); });
    ASSERT_TRUE(machine.world.run_until([&] { return status.has_value(); }, seconds(5)));
    ASSERT_TRUE(dispatcher->start());
    mqtt = {"server", hub->mqtt_endpoint().port};
    https = {"server", hub->device_endpoint().port};
    options.mqtt.port = mqtt.port;  // the same after a restart
    options.device.port = https.port;
  }
  void drop() {
    hub.reset();
    dispatcher.reset();
    workers.reset();
    transport.reset();
    bus.reset();
  }
  void crash(os::sim::Crash kind = os::sim::Crash::power) {
    machine.node.crash(kind);
    telemetry.crash();
    drop();
    machine.close();
    machine.node.restart();
  }

  static DeviceId id_of(std::uint8_t number) { return device_number(number); }
  DeviceClient& device(std::uint8_t number, const std::string& machine_name = "") {
    const auto name = machine_name.empty() ? "device" + std::to_string(number) : machine_name;
    auto& slot = devices_[name];
    if (!slot) {
      auto& credential = credentials_[number];
      if (!credential) credential = pki.device(id_of(number).text());
      auto& node = machine.world.node(name);
      slot = std::make_unique<DeviceClient>(
          node.loop(), crypto::make_plain_transport(node.system().network, client_metrics_),
          *credential, pki.trust());
    }
    return *slot;
  }
  os::sim::Node& node_of(std::uint8_t number) {
    return machine.world.node("device" + std::to_string(number));
  }
  const crypto::Credential& credential_of(std::uint8_t number) {
    device(number);
    return *credentials_[number];
  }

  bool until(const std::function<bool()>& condition, Duration within = seconds(10)) {
    return machine.world.run_until(condition, within);
  }
  void run(Duration time) { machine.world.run_for(time); }
  // Connected, CONNACK read.
  void go_live(DeviceClient& client, mqtt::Connect packet) {
    client.connect(mqtt, std::move(packet));
    ASSERT_TRUE(until([&] { return client.live(); }));
  }
  void notice(std::string_view name, const std::string& payload) {
    ASSERT_TRUE(
        machine.store().change(core::Caller::system(), "test", [&](core::Change& change) -> Status {
          TRY(change.audit("dev_1", "{}", "{}"));
          return change.notice(name, payload);
        }));
  }
  std::uint64_t metric(const std::string& row) const {
    const auto text = machine.metrics.text();
    const auto at = text.find("\n" + row + " ");
    return at == std::string::npos ? 0 : std::stoull(text.substr(at + row.size() + 2));
  }

  core::TestStore machine;
  crypto::testing::Pki pki;
  FakeDevices devices;
  FakeIdentity identity;
  FakeControl control;
  FakeTelemetry telemetry;
  Options options;
  os::Endpoint mqtt, https;
  std::unique_ptr<os::Workers> workers;
  std::unique_ptr<core::Bus> bus;
  std::unique_ptr<core::Dispatcher> dispatcher;
  std::unique_ptr<crypto::Transport> transport;
  std::unique_ptr<Hub> hub;

 private:
  Metrics client_metrics_;
  std::map<std::string, std::unique_ptr<DeviceClient>> devices_;
  std::map<std::uint8_t, std::optional<crypto::Credential>> credentials_;
};

}  // namespace holdfast::hub::testing
