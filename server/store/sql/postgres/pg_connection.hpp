// One PostgreSQL connection with its prepared statements, and a Tx on it. Private to the adapter.
// Threads: one at a time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "server/store/sql/sql.hpp"

struct pg_conn;
struct pg_result;

namespace holdfast::sql {

class PgConnection final : public Tx {
 public:
  static Result<std::unique_ptr<PgConnection>> open(const std::string& url, bool writable);
  ~PgConnection() override;
  PgConnection(const PgConnection&) = delete;
  PgConnection& operator=(const PgConnection&) = delete;

  bool writable() const override { return writable_; }
  Status query(std::string_view sql, const Params& params, const RowFn& row) override;
  Result<std::int64_t> exec(std::string_view sql, const Params& params) override;
  Status script(std::string_view ddl) override;

  // BEGIN, SAVEPOINT, ...: answers the command tag, such as "COMMIT".
  Result<std::string> run(const std::string& command);
  bool broken() const;          // the connection is gone
  bool in_transaction() const;  // whole or failed
  bool intact() const;          // in a transaction that has not failed

 private:
  struct Freed {
    void operator()(pg_result* result) const;
  };
  using Answer = std::unique_ptr<pg_result, Freed>;
  struct Prepared {
    std::string name;
    std::uint64_t last_use = 0;
  };

  PgConnection(pg_conn* connection, bool writable) : connection_(connection), writable_(writable) {}
  Result<Answer> execute(std::string_view sql, const Params& params);
  Result<std::string> prepared(std::string_view sql);
  void evict_oldest();
  Result<Answer> checked(pg_result* result, std::string_view sql) const;
  Error error(const pg_result* result, std::string_view sql) const;

  pg_conn* connection_;
  bool writable_;
  std::uint64_t uses_ = 0;
  std::map<std::string, Prepared, std::less<>> statements_;
};

}  // namespace holdfast::sql
