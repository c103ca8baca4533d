// The embedded engine: SQLite (WAL, synchronous=FULL, STRICT tables) on a file system layer of ours
// over os::Files, so that simulated disks, cuts and faults reach it. Locks and shared memory live
// in this process: the data folder belongs to one process (Code::folder_locked for a second one).
#pragma once

#include "libs/base/metrics.hpp"
#include "libs/os/system.hpp"
#include "server/store/sql/sql.hpp"

namespace holdfast::sql {

struct SqliteSettings {
  std::string path;          // the database file; its folder must exist
  unsigned readers_max = 8;  // reads at once; more wait
  bool durable = true;  // false: synchronous=NORMAL, the last commits may be lost at a power cut
};

Result<std::unique_ptr<Database>> open_sqlite(const os::System& system, Metrics& metrics,
                                              const SqliteSettings& settings);

}  // namespace holdfast::sql
