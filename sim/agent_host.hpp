// AgentHost: the machine of one device: joins with a code as a person would, runs the real Agent on
// a simulated node, starts it again after a crash. Its probe is a script: each snapshot counts one
// up, so that every reading is told apart, over all lives of the machine.
// One thread; tick() from outside of events.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "agent/agent.hpp"
#include "agent/join/join.hpp"
#include "libs/os/sim/simulation.hpp"
#include "sim/journal.hpp"
#include "sim/witness.hpp"

namespace holdfast::sim {

class ScriptedProbe final : public agent::Probe {
 public:
  explicit ScriptedProbe(const os::sim::Simulation& world, std::string name)
      : world_(world), name_(std::move(name)) {}
  agent::Snapshot snapshot() override;
  agent::Facts facts() override;
  std::uint64_t taken() const { return taken_; }

 private:
  const os::sim::Simulation& world_;
  const std::string name_;
  std::uint64_t taken_ = 0;
};
// The metrics whose values are the number of the snapshot.
inline constexpr std::array<std::string_view, 2> kScriptedMetrics{"system.uptime_s", "load.1m"};

class AgentHost {
 public:
  AgentHost(os::sim::Simulation& world, Journal& journal, std::string name);
  ~AgentHost();
  AgentHost(const AgentHost&) = delete;
  AgentHost& operator=(const AgentHost&) = delete;

  void tick();
  void crash(os::sim::Crash kind, Duration pause);
  // Good-bye to the server; not started again.
  void stop();
  bool stopped() const { return stopping_ && !agent_; }

  bool wants_code() const { return code_.empty() && device_id_.empty(); }
  void give_code(std::string code) { code_ = std::move(code); }

  os::sim::Node& node() { return node_; }
  const std::string& name() const { return node_.name(); }
  const std::string& device_id() const { return device_id_; }  // "" before it has joined
  bool online() const { return agent_ && agent_->online(); }
  // Nothing is left to send.
  bool drained() const { return agent_ && agent_->waiting() == 0; }
  const Ledger& ledger() const { return ledger_; }
  std::uint64_t snapshots() const { return probe_.taken(); }
  // How often each command was carried out.
  const std::map<std::string, unsigned>& carried_out() const { return carried_out_; }
  // What should never happen on a device; "" for nothing.
  const std::string& trouble() const { return trouble_; }
  // Why it is not connected, in a sentence.
  std::string state() const;

 private:
  struct Joining {
    std::unique_ptr<agent::StateFolder> folder;
    std::unique_ptr<agent::Join> join;
    std::optional<Result<agent::Joined>> result;
  };
  void drop();
  void start_join();
  void finish_join();
  void start_agent();
  void logged(std::string_view line);
  agent::AgentOptions options() const;
  void later(const Error& why);

  static constexpr Duration kRetry = seconds(2);

  os::sim::Simulation& world_;
  os::sim::Node& node_;
  Journal& journal_;
  ScriptedProbe probe_;
  Ledger ledger_;
  std::map<std::string, unsigned> carried_out_;
  std::string code_;
  std::string device_id_;
  std::string trouble_;
  std::string why_;  // the last thing that kept it from running
  MonoTime next_try_{};
  bool stopping_ = false;
  bool ended_ = false;
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<crypto::Transport> transport_;
  std::unique_ptr<Witness> witness_;
  std::unique_ptr<Joining> joining_;
  std::unique_ptr<agent::Agent> agent_;
};

}  // namespace holdfast::sim
