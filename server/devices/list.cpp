// The list of devices and its facets: one condition builder for both, so that what the facets count
// is what the list shows.
#include <algorithm>

#include "server/devices/rows.hpp"

namespace holdfast::devices {
namespace {

enum class Skip { none, state, type, site, online, tag };

struct Condition {
  std::string sql = "TRUE";
  sql::Params params;

  void add(std::string_view text, sql::Params more = {}) {
    sql += " AND ";
    sql += text;
    for (sql::Param& param : more) params.push_back(std::move(param));
  }
};

template <class T>
void add_in(Condition& where, std::string_view column, const std::vector<T>& values) {
  if (values.empty()) return;
  sql::Params params;
  for (const T& value : values) params.emplace_back(value);
  where.add(std::string(column) + " IN (" + sql::placeholders(values.size()) + ")",
            std::move(params));
}

std::string_view online_sql() {
  return "(coalesce(p.sessions,0)>0 OR coalesce(p.last_https,0)>?)";
}

void add_text(Condition& where, std::string_view q) {
  if (const auto id = DeviceId::parse(q)) {
    where.add("d.id=?", {*id});
    return;
  }
  const std::string like = "%" + sql::like_escape(lower_ascii(q)) + "%";
  where.add(
      "(d.name_key LIKE ? ESCAPE '\\' OR lower(d.serial) LIKE ? ESCAPE '\\' OR "
      "lower(coalesce(p.address,'')) LIKE ? "
      "ESCAPE '\\' OR EXISTS (SELECT 1 FROM device_tag g WHERE g.device_id=d.id AND (lower(g.key) "
      "LIKE ? ESCAPE '\\' OR "
      "lower(g.value) LIKE ? ESCAPE '\\')))",
      {like, like, like, like, like});
}

Condition where_of(const ListQuery& query, const core::SiteFilter& scope, WallTime now, Skip skip) {
  Condition where;
  where.add(scope.sql, scope.params);
  if (!query.q.empty()) add_text(where, query.q);
  if (skip != Skip::state) {
    std::vector<std::string_view> names;
    for (const State state : query.states) names.push_back(name_of(state));
    add_in(where, "d.state", names);
  }
  if (skip != Skip::type) add_in(where, "d.type_id", query.types);
  if (skip != Skip::site) add_in(where, "d.site_id", query.sites);
  if (skip != Skip::tag) {
    for (const auto& [key, value] : query.tags) {
      if (value) {
        where.add(
            "EXISTS (SELECT 1 FROM device_tag g WHERE g.device_id=d.id AND g.key=? AND g.value=?)",
            {key, *value});
      } else {
        where.add("EXISTS (SELECT 1 FROM device_tag g WHERE g.device_id=d.id AND g.key=?)", {key});
      }
    }
  }
  if (skip != Skip::online && query.online) {
    where.add((*query.online ? "" : "NOT ") + std::string(online_sql()), {now - kHttpsOnline});
  }
  return where;
}

struct Order {
  std::string_view name;
  std::string_view column;  // never NULL
  bool number;
};
constexpr std::array kOrders{
    Order{"name", "d.name_key", false},
    Order{"state", "d.state", false},
    Order{"type_name", "coalesce(t.name,'')", false},
    Order{"site_name", "coalesce(s.name,'')", false},
    Order{"last_seen", "coalesce(p.last_seen,0)", true},
    Order{"created_at", "d.created_at", true},
};

const Order* order_of(std::string_view sort) {
  if (sort.starts_with('-')) sort.remove_prefix(1);
  for (const Order& order : kOrders) {
    if (order.name == sort) return &order;
  }
  return nullptr;
}

// A cursor is "<sort>\n<value>\n<id>": where the page before ended.
struct Place {
  sql::Param value = nullptr;
  DeviceId id;
};

Result<Place> place_of(std::string_view cursor, std::string_view sort, bool number) {
  const auto bad = [] {
    return fail(Code::invalid_argument, "the cursor is of another list: start without one");
  };
  const auto first = cursor.find('\n');
  const auto last = cursor.rfind('\n');
  if (first == std::string_view::npos || last == first || cursor.substr(0, first) != sort)
    return bad();
  const std::string value(cursor.substr(first + 1, last - first - 1));
  const auto id = DeviceId::parse(cursor.substr(last + 1));
  if (!id) return bad();
  Place place{value, *id};
  if (number) {
    char* end = nullptr;
    const std::int64_t parsed = std::strtoll(value.c_str(), &end, 10);
    if (value.empty() || *end != '\0') return bad();
    place.value = parsed;
  }
  return place;
}

Result<std::vector<FacetValue>> facet(sql::Tx& tx, std::string_view select, const Condition& where,
                                      std::string_view group,
                                      const std::function<FacetValue(sql::Row&)>& make) {
  return tx.list("SELECT " + std::string(select) + ",count(*) " + std::string(kDeviceTables) +
                     "WHERE " + where.sql + " GROUP BY " + std::string(group) +
                     " ORDER BY count(*) DESC," + std::string(group) + " LIMIT 200",
                 where.params, make);
}

}  // namespace

bool sort_known(std::string_view sort) {
  return order_of(sort) != nullptr;
}

Result<ListPage> list_devices(sql::Tx& tx, const seal::Sealer& sealer, const ListQuery& query,
                              const core::SiteFilter& scope, WallTime now) {
  const Order* order = order_of(query.sort);
  if (order == nullptr)
    return fail(Code::invalid_argument, "query parameter \"sort\": there is no such order");
  const bool down = query.sort.starts_with('-');
  ListPage page;
  const Condition all = where_of(query, scope, now, Skip::none);
  page.total =
      TRY(tx.number("SELECT count(*) FROM (SELECT 1 AS one " + std::string(kDeviceTables) +
                        "WHERE " + all.sql + " LIMIT " + std::to_string(kTotalMax) + ") AS counted",
                    all.params));
  Condition where = all;
  if (!query.cursor.empty()) {
    Place place = TRY(place_of(query.cursor, query.sort, order->number));
    where.add("(" + std::string(order->column) + ",d.id)" + (down ? "<" : ">") + "(?,?)",
              {std::move(place.value), place.id});
  }
  const std::string direction = down ? " DESC" : "";
  std::vector<std::string> keys;
  const std::string tail = std::string(kDeviceTables) + "WHERE " + where.sql + " ORDER BY " +
                           std::string(order->column) + direction + ",d.id" + direction +
                           " LIMIT " + std::to_string(query.limit + 1);
  page.devices =
      TRY(read_devices(tx, sealer, "SELECT " + std::string(kDeviceColumns) + tail, where.params));
  if (page.devices.size() <= query.limit) return page;
  page.devices.resize(query.limit);
  const DeviceId last = page.devices.back().id;
  const auto key = TRY(tx.one(
      "SELECT " + std::string(order->column) + std::string(kDeviceTables) + "WHERE d.id=?", {last},
      [&](sql::Row& row) { return order->number ? std::to_string(row.integer(0)) : row.text(0); }));
  page.next = query.sort + "\n" + key.value_or("") + "\n" + last.text();
  return page;
}

Result<Facets> count_facets(sql::Tx& tx, const ListQuery& query, const core::SiteFilter& scope,
                            WallTime now) {
  Facets facets;
  facets.state = TRY(
      facet(tx, "d.state", where_of(query, scope, now, Skip::state), "d.state",
            [](sql::Row& row) { return FacetValue{row.text(0), row.text(0), row.integer(1)}; }));
  facets.type =
      TRY(facet(tx, "d.type_id,t.name", where_of(query, scope, now, Skip::type), "d.type_id,t.name",
                [](sql::Row& row) {
                  const auto id = row.maybe_id<TypeId>(0);
                  return FacetValue{id ? std::optional(id->text()) : std::nullopt,
                                    row.maybe_text(1).value_or("no type"), row.integer(2)};
                }));
  facets.site =
      TRY(facet(tx, "d.site_id,s.name", where_of(query, scope, now, Skip::site), "d.site_id,s.name",
                [](sql::Row& row) {
                  const auto id = row.maybe_id<SiteId>(0);
                  return FacetValue{id ? std::optional(id->text()) : std::nullopt,
                                    row.maybe_text(1).value_or("no site"), row.integer(2)};
                }));
  Condition online = where_of(query, scope, now, Skip::online);
  online.params.insert(online.params.begin(), sql::Param(now - kHttpsOnline));
  facets.online = TRY(
      facet(tx, "CASE WHEN " + std::string(online_sql()) + " THEN 1 ELSE 0 END AS is_online",
            online, "is_online", [](sql::Row& row) {
              const bool yes = row.integer(0) != 0;
              return FacetValue{yes ? "true" : "false", yes ? "online" : "offline", row.integer(1)};
            }));
  const Condition tagged = where_of(query, scope, now, Skip::tag);
  facets.tag =
      TRY(tx.list("SELECT f.key,f.value,count(*)" + std::string(kDeviceTables) +
                      "JOIN device_tag f ON f.device_id=d.id WHERE " + tagged.sql +
                      " GROUP BY f.key,f.value ORDER BY count(*) DESC,f.key,f.value LIMIT 200",
                  tagged.params, [](sql::Row& row) {
                    const std::string value = row.text(1);
                    const std::string label =
                        value.empty() ? row.text(0) : row.text(0) + "=" + value;
                    return FacetValue{row.text(0) + "=" + value, label, row.integer(2)};
                  }));
  return facets;
}

}  // namespace holdfast::devices
