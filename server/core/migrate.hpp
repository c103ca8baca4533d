// Migrations: numbered per domain, forward only, each in one transaction with its row in table
// `migration`. A kill leaves the old or the new state. A folder that a newer version has migrated
// is refused with Code::folder_newer, before anything is touched. Threads: at start, before
// anything else uses the database.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/sql/sql.hpp"

namespace holdfast::core {

struct Migration {
  std::string_view domain;              // "core", "devices", ...
  int number = 0;                       // 1, 2, 3, ... without gaps
  std::string_view name;                // what it does, for the log
  std::string_view ddl;                 // script with the type map; empty: only `run`
  std::function<Status(sql::Tx&)> run;  // after ddl; may be empty
};

struct Migrated {
  std::string domain;
  int from = 0;
  int to = 0;
};

// Runs what is missing, in the order given. Lists of several domains are simply concatenated.
// Answers what it did. internal: the list has a gap or a double.
inline constexpr std::string_view kMigrationTable = "migration";  // what was done, by domain

Result<std::vector<Migrated>> migrate(sql::Database& database, const std::vector<Migration>& all,
                                      WallTime now);

// The tables of server/core.
std::vector<Migration> core_migrations();

}  // namespace holdfast::core
