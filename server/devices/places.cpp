#include "server/devices/places.hpp"

#include <functional>

#include "libs/http/conditional.hpp"
#include "server/devices/json.hpp"
#include "server/devices/rows.hpp"
#include "server/devices/rules.hpp"

namespace holdfast::devices {
namespace {

// Sites and types are stored and changed alike; this says where they differ.
struct Kind {
  std::string_view noun;  // for people
  std::string_view table;
  std::string_view member;      // id in notices
  std::string_view column;      // in table device
  std::string_view permission;  // to read
};
constexpr Kind kSite{"site", "site", "site_id", "site_id", "site.read"};
constexpr Kind kType{"type", "device_type", "type_id", "type_id", "type.read"};

Site read_site(sql::Row& row) {
  return {row.id<SiteId>(0), row.text(1), row.text(2), row.integer(3),
          row.integer(4),    row.time(5), row.time(6)};
}

DeviceType read_type(sql::Row& row) {
  DeviceType type{row.id<TypeId>(0), row.text(1),    row.text(2),
                  wire::JsonArray{}, row.integer(3), row.integer(4),
                  row.time(5),       row.time(6),    {}};
  auto streams = wire::parse_json(row.text(7));
  if (!streams) row.damaged("a device type holds streams that do not parse");
  if (streams) type.streams = *std::move(streams);
  if (!row.null(8)) {
    type.evidence_required = evidence_named(row.text(8));
    if (!type.evidence_required) row.damaged("a device type demands an unknown evidence class");
  }
  return type;
}

std::string select_from(const Kind& kind) {
  const std::string table(kind.table);
  return "SELECT x.id,x.name,x.description,(SELECT count(*) FROM device d WHERE d." +
         std::string(kind.column) + "=x.id),x.revision,x.created_at,x.updated_at" +
         (kind.table == "device_type" ? ",x.streams,x.evidence_required" : "") + " FROM " + table +
         " x ";
}

template <class T, class Make>
Result<PlacePage<T>> page_of_places(core::Store& store, const Kind& kind,
                                    const core::SiteFilter& scope, const core::Page& page,
                                    std::string_view q, Make make) {
  PlacePage<T> out;
  std::string where = "WHERE " + scope.sql;
  sql::Params params = scope.params;
  if (!q.empty()) {
    where += " AND lower(x.name) LIKE ? ESCAPE '\\'";
    params.emplace_back("%" + sql::like_escape(lower_ascii(q)) + "%");
  }
  const std::string counted = where;
  const sql::Params counted_params = params;
  if (!page.cursor.empty()) {
    const auto cut = page.cursor.rfind('\n');
    const auto ulid =
        parse_ulid(std::string_view(page.cursor).substr(cut == std::string::npos ? 0 : cut + 1));
    if (cut == std::string::npos || !ulid)
      return fail(Code::invalid_argument, "the cursor is of another list");
    where += " AND (x.name,x.id)>(?,?)";
    params.emplace_back(page.cursor.substr(0, cut));
    params.emplace_back(*ulid);
  }
  TRY(store.read([&](sql::Tx& tx) -> Status {
    out.total = TRY(tx.number("SELECT count(*) FROM " + std::string(kind.table) + " x " + counted,
                              counted_params));
    out.items = TRY(tx.list(
        select_from(kind) + where + " ORDER BY x.name,x.id LIMIT " + std::to_string(page.limit + 1),
        params, make));
    return {};
  }));
  if (out.items.size() > page.limit) {
    out.items.resize(page.limit);
    out.next = out.items.back().name + "\n" + ulid_text(out.items.back().id.ulid);
  }
  return out;
}

struct Texts {
  std::optional<std::string> name, description;
};

Result<Texts> texts_of(const wire::JsonObject& body) {
  if (body.empty()) return fail(Code::invalid_argument, "say what to change: the body is empty");
  Texts texts;
  texts.name = TRY(wire::find_string(body, "name"));
  if (texts.name) TRY(check_name(*texts.name));
  texts.description = TRY(wire::find_string(body, "description"));
  if (texts.description && texts.description->size() > kDescriptionBytesMax) {
    return std::unexpected(Error{
        Code::invalid_argument, "a description has at most 1000 bytes", {}, {}, "/description"});
  }
  return texts;
}

// Outer: whether it was given; inner: null takes the demand away.
Result<std::optional<std::optional<EvidenceClass>>> evidence_demand(const wire::JsonObject& body) {
  using Demand = std::optional<EvidenceClass>;
  const wire::Json* given = body.if_contains("evidence_required");
  if (given == nullptr) return std::nullopt;
  if (given->is_null()) return std::optional<Demand>(Demand{});
  const auto* text = given->if_string();
  const auto named = text != nullptr ? evidence_named(std::string_view(*text)) : std::nullopt;
  if (named) return std::optional<Demand>(named);
  return std::unexpected(Error{Code::invalid_argument,
                               "say hardware-attested, hardware-asserted, software, claim, or null",
                               {},
                               {},
                               "/evidence_required"});
}

Status notice_place(core::Change& change, const Kind& kind, std::string_view what,
                    const std::string& id, std::int64_t revision, const wire::JsonObject& body) {
  wire::JsonObject told{{kind.member, id}};
  if (what != "deleted") told["revision"] = revision;
  if (what == "changed" && kind.table == "device_type") {
    wire::JsonArray members;
    for (const auto& member : body) members.emplace_back(member.key());
    told["members"] = std::move(members);
  }
  return change.notice(std::string(kind.noun) + "." + std::string(what), wire::json_text(told));
}

Status remove_place(core::Store& store, const core::Caller& caller, const Kind& kind,
                    const Ulid& id, const std::string& id_text, const http::Request& request,
                    const std::function<std::string(sql::Row&)>& show) {
  return store.change(
      caller, kind.table == "site" ? "delete_site" : "delete_type",
      [&](core::Change& change) -> Status {
        std::int64_t revision = 0;
        std::int64_t devices = 0;
        const auto before =
            TRY(change.tx().one(select_from(kind) + "WHERE x.id=?", {id}, [&](sql::Row& row) {
              devices = row.integer(3);
              revision = row.integer(4);
              return show(row);
            }));
        if (!before) return fail(Code::not_found, "there is no " + id_text);
        TRY(http::require_match(request, static_cast<std::uint64_t>(revision)));
        if (devices > 0) {
          return fail(Code::conflict, std::to_string(devices) + " devices are of this " +
                                          std::string(kind.noun) + ": move them first");
        }
        TRY(change.tx().exec("DELETE FROM " + std::string(kind.table) + " WHERE id=?", {id}));
        TRY(change.audit(id_text, *before, ""));
        return notice_place(change, kind, "deleted", id_text, 0, {});
      });
}

}  // namespace

Status check_streams(const wire::Json& streams) {
  const auto* list = TRY(wire::as_array(streams, "/streams"));
  if (list->size() > kStreamsMax) {
    return std::unexpected(
        Error{Code::invalid_argument, "a type describes at most 1000 metrics", {}, {}, "/streams"});
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string at = wire::pointer_to("/streams", i);
    const auto* entry = TRY(wire::as_object((*list)[i], at));
    TRY(wire::only_members(
        *entry, {"stream", "field", "unit", "data_class", "purpose", "retention_class"}, at));
    for (const std::string_view key : {"stream", "field"}) {
      const std::string value = TRY(wire::get_string(*entry, key, at));
      if (value.empty() || value.size() > 128) {
        return std::unexpected(Error{
            Code::invalid_argument, "give 1 to 128 characters", {}, {}, wire::pointer_to(at, key)});
      }
    }
    for (const std::string_view key : {"unit", "purpose", "retention_class"})
      TRY(wire::find_string(*entry, key, at));
    const auto* data_class = TRY(wire::find_object(*entry, "data_class", at));
    if (data_class != nullptr)
      TRY(wire::get_bool(*data_class, "personal", wire::pointer_to(at, "data_class")));
  }
  return {};
}

Result<PlacePage<Site>> Places::sites(const core::Caller& caller, const core::Page& page,
                                      std::string_view q) {
  const auto scope = TRY(core::site_filter(caller, kSite.permission, "x.id"));
  return page_of_places<Site>(store_, kSite, scope, page, q, read_site);
}

Result<Site> Places::site(const core::Caller& caller, std::string_view permission, SiteId id) {
  std::optional<Site> found;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    found = TRY(tx.one(select_from(kSite) + "WHERE x.id=?", {id}, read_site));
    return {};
  }));
  if (!found)
    return std::unexpected(
        core::refuse_missing(caller, permission, "there is no site " + id.text()));
  TRY(core::require_at(caller, permission, id));
  return *std::move(found);
}

