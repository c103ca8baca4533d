#include "server/store/sql/postgres/pg_connection.hpp"

#include <libpq-fe.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <deque>

#include "server/store/sql/batch.hpp"

namespace holdfast::sql {

namespace {

constexpr std::size_t kPgSqlShownMax = 160;

// Type numbers of pg_type.dat; they never change.
constexpr Oid kOidBool = 16;
constexpr Oid kOidBytea = 17;
constexpr Oid kOidName = 19;
constexpr Oid kOidInt8 = 20;
constexpr Oid kOidInt2 = 21;
constexpr Oid kOidInt4 = 23;
constexpr Oid kOidText = 25;
constexpr Oid kOidFloat4 = 700;
constexpr Oid kOidFloat8 = 701;
constexpr Oid kOidVarchar = 1043;
constexpr Oid kOidNumeric = 1700;  // sum() of integers: taken when it is whole

class PgRow final : public RowSource {
 public:
  PgRow(const PGresult* result, int row) : result_(result), row_(row) {}

  int columns() const override { return PQnfields(result_); }
  bool null(int column) const override { return PQgetisnull(result_, row_, column) != 0; }
  Result<std::int64_t> integer(int column) const override {
    if (!is(column, {kOidInt8, kOidInt4, kOidInt2, kOidNumeric})) return wrong(column, "integer");
    return number<std::int64_t>(column, "integer");
  }
  Result<double> real(int column) const override {
    if (!is(column, {kOidFloat8, kOidFloat4})) return wrong(column, "real");
    return number<double>(column, "real");
  }
  Result<bool> boolean(int column) const override {
    if (!is(column, {kOidBool})) return wrong(column, "boolean");
    return value(column) == "t";
  }
  Result<std::string_view> text(int column) const override {
    if (!is(column, {kOidText, kOidVarchar, kOidName})) return wrong(column, "text");
    return value(column);
  }
  // bytea_output=hex: "\x" and two digits a byte.
  Result<View> blob(int column) const override {
    if (!is(column, {kOidBytea}) || !value(column).starts_with("\\x"))
      return wrong(column, "bytes");
    blobs_.push_back(TRY(from_hex(value(column).substr(2))));
    return View(blobs_.back());
  }

 private:
  bool is(int column, std::initializer_list<Oid> types) const {
    if (null(column)) return false;
    for (const Oid type : types) {
      if (PQftype(result_, column) == type) return true;
    }
    return false;
  }
  std::string_view value(int column) const {
    return {PQgetvalue(result_, row_, column),
            static_cast<std::size_t>(PQgetlength(result_, row_, column))};
  }
  template <class T>
  Result<T> number(int column, std::string_view wanted) const {
    const std::string_view text = value(column);
    T out{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc{} || end != text.data() + text.size()) return wrong(column, wanted);
    return out;
  }
  std::unexpected<Error> wrong(int column, std::string_view wanted) const {
    const char* name = PQfname(result_, column);
    return fail(Code::corrupt, "column " + std::to_string(column) + " (" +
                                   (name == nullptr ? "none" : name) + ") holds no " +
                                   std::string(wanted));
  }

  const PGresult* result_;
  int row_;
  mutable std::deque<Bytes> blobs_;  // what View points into
};

// Values as libpq takes them: text, but bytes in binary.
class PgParams {
 public:
  explicit PgParams(const Params& params) {
    for (const Param& param : params) {
      const Param::Value& value = param.value();
      if (std::holds_alternative<std::monostate>(value)) {
        add_null();
      } else if (const auto* blob = std::get_if<Bytes>(&value)) {
        add(reinterpret_cast<const char*>(blob->data()), blob->size(), 1);
      } else if (const auto* text = std::get_if<std::string>(&value)) {
        add(text->c_str(), text->size(), 0);
      } else {
        const std::string& made = texts_.emplace_back(text_of_number(value));
        add(made.c_str(), made.size(), 0);
      }
    }
  }
  int count() const { return static_cast<int>(values_.size()); }
  const char* const* values() const { return values_.data(); }
  const int* lengths() const { return lengths_.data(); }
  const int* formats() const { return formats_.data(); }

 private:
  static std::string text_of_number(const Param::Value& value) {
    if (const auto* boolean = std::get_if<bool>(&value)) return *boolean ? "t" : "f";
    if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), std::get<double>(value));
    return {text.data(), end.ptr};
  }
  void add(const char* bytes, std::size_t size, int format) {
    // An empty vector has no address, and a null pointer would be NULL.
    values_.push_back(bytes == nullptr ? "" : bytes);
    lengths_.push_back(static_cast<int>(size));
    formats_.push_back(format);
  }
  void add_null() {
    values_.push_back(nullptr);
    lengths_.push_back(0);
    formats_.push_back(0);
  }
  std::deque<std::string> texts_;
  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
};

// SQLSTATE (PostgreSQL, appendix A) to our codes.
Code code_of_state(std::string_view state) {
  if (state == "23505") return Code::already_exists;
  if (state == "53100") return Code::disk_full;
  if (state == "58030") return Code::io_error;
  if (state == "XX001" || state == "XX002") return Code::corrupt;
  if (state == "57014") return Code::deadline_exceeded;
  const std::string_view kind = state.substr(0, 2);
  if (kind == "23") return Code::conflict;
  if (kind == "22") return Code::invalid_argument;
  if (kind == "08" || kind == "40" || kind == "53" || kind == "55" || kind == "57") {
    return Code::unavailable;
  }
  return Code::internal;
}

