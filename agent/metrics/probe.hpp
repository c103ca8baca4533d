// Probe: where an agent's figures come from. MachineProbe reads this Linux machine; a simulation
// scripts its own. A part that a machine does not have is absent, never zero.
// Threads: the agent's loop; reading takes well below a millisecond.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/metrics/proc.hpp"
#include "libs/os/system.hpp"

namespace holdfast::agent {

struct DiskUse {
  std::string path;  // where it is mounted
  std::uint64_t total_bytes = 0, free_bytes = 0;
  bool operator==(const DiskUse&) const = default;
};

// Everything at one moment.
struct Snapshot {
  MonoTime mono;
  std::optional<CpuTimes> cpu;
  std::optional<LoadAverage> load;
  std::optional<MemoryUse> memory;
  std::vector<DiskUse> disks;
  std::vector<DriveCounters> drives;
  std::vector<InterfaceCounters> interfaces;
  std::optional<double> uptime_s;
  std::optional<double> temperature_c;  // the hottest zone
};

// What the machine is, as files say it; "" for what is not there.
struct Facts {
  std::string os_release;  // text of /etc/os-release
  std::string kernel;      // "6.1.0-18-amd64"
  std::string host_name;
  std::string machine_id;      // raw: never leaves the agent
  std::string cpu_info;        // text of /proc/cpuinfo
  std::string board_model;     // "Raspberry Pi 4 Model B"
  std::string architecture;    // "x86_64"
  std::string program_digest;  // "sha256:..." of the agent's own binary
  std::uint64_t memory_bytes = 0;
  std::vector<DiskUse> disks;
  std::vector<std::string> interfaces;
  std::vector<std::string> addresses;
};

class Probe {
 public:
  virtual ~Probe() = default;
  virtual Snapshot snapshot() = 0;
  virtual Facts facts() = 0;
};

class MachineProbe final : public Probe {
 public:
  explicit MachineProbe(os::System system) : system_(system) {}
  Snapshot snapshot() override;
  Facts facts() override;

 private:
  std::string text(const std::string& path) const;  // "" when it cannot be read
  std::vector<DiskUse> disks() const;
  std::optional<double> temperature() const;

  os::System system_;
};

}  // namespace holdfast::agent
