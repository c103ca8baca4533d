// Verdict: what must hold at the end of every run, whatever went wrong in it (README.md lists it).
// The first part asks the running server through its API, the second reads the stopped server's
// database. Each violation is a sentence. One thread; from outside of events.
#pragma once

#include <string>
#include <vector>

#include "sim/fleet.hpp"

namespace holdfast::sim {

using Violations = std::vector<std::string>;

// One metric of one device: acknowledged is there, once; nothing is there twice, and nothing that
// the probe never said. Pure.
void judge_readings(std::string_view who, std::string_view metric, const std::set<double>& promised,
                    const std::vector<double>& stored, std::uint64_t snapshots, Violations& out);

// While the server runs; the agents are stopped.
void judge_by_api(Fleet& fleet, Violations& out);
// After the server has stopped.
void judge_by_database(Fleet& fleet, Violations& out);

}  // namespace holdfast::sim
