#include "sim/chaos.hpp"

namespace holdfast::sim {
namespace {

using os::sim::Crash;
using os::sim::Disk;
using os::sim::Node;

constexpr std::uint64_t kDiskFree = 4'096;  // bytes left on a disk that fills up
// Below the five minutes by which certificates are older than they say: a certificate that is made
// meanwhile is good at once when the clock is right again.
constexpr Duration kServerClockMax = minutes(4);
constexpr Duration kAgentClockMax = hours(12);
// Odd, so that no two readings of a device can fall on the same microsecond.
constexpr Duration kOdd = microseconds(333'337);

}  // namespace

Chaos::Chaos(os::sim::Simulation& world, Journal& journal, ServerHost& server, Agents& agents)
    : world_(world),
      journal_(journal),
      server_(server),
      agents_(agents),
      random_(world.seed(), "chaos") {}

const std::vector<Chaos::Kind>& Chaos::table() {
  static const std::vector<Kind> kinds{
      {"agent cut off", 10, &Chaos::cut_agent},
      {"cut in one direction", 8, &Chaos::cut_one_way},
      {"half-open link", 8, &Chaos::half_open},
      {"link reset", 8, &Chaos::reset},
      {"server cut off", 4, &Chaos::isolate_server},
      {"slow link", 6, &Chaos::delay_agent},
      {"server loses power", 6, &Chaos::server_power},
      {"server killed", 6, &Chaos::server_kill},
      {"server loses power in a write", 8, &Chaos::server_power_in_write},
      {"server restarted", 3, &Chaos::server_restart},
      {"server disk error", 6, &Chaos::server_disk_error},
      {"server read error", 3, &Chaos::server_read_error},
      {"server disk full", 4, &Chaos::server_disk_full},
      {"server disk slow", 3, &Chaos::server_disk_slow},
      {"server clock jumps", 4, &Chaos::server_clock},
      {"agent loses power", 8, &Chaos::agent_power},
      {"agent killed", 6, &Chaos::agent_kill},
      {"agent loses power in a write", 8, &Chaos::agent_power_in_write},
      {"agent disk error", 8, &Chaos::agent_disk_error},
      {"agent disk full", 5, &Chaos::agent_disk_full},
      {"agent clock jumps", 5, &Chaos::agent_clock},
  };
  return kinds;
}

std::size_t Chaos::kinds() { return table().size(); }

void Chaos::strike() {
  std::uint64_t total = 0;
  for (const Kind& kind : table()) total += kind.weight;
  std::uint64_t at = random_.below(total);
  std::size_t kind = 0;
  while (at >= table()[kind].weight) at -= table()[kind++].weight;
  strike(kind);
}

void Chaos::strike(std::size_t kind) {
  const Kind& row = table()[kind];
  ++counts_[std::string(row.name)];
  (this->*row.strike)();
}

void Chaos::tick() {
  for (std::size_t i = 0; i < undo_.size();) {
    if (undo_[i].at > world_.now()) {
      ++i;
      continue;
    }
    const auto undo = std::move(undo_[i].undo);
    undo_.erase(undo_.begin() + static_cast<std::ptrdiff_t>(i));
    undo();
  }
}

void Chaos::heal() {
  while (!undo_.empty()) {
    const auto undo = std::move(undo_.back().undo);
    undo_.pop_back();
    undo();
  }
  world_.links().heal_all();
  server_.node().disk().plan_no_faults();
  for (const auto& agent : agents_) agent->node().disk().plan_no_faults();
  journal_.note("world", "everything is healed");
}

AgentHost& Chaos::some_agent() { return *agents_[random_.below(agents_.size())]; }
Duration Chaos::between(Duration low, Duration high) { return random_.between(low, high); }

void Chaos::later(Duration after, std::function<void()> undo) {
  undo_.push_back({world_.now() + after, std::move(undo)});
}

void Chaos::note(std::string_view who, std::string what) { journal_.note(who, "FAULT " + what); }

// ---- links

void Chaos::cut_agent() {
  Node& node = some_agent().node();
  note(node.name(), "cut off");
  world_.links().cut(node, server_.node());
  later(between(seconds(2), seconds(50)),
        [this, &node] { world_.links().heal(node, server_.node()); });
}

void Chaos::cut_one_way() {
  Node& node = some_agent().node();
  const bool up = random_.chance(50);
  note(node.name(), up ? "cannot send" : "cannot receive");
  if (up) {
    world_.links().cut_one_way(node, server_.node());
  } else {
    world_.links().cut_one_way(server_.node(), node);
  }
  later(between(seconds(2), seconds(50)),
        [this, &node] { world_.links().heal(node, server_.node()); });
}

void Chaos::half_open() {
  Node& node = some_agent().node();
  note(node.name(), "its connections fall silent");
  world_.links().forget_connections(node, server_.node());
}

void Chaos::reset() {
  Node& node = some_agent().node();
  note(node.name(), "its connections are reset");
  world_.links().reset_connections(node, server_.node());
}

void Chaos::isolate_server() {
  note(kServerName, "cut off from all");
  world_.links().isolate(server_.node());
  later(between(seconds(1), seconds(20)), [this] { world_.links().heal_all(); });
}

void Chaos::delay_agent() {
  Node& node = some_agent().node();
  const Duration high = between(milliseconds(100), seconds(3));
  note(node.name(), "its link is slow");
  world_.links().set_delay(node, server_.node(), milliseconds(20), high);
  world_.links().set_delay(server_.node(), node, milliseconds(20), high);
  later(between(seconds(5), seconds(40)), [this, &node] {
    world_.links().set_delay(node, server_.node(), microseconds(200), milliseconds(5));
    world_.links().set_delay(server_.node(), node, microseconds(200), milliseconds(5));
  });
}

// ---- the server

void Chaos::server_power() {
  note(kServerName, "loses power");
  server_.crash(Crash::power, between(milliseconds(100), seconds(8)));
}

void Chaos::server_kill() {
  note(kServerName, "is killed");
  server_.crash(Crash::process, between(milliseconds(100), seconds(4)));
}

void Chaos::server_power_in_write() {
  Disk& disk = server_.node().disk();
  note(kServerName, "will lose power in a write");
  disk.crash_at(disk.operations() + 1 + random_.below(300));
}

void Chaos::server_restart() {
  note(kServerName, "is restarted");
  server_.stop(between(milliseconds(100), seconds(2)));
}

void Chaos::server_disk_error() {
  note(kServerName, "its disk will fail");
  disk_error(server_.node().disk());
}

void Chaos::server_read_error() {
  Disk& disk = server_.node().disk();
  note(kServerName, "its disk will fail to read");
  disk.fail_read_at(disk.reads() + 1 + random_.below(50));
}

void Chaos::server_disk_full() {
  note(kServerName, "its disk is full");
  disk_full(server_.node().disk());
}

void Chaos::server_disk_slow() {
  note(kServerName, "its disk is slow");
  server_.node().disk().set_slow(between(microseconds(100), milliseconds(3)));
  later(between(seconds(1), seconds(10)), [this] { server_.node().disk().set_slow({}); });
}

void Chaos::server_clock() {
  const Duration by = between(Duration{} - kServerClockMax, kServerClockMax) + kOdd;
  note(kServerName, "its clock jumps by " + to_text(by));
  server_.node().jump_wall(by);
  later(between(seconds(10), seconds(60)),
        [this, by] { server_.node().jump_wall(Duration{} - by); });
}

// ---- agents

void Chaos::agent_power() {
  AgentHost& agent = some_agent();
  note(agent.name(), "loses power");
  agent.crash(Crash::power, between(milliseconds(100), seconds(20)));
}

void Chaos::agent_kill() {
  AgentHost& agent = some_agent();
  note(agent.name(), "is killed");
  agent.crash(Crash::process, between(milliseconds(100), seconds(10)));
}

void Chaos::agent_power_in_write() {
  AgentHost& agent = some_agent();
  Disk& disk = agent.node().disk();
  note(agent.name(), "will lose power in a write");
  disk.crash_at(disk.operations() + 1 + random_.below(40));
}

void Chaos::agent_disk_error() {
  AgentHost& agent = some_agent();
  note(agent.name(), "its disk will fail");
  disk_error(agent.node().disk());
}

void Chaos::agent_disk_full() {
  AgentHost& agent = some_agent();
  note(agent.name(), "its disk is full");
  disk_full(agent.node().disk());
}

void Chaos::agent_clock() {
  AgentHost& agent = some_agent();
  const Duration by = between(Duration{} - kAgentClockMax, kAgentClockMax) + kOdd;
  note(agent.name(), "its clock jumps by " + to_text(by));
  agent.node().jump_wall(by);
  later(between(seconds(10), seconds(60)),
        [&agent, by] { agent.node().jump_wall(Duration{} - by); });
}

// ---- disks

void Chaos::disk_error(Disk& disk) {
  const std::uint64_t first = disk.operations() + 1 + random_.below(60);
  const std::uint64_t count = 1 + random_.below(4);
  const Code code = random_.chance(80) ? Code::io_error : Code::disk_full;
  for (std::uint64_t i = 0; i < count; ++i) disk.fail_at(first + i, code);
}

void Chaos::disk_full(Disk& disk) {
  disk.set_capacity(disk.used() + random_.below(kDiskFree));
  later(between(seconds(3), seconds(40)), [&disk] { disk.set_capacity(Disk::kCapacity); });
}

}  // namespace holdfast::sim
