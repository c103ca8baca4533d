#include "sim/run.hpp"

#include <cstdio>

namespace holdfast::sim {
namespace {

// For the dispatcher to come to rest: it tries a delivery that failed again within a minute.
constexpr Duration kNoticesLimit = seconds(75);
constexpr Duration kCommandsLimit = seconds(90);  // above every deadline of a command
constexpr Duration kCommandsPoll = seconds(5);

// Waits until no command is under way: delivered and answered, or past its deadline. That none is
// left is the verdict's to say.
void await_commands(Fleet& fleet) {
  const MonoTime end = fleet.world().now() + kCommandsLimit;
  while (fleet.world().now() < end) {
    bool open = false;
    for (const char* state : {"queued", "sent", "delivered"}) {
      const auto some = fleet.person().insist(
          "GET", http::with_query("/v1/commands", {{"state", state}, {"limit", "1"}}), nullptr, "",
          kCommandsPoll, fleet.ticker());
      const auto object = some ? wire::as_object(*some) : std::unexpected(some.error());
      const auto items =
          object ? wire::get_array(**object, "items") : std::unexpected(object.error());
      open = open || !items || !(*items)->empty();
    }
    if (!open) return;
    const MonoTime next = fleet.world().now() + kCommandsPoll;
    while (fleet.world().now() < next) fleet.tick();
  }
}

void fill(Fleet& fleet, Report& report) {
  report.hash = fleet.world().trace_hash();
  report.faults = fleet.chaos().counts();
  report.server_starts = fleet.server().starts();
  report.simulated = fleet.world().now() - os::sim::kStart;
  for (const auto& agent : fleet.agents()) {
    report.acknowledged += agent->ledger().messages();
    for (const auto& [metric, values] : agent->ledger().readings())
      report.readings += values.size();
  }
  for (const Order& order : fleet.orders()) report.commands += order.id.empty() ? 0 : 1;
  report.journal = fleet.journal().text();
  if (fleet.options().keep_trace) report.trace = fleet.world().trace();
}

}  // namespace

Report play(std::uint64_t seed, const RunOptions& options) {
  Report report;
  report.seed = seed;
  Fleet fleet(seed, options);
  fleet.live_through_trouble();
  if (!fleet.settle()) report.violations.push_back("not well in time: " + fleet.unwell());
  await_commands(fleet);
  fleet.stop_agents();
  const MonoTime rest = fleet.world().now() + kNoticesLimit;
  while (fleet.world().now() < rest) fleet.tick();
  judge_by_api(fleet, report.violations);
  fleet.stop_server();
  judge_by_database(fleet, report.violations);
  fill(fleet, report);
  return report;
}

std::string replay_command(std::uint64_t seed) {
  return "holdfast-sim replay " + std::to_string(seed) + " --trace";
}

std::string summary(const Report& report) {
  std::uint64_t faults = 0;
  for (const auto& [name, count] : report.faults) faults += count;
  char line[256];
  std::snprintf(line, sizeof line,
                "seed %llu: %s, %llu faults, %u server starts, %llu messages and %llu values "
                "acknowledged, %llu commands, %.0f s simulated, trace %016llx",
                static_cast<unsigned long long>(report.seed), report.good() ? "good" : "FAILED",
                static_cast<unsigned long long>(faults), report.server_starts,
                static_cast<unsigned long long>(report.acknowledged),
                static_cast<unsigned long long>(report.readings),
                static_cast<unsigned long long>(report.commands), report.simulated.seconds(),
                static_cast<unsigned long long>(report.hash));
  return line;
}

}  // namespace holdfast::sim
