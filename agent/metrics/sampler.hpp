// Sampler: two snapshots become telemetry. Streams and fields (metric = <stream>.<field>):
//   cpu      usage_percent user_percent system_percent iowait_percent steal_percent
//   load     1m 5m 15m
//   memory   used_percent used_bytes available_bytes total_bytes swap_used_bytes swap_total_bytes
//   disk     <mount>.used_percent .used_bytes .free_bytes .total_bytes;
//            io.<drive>.read_bytes_s .write_bytes_s .busy_percent
//   network  <interface>.rx_bytes_s .tx_bytes_s .rx_bytes .tx_bytes .rx_errors .tx_errors
//            .rx_dropped .tx_dropped
//   system   uptime_s temperature_c
// <mount> is the path with '.' for '/', "root" for "/". Integers are exact; percentages and rates
// have two decimals. Interfaces that never carried a packet are left out. A rate needs two
// snapshots and is left out when a counter ran backwards. Pure; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "agent/metrics/probe.hpp"
#include "libs/wire/telemetry.hpp"

namespace holdfast::agent {

struct StreamSample {
  std::string stream;
  std::vector<wire::Field> fields;  // never empty
};

// `before` may be null: then there are no rates.
std::vector<StreamSample> sample_of(const Snapshot* before, const Snapshot& now);

std::string mount_name(std::string_view path);      // "/var/lib" -> "var.lib"
std::string field_part(std::string_view anything);  // what a field name may hold; '_' for the rest

}  // namespace holdfast::agent
