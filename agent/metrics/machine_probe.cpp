// MachineProbe: this Linux machine by its files.
#include <algorithm>

#include "agent/metrics/probe.hpp"
#include "libs/crypto/hash.hpp"

namespace holdfast::agent {
namespace {

constexpr std::size_t kProgramBytesMax = 64 * 1024 * 1024;
constexpr std::size_t kHashPieceBytes = 64 * 1024;
constexpr std::size_t kThermalZonesMax = 64;

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\0' || text.back() == ' ')) {
    text.pop_back();
  }
  return text;
}

// Piece by piece: the whole binary would be the agent's largest allocation.
std::string digest_of_file(os::Files& files, const std::string& path) {
  const auto file = files.open(path, os::Open::read);
  if (!file) return {};
  crypto::Hasher hasher(crypto::Digest::sha256);
  for (std::uint64_t at = 0; at < kProgramBytesMax;) {
    const auto piece = (*file)->read_at(at, kHashPieceBytes);
    if (!piece) return {};
    if (piece->empty()) return "sha256:" + to_hex(hasher.finish());
    hasher.update(*piece);
    at += piece->size();
  }
  return {};
}

constexpr std::string_view machine_architecture() {
#if defined(__x86_64__)
  return "x86_64";
#elif defined(__aarch64__)
  return "aarch64";
#elif defined(__arm__)
  return "arm";
#elif defined(__riscv)
  return "riscv64";
#else
  return "unknown";
#endif
}

}  // namespace

std::string MachineProbe::text(const std::string& path) const {
  const auto bytes = os::read_file(system_.files, path, kProcBytesMax);
  return bytes ? string_of(*bytes) : std::string();
}

Snapshot MachineProbe::snapshot() {
  Snapshot out;
  out.mono = system_.clock.mono();
  out.cpu = parse_stat(text("/proc/stat"));
  out.load = parse_loadavg(text("/proc/loadavg"));
  out.memory = parse_meminfo(text("/proc/meminfo"));
  out.disks = disks();
  out.drives = parse_diskstats(text("/proc/diskstats"));
  out.interfaces = parse_net_dev(text("/proc/net/dev"));
  out.uptime_s = parse_uptime(text("/proc/uptime"));
  out.temperature_c = temperature();
  return out;
}

std::vector<DiskUse> MachineProbe::disks() const {
  std::vector<DiskUse> out;
  for (const Mount& mount : parse_mountinfo(text("/proc/self/mountinfo"))) {
    const auto stat = system_.files.stat(mount.path);
    if (!stat || !stat->folder) continue;  // a file bound into a container
    const auto space = system_.files.space(mount.path);
    if (space && space->total_bytes > 0) {
      out.push_back(
          {mount.path, space->total_bytes, std::min(space->free_bytes, space->total_bytes)});
    }
  }
  return out;
}

std::optional<double> MachineProbe::temperature() const {
  const std::string folder = "/sys/class/thermal";
  std::optional<double> hottest;
  const auto zones = system_.files.list(folder);
  if (!zones) return hottest;
  for (std::size_t i = 0; i < std::min(zones->size(), kThermalZonesMax); ++i) {
    const std::string& name = (*zones)[i].name;
    if (!name.starts_with("thermal_zone")) continue;
    const auto value = parse_millidegrees(text(folder + "/" + name + "/temp"));
    if (value && (!hottest || *value > *hottest)) hottest = value;
  }
  return hottest;
}

Facts MachineProbe::facts() {
  Facts out;
  out.os_release = text("/etc/os-release");
  if (out.os_release.empty()) out.os_release = text("/usr/lib/os-release");
  out.kernel = trimmed(text("/proc/sys/kernel/osrelease"));
  out.host_name = system_.network.host_name();
  out.machine_id = trimmed(text("/etc/machine-id"));
  out.cpu_info = text("/proc/cpuinfo");
  out.board_model = trimmed(text("/sys/firmware/devicetree/base/model"));
  if (out.board_model.empty()) out.board_model = trimmed(text("/sys/class/dmi/id/product_name"));
  out.architecture = machine_architecture();
  out.program_digest = digest_of_file(system_.files, "/proc/self/exe");
  if (const auto memory = parse_meminfo(text("/proc/meminfo"))) out.memory_bytes = memory->total;
  out.disks = disks();
  for (const auto& each : parse_net_dev(text("/proc/net/dev"))) out.interfaces.push_back(each.name);
  out.addresses = system_.network.interface_addresses();
  return out;
}

}  // namespace holdfast::agent
