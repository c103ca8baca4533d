#include "server/api/audit_routes.hpp"

#include <charconv>

#include "server/api/pages.hpp"
#include "server/api/people_json.hpp"
#include "server/core/change.hpp"

namespace holdfast::api {
namespace {

using core::Call;
using http::Response;
using wire::Json;
using wire::JsonArray;
using wire::JsonObject;

Result<std::optional<std::uint64_t>> number_of(const Call& call, std::string_view name) {
  const auto text = call.query(name);
  if (!text) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  // Sequence numbers are counted from 0 and fit the signed columns of SQL.
  if (error != std::errc{} || end != text->data() + text->size() || number > INT64_MAX) {
    return std::unexpected(Error{Code::invalid_argument,
                                 "a sequence number, counted from 0",
                                 {},
                                 {},
                                 "?" + std::string(name)});
  }
  return number;
}

// before and after were JSON when they were written; what is not any more is shown as text.
Json stored_json(const std::string& text) {
  if (text.empty()) return nullptr;
  return wire::parse_json(text).value_or(Json(text));
}

Result<core::audit::Query> query_of(const Call& call, const core::Page& page) {
  core::audit::Query query;
  query.from_seq = TRY(number_of(call, "from_seq"));
  query.to_seq = TRY(number_of(call, "to_seq"));
  query.actor = call.query("actor").value_or("");
  query.object = call.query("object").value_or("");
  query.action = call.query("action").value_or("");
  query.limit = page.limit + 1;
  if (page.cursor.empty()) return query;
  // The cursor is the number of the first entry of the page.
  std::uint64_t start = 0;
  const auto [end, error] =
      std::from_chars(page.cursor.data(), page.cursor.data() + page.cursor.size(), start);
  if (error != std::errc{} || end != page.cursor.data() + page.cursor.size() || start > INT64_MAX) {
    return std::unexpected(
        Error{Code::invalid_argument, "pass next_cursor unchanged", {}, {}, "?cursor"});
  }
  (query.from_seq ? query.from_seq : query.to_seq) = start;
  return query;
}

Result<Response> list_entries(core::Store& store, const Call& call) {
  const core::Page page = TRY(core::page_of(call, kPageDefault, kPageMax));
  const core::audit::Query query = TRY(query_of(call, page));
  std::vector<core::audit::Entry> entries;
  TRY(store.read([&](sql::Tx& tx) -> Status {
    entries = TRY(core::audit::list(tx, store.sealer(), query));
    return {};
  }));
  Json next = nullptr;
  if (entries.size() > page.limit) {
    next = core::make_cursor(std::to_string(entries.back().seq));
    entries.pop_back();
  }
  JsonArray items;
  for (const auto& entry : entries) items.push_back(audit_entry_json(entry));
  return http::json(
      200, wire::json_text(JsonObject{{"items", std::move(items)}, {"next_cursor", next}}));
}

}  // namespace

Json audit_entry_json(const core::audit::Entry& entry) {
  JsonObject out{{"seq", entry.seq},
                 {"time", to_rfc3339(entry.time)},
                 {"actor", entry.actor},
                 {"action", entry.action},
                 {"object", entry.object},
                 {"before", stored_json(entry.before)},
                 {"after", stored_json(entry.after)},
                 {"request_id", text_or_null(entry.request_id)},
                 {"prev_hash", to_hex(entry.prev_hash)},
                 {"hash", to_hex(entry.hash)},
                 {"leaf_hash", to_hex(core::audit::leaf_hash(entry))}};
  if (entry.erased) out["erased"] = true;
  return out;
}

Status add_audit_routes(core::Operations& operations, core::Store& store) {
  return operations.add("list_audit", [&](const Call& call) { return list_entries(store, call); });
}

}  // namespace holdfast::api
