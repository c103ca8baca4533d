// Operations on devices that wait, and on those announced before they come.
#include "server/core/answers.hpp"
#include "server/identity/json.hpp"
#include "server/identity/members.hpp"
#include "server/identity/routes.hpp"

namespace holdfast::identity {
namespace {

using WaitCall = core::Call;
using WaitAnswer = Result<http::Response>;

Result<Bytes> key_of(const WaitCall& call) {
  auto key = from_hex(call.path("key_sha256"));
  if (key && key->size() == 32) return key;
  return std::unexpected(core::refuse_missing(call.caller, "claim.write", "no such device waits"));
}

WaitAnswer list_waiting(Registrar& registrar, const WaitCall& call) {
  const core::Page page = TRY(core::page_of(call));
  Approvals::Query query;
  query.limit = page.limit + 1;
  query.after = page.cursor;
  if (const auto state = call.query("state")) {
    query.state = request_state_named(*state);
    if (!query.state) return std::unexpected(core::bad_parameter("state", "there is no such state"));
  }
  return core::list_response(
      TRY(registrar.approvals().requests(call.caller, query)), page.limit,
      [](const EnrolmentRequest& one) { return wire::Json(request_json(one)); },
      [](const EnrolmentRequest& one) { return to_hex(one.key_hash); });
}

WaitAnswer approve(Registrar& registrar, const WaitCall& call) {
  const Bytes key = TRY(key_of(call));
  Place place;
  if (!call.body.is_null()) {
    const auto& body = *TRY(wire::as_object(call.body));
    TRY(wire::only_members(body, {"name", "site_id", "type_id", "tags"}));
    place.name = TRY(wire::find_string(body, "name")).value_or("");
    place.site = TRY(id_member<SiteId>(body, "site_id"));
    place.type = TRY(id_member<TypeId>(body, "type_id"));
    place.tags = TRY(tags_member(body));
  }
  const auto done = TRY(registrar.approvals().approve(call.caller, key, place));
  return http::json(200, wire::json_text(request_json(done)));
}

WaitAnswer refuse_waiting(Registrar& registrar, const WaitCall& call) {
  const Bytes key = TRY(key_of(call));
  const auto& body = *TRY(wire::as_object(call.body));
  TRY(wire::only_members(body, {"reason"}));
  const std::string reason = TRY(wire::get_string(body, "reason"));
  return http::json(200, wire::json_text(request_json(TRY(registrar.approvals().refuse(call.caller, key, reason)))));
}

WaitAnswer import(Registrar& registrar, const WaitCall& call) {
  const auto& body = *TRY(wire::as_object(call.body));
  TRY(wire::only_members(body, {"csv", "only_check"}));
  const std::string csv = TRY(wire::get_string(body, "csv"));
  const bool only_check = TRY(wire::find_bool(body, "only_check")).value_or(false);
  const Imported done = TRY(registrar.approvals().import(call.caller, csv, only_check));
  wire::JsonArray problems;
  for (const auto& one : done.problems) problems.push_back(wire::JsonObject{{"line", one.line}, {"message", one.message}});
  return http::json(200, wire::json_text(wire::JsonObject{{"added", done.added}, {"problems", std::move(problems)}}));
}

}  // namespace

Status add_approval_routes(core::Operations& operations, Registrar& registrar) {
  TRY(operations.add("list_enrolments", [&](const WaitCall& call) { return list_waiting(registrar, call); }));
  TRY(operations.add("approve_enrolment", [&](const WaitCall& call) { return approve(registrar, call); }));
  TRY(operations.add("refuse_enrolment", [&](const WaitCall& call) { return refuse_waiting(registrar, call); }));
  TRY(operations.add("import_registrations", [&](const WaitCall& call) { return import(registrar, call); }));
  TRY(operations.add("list_registrations", [&](const WaitCall& call) -> WaitAnswer {
    const core::Page page = TRY(core::page_of(call));
    return core::list_response(
        TRY(registrar.approvals().registrations(call.caller, page.cursor, page.limit + 1)), page.limit,
        [](const Registration& one) { return wire::Json(registration_json(one)); },
        [](const Registration& one) { return one.serial; });
  }));
  return operations.add("delete_registration", [&](const WaitCall& call) -> WaitAnswer {
    TRY(registrar.approvals().forget_registration(call.caller, std::string(call.path("serial"))));
    return http::no_content();
  });
}

}  // namespace holdfast::identity
