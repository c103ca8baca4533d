// Inventory: what this machine is, as the payload of section 6.4 of contract/device-protocol.md.
// Data are kept to what fleet care needs: the machine id is sent as a keyed hash only, hardware
// (MAC) addresses and serial numbers not at all. Pure; thread-safe.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "agent/metrics/probe.hpp"
#include "libs/wire/json.hpp"

namespace holdfast::agent {

inline constexpr std::size_t kOsReleaseValueMax = 128;

// os-release(5): KEY=value, quoted as in a shell; what is no assignment is read past.
std::map<std::string, std::string> parse_os_release(std::string_view text);

struct Processor {
  std::string model;  // "" when the kernel tells none
  unsigned cores = 0;
};
Processor parse_cpuinfo(std::string_view text);

// machine-id(5) asks not to let it out: what is sent can be compared, and not turned back.
std::string hashed_machine_id(std::string_view machine_id);

wire::JsonObject inventory_of(const Facts& facts, std::string_view agent_version);

}  // namespace holdfast::agent
