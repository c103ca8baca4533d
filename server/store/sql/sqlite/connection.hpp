// One SQLite connection: its pragmas, its prepared statements, and a Tx on it. Private to the
// adapter. Threads: one at a time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "server/store/sql/sql.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace holdfast::sql {

enum class Access { write, read };

class Connection final : public Tx {
 public:
  struct Settings {
    std::string path;
    std::string vfs;
    Access access = Access::read;
    bool durable = true;
  };
  static Result<std::unique_ptr<Connection>> open(const Settings& settings);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool writable() const override { return access_ == Access::write; }
  Status query(std::string_view sql, const Params& params, const RowFn& row) override;
  Result<std::int64_t> exec(std::string_view sql, const Params& params) override;
  Status script(std::string_view ddl) override;

  // One statement without parameters or rows that matter: BEGIN, COMMIT, a PRAGMA.
  Status run(std::string_view sql);
  bool in_transaction() const;
  // An I/O error, damage or a failed sync came up: close this connection, open another.
  bool broken() const { return broken_; }

 private:
  struct Cached {
    sqlite3_stmt* statement = nullptr;
    std::uint64_t last_use = 0;
    bool busy = false;
  };
  class Lease;

  Connection(sqlite3* database, Access access) : database_(database), access_(access) {}
  Status set_up(const Settings& settings);
  Result<sqlite3_stmt*> prepare(std::string_view sql);
  Result<Cached*> cached(std::string_view sql);
  void evict_oldest();
  Status step_all(sqlite3_stmt* statement, std::string_view sql, const RowFn& row);
  Error error(int code, std::string_view sql);

  sqlite3* database_;
  Access access_;
  bool broken_ = false;
  std::uint64_t uses_ = 0;
  std::map<std::string, Cached, std::less<>> statements_;
};

}  // namespace holdfast::sql
