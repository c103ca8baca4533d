#include "server/store/sql/testing/postgres_server.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

namespace holdfast::sql {

namespace {

constexpr std::string_view kPrograms = "/usr/lib/postgresql/15/bin/";
constexpr std::size_t kOutputMax = 64 * 1024;

// Stops the server when all tests are over.
class ServerEnvironment final : public testing::Environment {
 public:
  void TearDown() override {
    server.reset();
    os.reset();
  }
  std::unique_ptr<os::RealSystem> os;
  std::unique_ptr<PostgresServer> server;
};

ServerEnvironment& environment() {
  // gtest owns it.
  static auto* const it =
      static_cast<ServerEnvironment*>(testing::AddGlobalTestEnvironment(new ServerEnvironment));
  return *it;
}

}  // namespace

Result<PostgresServer*> PostgresServer::shared(const os::System&) {
  ServerEnvironment& env = environment();
  if (env.server) return env.server.get();
  env.os = TRY(os::RealSystem::make());
  std::unique_ptr<PostgresServer> server(new PostgresServer(env.os->system()));
  TRY(server->start());
  env.server = std::move(server);
  return env.server.get();
}

Status PostgresServer::run(const std::string& command) {
  std::vector<std::string> argv{"/bin/sh", "-c", command};
  if (::geteuid() == 0) argv = {"su", "postgres", "-s", "/bin/sh", "-c", command};
  const auto exit = TRY(system_.process.run(argv, "", seconds(120), kOutputMax));
  if (exit.status == 0) return {};
  return fail(Code::unavailable, command + ": " + exit.out + exit.err);
}

Status PostgresServer::start() {
  const std::string initdb = std::string(kPrograms) + "initdb";
  if (!os::exists(system_.files, initdb)) {
    return fail(Code::unsupported, "PostgreSQL 15 is not installed: " + initdb);
  }
  char name[] = "/tmp/holdfast-pg-XXXXXX";
  if (::mkdtemp(name) == nullptr) return fail(Code::io_error, "no folder for PostgreSQL");
  folder_ = name;
  if (::geteuid() == 0) {
    TRY(system_.process.run({"chown", "postgres", folder_}, "", seconds(10), kOutputMax));
  }
  TRY(run(initdb + " --no-sync -A trust -U postgres -E UTF8 --locale=C.UTF-8 -D " + folder_ +
          "/data >/dev/null"));
  return run(std::string(kPrograms) + "pg_ctl -w -t 60 -D " + folder_ + "/data -l " + folder_ +
             "/log -o \"-c listen_addresses='' -c unix_socket_directories=" + folder_ +
             " -c fsync=off\" start >/dev/null");
}

Status PostgresServer::restart() {
  return run(std::string(kPrograms) + "pg_ctl -w -t 60 -D " + folder_ +
             "/data -m immediate restart >/dev/null");
}

PostgresServer::~PostgresServer() {
  if (folder_.empty()) return;
  (void)run(std::string(kPrograms) + "pg_ctl -w -D " + folder_ +
            "/data -m immediate stop >/dev/null");
  (void)system_.process.run({"rm", "-rf", folder_}, "", seconds(30), kOutputMax);
}

std::string PostgresServer::url(const std::string& database) const {
  return "host=" + folder_ + " user=postgres dbname=" + database;
}

Result<std::string> PostgresServer::new_database() {
  const std::string name = "t" + std::to_string(++databases_);
  TRY(run(std::string(kPrograms) + "createdb -h " + folder_ + " -U postgres " + name));
  return url(name);
}

}  // namespace holdfast::sql
