// Readers of what the Linux kernel tells in /proc (proc(5)) and of /proc/self/mountinfo. Text in,
// numbers out; lines and columns that newer kernels add are read past, and what is not there is
// nullopt or absent, never zero. Pure; thread-safe. Input is bounded by kProcBytesMax at the
// caller.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::agent {

inline constexpr std::size_t kProcBytesMax = 256 * 1024;
inline constexpr std::size_t kInterfacesMax = 32;
inline constexpr std::size_t kMountsMax = 32;
inline constexpr std::size_t kDrivesMax = 32;

// Jiffies since boot, all processors together.
struct CpuTimes {
  std::uint64_t user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0,
                steal = 0;
  std::uint64_t total() const {
    return user + nice + system + idle + iowait + irq + softirq + steal;
  }
  bool operator==(const CpuTimes&) const = default;
};

struct LoadAverage {
  double one = 0, five = 0, fifteen = 0;
  bool operator==(const LoadAverage&) const = default;
};

struct MemoryUse {  // bytes
  std::uint64_t total = 0, available = 0, swap_total = 0, swap_free = 0;
  bool operator==(const MemoryUse&) const = default;
};

struct DriveCounters {  // a whole drive, since boot
  std::string name;
  std::uint64_t read_bytes = 0, written_bytes = 0, busy_ms = 0;
  bool operator==(const DriveCounters&) const = default;
};

struct Mount {
  std::string device;  // "8:1": one file system mounted twice has one device
  std::string path;    // unescaped
  std::string type;    // "ext4"
  bool operator==(const Mount&) const = default;
};

struct InterfaceCounters {  // since it came up
  std::string name;
  std::uint64_t rx_bytes = 0, rx_packets = 0, rx_errors = 0, rx_dropped = 0;
  std::uint64_t tx_bytes = 0, tx_packets = 0, tx_errors = 0, tx_dropped = 0;
  bool operator==(const InterfaceCounters&) const = default;
};

std::optional<CpuTimes> parse_stat(std::string_view text);        // /proc/stat
std::optional<LoadAverage> parse_loadavg(std::string_view text);  // /proc/loadavg
std::optional<MemoryUse> parse_meminfo(std::string_view text);    // /proc/meminfo
std::vector<DriveCounters> parse_diskstats(
    std::string_view text);  // without partitions, loops, RAM
// Those with storage of their own, each device once, shortest path first.
std::vector<Mount> parse_mountinfo(std::string_view text);
std::vector<InterfaceCounters> parse_net_dev(std::string_view text);  // without lo
std::optional<double> parse_uptime(std::string_view text);            // /proc/uptime, seconds
std::optional<double> parse_millidegrees(std::string_view text);      // thermal_zone*/temp, Celsius

// ---- for readers of other files of this kind
std::vector<std::string_view> words_of(std::string_view line);
std::string_view take_line(std::string_view& text);  // and drops it; "" at the end too

}  // namespace holdfast::agent
