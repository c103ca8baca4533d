#include "agent/metrics/sampler.hpp"

#include <algorithm>
#include <cmath>

namespace holdfast::agent {
namespace {

constexpr std::size_t kNameBytesMax = 80;  // leaves room for the rest of a field name

double two_decimals(double value) {
  return std::round(value * 100) / 100;
}

std::int64_t exact(std::uint64_t value) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(value, INT64_MAX));
}

// One sample under construction; names get a prefix.
class FieldList {
 public:
  void count(std::string name, std::uint64_t value) { put(std::move(name), exact(value)); }
  void real(std::string name, double value) { put(std::move(name), two_decimals(value)); }
  void percent(std::string name, std::uint64_t part, std::uint64_t whole) {
    if (whole > 0)
      real(std::move(name), 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  }
  // Nothing when the counter started anew in between.
  void rate(std::string name, std::uint64_t before, std::uint64_t now, double seconds) {
    if (now >= before && seconds > 0)
      real(std::move(name), static_cast<double>(now - before) / seconds);
  }
  std::vector<wire::Field> take() { return std::move(fields_); }

 private:
  void put(std::string name, wire::Value value) {
    if (wire::valid_field_name(name)) fields_.push_back({std::move(name), std::move(value), {}});
  }
  std::vector<wire::Field> fields_;
};

std::vector<wire::Field> cpu_fields(const CpuTimes& before, const CpuTimes& now) {
  FieldList out;
  const std::uint64_t total = now.total() - before.total();
  // iowait may run backwards (proc(5)); then busy time is what can be said.
  const auto grown = [](std::uint64_t a, std::uint64_t b) { return b > a ? b - a : 0; };
  if (now.total() <= before.total()) return out.take();
  const std::uint64_t waiting =
      std::min(total, grown(before.idle, now.idle) + grown(before.iowait, now.iowait));
  out.percent("usage_percent", total - waiting, total);
  out.percent("user_percent", grown(before.user + before.nice, now.user + now.nice), total);
  out.percent(
      "system_percent",
      grown(before.system + before.irq + before.softirq, now.system + now.irq + now.softirq),
      total);
  out.percent("iowait_percent", grown(before.iowait, now.iowait), total);
  out.percent("steal_percent", grown(before.steal, now.steal), total);
  return out.take();
}

std::vector<wire::Field> load_fields(const LoadAverage& load) {
  FieldList out;
  out.real("1m", load.one);
  out.real("5m", load.five);
  out.real("15m", load.fifteen);
  return out.take();
}

std::vector<wire::Field> memory_fields(const MemoryUse& memory) {
  FieldList out;
  const std::uint64_t used = memory.total - memory.available;
  out.percent("used_percent", used, memory.total);
  out.count("used_bytes", used);
  out.count("available_bytes", memory.available);
  out.count("total_bytes", memory.total);
  out.count("swap_used_bytes", memory.swap_total - memory.swap_free);
  out.count("swap_total_bytes", memory.swap_total);
  return out.take();
}

std::vector<wire::Field> disk_fields(const Snapshot* before, const Snapshot& now, double seconds) {
  FieldList out;
  for (const DiskUse& disk : now.disks) {
    const std::string name = mount_name(disk.path);
    const std::uint64_t used = disk.total_bytes - std::min(disk.free_bytes, disk.total_bytes);
    out.percent(name + ".used_percent", used, disk.total_bytes);
    out.count(name + ".used_bytes", used);
    out.count(name + ".free_bytes", disk.free_bytes);
    out.count(name + ".total_bytes", disk.total_bytes);
  }
  for (const DriveCounters& drive : now.drives) {
    if (!before) break;
    const auto old = std::ranges::find(before->drives, drive.name, &DriveCounters::name);
    if (old == before->drives.end()) continue;
    const std::string name = "io." + field_part(drive.name);
    out.rate(name + ".read_bytes_s", old->read_bytes, drive.read_bytes, seconds);
    out.rate(name + ".write_bytes_s", old->written_bytes, drive.written_bytes, seconds);
    if (drive.busy_ms >= old->busy_ms && seconds > 0) {
      const double busy = static_cast<double>(drive.busy_ms - old->busy_ms) / (seconds * 10);
      out.real(name + ".busy_percent", std::min(100.0, busy));
    }
  }
  return out.take();
}

std::vector<wire::Field> network_fields(const Snapshot* before, const Snapshot& now,
                                        double seconds) {
  FieldList out;
  for (const InterfaceCounters& link : now.interfaces) {
    if (link.rx_packets == 0 && link.tx_packets == 0) continue;  // never used: dummies, spare ports
    const std::string name = field_part(link.name);
    if (before) {
      const auto old = std::ranges::find(before->interfaces, link.name, &InterfaceCounters::name);
      if (old != before->interfaces.end()) {
        out.rate(name + ".rx_bytes_s", old->rx_bytes, link.rx_bytes, seconds);
        out.rate(name + ".tx_bytes_s", old->tx_bytes, link.tx_bytes, seconds);
      }
    }
    out.count(name + ".rx_bytes", link.rx_bytes);
    out.count(name + ".tx_bytes", link.tx_bytes);
    out.count(name + ".rx_errors", link.rx_errors);
    out.count(name + ".tx_errors", link.tx_errors);
    out.count(name + ".rx_dropped", link.rx_dropped);
    out.count(name + ".tx_dropped", link.tx_dropped);
  }
  return out.take();
}

std::vector<wire::Field> system_fields(const Snapshot& now) {
  FieldList out;
  if (now.uptime_s)
    out.count("uptime_s", static_cast<std::uint64_t>(std::min(*now.uptime_s, 1e15)));
  if (now.temperature_c) out.real("temperature_c", *now.temperature_c);
  return out.take();
}

}  // namespace

std::string field_part(std::string_view anything) {
  std::string out(anything.substr(0, kNameBytesMax));
  for (char& c : out) {
    const bool fine = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                      c == '_' || c == '-';
    if (!fine) c = '_';
  }
  if (!out.empty() && (out.front() == '_' || out.front() == '-')) out.front() = 'x';
  return out;
}

std::string mount_name(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (part.empty()) continue;
    if (out.size() + part.size() > kNameBytesMax) break;
    out += (out.empty() ? "" : ".") + field_part(part);
  }
  return out.empty() ? "root" : out;
}

std::vector<StreamSample> sample_of(const Snapshot* before, const Snapshot& now) {
  const double seconds = before ? (now.mono - before->mono).seconds() : 0;
  std::vector<StreamSample> out;
  const auto add = [&](std::string_view stream, std::vector<wire::Field> fields) {
    if (!fields.empty()) out.push_back({std::string(stream), std::move(fields)});
  };
  if (before && before->cpu && now.cpu) add("cpu", cpu_fields(*before->cpu, *now.cpu));
  if (now.load) add("load", load_fields(*now.load));
  if (now.memory) add("memory", memory_fields(*now.memory));
  add("disk", disk_fields(before, now, seconds));
  add("network", network_fields(before, now, seconds));
  add("system", system_fields(now));
  return out;
}

}  // namespace holdfast::agent
