// Readers of /proc, os-release, cpuinfo and HTTP dates, and the names made of what they find.
#include <cstdlib>

#include "agent/control/server_time.hpp"
#include "agent/inventory/inventory.hpp"
#include "agent/metrics/sampler.hpp"

using namespace holdfast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(View(data, size));
  agent::Snapshot now;
  now.mono = MonoTime{10'000'000};
  now.cpu = agent::parse_stat(text);
  now.load = agent::parse_loadavg(text);
  now.memory = agent::parse_meminfo(text);
  now.drives = agent::parse_diskstats(text);
  now.interfaces = agent::parse_net_dev(text);
  now.uptime_s = agent::parse_uptime(text);
  now.temperature_c = agent::parse_millidegrees(text);
  for (const auto& mount : agent::parse_mountinfo(text)) now.disks.push_back({mount.path, 2, 1});
  agent::Snapshot before;
  before.cpu = agent::CpuTimes{};
  before.drives = now.drives;
  before.interfaces = now.interfaces;
  for (const auto& sample : agent::sample_of(&before, now)) {
    if (!wire::encode_telemetry({wire::Reading{{}, {}, sample.fields}})) std::abort();
  }
  // What reads as a date is one: written again it is the same moment.
  if (const auto date = agent::parse_http_date(text)) {
    if (from_rfc3339(to_rfc3339(*date)).value_or(WallTime{-1}) != *date) std::abort();
  }
  agent::Facts facts;
  facts.os_release = facts.cpu_info = facts.kernel = facts.board_model = std::string(text);
  if (!wire::parse_json(wire::json_text(agent::inventory_of(facts, "1")))) std::abort();
  return 0;
}
