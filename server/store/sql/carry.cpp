#include "server/store/sql/carry.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace holdfast::sql {
namespace {

constexpr int kFetchRows = 500;  // at once: PostgreSQL's answers lie in memory

struct CarriedColumn {
  std::string name;
  std::string type;  // of information_schema
};

struct CarriedTable {
  std::string name;
  std::vector<CarriedColumn> columns;
  std::set<std::string> parents;  // tables that its rows refer to
  // A column that refers to another row of this table, and that row's column: filled in afterwards.
  std::string own_reference, own_key;
};
using CarriedTables = std::map<std::string, CarriedTable>;

Result<CarriedTables> tables_of(Tx& postgres) {
  CarriedTables tables;
  TRY(postgres.query(
      "SELECT CAST(table_name AS text), CAST(column_name AS text), CAST(data_type AS text) FROM "
      "information_schema.columns WHERE table_schema = current_schema() ORDER BY table_name, "
      "ordinal_position",
      {}, [&](Row& row) {
        auto& table = tables[row.text(0)];
        table.name = row.text(0);
        table.columns.push_back({row.text(1), row.text(2)});
      }));
  TRY(postgres.query(
      "SELECT CAST(c.table_name AS text), CAST(k.column_name AS text), CAST(u.table_name AS text), "
      "CAST(u.column_name AS text) FROM information_schema.table_constraints c JOIN "
      "information_schema.key_column_usage k ON k.constraint_schema = c.constraint_schema AND "
      "k.constraint_name = c.constraint_name JOIN information_schema.constraint_column_usage u ON "
      "u.constraint_schema = c.constraint_schema AND u.constraint_name = c.constraint_name WHERE "
      "c.constraint_type = 'FOREIGN KEY' AND c.table_schema = current_schema()",
      {}, [&](Row& row) {
        auto& table = tables[row.text(0)];
        if (row.text(2) != row.text(0)) {
          table.parents.insert(row.text(2));
        } else {
          table.own_reference = row.text(1);
          table.own_key = row.text(3);
        }
      }));
  return tables;
}

// Parents before those that refer to them.
Result<std::vector<CarriedTable>> in_order(CarriedTables tables,
                                           const std::vector<std::string>& skip) {
  for (const auto& name : skip) tables.erase(name);
  std::vector<CarriedTable> ordered;
  std::set<std::string> done(skip.begin(), skip.end());
  while (!tables.empty()) {
    const auto ready = std::ranges::find_if(tables, [&](const auto& each) {
      return std::ranges::all_of(each.second.parents,
                                 [&](const auto& parent) { return done.contains(parent); });
    });
    if (ready == tables.end()) return fail(Code::internal, "tables refer to each other in a ring");
    done.insert(ready->first);
    ordered.push_back(std::move(ready->second));
    tables.erase(ready);
  }
  return ordered;
}

std::string column_list(const CarriedTable& table) {
  std::string list;
  for (const auto& column : table.columns)
    list += (list.empty() ? "\"" : ",\"") + column.name + '"';
  return list;
}

Param param_of(Row& row, int index, const std::string& type) {
  if (row.null(index)) return nullptr;
  if (type == "bigint" || type == "integer") return row.integer(index);
  if (type == "boolean") return row.boolean(index);
  if (type == "bytea") return row.blob(index);
  if (type == "text") return row.text(index);
  if (type == "double precision") return row.real(index);
  row.damaged("a column of the unknown type " + type);
  return nullptr;
}

// One table's rows on their way.
class Carrying {
 public:
  Carrying(const CarriedTable& table, Tx& to) : table_(table), to_(to) {
    insert_ = "INSERT INTO " + table.name + " (" + column_list(table) + ") VALUES (" +
              placeholders(table.columns.size()) + ")";
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      if (table.columns[i].name == table.own_reference) reference_ = i;
      if (table.columns[i].name == table.own_key) key_ = i;
    }
  }

  void take(Row& row) {
    if (!status_) return;
    Params values;
    for (std::size_t i = 0; i < table_.columns.size(); ++i) {
      values.push_back(param_of(row, static_cast<int>(i), table_.columns[i].type));
    }
    if (row.error()) return;  // told by the query
    if (!table_.own_reference.empty() && !row.null(static_cast<int>(reference_))) {
      later_.emplace_back(values[reference_], values[key_]);
      values[reference_] = nullptr;
    }
    const auto inserted = to_.exec(insert_, values);
    if (!inserted) status_ = std::unexpected(inserted.error());
    ++rows_;
  }
  Status finish() {
    TRY(Status(status_));
    for (const auto& [value, key] : later_) {
      TRY(to_.exec("UPDATE " + table_.name + " SET " + table_.own_reference + " = ? WHERE " +
                       table_.own_key + " = ?",
                   {value, key}));
    }
    return {};
  }
  std::int64_t rows() const { return rows_; }
  bool failed() const { return !status_.has_value(); }

 private:
  const CarriedTable& table_;
  Tx& to_;
  std::string insert_;
  std::size_t reference_ = 0, key_ = 0;
  std::vector<std::pair<Param, Param>> later_;
  std::int64_t rows_ = 0;
  Status status_;
};

Result<std::int64_t> carry_table(const CarriedTable& table, std::size_t number, bool by_cursor,
                                 Tx& from, Tx& to) {
  Carrying carrying(table, to);
  const std::string select = "SELECT " + column_list(table) + " FROM " + table.name;
  if (!by_cursor) {
    TRY(from.query(select, {}, [&](Row& row) { carrying.take(row); }));
  } else {
    const std::string cursor = "carry_" + std::to_string(number);
    TRY(from.query("DECLARE " + cursor + " NO SCROLL CURSOR FOR " + select, {}, {}));
    for (std::int64_t before = -1; before != carrying.rows() && !carrying.failed();) {
      before = carrying.rows();
      TRY(from.query("FETCH FORWARD " + std::to_string(kFetchRows) + " FROM " + cursor, {},
                     [&](Row& row) { carrying.take(row); }));
    }
    TRY(from.query("CLOSE " + cursor, {}, {}));
  }
  TRY(with_context(carrying.finish(), "carrying " + table.name));
  return carrying.rows();
}

}  // namespace

Result<std::int64_t> carry_rows(Database& from, Database& to,
                                const std::vector<std::string>& skip) {
  const bool from_postgres = from.engine() == Engine::postgresql;
  if (!from_postgres && to.engine() != Engine::postgresql) {
    return fail(Code::unsupported, "from SQLite to SQLite: copy the file");
  }
  std::int64_t rows = 0;
  TRY(to.write([&](Tx& into) -> Status {
    rows = 0;
    return from.read([&](Tx& out) -> Status {
      const auto tables = TRY(in_order(TRY(tables_of(from_postgres ? out : into)), skip));
      for (auto table = tables.rbegin(); table != tables.rend(); ++table) {
        if (!table->own_reference.empty()) {
          TRY(into.exec("UPDATE " + table->name + " SET " + table->own_reference + " = NULL"));
        }
        TRY(into.exec("DELETE FROM " + table->name));
      }
      for (std::size_t i = 0; i < tables.size(); ++i) {
        rows += TRY(carry_table(tables[i], i, from_postgres, out, into));
      }
      return {};
    });
  }));
  return rows;
}

}  // namespace holdfast::sql
