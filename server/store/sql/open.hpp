// Opens the engine that the configuration names.
#pragma once

#include "libs/base/metrics.hpp"
#include "libs/os/system.hpp"
#include "server/store/sql/sql.hpp"

namespace holdfast::sql {

struct OpenSettings {
  std::string url;           // of PostgreSQL; empty: SQLite
  std::string path;          // SQLite's file
  unsigned readers_max = 8;  // reads at once
};

Result<std::unique_ptr<Database>> open_database(const os::System& system, Metrics& metrics,
                                                const OpenSettings& settings);

}  // namespace holdfast::sql
