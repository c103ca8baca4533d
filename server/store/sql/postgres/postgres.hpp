// The scaled engine: PostgreSQL 15 or later through libpq. Writers of all processes of a site take
// turns (an advisory lock for the length of a transaction), so that a change sees all changes
// before it, as on SQLite. Connections that break are opened again at the next use; a statement
// that fails aborts its mutation, so return its error. Not for simulations: libpq speaks to the
// network itself.
#pragma once

#include "libs/base/metrics.hpp"
#include "libs/os/system.hpp"
#include "server/store/sql/sql.hpp"

namespace holdfast::sql {

struct PostgresSettings {
  std::string url;           // "postgresql://...", or "host=... dbname=..."
  unsigned readers_max = 8;  // reads at once; more wait
};

Result<std::unique_ptr<Database>> open_postgres(const os::System& system, Metrics& metrics,
                                                const PostgresSettings& settings);

}  // namespace holdfast::sql
