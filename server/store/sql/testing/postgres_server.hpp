// For tests: Debian's PostgreSQL 15 in a folder of its own, on a Unix socket there (no port), with
// a new database for each test. Started once a test program, stopped with it.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

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

inline constexpr std::string_view kPostgresPrograms = "/usr/lib/postgresql/15/bin/";
inline constexpr std::size_t kPostgresOutputMax = 64 * 1024;

// Stops the server when all tests are over.
class PostgresEnvironment final : public testing::Environment {
 public:
  void TearDown() override {
    server.reset();
    os.reset();
  }
  std::unique_ptr<os::RealSystem> os;
  std::unique_ptr<PostgresServer> server;
};

inline PostgresEnvironment& postgres_environment() {
  // gtest owns it.
  static auto* const it =
      static_cast<PostgresEnvironment*>(testing::AddGlobalTestEnvironment(new PostgresEnvironment));
  return *it;
}

inline Result<PostgresServer*> PostgresServer::shared(const os::System&) {
  PostgresEnvironment& env = postgres_environment();
  if (env.server) return env.server.get();
  env.os = TRY(os::RealSystem::make());
  std::unique_ptr<PostgresServer> server(new PostgresServer(env.os->system()));
  TRY(server->start());
  env.server = std::move(server);
  return env.server.get();
}

inline Status PostgresServer::run(const std::string& command) {
  std::vector<std::string> argv{"/bin/sh", "-c", command};
  if (::geteuid() == 0) argv = {"su", "postgres", "-s", "/bin/sh", "-c", command};
  const auto exit = TRY(system_.process.run(argv, "", seconds(120), kPostgresOutputMax));
  if (exit.status == 0) return {};
  return fail(Code::unavailable, command + ": " + exit.out + exit.err);
}

inline Status PostgresServer::start() {
  const std::string initdb = std::string(kPostgresPrograms) + "initdb";
  if (!os::exists(system_.files, initdb)) {
    return fail(Code::unsupported, "PostgreSQL 15 is not installed: " + initdb);
  }
  char name[] = "/tmp/holdfast-pg-XXXXXX";
  if (::mkdtemp(name) == nullptr) return fail(Code::io_error, "no folder for PostgreSQL");
  folder_ = name;
  if (::geteuid() == 0) {
    TRY(system_.process.run({"chown", "postgres", folder_}, "", seconds(10), kPostgresOutputMax));
  }
  TRY(run(initdb + " --no-sync -A trust -U postgres -E UTF8 --locale=C.UTF-8 -D " + folder_ +
          "/data >/dev/null"));
  return run(std::string(kPostgresPrograms) + "pg_ctl -w -t 60 -D " + folder_ + "/data -l " +
             folder_ + "/log -o \"-c listen_addresses='' -c unix_socket_directories=" + folder_ +
             " -c fsync=off\" start >/dev/null");
}

inline Status PostgresServer::restart() {
  return run(std::string(kPostgresPrograms) + "pg_ctl -w -t 60 -D " + folder_ +
             "/data -m immediate restart >/dev/null");
}

inline PostgresServer::~PostgresServer() {
  if (folder_.empty()) return;
  (void)run(std::string(kPostgresPrograms) + "pg_ctl -w -D " + folder_ +
            "/data -m immediate stop >/dev/null");
  (void)system_.process.run({"rm", "-rf", folder_}, "", seconds(30), kPostgresOutputMax);
}

inline std::string PostgresServer::url(const std::string& database) const {
  return "host=" + folder_ + " user=postgres dbname=" + database;
}

inline Result<std::string> PostgresServer::new_database() {
  const std::string name = "t" + std::to_string(++databases_);
  TRY(run(std::string(kPostgresPrograms) + "createdb -h " + folder_ + " -U postgres " + name));
  return url(name);
}

}  // namespace holdfast::sql
