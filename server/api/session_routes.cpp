// Set-up, sign-in, sign-out, who am I.
#include "server/api/credentials.hpp"
#include "server/api/people_json.hpp"
#include "server/api/people_routes.hpp"

namespace holdfast::api {
namespace {

using core::Call;
using http::Response;

Response signed_in(const core::SignedIn& session) {
  Response response =
      http::json(201, wire::json_text(session_json(session.caller, session.expires_at)));
  response.headers.set("Set-Cookie", session_cookie(session.cookie, core::kSessionLife));
  return response;
}

Result<Response> set_up(core::People& people, const Call& call) {
  const auto& body = *TRY(wire::as_object(call.body));
  TRY(wire::only_members(body, {"secret", "name", "password"}));
  const std::string secret = TRY(wire::get_string(body, "secret"));
  const std::string name = TRY(wire::get_string(body, "name"));
  const std::string password = TRY(wire::get_string(body, "password"));
  return signed_in(
      TRY(people.set_up(secret, name, password, call.caller.address, call.caller.request_id)));
}

Result<Response> sign_in(core::People& people, const Call& call) {
  const auto& body = *TRY(wire::as_object(call.body));
  TRY(wire::only_members(body, {"name", "password"}));
  const std::string name = TRY(wire::get_string(body, "name"));
  const std::string password = TRY(wire::get_string(body, "password"));
  auto in = people.sign_in(name, password, call.caller.address, call.caller.request_id);
  if (in || in.error().code != Code::rate_limited) return signed_in(TRY(std::move(in)));
  const auto wait = people.sign_in_wait(name, call.caller.address).value_or(seconds(1));
  return http::problem(
      in.error(), {call.request.path, call.caller.request_id, (wait.us + 999'999) / 1'000'000});
}

Result<Response> who_am_i(core::People& people, const Call& call) {
  const Credentials credentials = TRY(credentials_of(call.request));
  const auto ends = TRY(people.ends(call.caller, credentials.secret));
  return http::json(200, wire::json_text(session_json(call.caller, ends)));
}

Result<Response> sign_out(core::People& people, const Call& call) {
  const Credentials credentials = TRY(credentials_of(call.request));
  if (credentials.means != Means::session) {
    return fail(Code::invalid_argument, "A token has no session to end; revoke the token instead.");
  }
  TRY(people.sign_out(call.caller, credentials.secret));
  Response response = http::no_content();
  response.headers.set("Set-Cookie", ended_cookie());
  return response;
}

}  // namespace

Status add_session_routes(core::Operations& operations, core::People& people) {
  TRY(operations.add("get_setup", [&](const Call&) -> Result<Response> {
    return http::json(200, wire::json_text(wire::JsonObject{{"open", TRY(people.setup_open())}}));
  }));
  TRY(operations.add("complete_setup", [&](const Call& call) { return set_up(people, call); }));
  TRY(operations.add("create_session", [&](const Call& call) { return sign_in(people, call); }));
  TRY(operations.add("get_session", [&](const Call& call) { return who_am_i(people, call); }));
  return operations.add("delete_session", [&](const Call& call) { return sign_out(people, call); });
}

}  // namespace holdfast::api
