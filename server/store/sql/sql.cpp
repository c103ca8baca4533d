#include "server/store/sql/sql.hpp"

#include <algorithm>
#include <array>

namespace holdfast::sql {

namespace {

// The end of the quoted text or comment that starts at `at`; `at` itself if none starts there.
std::size_t skip_quoted(std::string_view sql, std::size_t at) {
  const char first = sql[at];
  if (first == '\'' || first == '"') {
    std::size_t end = at + 1;
    while (end < sql.size()) {
      if (sql[end] == first) {
        if (end + 1 < sql.size() && sql[end + 1] == first) {
          end += 2;
          continue;
        }
        return end + 1;
      }
      ++end;
    }
    return sql.size();
  }
  if (sql.substr(at).starts_with("--")) return std::min(sql.find('\n', at), sql.size());
  if (sql.substr(at).starts_with("/*")) {
    const std::size_t end = sql.find("*/", at + 2);
    return end == std::string_view::npos ? sql.size() : end + 2;
  }
  return at;
}

bool blank(std::string_view statement) {
  std::size_t at = 0;
  while (at < statement.size()) {
    const bool comment =
        statement.substr(at).starts_with("--") || statement.substr(at).starts_with("/*");
    if (comment) {
      at = skip_quoted(statement, at);
    } else if (std::string_view(" \t\r\n").contains(statement[at])) {
      ++at;
    } else {
      return false;
    }
  }
  return true;
}

struct TypeName {
  std::string_view name;
  std::string_view sqlite;
  std::string_view postgresql;
};
constexpr std::array kTypeNames{
    TypeName{"id", "BLOB", "BYTEA"},
    TypeName{"int", "INTEGER", "BIGINT"},
    TypeName{"text", "TEXT", "TEXT"},
    TypeName{"blob", "BLOB", "BYTEA"},
    TypeName{"real", "REAL", "DOUBLE PRECISION"},
    TypeName{"bool", "INTEGER", "BOOLEAN"},
    TypeName{"strict", "STRICT", ""},
    TypeName{"strict_keyed", "STRICT, WITHOUT ROWID", ""},
};

}  // namespace

Ulid Row::ulid(int column) {
  const View bytes = keep(source_.blob(column));
  Ulid out{};
  if (bytes.size() == out.size()) {
    std::copy(bytes.begin(), bytes.end(), out.begin());
  } else if (!error_) {
    damaged("column " + std::to_string(column) + " holds " + std::to_string(bytes.size()) +
            " bytes where an id has 16");
  }
  return out;
}

void Row::damaged(std::string message) {
  if (!error_) error_ = Error{Code::corrupt, std::move(message), {}, {}, {}};
}

Result<std::int64_t> Tx::number(std::string_view sql, const Params& params) {
  std::int64_t value = 0;
  bool first = true;
  TRY(query(sql, params, [&](Row& row) {
    if (first) value = row.maybe_integer(0).value_or(0);
    first = false;
  }));
  return value;
}

Result<std::string> expand_types(std::string_view ddl, Engine engine) {
  std::string out;
  std::size_t at = 0;
  while (at < ddl.size()) {
    const std::size_t quoted = skip_quoted(ddl, at);
    if (quoted != at) {
      out += ddl.substr(at, quoted - at);
      at = quoted;
      continue;
    }
    if (ddl[at] != '{') {
      out += ddl[at++];
      continue;
    }
    const std::size_t end = ddl.find('}', at);
    const std::string_view name =
        end == std::string_view::npos ? ddl.substr(at) : ddl.substr(at + 1, end - at - 1);
    const auto* row = std::ranges::find(kTypeNames, name, &TypeName::name);
    if (row == kTypeNames.end()) {
      return fail(Code::internal, "unknown type {" + std::string(name.substr(0, 20)) +
                                      "} in DDL: use id, int, text, blob, real, bool, strict");
    }
    out += engine == Engine::sqlite ? row->sqlite : row->postgresql;
    at = end + 1;
  }
  return out;
}

std::string dollar_placeholders(std::string_view sql) {
  std::string out;
  std::size_t at = 0;
  int count = 0;
  while (at < sql.size()) {
    const std::size_t quoted = skip_quoted(sql, at);
    if (quoted != at) {
      out += sql.substr(at, quoted - at);
      at = quoted;
    } else if (sql[at] == '?') {
      out += '$' + std::to_string(++count);
      ++at;
    } else {
      out += sql[at++];
    }
  }
  return out;
}

std::vector<std::string> split_statements(std::string_view script) {
  std::vector<std::string> statements;
  std::size_t start = 0;
  std::size_t at = 0;
  const auto take = [&](std::size_t end) {
    const std::string_view statement = script.substr(start, end - start);
    if (!blank(statement)) statements.emplace_back(statement);
  };
  while (at < script.size()) {
    const std::size_t quoted = skip_quoted(script, at);
    if (quoted != at) {
      at = quoted;
    } else if (script[at++] == ';') {
      take(at - 1);
      start = at;
    }
  }
  take(script.size());
  return statements;
}

std::string placeholders(std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += i == 0 ? "?" : ",?";
  return out;
}

std::string like_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace holdfast::sql