Result<Site> Places::save_site(const core::Caller& caller, std::optional<SiteId> id,
                               const wire::Json& body, const http::Request& request) {
  const auto& object = *TRY(wire::as_object(body));
  TRY(wire::only_members(object, {"name", "description"}));
  const Texts texts = TRY(texts_of(object));
  Site site;
  TRY(store_.change(
      caller, id ? "update_site" : "create_site", [&](core::Change& change) -> Status {
        std::string before;
        if (id) {
          auto found = TRY(change.tx().one(select_from(kSite) + "WHERE x.id=?", {*id}, read_site));
          if (!found)
            return std::unexpected(
                core::refuse_missing(caller, "site.write", "there is no site " + id->text()));
          site = *found;
          TRY(http::require_match(request, static_cast<std::uint64_t>(site.revision)));
          before = wire::json_text(site_json(site));
          ++site.revision;
        } else {
          if (!texts.name)
            return std::unexpected(
                Error{Code::invalid_argument, "a site has a name", {}, {}, "/name"});
          site.id = change.new_id<SiteId>();
          site.created_at = change.now();
        }
        if (texts.name) site.name = *texts.name;
        if (texts.description) site.description = *texts.description;
        site.updated_at = change.now();
        TRY(change.tx().exec(
            "INSERT INTO site (id,name,description,revision,created_at,updated_at) VALUES "
            "(?,?,?,?,?,?) "
            "ON CONFLICT (id) DO UPDATE SET name=excluded.name,description=excluded.description,"
            "revision=excluded.revision,updated_at=excluded.updated_at",
            {site.id, site.name, site.description, site.revision, site.created_at,
             site.updated_at}));
        TRY(change.audit(site.id.text(), before, wire::json_text(site_json(site))));
        return notice_place(change, kSite, id ? "changed" : "created", site.id.text(),
                            site.revision, object);
      }));
  return site;
}

