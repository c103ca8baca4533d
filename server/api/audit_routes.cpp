#include "server/api/audit_routes.hpp"

#include <charconv>

#include "server/api/pages.hpp"
#include "server/core/change.hpp"

namespace holdfast::api {
namespace {

using core::Call;
using core::text_or_null;
using http::Response;
using wire::Json;
using wire::JsonArray;
using wire::JsonObject;

// Sequence numbers are counted from 0 and fit the signed columns of SQL.
std::optional<std::uint64_t> sequence(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && number <= INT64_MAX ? std::optional(number) : std::nullopt;
}

Result<std::optional<std::uint64_t>> number_of(const Call& call, std::string_view name) {
  const auto text = call.query(name);
  if (!text) return std::nullopt;
  const auto number = sequence(*text);
  if (!number) {
    return std::unexpected(core::bad_parameter(name, "give a sequence number, counted from 0"));
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
  const auto start = sequence(page.cursor);
  if (!start) {
    return std::unexpected(core::bad_parameter("cursor", "pass next_cursor unchanged"));
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
  std::string next;
  if (entries.size() > page.limit) {
    next = std::to_string(entries.back().seq);
    entries.pop_back();
  }
  JsonArray items;
  for (const auto& entry : entries) items.push_back(audit_entry_json(entry));
  return core::page_response(std::move(items), next);
}

Json hash_text(const tlog::Hash& hash) {
  return Json(to_hex(hash));
}

Result<Response> prove(core::AuditLog& log, const Call& call) {
  const auto seq = sequence(call.path("seq"));
  if (!seq) return fail(Code::not_found, "there is no entry " + std::string(call.path("seq")));
  const core::AuditProof proof = TRY(log.prove(call.caller, *seq));
  JsonArray path;
  for (const tlog::Hash& hash : proof.inclusion_path) path.push_back(hash_text(hash));
  return http::json(
      200, wire::json_text(JsonObject{{"entry", audit_entry_json(proof.entry)},
                                      {"entry_base64", to_base64(view_of(proof.entry_bytes))},
                                      {"leaf_hash", hash_text(proof.leaf_hash)},
                                      {"leaf_index", proof.leaf_index},
                                      {"inclusion_path", std::move(path)},
                                      {"checkpoint", checkpoint_json(proof.checkpoint)}}));
}

Result<core::AuditVerify> verify_request(const Json& json) {
  const JsonObject& body = *TRY(wire::as_object(json));
  TRY(wire::only_members(body, {"from_seq", "to_seq", "checkpoints"}));
  core::AuditVerify query;
  if (const auto from = TRY(wire::find_int(body, "from_seq", "", 0))) query.from_seq = *from;
  if (const auto to = TRY(wire::find_int(body, "to_seq", "", 0))) query.to_seq = *to;
  const JsonArray* notes = TRY(wire::find_array(body, "checkpoints"));
  if (!notes) return query;
  if (notes->size() > core::kNotesMax) {
    return std::unexpected(
        Error{Code::invalid_argument, "at most 1,000 checkpoints", {}, {}, "/checkpoints"});
  }
  for (std::size_t i = 0; i < notes->size(); ++i) {
    const auto* note = (*notes)[i].if_string();
    if (!note || note->size() > tlog::kNoteBytesMax) {
      return std::unexpected(Error{Code::invalid_argument,
                                   "a signed note of at most 4 KiB",
                                   {},
                                   {},
                                   wire::pointer_to("/checkpoints", i)});
    }
    query.checkpoints.emplace_back(*note);
  }
  return query;
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

Json checkpoint_json(const core::SignedCheckpoint& checkpoint) {
  return JsonObject{{"tree_size", checkpoint.checkpoint.size},
                    {"root_hash", hash_text(checkpoint.checkpoint.root)},
                    {"time", to_rfc3339(checkpoint.checkpoint.time)},
                    {"note", checkpoint.note},
                    {"signed_base64", to_base64(view_of(checkpoint.signed_text))},
                    {"signature_base64", to_base64(checkpoint.signature)},
                    {"public_key", checkpoint.public_key_pem}};
}

Json verdict_json(const tlog::Verdict& verdict) {
  return JsonObject{
      {"ok", verdict.ok},
      {"entries_checked", verdict.entries_checked},
      {"checkpoints_checked", verdict.checkpoints_checked},
      {"first_bad_seq", verdict.first_bad_seq ? Json(*verdict.first_bad_seq) : Json(nullptr)},
      {"finding", text_or_null(verdict.finding)},
      {"detail", text_or_null(verdict.detail)}};
}

Status add_audit_routes(core::Operations& operations, core::Store& store, core::AuditLog& log) {
  TRY(operations.add("list_audit", [&](const Call& call) { return list_entries(store, call); }));
  TRY(operations.add("get_audit_checkpoint", [&](const Call& call) -> Result<Response> {
    return http::json(200, wire::json_text(checkpoint_json(TRY(log.checkpoint(call.caller)))));
  }));
  TRY(operations.add("prove_audit_entry", [&](const Call& call) { return prove(log, call); }));
  return operations.add("verify_audit", [&](const Call& call) -> Result<Response> {
    const core::AuditVerify query = TRY(verify_request(call.body));
    return http::json(200, wire::json_text(verdict_json(TRY(log.verify(call.caller, query)))));
  });
}

}  // namespace holdfast::api
