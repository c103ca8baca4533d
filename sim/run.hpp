// Run: one seed from start to verdict. The same seed, options and program give the same Report.
// One thread; one run at a time.
#pragma once

#include <cstdint>
#include <string>

#include "sim/verdict.hpp"

namespace holdfast::sim {

struct Report {
  std::uint64_t seed = 0;
  std::uint64_t hash = 0;  // of every event of the simulation
  Violations violations;
  FaultCounts faults;
  std::uint64_t acknowledged = 0;  // messages of devices
  std::uint64_t readings = 0;      // acknowledged values
  std::uint64_t commands = 0;      // taken by the server
  unsigned server_starts = 0;
  Duration simulated{};
  std::string journal;  // lines of the hosts
  std::string trace;    // events of the simulation; with keep_trace
  bool good() const { return violations.empty(); }
};

Report play(std::uint64_t seed, const RunOptions& options = {});

// What to type to see it again.
std::string replay_command(std::uint64_t seed);
std::string summary(const Report& report);

}  // namespace holdfast::sim
