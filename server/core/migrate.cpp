#include "server/core/migrate.hpp"

#include <map>

namespace holdfast::core {

namespace {

Status check_list(const std::vector<Migration>& all) {
  std::map<std::string_view, int> last;
  for (const Migration& migration : all) {
    if (migration.number != ++last[migration.domain]) {
      return fail(Code::internal, "migration " + std::string(migration.domain) + " " +
                                      std::to_string(migration.number) +
                                      " is out of order: expected " +
                                      std::to_string(last[migration.domain]));
    }
  }
  return {};
}

Result<std::map<std::string, int>> applied(sql::Database& database) {
  std::map<std::string, int> versions;
  TRY(database.read([&](sql::Tx& tx) {
    return tx.query(
        "SELECT domain, max(number) FROM migration GROUP BY domain", {},
        [&](sql::Row& row) { versions[row.text(0)] = static_cast<int>(row.integer(1)); });
  }));
  return versions;
}

// Also refuses domains that this version does not know: their tables would be left behind.
Status refuse_newer(const std::map<std::string, int>& versions, const std::vector<Migration>& all) {
  std::map<std::string, int, std::less<>> known;
  for (const Migration& migration : all) known[std::string(migration.domain)] = migration.number;
  for (const auto& [domain, number] : versions) {
    const auto at = known.find(domain);
    if (at == known.end() || number > at->second) {
      return fail(Code::folder_newer, "the data is from a newer version (" + domain + " " +
                                          std::to_string(number) +
                                          "): start that version, or restore a backup");
    }
  }
  return {};
}

Status run_one(sql::Tx& tx, const Migration& migration, WallTime now) {
  // Another process of the site may have been faster.
  const auto claimed =
      TRY(tx.exec("INSERT INTO migration (domain, number, name, at) VALUES (?,?,?,?)"
                  " ON CONFLICT (domain, number) DO NOTHING",
                  {migration.domain, migration.number, migration.name, now}));
  if (claimed == 0) return {};
  if (!migration.ddl.empty()) TRY(tx.script(migration.ddl));
  if (migration.run) TRY(migration.run(tx));
  return {};
}

}  // namespace

Result<std::vector<Migrated>> migrate(sql::Database& database, const std::vector<Migration>& all,
                                      WallTime now) {
  TRY(check_list(all));
  TRY(database.write([](sql::Tx& tx) {
    return tx.script(
        "CREATE TABLE IF NOT EXISTS migration (domain {text} NOT NULL, number {int} NOT NULL,"
        " name {text} NOT NULL, at {int} NOT NULL, PRIMARY KEY (domain, number)) {strict}");
  }));
  auto versions = TRY(applied(database));
  TRY(refuse_newer(versions, all));
  std::map<std::string, Migrated> done;
  for (const Migration& migration : all) {
    const std::string domain(migration.domain);
    if (migration.number <= versions[domain]) continue;
    TRY(with_context(database.write([&](sql::Tx& tx) { return run_one(tx, migration, now); }),
                     "migration " + domain + " " + std::to_string(migration.number) + " (" +
                         std::string(migration.name) + ")"));
    auto [at, first] = done.try_emplace(domain, Migrated{domain, versions[domain], 0});
    at->second.to = migration.number;
  }
  std::vector<Migrated> out;
  for (const auto& [domain, migrated] : done) out.push_back(migrated);
  return out;
}

}  // namespace holdfast::core