void no_notices(void*, const PGresult*) {}

}  // namespace

void PgConnection::Freed::operator()(pg_result* result) const {
  PQclear(result);
}

Result<std::unique_ptr<PgConnection>> PgConnection::open(const std::string& url, bool writable) {
  const std::array<const char*, 6> keys{"dbname",           "connect_timeout", "client_encoding",
                                        "application_name", "options",         nullptr};
  const std::array<const char*, 6> values{
      url.c_str(),
      "10",
      "UTF8",
      "holdfast",
      "-c statement_timeout=120000 -c bytea_output=hex -c timezone=UTC -c synchronous_commit=on",
      nullptr};
  PGconn* raw = PQconnectdbParams(keys.data(), values.data(), 1);
  std::unique_ptr<PgConnection> connection(new PgConnection(raw, writable));
  if (PQstatus(raw) != CONNECTION_OK) {
    std::string message = PQerrorMessage(raw);
    while (message.ends_with('\n')) message.pop_back();
    return fail(Code::unavailable, "PostgreSQL does not answer: " + message);
  }
  PQsetNoticeReceiver(raw, no_notices, nullptr);
  return connection;
}

PgConnection::~PgConnection() {
  PQfinish(connection_);
}

bool PgConnection::broken() const {
  return PQstatus(connection_) != CONNECTION_OK;
}
bool PgConnection::in_transaction() const {
  const PGTransactionStatusType status = PQtransactionStatus(connection_);
  return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}
bool PgConnection::intact() const {
  return PQtransactionStatus(connection_) == PQTRANS_INTRANS;
}

Error PgConnection::error(const pg_result* result, std::string_view sql) const {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  // Without a state the connection failed. Details may quote values: they stay out.
  std::string message = primary != nullptr ? primary : "the connection to PostgreSQL failed";
  if (state != nullptr) message += std::string(" (SQLSTATE ") + state + ")";
  message += " in: " + std::string(sql.substr(0, kPgSqlShownMax));
  return Error{
      state == nullptr ? Code::unavailable : code_of_state(state), std::move(message), {}, {}, {}};
}

Result<PgConnection::Answer> PgConnection::checked(pg_result* result, std::string_view sql) const {
  Answer answer(result);
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return answer;
  return std::unexpected(error(result, sql));
}

Result<std::string> PgConnection::prepared(std::string_view sql) {
  if (const auto at = statements_.find(sql); at != statements_.end()) {
    at->second.last_use = ++uses_;
    return at->second.name;
  }
  if (statements_.size() >= kStatementsMax) evict_oldest();
  const std::string name = "s" + std::to_string(++uses_);
  const std::string text = dollar_placeholders(sql);
  TRY(checked(PQprepare(connection_, name.c_str(), text.c_str(), 0, nullptr), sql));
  statements_.emplace(std::string(sql), Prepared{name, uses_});
  return name;
}

void PgConnection::evict_oldest() {
  auto oldest = statements_.begin();
  for (auto at = statements_.begin(); at != statements_.end(); ++at) {
    if (at->second.last_use < oldest->second.last_use) oldest = at;
  }
  (void)run("DEALLOCATE " + oldest->second.name);
  statements_.erase(oldest);
}

Result<PgConnection::Answer> PgConnection::execute(std::string_view sql, const Params& params) {
  for (const Param& param : params) TRY(check_param(param));
  const std::string name = TRY(prepared(sql));
  const PgParams values(params);
  return checked(PQexecPrepared(connection_, name.c_str(), values.count(), values.values(),
                                values.lengths(), values.formats(), 0),
                 sql);
}

Status PgConnection::query(std::string_view sql, const Params& params, const RowFn& row) {
  const Answer answer = TRY(execute(sql, params));
  const int rows = PQntuples(answer.get());
  for (int i = 0; i < rows && row; ++i) {
    const PgRow source(answer.get(), i);
    Row view(source);
    row(view);
    if (view.error()) {
      return with_context(Status(std::unexpected(*view.error())),
                          std::string(sql.substr(0, kPgSqlShownMax)));
    }
  }
  return {};
}

Result<std::int64_t> PgConnection::exec(std::string_view sql, const Params& params) {
  if (!writable_) {
    return fail(Code::internal, "a read cannot run: " + std::string(sql.substr(0, kPgSqlShownMax)));
  }
  const Answer answer = TRY(execute(sql, params));
  return std::strtoll(PQcmdTuples(answer.get()), nullptr, 10);  // "" for what is no DML: 0
}

Status PgConnection::script(std::string_view ddl) {
  const std::string expanded = TRY(expand_types(ddl, Engine::postgresql));
  for (const std::string& statement : split_statements(expanded)) TRY(run(statement));
  return {};
}

Result<std::string> PgConnection::run(const std::string& command) {
  const Answer answer = TRY(checked(PQexec(connection_, command.c_str()), command));
  return std::string(PQcmdStatus(answer.get()));
}

}  // namespace holdfast::sql
