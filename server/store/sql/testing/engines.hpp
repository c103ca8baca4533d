// For tests: each engine of the sql port, opened empty and thrown away with its holder.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/metrics.hpp"
#include "server/store/sql/open.hpp"
#include "server/store/sql/testing/postgres_server.hpp"
#include "server/store/sql/testing/temp_folder.hpp"

namespace holdfast::sql {

class EngineHolder {
 public:
  virtual ~EngineHolder() = default;
  virtual Database& database() = 0;
};

struct EngineCase {
  std::string name;
  std::function<Result<std::unique_ptr<EngineHolder>>(const os::System&)> open;
};

class SqliteHolder final : public EngineHolder {
 public:
  static Result<std::unique_ptr<EngineHolder>> open(const os::System& system) {
    auto holder = std::make_unique<SqliteHolder>(system);
    OpenSettings settings;
    settings.path = holder->folder_ / "test.db";
    holder->database_ = TRY(open_database(system, holder->metrics_, settings));
    return std::unique_ptr<EngineHolder>(std::move(holder));
  }
  explicit SqliteHolder(const os::System& system) : folder_(system.files) {}
  Database& database() override { return *database_; }

 private:
  TempFolder folder_;
  Metrics metrics_;
  std::unique_ptr<Database> database_;
};

class PostgresHolder final : public EngineHolder {
 public:
  static Result<std::unique_ptr<EngineHolder>> open(const os::System& system) {
    auto holder = std::make_unique<PostgresHolder>();
    PostgresServer* server = TRY(PostgresServer::shared(system));
    OpenSettings settings;
    settings.url = TRY(server->new_database());
    holder->database_ = TRY(open_database(system, holder->metrics_, settings));
    return std::unique_ptr<EngineHolder>(std::move(holder));
  }
  Database& database() override { return *database_; }

 private:
  Metrics metrics_;
  std::unique_ptr<Database> database_;
};

inline std::vector<EngineCase> engine_cases() {
  return {{"sqlite", SqliteHolder::open}, {"postgresql", PostgresHolder::open}};
}

}  // namespace holdfast::sql
