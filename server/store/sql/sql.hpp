// The `sql` port: one relational store behind a thin interface of ours, on SQLite (embedded) or
// PostgreSQL (scaled). Engines are chosen by configuration; domains see this header alone.
//
// SQL is portable: `?` placeholders; ids come from the application as {id} columns, times are {int}
// microseconds; DDL names types as {id} {int} {text} {blob} {real} {bool} and ends a table with
// {strict}. See README.md for what both engines take.
//
// Writes: one writer takes the mutations of all callers, runs each in a savepoint of its own and
// commits them together, so that many callers share one sync. write() blocks its caller (call it
// from a worker, never from inside another write) and answers when the change is durable. A
// mutation that returns an error is undone alone. Reads: short, on a snapshot, on a pool of
// connections.
//
// Errors: already_exists (a unique key), conflict (a foreign key or check), disk_full, io_error,
// corrupt (also: a column holds another type than was asked for), unavailable (engine out of reach
// or busy), overloaded (more than kWritersMax or kReadersMax wait), internal (the statement is
// wrong). Threads: Database from any thread; a Tx and its rows only inside the call they were given
// to.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/base/id.hpp"
#include "libs/base/result.hpp"
#include "libs/base/time.hpp"

namespace holdfast::sql {

inline constexpr std::size_t kWritersMax = 1'024;   // callers that wait in write() at once
inline constexpr std::size_t kBatchMax = 256;       // mutations that share one commit
inline constexpr std::size_t kStatementsMax = 256;  // prepared statements kept by a connection

// One value for a placeholder. Owns its bytes; made implicitly from what domains hold.
class Param {
 public:
  using Value = std::variant<std::monostate, std::int64_t, double, bool, std::string, Bytes>;

  Param(std::nullopt_t) {}
  Param(std::nullptr_t) {}
  Param(bool value) : value_(value) {}
  Param(std::int64_t value) : value_(value) {}
  Param(int value) : value_(std::int64_t{value}) {}
  Param(std::uint32_t value) : value_(std::int64_t{value}) {}
  // Values above INT64_MAX wrap and come back equal by a cast to uint64.
  Param(std::uint64_t value) : value_(static_cast<std::int64_t>(value)) {}
  Param(double value) : value_(value) {}
  Param(const char* value) : value_(std::string(value)) {}
  Param(std::string_view value) : value_(std::string(value)) {}
  Param(std::string value) : value_(std::move(value)) {}
  Param(Bytes value) : value_(std::move(value)) {}
  Param(View value) : value_(Bytes(value.begin(), value.end())) {}
  Param(const Ulid& value) : value_(Bytes(value.begin(), value.end())) {}
  Param(WallTime value) : value_(value.us) {}
  Param(Duration value) : value_(value.us) {}
  template <class Tag>
  Param(const Id<Tag>& id) : Param(id.ulid) {}
  template <class T>
  Param(const std::optional<T>& value) : Param(value ? Param(*value) : Param(std::nullopt)) {}

  const Value& value() const { return value_; }

 private:
  Value value_;
};
using Params = std::vector<Param>;

// What an engine gives for one row; adapters implement it. A column that holds another type answers
// Code::corrupt, never a converted value. text and blob point into the row.
class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual int columns() const = 0;
  virtual bool null(int column) const = 0;
  virtual Result<std::int64_t> integer(int column) const = 0;
  virtual Result<double> real(int column) const = 0;
  virtual Result<bool> boolean(int column) const = 0;
  virtual Result<std::string_view> text(int column) const = 0;
  virtual Result<View> blob(int column) const = 0;
};

// One row of an answer; columns count from 0. A wrong type (NULL included) gives an empty value
// here and makes the query itself answer Code::corrupt: use nothing that came from it before that
// answer.
class Row {
 public:
  explicit Row(const RowSource& source) : source_(source) {}

  bool null(int column) const { return source_.null(column); }
  std::int64_t integer(int column) { return keep(source_.integer(column)); }
  double real(int column) { return keep(source_.real(column)); }
  bool boolean(int column) { return keep(source_.boolean(column)); }
  std::string text(int column) { return std::string(keep(source_.text(column))); }
  Bytes blob(int column) {
    const View bytes = keep(source_.blob(column));
    return {bytes.begin(), bytes.end()};
  }
  WallTime time(int column) { return {integer(column)}; }
  Duration duration(int column) { return {integer(column)}; }
  Ulid ulid(int column);  // 16 bytes, else corrupt
  template <class IdType>
  IdType id(int column) {
    return IdType{ulid(column)};
  }

