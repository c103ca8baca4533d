// Carries what lies in one database into another with the same tables, on another engine: for the
// backup of a server on PostgreSQL, and to move a server from one engine to the other. Read in one
// snapshot, written in one transaction: all of it, or nothing.
//
// Tables and their columns are asked of the PostgreSQL of the two; two SQLite files are
// Code::unsupported (Database::copy_to() is for them). Rows that the target has in these tables are
// replaced. Threads: a worker's; `to` takes no other writes meanwhile.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/store/sql/sql.hpp"

namespace holdfast::sql {

// `skip`: tables that stay as they are. Answers how many rows were carried.
Result<std::int64_t> carry_rows(Database& from, Database& to, const std::vector<std::string>& skip);

}  // namespace holdfast::sql
