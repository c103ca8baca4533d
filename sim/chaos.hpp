// Chaos: what goes wrong in a run, drawn by its seed: cuts, one-way cuts, half-open links, resets,
// delays, crashes of server and agents (power, kill, in the middle of a write), disk errors, full
// and slow disks, clocks that jump, restarts in good order. Each fault that lasts is undone by
// itself after a while, and all of them by heal().
// One thread; from outside of events.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sim/agent_host.hpp"
#include "sim/server_host.hpp"

namespace holdfast::sim {

using FaultCounts = std::map<std::string, std::uint64_t>;

class Chaos {
 public:
  using Agents = std::vector<std::unique_ptr<AgentHost>>;

  Chaos(os::sim::Simulation& world, Journal& journal, ServerHost& server, Agents& agents);

  void tick();    // undoes what is over
  void strike();  // one fault
  void heal();    // everything works from now on; whoever is down comes up
  const FaultCounts& counts() const { return counts_; }
  // How many kinds there are, and the one to strike, for tests.
  static std::size_t kinds();
  void strike(std::size_t kind);

 private:
  struct Kind {
    std::string_view name;
    unsigned weight;
    void (Chaos::*strike)();
  };
  static const std::vector<Kind>& table();

  void cut_agent();
  void cut_one_way();
  void half_open();
  void reset();
  void isolate_server();
  void delay_agent();
  void server_power();
  void server_kill();
  void server_power_in_write();
  void server_restart();
  void server_disk_error();
  void server_read_error();
  void server_disk_full();
  void server_disk_slow();
  void server_clock();
  void agent_power();
  void agent_kill();
  void agent_power_in_write();
  void agent_disk_error();
  void agent_disk_full();
  void agent_clock();

  AgentHost& some_agent();
  Duration between(Duration low, Duration high);
  void later(Duration after, std::function<void()> undo);
  void disk_error(os::sim::Disk& disk);
  void disk_full(os::sim::Disk& disk);
  void note(std::string_view who, std::string what);

  struct Undo {
    MonoTime at;
    std::function<void()> undo;
  };
  os::sim::Simulation& world_;
  Journal& journal_;
  ServerHost& server_;
  Agents& agents_;
  os::sim::Random random_;
  std::vector<Undo> undo_;  // a handful
  FaultCounts counts_;
};

}  // namespace holdfast::sim
