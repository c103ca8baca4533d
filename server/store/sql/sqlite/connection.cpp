#include "server/store/sql/sqlite/connection.hpp"

#include <sqlite3.h>

#include "server/store/sql/batch.hpp"

namespace holdfast::sql {

namespace {

constexpr int kBusyMs = 5'000;
constexpr std::size_t kSqlShownMax = 160;

class SqliteRow final : public RowSource {
 public:
  explicit SqliteRow(sqlite3_stmt* statement) : statement_(statement) {}

  int columns() const override { return sqlite3_column_count(statement_); }
  bool null(int column) const override { return type(column) == SQLITE_NULL; }
  Result<std::int64_t> integer(int column) const override {
    if (type(column) != SQLITE_INTEGER) return wrong(column, "an integer");
    return sqlite3_column_int64(statement_, column);
  }
  Result<double> real(int column) const override {
    if (type(column) != SQLITE_FLOAT) return wrong(column, "a real");
    return sqlite3_column_double(statement_, column);
  }
  Result<bool> boolean(int column) const override {
    const sqlite3_int64 value = sqlite3_column_int64(statement_, column);
    if (type(column) != SQLITE_INTEGER || (value != 0 && value != 1))
      return wrong(column, "a boolean");
    return value == 1;
  }
  Result<std::string_view> text(int column) const override {
    if (type(column) != SQLITE_TEXT) return wrong(column, "a text");
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return std::string_view(bytes, size(column));
  }
  Result<View> blob(int column) const override {
    if (type(column) != SQLITE_BLOB) return wrong(column, "bytes");
    const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
    return View(bytes, size(column));
  }

 private:
  int type(int column) const { return sqlite3_column_type(statement_, column); }
  std::size_t size(int column) const {
    return static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  }
  std::unexpected<Error> wrong(int column, std::string_view wanted) const {
    const char* name = sqlite3_column_name(statement_, column);
    return fail(Code::corrupt, "column " + std::to_string(column) + " (" +
                                   (name == nullptr ? "none" : name) + ") holds no " +
                                   std::string(wanted.substr(wanted.find(' ') + 1)));
  }

  sqlite3_stmt* statement_;
};

Code code_of_sqlite(int extended) {
  switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return Code::already_exists;
    default:
      break;
  }
  switch (extended & 0xFF) {
    case SQLITE_CONSTRAINT:
      return Code::conflict;
    case SQLITE_FULL:
      return Code::disk_full;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return Code::io_error;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Code::corrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return Code::unavailable;
    case SQLITE_INTERRUPT:
      return Code::deadline_exceeded;
    case SQLITE_TOOBIG:
      return Code::invalid_argument;
    default:
      return Code::internal;
  }
}

int bind_one(sqlite3_stmt* statement, int index, const Param& param) {
  const Param::Value& value = param.value();
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    return sqlite3_bind_int64(statement, index, *integer);
  }
  if (const auto* real = std::get_if<double>(&value)) {
    return sqlite3_bind_double(statement, index, *real);
  }
  if (const auto* boolean = std::get_if<bool>(&value)) {
    return sqlite3_bind_int64(statement, index, *boolean ? 1 : 0);
  }
  if (const auto* text = std::get_if<std::string>(&value)) {
    return sqlite3_bind_text64(statement, index, text->data(), text->size(), SQLITE_STATIC,
                               SQLITE_UTF8);
  }
  if (const auto* blob = std::get_if<Bytes>(&value)) {
    // A null pointer would bind NULL.
    if (blob->empty()) return sqlite3_bind_zeroblob(statement, index, 0);
    return sqlite3_bind_blob64(statement, index, blob->data(), blob->size(), SQLITE_STATIC);
  }
  return sqlite3_bind_null(statement, index);
}

}  // namespace

// A statement in use. One that is already running (a query inside its own row function) gets a
// statement of its own for that time.
class Connection::Lease {
 public:
  Lease(Cached* cached, sqlite3_stmt* own) : cached_(cached), own_(own) {
    if (cached_ != nullptr) cached_->busy = true;
  }
  ~Lease() {
    if (cached_ != nullptr) {
      // At once: a statement that is not reset pins the WAL.
      sqlite3_reset(cached_->statement);
      sqlite3_clear_bindings(cached_->statement);
      cached_->busy = false;
    }
    sqlite3_finalize(own_);
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  sqlite3_stmt* get() const { return cached_ != nullptr ? cached_->statement : own_; }

 private:
  Cached* cached_;
  sqlite3_stmt* own_;
};

Result<std::unique_ptr<Connection>> Connection::open(const Settings& settings) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE;
  if (settings.access == Access::write) flags |= SQLITE_OPEN_CREATE;
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(settings.path.c_str(), &database, flags, settings.vfs.c_str());
  std::unique_ptr<Connection> connection(new Connection(database, settings.access));
  if (code != SQLITE_OK) {
    return std::unexpected(connection->error(code, "opening " + settings.path));
  }
  TRY(connection->set_up(settings));
  return connection;
}

Connection::~Connection() {
  for (auto& [sql, cached] : statements_) sqlite3_finalize(cached.statement);
  sqlite3_close_v2(database_);
}

