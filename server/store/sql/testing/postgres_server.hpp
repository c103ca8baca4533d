// For tests: Debian's PostgreSQL 15 in a folder of its own, on a Unix socket there (no port), with
// a new database for each test. Started once a test program, stopped with it.
#pragma once

#include <memory>
#include <string>

#include "libs/os/system.hpp"

namespace holdfast::sql {

class PostgresServer {
 public:
  // The program's server, started at the first call. Code::unsupported when it is not installed.
  static Result<PostgresServer*> shared(const os::System& system);
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  // Connection string of a new, empty database.
  Result<std::string> new_database();
  // As a crash or an operator would: connections break, data stays.
  Status restart();

 private:
  explicit PostgresServer(const os::System& system) : system_(system) {}
  Status start();
  // As the user postgres when we are root: the server refuses to run as root.
  Status run(const std::string& command);
  std::string url(const std::string& database) const;

  os::System system_;
  std::string folder_;
  int databases_ = 0;
};

}  // namespace holdfast::sql
