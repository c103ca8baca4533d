// Lab: one server and one agent machine in a simulation, for tests of join and Agent. The agent's
// figures are scripted; its node may crash and start again. Test code only; one thread.
#pragma once

#include <optional>

#include "agent/agent.hpp"
#include "agent/join/join.hpp"
#include "agent/testing/fake_server.hpp"
#include "libs/crypto/seeded.hpp"

namespace holdfast::agent::testing {

// Counters that rise with time.
class ScriptedProbe final : public Probe {
 public:
  explicit ScriptedProbe(os::System system) : system_(system) {
    facts_.os_release = "NAME=Test\nVERSION_ID=1\n";
    facts_.kernel = "6.1";
    facts_.machine_id = "0123456789abcdef0123456789abcdef";
    facts_.architecture = "x86_64";
  }
  Snapshot snapshot() override {
    Snapshot out;
    out.mono = system_.clock.mono();
    const auto s = static_cast<std::uint64_t>(out.mono.us / 1'000'000) + 1;
    out.cpu = CpuTimes{.user = s * 30, .idle = s * 70};
    out.load = LoadAverage{0.5, 0.25, 0.125};
    out.memory = MemoryUse{1'000'000, 250'000, 0, 0};
    out.uptime_s = static_cast<double>(s);
    return out;
  }
  Facts facts() override {
    Facts out = facts_;
    out.host_name = system_.network.host_name();
    return out;
  }
  Facts facts_;

 private:
  os::System system_;
};

class Lab {
 public:
  explicit Lab(std::uint64_t seed = 1)
      : simulation(seed),
        seeded(simulation.node("entropy").system().entropy),
        server(simulation),
        node(simulation.node("device")) {
    options.version = "1.2.3";
    options.state = kState;
  }
  ~Lab() { shut(); }

  // ---- joining
  Result<Joined> join(const std::string& code, bool again = false) {
    Result<Joined> result = fail(Code::cancelled, "not answered");
    bool done = false;
    auto state = StateFolder::open(node.system(), kState, "");
    if (!state) return std::unexpected(state.error());
    const auto plain = crypto::make_plain_transport(node.system().network, metrics);
    Join joining(node.system(), node.loop(), *plain, **state);
    joining.run(code, again, [&](Result<Joined> joined) {
      result = std::move(joined);
      done = true;
    });
    simulation.run_until([&] { return done || !node.up(); }, minutes(10));
    return result;
  }
  Result<Joined> join() { return join(server.code()); }

  // ---- running
  Status boot() {
    transport = crypto::make_plain_transport(node.system().network, metrics);
    probe = std::make_unique<ScriptedProbe>(node.system());
    auto opened = Agent::open(node.system(), node.loop(), *transport, *probe, options,
                              [this](std::string_view line) { log.emplace_back(line); });
    if (!opened) return std::unexpected(opened.error());
    agent = *std::move(opened);
    agent->start();
    return {};
  }
  void shut() {
    agent.reset();
    probe.reset();
    transport.reset();
  }
  void join_and_boot() {
    must(join());
    must(boot());
  }
  // Runs until the condition holds; false when it does not within the time.
  bool within(Duration time, const std::function<bool()>& condition) {
    return simulation.run_until(condition, time);
  }
  bool online(Duration time = minutes(10)) {
    return within(time, [&] { return agent->online(); });
  }
  bool logged(std::string_view text) const {
    return std::ranges::any_of(
        log, [&](const std::string& line) { return line.find(text) != std::string::npos; });
  }
  std::optional<Identity> identity() {
    return must(StateFolder::read_identity(node.system().files, kState));
  }

  static constexpr const char* kState = "/data/agent";
  os::sim::Simulation simulation;
  crypto::SeededRandom seeded;
  FakeServer server;
  os::sim::Node& node;
  Metrics metrics;
  AgentOptions options;
  std::vector<std::string> log;
  std::unique_ptr<crypto::Transport> transport;
  std::unique_ptr<ScriptedProbe> probe;
  std::unique_ptr<Agent> agent;
};

}  // namespace holdfast::agent::testing