Status Places::delete_site(const core::Caller& caller, SiteId id, const http::Request& request) {
  return remove_place(store_, caller, kSite, id.ulid, id.text(), request,
                      [](sql::Row& row) { return wire::json_text(site_json(read_site(row))); });
}

Result<PlacePage<DeviceType>> Places::types(const core::Caller&, const core::Page& page,
                                            std::string_view q) {
  return page_of_places<DeviceType>(store_, kType, {"TRUE", {}}, page, q, read_type);
}

Result<DeviceType> Places::type(const core::Caller& caller, std::string_view permission,
                                TypeId id) {
  std::optional<DeviceType> found;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    found = TRY(tx.one(select_from(kType) + "WHERE x.id=?", {id}, read_type));
    return {};
  }));
  TRY(core::require(caller, permission));
  if (!found) return fail(Code::not_found, "there is no type " + id.text());
  return *std::move(found);
}

Result<DeviceType> Places::save_type(const core::Caller& caller, std::optional<TypeId> id,
                                     const wire::Json& body, const http::Request& request) {
  const auto& object = *TRY(wire::as_object(body));
  TRY(wire::only_members(object,
                         {"name", "description", "streams", "topic_mapping", "evidence_required"}));
  const auto demanded = TRY(evidence_demand(object));
  const Texts texts = TRY(texts_of(object));
  if (const wire::Json* streams = object.if_contains("streams")) TRY(check_streams(*streams));
  if (const auto* mapping = TRY(wire::find_object(object, "topic_mapping"));
      mapping != nullptr && !mapping->empty()) {
    return std::unexpected(Error{Code::invalid_argument,
                                 "topic mappings are reserved: leave it empty",
                                 {},
                                 {},
                                 "/topic_mapping"});
  }
  DeviceType type;
  TRY(store_.change(
      caller, id ? "update_type" : "create_type", [&](core::Change& change) -> Status {
        std::string before;
        if (id) {
          auto found = TRY(change.tx().one(select_from(kType) + "WHERE x.id=?", {*id}, read_type));
          if (!found) return fail(Code::not_found, "there is no type " + id->text());
          type = *found;
          TRY(http::require_match(request, static_cast<std::uint64_t>(type.revision)));
          before = wire::json_text(type_json(type));
          ++type.revision;
        } else {
          if (!texts.name)
            return std::unexpected(
                Error{Code::invalid_argument, "a type has a name", {}, {}, "/name"});
          type.id = change.new_id<TypeId>();
          type.created_at = change.now();
        }
        if (texts.name) type.name = *texts.name;
        if (texts.description) type.description = *texts.description;
        if (const wire::Json* streams = object.if_contains("streams")) type.streams = *streams;
        if (demanded) type.evidence_required = *demanded;
        type.updated_at = change.now();
        TRY(change.tx().exec(
            "INSERT INTO device_type "
            "(id,name,description,streams,revision,created_at,updated_at,evidence_required) "
            "VALUES (?,?,?,?,?,?,?,?) "
            "ON CONFLICT (id) DO UPDATE SET "
            "name=excluded.name,description=excluded.description,streams=excluded.streams,"
            "revision=excluded.revision,updated_at=excluded.updated_at,evidence_required=excluded."
            "evidence_required",
            {type.id, type.name, type.description, wire::json_text(type.streams), type.revision,
             type.created_at, type.updated_at,
             type.evidence_required ? sql::Param(name_of(*type.evidence_required))
                                    : sql::Param(nullptr)}));
        TRY(change.audit(type.id.text(), before, wire::json_text(type_json(type))));
        return notice_place(change, kType, id ? "changed" : "created", type.id.text(),
                            type.revision, object);
      }));
  return type;
}

Status Places::delete_type(const core::Caller& caller, TypeId id, const http::Request& request) {
  return remove_place(store_, caller, kType, id.ulid, id.text(), request,
                      [](sql::Row& row) { return wire::json_text(type_json(read_type(row))); });
}

}  // namespace holdfast::devices
