// holdfast user ..., holdfast token ...
#include "cli/commands/commands.hpp"

namespace holdfast::cli {
namespace {

using wire::Json;
using wire::JsonArray;
using wire::JsonObject;

// --site and --all-sites; absent when neither was given.
Result<std::optional<Json>> sites_given(Run& run) {
  if (run.given().has("all-sites")) return Json(nullptr);
  if (!run.given().has("site")) return std::nullopt;
  JsonArray sites;
  for (const std::string& site : run.given().all("site"))
    sites.push_back(Json(TRY(run.site(site))));
  return Json(std::move(sites));
}

Status add_rights(Run& run, JsonObject& body) {
  if (run.given().has("role")) body["roles"] = array_of(run, "role");
  if (auto sites = TRY(sites_given(run))) body["sites"] = std::move(*sites);
  return {};
}

std::vector<Argument> rights() {
  return {many_values("--role", "viewer, technician, operator, auditor or administrator"),
          many_values("--site", "Only at this site"), flag("--all-sites", "At all sites")};
}

// ---- users

Status list_users(Run& run) {
  http::Params query;
  add_query(run, query, "q", "q");
  add_page(run, query);
  return print_list(run, "/v1/users", query,
                    {{{"NAME", 9}, "name"},
                     {{"ROLES", 8}, "roles"},
                     {{"SITES", 4}, "sites"},
                     {{"DISABLED", 5}, "disabled"},
                     {{"LAST SIGN-IN", 3}, "last_sign_in", true},
                     {{"ID", 6}, "id"}});
}

Result<std::string> path_of_user(Run& run) {
  return "/v1/users/" + TRY(run.user(run.given().text("USER")));
}

Status show_user(Run& run) {
  const std::string path = TRY(path_of_user(run));
  print_object(run, TRY(TRY(run.remote())->get(path)).json,
               {{"id", "id"},
                {"name", "name"},
                {"roles", "roles"},
                {"sites", "sites"},
                {"disabled", "disabled"},
                {"last sign-in", "last_sign_in"},
                {"created", "created_at"},
                {"updated", "updated_at"}});
  return {};
}

Status create_user(Run& run) {
  JsonObject body{{"name", run.given().text("NAME")}, {"roles", JsonArray{}}};
  TRY(add_rights(run, body));
  body["password"] = TRY(run.secret("Password for " + run.given().text("NAME")));
  const Reply reply = TRY(TRY(run.remote())->send("POST", "/v1/users", body));
  run.done(reply, "Made " + text_at(reply.json, "id") + '.');
  return {};
}

Status change_user(Run& run) {
  JsonObject body;
  TRY(add_rights(run, body));
  if (const auto name = run.given().maybe("name")) body["name"] = *name;
  if (run.given().has("disable")) body["disabled"] = true;
  if (run.given().has("enable")) body["disabled"] = false;
  if (run.given().has("password")) body["password"] = TRY(run.secret("New password"));
  if (body.empty())
    return fail(Code::invalid_argument, "Say what to change; --help shows what there is.");
  const std::string path = TRY(path_of_user(run));
  run.done(TRY(TRY(run.remote())->change("PATCH", path, body)), "Changed.");
  return {};
}

Status remove_user(Run& run) {
  TRY(run.confirm("Remove user " + run.given().text("USER") + ", with all sessions and tokens?"));
  const std::string path = TRY(path_of_user(run));
  run.done(TRY(TRY(run.remote())->change("DELETE", path, nullptr)), "Removed.");
  return {};
}

// ---- tokens

Status list_tokens(Run& run) {
  http::Params query;
  add_query(run, query, "q", "q");
  add_query(run, query, "kind", "kind");
  add_page(run, query);
  return print_list(run, "/v1/tokens", query,
                    {{{"NAME", 9}, "name"},
                     {{"KIND", 5}, "kind"},
                     {{"ROLES", 8}, "roles"},
                     {{"SITES", 2}, "sites"},
                     {{"EXPIRES", 6}, "expires_at", true},
                     {{"LAST USED", 4}, "last_used_at", true},
                     {{"REVOKED", 3}, "revoked_at", true},
                     {{"ID", 7}, "id"}});
}

Status show_token(Run& run) {
  const std::string id = TRY(run.token(run.given().text("TOKEN")));
  print_object(run, TRY(TRY(run.remote())->get("/v1/tokens/" + id)).json,
               {{"id", "id"},
                {"name", "name"},
                {"kind", "kind"},
                {"roles", "roles"},
                {"sites", "sites"},
                {"user", "user_id"},
                {"expires", "expires_at"},
                {"revoked", "revoked_at"},
                {"last used", "last_used_at"},
                {"last address", "last_used_address"},
                {"created by", "created_by"},
                {"created", "created_at"}});
  return {};
}

// "90d", "never" or a time.
Status add_expiry(Run& run, JsonObject& body) {
  const auto text = run.given().maybe("expires");
  if (!text) return {};
  if (*text == "never") {
    body["expires_at"] = nullptr;
  } else if (const auto time = from_rfc3339(*text)) {
    body["expires_at"] = to_rfc3339(*time);
  } else {
    body["expires_at"] =
        to_rfc3339(run.now() + TRY(with_context(parse_duration(*text), "--expires")));
  }
  return {};
}

Status create_token(Run& run) {
  JsonObject body{{"name", run.given().text("NAME")}, {"roles", JsonArray{}}};
  if (const auto kind = run.given().maybe("kind")) body["kind"] = *kind;
  TRY(add_rights(run, body));
  TRY(add_expiry(run, body));
  const Reply reply = TRY(TRY(run.remote())->send("POST", "/v1/tokens", body));
  if (run.json()) {
    run.print(reply.json);
  } else {
    run.say("Made " + text_at(reply.json, "token.id") + ". The secret is shown this once:");
    run.line(text_at(reply.json, "secret"));
  }
  return {};
}

Status change_token(Run& run) {
  JsonObject body;
  TRY(add_rights(run, body));
  TRY(add_expiry(run, body));
  if (const auto name = run.given().maybe("name")) body["name"] = *name;
  if (body.empty())
    return fail(Code::invalid_argument, "Say what to change; --help shows what there is.");
  const std::string id = TRY(run.token(run.given().text("TOKEN")));
  run.done(TRY(TRY(run.remote())->change("PATCH", "/v1/tokens/" + id, body)), "Changed.");
  return {};
}

Status revoke_token(Run& run) {
  TRY(run.confirm("Revoke token " + run.given().text("TOKEN") + " for good?"));
  const std::string id = TRY(run.token(run.given().text("TOKEN")));
  run.done(TRY(TRY(run.remote())->send("DELETE", "/v1/tokens/" + id, nullptr)), "Revoked.");
  return {};
}

}  // namespace

void add_people_commands(Commands& out) {
  const Argument user = positional("USER", "Name or id");
  out.push_back({"user list", "Users", joined({value("--q", "Part of the name")}, page_arguments()),
                 list_users});
  out.push_back({"user show", "One user", {user}, show_user});
  out.push_back({"user create",
                 "Add a user; the password is asked for, or read from standard input",
                 joined({positional("NAME", "Name to sign in with")}, rights()), create_user});
  out.push_back(
      {"user change", "Change a user",
       joined(
           {user, value("--name", "The new name"), flag("--disable", "They can no longer sign in"),
            flag("--enable", "They can again"), flag("--password", "Ask for a new password")},
           rights()),
       change_user});
  out.push_back({"user remove", "Remove a user, with sessions and tokens", {user}, remove_user});
  const Argument token = positional("TOKEN", "Name or id");
  const Argument expires = value("--expires", "When it ends: 90d, a time, or never (service only)");
  out.push_back({"token list", "API tokens and service credentials",
                 joined({value("--q", "Part of the name"), value("--kind", "Only api or service")},
                        page_arguments()),
                 list_tokens});
  out.push_back({"token show", "One token, without its secret", {token}, show_token});
  out.push_back({"token create", "Make a token and print its secret",
                 joined({positional("NAME", "What it is for"),
                         value("--kind", "api (acts for you) or service"), expires},
                        rights()),
                 create_token});
  out.push_back({"token change", "Change a token",
                 joined({token, value("--name", "The new name"), expires}, rights()),
                 change_token});
  out.push_back({"token remove", "Revoke a token, at once and for good", {token}, revoke_token});
}

}  // namespace holdfast::cli