  std::optional<std::int64_t> maybe_integer(int column) { return maybe(column, &Row::integer); }
  std::optional<double> maybe_real(int column) { return maybe(column, &Row::real); }
  std::optional<bool> maybe_boolean(int column) { return maybe(column, &Row::boolean); }
  std::optional<std::string> maybe_text(int column) { return maybe(column, &Row::text); }
  std::optional<Bytes> maybe_blob(int column) { return maybe(column, &Row::blob); }
  std::optional<WallTime> maybe_time(int column) { return maybe(column, &Row::time); }
  template <class IdType>
  std::optional<IdType> maybe_id(int column) {
    return maybe(column, &Row::id<IdType>);
  }

  // Marks the row as damaged: what it holds cannot be (an unknown state name, say).
  void damaged(std::string message);
  const std::optional<Error>& error() const { return error_; }

 private:
  template <class T>
  T keep(Result<T> value) {
    if (value) return *value;
    if (!error_) error_ = std::move(value).error();
    return T{};
  }
  template <class T>
  std::optional<T> maybe(int column, T (Row::*get)(int)) {
    if (null(column)) return std::nullopt;
    return (this->*get)(column);
  }

  const RowSource& source_;
  std::optional<Error> error_;
};

using RowFn = std::function<void(Row&)>;

// A transaction, or a snapshot to read from. Statements are prepared once and kept by their text,
// so pass values as parameters, never inside the text. Nested calls from a row function are fine.
class Tx {
 public:
  virtual ~Tx() = default;
  virtual bool writable() const = 0;
  // Calls `row` for each row, in order; also for DML with RETURNING.
  virtual Status query(std::string_view sql, const Params& params, const RowFn& row) = 0;
  // Rows changed. In a read it answers Code::internal.
  virtual Result<std::int64_t> exec(std::string_view sql, const Params& params = {}) = 0;
  // DDL with the type map, statements split at `;`. For migrations.
  virtual Status script(std::string_view ddl) = 0;

  // The first row, if there is one. `make` takes Row& and returns the value.
  template <class F>
  auto one(std::string_view sql, const Params& params, F make)
      -> Result<std::optional<decltype(make(std::declval<Row&>()))>> {
    std::optional<decltype(make(std::declval<Row&>()))> found;
    TRY(query(sql, params, [&](Row& row) {
      if (!found) found = make(row);
    }));
    return found;
  }
  // All rows; the statement's LIMIT is the bound.
  template <class F>
  auto list(std::string_view sql, const Params& params, F make)
      -> Result<std::vector<decltype(make(std::declval<Row&>()))>> {
    std::vector<decltype(make(std::declval<Row&>()))> rows;
    TRY(query(sql, params, [&](Row& row) { rows.push_back(make(row)); }));
    return rows;
  }
  // One integer, such as a count; 0 when there is no row or it is NULL.
  Result<std::int64_t> number(std::string_view sql, const Params& params = {});
};

using WriteFn = std::function<Status(Tx&)>;
using ReadFn = std::function<Status(Tx&)>;

enum class Engine { sqlite, postgresql };

class Database {
 public:
  virtual ~Database() = default;
  virtual Engine engine() const = 0;
  virtual Status write(const WriteFn& mutate) = 0;
  virtual Status read(const ReadFn& look) = 0;
  // Housekeeping, for a job: checkpoint, statistics, a quick check. corrupt when damage is found.
  virtual Status maintain() = 0;
  // A consistent copy in one file, made while others write. PostgreSQL: unsupported, see carry.hpp.
  virtual Status copy_to(const std::string& path) = 0;
};

// DDL with {int}, {text}, ... replaced for the engine; an unknown name is Code::internal.
Result<std::string> expand_types(std::string_view ddl, Engine engine);
// `?` outside of quotes and comments becomes $1, $2, ...
std::string dollar_placeholders(std::string_view sql);
// Statements of a script: split at `;` outside of quotes and comments.
std::vector<std::string> split_statements(std::string_view script);
// "?,?,?" for IN lists; count >= 1.
std::string placeholders(std::size_t count);
// Escapes %, _ and \ for `LIKE ? ESCAPE '\'`.
std::string like_escape(std::string_view text);

}  // namespace holdfast::sql
