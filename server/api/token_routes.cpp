// API tokens and service credentials: list, make, show, change, revoke.
#include "server/api/pages.hpp"
#include "server/api/people_json.hpp"
#include "server/api/people_routes.hpp"

namespace holdfast::api {
namespace {

using core::Call;
using http::Response;

Result<Response> list_tokens(core::People& people, const Call& call) {
  core::PeopleQuery query = TRY(people_query(call));
  if (const auto kind = call.query("kind")) {
    if (*kind != "api" && *kind != "service") {
      return std::unexpected(Error{Code::invalid_argument, "api or service", {}, {}, "?kind"});
    }
    query.kind = *kind == "api" ? core::TokenKind::api : core::TokenKind::service;
  }
  return core::list_response(TRY(people.list_tokens(call.caller, query)), query.limit - 1,
                             token_json, [](const core::Token& token) { return token.id; });
}

Result<Response> create_token(core::People& people, const Call& call) {
  const core::NewToken wanted = TRY(new_token_of(call.body));
  const auto made = TRY(people.create_token(call.caller, wanted));
  return core::object_response(
      201, wire::JsonObject{{"token", token_json(made.token)}, {"secret", made.secret}},
      made.token.revision, "/v1/tokens/" + made.token.id);
}

Result<Response> show_token(core::People& people, const Call& call) {
  const core::Token token = TRY(people.find_token(call.caller, call.path("token_id")));
  return core::object_response(200, token_json(token), token.revision);
}

Result<Response> change_token(core::People& people, const Call& call) {
  const auto revision = TRY(http::wanted_revision(call.request));
  const core::TokenPatch patch = TRY(token_patch_of(call.body));
  const core::Token token =
      TRY(people.change_token(call.caller, call.path("token_id"), revision, patch));
  return core::object_response(200, token_json(token), token.revision);
}

}  // namespace

Status add_token_routes(core::Operations& operations, core::People& people) {
  TRY(operations.add("list_tokens", [&](const Call& call) { return list_tokens(people, call); }));
  TRY(operations.add("create_token", [&](const Call& call) { return create_token(people, call); }));
  TRY(operations.add("get_token", [&](const Call& call) { return show_token(people, call); }));
  TRY(operations.add("update_token", [&](const Call& call) { return change_token(people, call); }));
  return operations.add("revoke_token", [&](const Call& call) -> Result<Response> {
    TRY(people.revoke_token(call.caller, call.path("token_id")));
    return http::no_content();
  });
}

}  // namespace holdfast::api
