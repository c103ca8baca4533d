#include "server/store/sql/open.hpp"

#include "server/store/sql/postgres/postgres.hpp"
#include "server/store/sql/sqlite/sqlite.hpp"

namespace holdfast::sql {

Result<std::unique_ptr<Database>> open_database(const os::System& system, Metrics& metrics,
                                                const OpenSettings& settings) {
  if (!settings.url.empty()) {
    return open_postgres(system, metrics, {settings.url, settings.readers_max});
  }
  SqliteSettings embedded;
  embedded.path = settings.path;
  embedded.readers_max = settings.readers_max;
  return open_sqlite(system, metrics, embedded);
}

}  // namespace holdfast::sql
