// The program holdfast-sim: its arguments and what it prints.
//   holdfast-sim replay SEED [--trace]
//   holdfast-sim run --seeds A..B [--seconds N]
// Exit: 0 all good, 1 a seed failed, 2 usage.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/run.hpp"

namespace holdfast::sim {

struct Invocation {
  enum class What { replay, run } what = What::run;
  std::uint64_t first = 1, last = 1;  // seeds, both included
  std::optional<Duration> budget;     // of the machine's time; no new seed is begun after it
  bool trace = false;
};
// Errors: invalid_argument, saying what is wanted.
Result<Invocation> parse_invocation(const std::vector<std::string>& arguments);

// Many seeds, one after the other.
struct Tally {
  std::uint64_t seeds = 0;
  FaultCounts faults;
  std::uint64_t acknowledged = 0, readings = 0, commands = 0;
  double simulated_s = 0;
  std::vector<std::uint64_t> failed;  // seeds, in order
  void add(const Report& report);
};
std::string tally_text(const Tally& tally, Duration took);
// Plays first..last until the budget is used up; `each` sees every report.
Tally play_many(const Invocation& what, const os::Clock& clock, const RunOptions& options,
                const std::function<void(const Report&)>& each);

int run_program(const std::vector<std::string>& arguments);

}  // namespace holdfast::sim