Status Connection::set_up(const Settings& settings) {
  sqlite3_busy_timeout(database_, kBusyMs);
  sqlite3_limit(database_, SQLITE_LIMIT_ATTACHED, 1);  // for VACUUM INTO
  TRY(run("PRAGMA temp_store=MEMORY"));
  TRY(run("PRAGMA mmap_size=0"));  // an I/O error must be an error, not a signal
  TRY(run("PRAGMA trusted_schema=OFF"));
  TRY(run("PRAGMA foreign_keys=ON"));
  TRY(run(writable() ? "PRAGMA cache_size=-32768" : "PRAGMA cache_size=-8192"));
  if (!writable()) return run("PRAGMA query_only=ON");
  std::string mode;
  TRY(query("PRAGMA journal_mode=WAL", {}, [&](Row& row) { mode = row.text(0); }));
  if (mode != "wal") {
    return fail(Code::io_error, "SQLite cannot use a WAL for " + settings.path + " (" + mode + ")");
  }
  TRY(run(settings.durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"));
  TRY(run("PRAGMA secure_delete=ON"));  // what is deleted is overwritten
  TRY(run("PRAGMA wal_autocheckpoint=1000"));
  return run("PRAGMA journal_size_limit=67108864");
}

Error Connection::error(int code, std::string_view sql) {
  const int extended = database_ == nullptr ? code : sqlite3_extended_errcode(database_);
  const Code mapped = code_of_sqlite(extended == SQLITE_OK ? code : extended);
  if (mapped == Code::io_error || mapped == Code::corrupt) broken_ = true;
  std::string message = database_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(database_);
  message += " (SQLite " + std::to_string(extended) + ") in: ";
  message += sql.substr(0, kSqlShownMax);
  return Error{mapped, std::move(message), {}, {}, {}};
}

bool Connection::in_transaction() const {
  return sqlite3_get_autocommit(database_) == 0;
}

Result<sqlite3_stmt*> Connection::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const char* tail = nullptr;
  const int code = sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, &tail);
  if (code != SQLITE_OK) return std::unexpected(error(code, sql));
  const auto used = static_cast<std::size_t>(tail - sql.data());
  if (statement == nullptr ||
      sql.substr(used).find_first_not_of(" \t\r\n;") != std::string_view::npos) {
    sqlite3_finalize(statement);
    return fail(Code::internal,
                "not exactly one statement: " + std::string(sql.substr(0, kSqlShownMax)));
  }
  return statement;
}

Result<Connection::Cached*> Connection::cached(std::string_view sql) {
  auto at = statements_.find(sql);
  if (at == statements_.end()) {
    sqlite3_stmt* statement = TRY(prepare(sql));
    if (statements_.size() >= kStatementsMax) evict_oldest();
    at = statements_.emplace(std::string(sql), Cached{.statement = statement}).first;
  }
  at->second.last_use = ++uses_;
  return &at->second;
}

void Connection::evict_oldest() {
  auto oldest = statements_.end();
  for (auto at = statements_.begin(); at != statements_.end(); ++at) {
    if (at->second.busy) continue;
    if (oldest == statements_.end() || at->second.last_use < oldest->second.last_use) oldest = at;
  }
  if (oldest == statements_.end()) return;
  sqlite3_finalize(oldest->second.statement);
  statements_.erase(oldest);
}

Status Connection::step_all(sqlite3_stmt* statement, std::string_view sql, const RowFn& row) {
  while (true) {
    const int code = sqlite3_step(statement);
    if (code == SQLITE_DONE) return {};
    if (code != SQLITE_ROW) return std::unexpected(error(code, sql));
    if (!row) continue;
    const SqliteRow source(statement);
    Row view(source);
    row(view);
    if (view.error()) {
      return with_context(Status(std::unexpected(*view.error())),
                          std::string(sql.substr(0, kSqlShownMax)));
    }
  }
}

Status Connection::query(std::string_view sql, const Params& params, const RowFn& row) {
  Cached* cached = TRY(this->cached(sql));
  const bool nested = cached->busy;
  const Lease lease(nested ? nullptr : cached, nested ? TRY(prepare(sql)) : nullptr);
  sqlite3_stmt* statement = lease.get();
  if (sqlite3_bind_parameter_count(statement) != static_cast<int>(params.size())) {
    return fail(Code::internal,
                std::to_string(params.size()) +
                    " values for the placeholders of: " + std::string(sql.substr(0, kSqlShownMax)));
  }
  for (std::size_t i = 0; i < params.size(); ++i) {
    TRY(check_param(params[i]));
    const int code = bind_one(statement, static_cast<int>(i) + 1, params[i]);
    if (code != SQLITE_OK) return std::unexpected(error(code, sql));
  }
  return step_all(statement, sql, row);
}

Result<std::int64_t> Connection::exec(std::string_view sql, const Params& params) {
  if (!writable()) {
    return fail(Code::internal, "a read cannot run: " + std::string(sql.substr(0, kSqlShownMax)));
  }
  const sqlite3_int64 before = sqlite3_total_changes64(database_);
  TRY(query(sql, params, nullptr));
  // total_changes counts foreign key actions as well; changes() alone keeps the last DML's number
  // after a statement that is none.
  return sqlite3_total_changes64(database_) == before ? 0 : sqlite3_changes64(database_);
}

Status Connection::script(std::string_view ddl) {
  const std::string expanded = TRY(expand_types(ddl, Engine::sqlite));
  for (const std::string& statement : split_statements(expanded)) {
    // Not kept: DDL runs once.
    const Lease lease(nullptr, TRY(prepare(statement)));
    TRY(step_all(lease.get(), statement, nullptr));
  }
  return {};
}

Status Connection::run(std::string_view sql) {
  return query(sql, {}, [](Row&) {});
}

}  // namespace holdfast::sql
