// holdfast login, logout, context ...
#include "cli/commands/commands.hpp"
#include "libs/crypto/pem.hpp"

namespace holdfast::cli {
namespace {

using wire::JsonObject;

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.pop_back();
  return text;
}

// How the server will be known: by a CA, or by a CA's fingerprint.
Status add_trust(Run& run, Context& context) {
  if (const auto text = run.given().maybe("fingerprint")) {
    context.fingerprint = to_hex(TRY(with_context(from_hex(*text), "--fingerprint")));
    if (context.fingerprint.size() != 64)
      return fail(Code::invalid_argument, "A fingerprint has 64 hexadecimal digits.");
    return {};
  }
  std::string file = run.given().text("ca");
  if (file.empty()) file = run.terminal().variable("HOLDFAST_CA").value_or("");
  if (file.empty()) return {};
  context.ca_pem = TRY(run.read_input(file));
  return {};
}

// The cookie of a session by name and password.
Result<std::string> sign_in(Run& run, Remote& server) {
  std::string name = run.given().text("user");
  if (name.empty()) {
    if (run.given().has("no-input") || !run.terminal().in_is_tty()) {
      return fail(Code::invalid_argument, "Give --user, or a token with --token-file.");
    }
    run.terminal().err("User: ");
    name = TRY(run.terminal().line(false));
  }
  const std::string password = TRY(run.secret("Password"));
  const Reply reply =
      TRY(server.send("POST", "/v1/session", JsonObject{{"name", name}, {"password", password}}));
  const std::string_view header = reply.headers.get("Set-Cookie").value_or("");
  const std::size_t equals = header.find('=');
  const std::string_view value = equals == std::string_view::npos ? "" : header.substr(equals + 1);
  return std::string(value.substr(0, value.find(';')));
}

Result<Target> target_of(const Context& context) {
  Target target;
  target.url = context.server;
  target.origin = "the command line";
  target.server = TRY(http::parse_url(context.server)).server;
  if (!context.ca_pem.empty())
    target.trust_der = TRY(crypto::parse_pem(context.ca_pem, "CERTIFICATE"));
  if (!context.fingerprint.empty()) target.fingerprint = TRY(from_hex(context.fingerprint));
  target.token = context.token;
  target.cookie = context.cookie;
  return target;
}

Result<std::unique_ptr<Remote>> remote_of(Run& run, const Context& context) {
  Target target = TRY(target_of(context));
  auto line = TRY(run.shell().connect(target));
  return std::make_unique<Remote>(std::move(line), std::move(target), run.shell().system.entropy,
                                  TRY(run.timeout()));
}

Result<std::string> server_given(Run& run, const Contexts& contexts, const std::string& name) {
  std::string server = run.given().text("SERVER");
  if (server.empty()) server = run.given().text("server");
  if (server.empty()) server = run.terminal().variable("HOLDFAST_SERVER").value_or("");
  const Context* stored = contexts.find(name);
  if (server.empty() && stored) server = stored->server;
  while (server.ends_with('/')) server.pop_back();
  if (server.empty())
    return fail(Code::invalid_argument, "Say where: holdfast login https://host:8443");
  TRY(http::parse_url(server));
  return server;
}

Status login(Run& run) {
  Contexts contexts = TRY(load_contexts(run.shell().system.files, run.shell().contexts_path));
  const std::string name = run.given().maybe("context").value_or(contexts.current);
  Context context;
  context.server = TRY(server_given(run, contexts, name));
  TRY(add_trust(run, context));
  // Signing in again to the same server needs no new proof of who it is.
  const Context* stored = contexts.find(name);
  if (stored && stored->server == context.server && context.ca_pem.empty() &&
      context.fingerprint.empty()) {
    context.ca_pem = stored->ca_pem;
    context.fingerprint = stored->fingerprint;
  }
  if (const auto file = run.given().maybe("token-file")) {
    context.token = trimmed(TRY(run.read_input(*file)));
  } else if (const auto token = run.terminal().variable("HOLDFAST_TOKEN");
             token && !run.given().has("user")) {
    context.token = *token;
  } else {
    context.cookie = TRY(sign_in(run, *TRY(remote_of(run, context))));
  }
  const Reply who = TRY(TRY(remote_of(run, context))->get("/v1/session"));
  contexts.all[name] = context;
  contexts.current = name;
  TRY(save_contexts(run.shell().system.files, run.shell().contexts_path, contexts));
  const std::string until = text_at(who.json, "expires_at");
  run.done(who, "Signed in to " + context.server + " as " + text_at(who.json, "actor.name") + " (" +
                    text_at(who.json, "roles") + ')' +
                    (until.empty() ? "." : ", until " + short_time(until) + '.'));
  return {};
}

Status logout(Run& run) {
  Contexts contexts = TRY(load_contexts(run.shell().system.files, run.shell().contexts_path));
  const std::string name = run.given().maybe("context").value_or(contexts.current);
  const Context* stored = contexts.find(name);
  if (!stored) return fail(Code::not_found, "There is no context \"" + name + "\".");
  if (!stored->cookie.empty()) {
    // A session that has ended already is as good as one that we end.
    const auto ended = TRY(remote_of(run, *stored))->send("DELETE", "/v1/session", nullptr);
    if (!ended && ended.error().code != Code::unauthenticated)
      return std::unexpected(ended.error());
  }
  contexts.all[name].token.clear();
  contexts.all[name].cookie.clear();
  TRY(save_contexts(run.shell().system.files, run.shell().contexts_path, contexts));
  run.say("Signed out of " + contexts.all[name].server + '.');
  return {};
}

Status who_am_i(Run& run) {
  print_object(run, TRY(TRY(run.remote())->get("/v1/session")).json,
               {{"name", "actor.name"},
                {"kind", "actor.kind"},
                {"id", "actor.id"},
                {"roles", "roles"},
                {"sites", "sites"},
                {"until", "expires_at"},
                {"permissions", "permissions"}});
  return {};
}

// ---- contexts

Status list_contexts(Run& run) {
  const Contexts contexts = TRY(load_contexts(run.shell().system.files, run.shell().contexts_path));
  if (run.json()) {
    wire::JsonArray items;
    for (const auto& [name, context] : contexts.all) {
      items.push_back(JsonObject{
          {"name", name}, {"server", context.server}, {"current", name == contexts.current}});
    }
    run.print(JsonObject{{"items", std::move(items)}});
    return {};
  }
  Table table{{{"NAME", 9}, {"SERVER", 8}, {"CURRENT", 5}}, {}};
  for (const auto& [name, context] : contexts.all) {
    table.rows.push_back({name, context.server, name == contexts.current ? "yes" : ""});
  }
  run.print(table);
  return {};
}

Status change_contexts(Run& run, bool remove) {
  Contexts contexts = TRY(load_contexts(run.shell().system.files, run.shell().contexts_path));
  const std::string name = run.given().text("NAME");
  if (!contexts.find(name)) return fail(Code::not_found, "There is no context \"" + name + "\".");
  if (remove) {
    contexts.all.erase(name);
    if (contexts.current == name)
      contexts.current = contexts.all.empty() ? "default" : contexts.all.begin()->first;
  } else {
    contexts.current = name;
  }
  TRY(save_contexts(run.shell().system.files, run.shell().contexts_path, contexts));
  run.say("The current context is " + contexts.current + '.');
  return {};
}

}  // namespace

void add_session_commands(Commands& out) {
  Argument server = positional("SERVER", "Address, such as https://host:8443");
  server.required = false;
  out.push_back(
      {"login",
       "Sign in, and remember it on this machine",
       {server, value("-u,--user", "Name to sign in with"),
        value("--token-file", "File with a token to use instead; - is standard input"),
        value("--fingerprint", "SHA-256 of the server's CA, when its file is not at hand")},
       login});
  out.push_back({"logout", "Sign out, and forget the credentials", {}, logout});
  out.push_back({"whoami", "Who am I, and what may I do?", {}, who_am_i});
  out.push_back({"context list", "Servers that this machine is signed in to", {}, list_contexts});
  const Argument name = positional("NAME", "Name of the context");
  out.push_back({"context use", "Use this one from now on", {name}, [](Run& run) {
                   return change_contexts(run, false);
                 }});
  out.push_back({"context remove", "Forget this one", {name}, [](Run& run) {
                   return change_contexts(run, true);
                 }});
}

}  // namespace holdfast::cli
