#include "cli/run.hpp"

#include <algorithm>

#include "cli/parser.hpp"
#include "libs/crypto/pem.hpp"

namespace holdfast::cli {
namespace {

// The first of flag, environment and context that says something, and which it was.
struct Said {
  std::string value;
  std::string origin;
};

Said first_said(const Given& given, const Terminal& terminal, std::string_view flag,
                const std::string& variable, const std::string& stored,
                const std::string& context) {
  if (const auto value = given.maybe(flag)) return {*value, "--" + std::string(flag)};
  if (const auto value = terminal.variable(variable); value && !value->empty())
    return {*value, variable};
  return {stored, stored.empty() ? "" : "context " + context};
}

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

// The table's mends are for callers of the API; of what was found wrong here, the command line
// knows better.
std::optional<http::ProblemText> own_problem(const Error& error, const std::string& help) {
  if (error.code != Code::invalid_argument && error.code != Code::not_found) return std::nullopt;
  http::ProblemText out;
  out.code = row_of(error.code).name;
  out.mend = error.code == Code::not_found ? "Check the name."
                                           : "Correct it; `" + help + "` says what it takes.";
  return out;
}

}  // namespace

Result<Duration> Run::timeout() const {
  const auto text = given_.maybe("timeout");
  if (!text) return kTimeoutDefault;
  return with_context(parse_duration(*text), "--timeout");
}

Result<Target> Run::target() {
  const Contexts contexts = TRY(load_contexts(shell_.system.files, shell_.contexts_path));
  const std::string name = given_.maybe("context").value_or(contexts.current);
  const Context* stored = contexts.find(name);
  if (!stored && given_.has("context")) {
    return fail(Code::not_found,
                "There is no context \"" + name + "\"; `holdfast context list` shows them.");
  }
  const Context context = stored ? *stored : Context{};
  const Said server =
      first_said(given_, shell_.terminal, "server", "HOLDFAST_SERVER", context.server, name);
  if (server.value.empty()) {
    return fail(
        Code::unauthenticated,
        "This machine is not signed in to a server: run `holdfast login https://host:8443`, or set "
        "HOLDFAST_SERVER, HOLDFAST_CA and HOLDFAST_TOKEN.");
  }
  Target target;
  target.url = without_slash(server.value);
  target.origin = server.origin;
  const http::Url url = TRY(with_context(http::parse_url(target.url), server.origin));
  target.server = url.server;
  // What is stored belongs to its server, and goes to no other.
  const bool same = context.server == target.url;
  const Said ca = first_said(given_, shell_.terminal, "ca", "HOLDFAST_CA", "", name);
  std::string pem = same ? context.ca_pem : "";
  if (!ca.value.empty()) {
    pem = string_of(
        TRY(with_context(os::read_file(shell_.system.files, ca.value, kInputMax), ca.origin)));
  } else if (same && !context.fingerprint.empty()) {
    target.fingerprint = TRY(with_context(from_hex(context.fingerprint), "the stored fingerprint"));
  }
  if (!pem.empty()) {
    target.trust_der = TRY(with_context(crypto::parse_pem(pem, "CERTIFICATE"), ca.value));
    if (target.trust_der.empty()) {
      return fail(Code::invalid_argument, "There is no certificate in " + ca.value + '.');
    }
  }
  const Said token =
      first_said(Given{}, shell_.terminal, "", "HOLDFAST_TOKEN", same ? context.token : "", name);
  target.token = token.value;
  if (target.token.empty() && same) target.cookie = context.cookie;
  return target;
}

Result<Remote*> Run::remote() {
  if (remote_) return remote_.get();
  Target to = TRY(target());
  const Duration limit = TRY(timeout());
  auto line = TRY(shell_.connect(to));
  remote_ = std::make_unique<Remote>(std::move(line), std::move(to), shell_.system.entropy, limit);
  return remote_.get();
}

// ---- printing

void Run::print(const wire::Json& json) {
  std::string text = shell_.terminal.out_is_tty() ? wire::json_pretty(json) : wire::json_text(json);
  if (!text.ends_with('\n')) text += '\n';
  shell_.terminal.out(text);
}

void Run::print(const Table& table) {
  Terminal& terminal = shell_.terminal;
  terminal.out(terminal.out_is_tty() ? aligned(table, terminal.width()) : tab_separated(table));
}

void Run::say(std::string_view line) {
  shell_.terminal.err(printable_lines(line) + '\n');
}
void Run::line(std::string_view text) {
  shell_.terminal.out(std::string(text) + '\n');
}

void Run::done(const Reply& reply, std::string_view what) {
  if (json()) {
    if (!reply.json.is_null()) print(reply.json);
  } else if (quiet()) {
    if (const auto id = text_at(reply.json, "id"); !id.empty()) line(id);
  } else {
    say(what);
  }
}

// ---- asking

Status Run::confirm(std::string_view question) {
  if (given_.has("yes")) return {};
  if (given_.has("no-input") || !shell_.terminal.in_is_tty()) {
    return fail(Code::invalid_argument, std::string(question) + " Say so with --yes.");
  }
  const std::string answer = TRY(shell_.terminal.line(false, std::string(question) + " [y/N] "));
  if (answer == "y" || answer == "Y" || answer == "yes") return {};
  return fail(Code::cancelled, "Nothing was done.");
}

Result<std::string> Run::secret(std::string_view prompt) {
  if (!shell_.terminal.in_is_tty()) return shell_.terminal.line(true);
  if (given_.has("no-input")) {
    return fail(Code::invalid_argument,
                std::string(prompt) + " is needed; it comes from standard input.");
  }
  return shell_.terminal.line(true, std::string(prompt) + ": ");
}

Result<std::string> Run::read_input(const std::string& name) {
  if (name != "-") {
    return string_of(
        TRY(with_context(os::read_file(shell_.system.files, name, kInputMax), "reading " + name)));
  }
  std::string out;
  while (out.size() <= kInputMax) {
    auto line = shell_.terminal.line(false);
    if (!line && line.error().code == Code::closed) return out;
    if (!line) return std::unexpected(std::move(line.error()));
    out += *line + '\n';
  }
  return fail(Code::body_too_large, "Standard input has more than 1 MiB.");
}

// ---- names to ids

Result<std::string> Run::resolve(std::string_view kind, std::string_view prefix,
                                 std::string_view path, const std::string& name_or_id) {
  constexpr std::size_t kUlidLetters = 26;
  if (name_or_id.starts_with(prefix) && name_or_id.size() == prefix.size() + kUlidLetters)
    return name_or_id;
  std::vector<std::string> ids;
  std::vector<std::string> near;
  Remote& server = *TRY(remote());
  TRY(server.items(path, {{"q", name_or_id}}, [&](const wire::Json& item) {
    const std::string name = text_at(item, "name");
    if (name == name_or_id) ids.push_back(text_at(item, "id"));
    near.push_back(name);
    return ids.size() < 10;
  }));
  const std::string what = std::string(kind) + " \"" + name_or_id + '"';
  if (ids.size() == 1) return ids.front();
  if (ids.empty()) {
    const auto meant = nearest(name_or_id, near);
    return fail(Code::not_found,
                "There is no " + what + '.' + (meant ? " Did you mean \"" + *meant + "\"?" : ""));
  }
  std::string all;
  for (const std::string& id : ids) all += (all.empty() ? "" : ", ") + id;
  return fail(Code::conflict,
              "There are several of name " + what + ": give the id, one of " + all + '.');
}

Result<std::string> Run::device(const std::string& text) {
  return resolve("device", "dev_", "/v1/devices", text);
}
Result<std::string> Run::site(const std::string& text) {
  return resolve("site", "site_", "/v1/sites", text);
}
Result<std::string> Run::type(const std::string& text) {
  return resolve("type", "typ_", "/v1/types", text);
}
Result<std::string> Run::user(const std::string& text) {
  return resolve("user", "usr_", "/v1/users", text);
}
Result<std::string> Run::token(const std::string& text) {
  return resolve("token", text.starts_with("svc_") ? "svc_" : "tok_", "/v1/tokens", text);
}

// ---- the whole program

int run_words(Shell& shell, const std::vector<std::string>& words, std::string_view version) {
  auto parsed = parse(*shell.commands, words, version);
  const bool json = std::ranges::find(words, "--json") != words.end();
  if (!parsed) {
    http::ProblemText usage;
    usage.title = "The command line is wrong";
    usage.mend = "Look at `" + help_of(*shell.commands, words) + "`.";
    usage.code = row_of(Code::invalid_argument).name;
    shell.terminal.err(json ? failure_json(parsed.error(), usage)
                            : failure_text(parsed.error(), usage));
    return row_of(Code::invalid_argument).cli_exit;
  }
  if (!parsed->command) {
    shell.terminal.out(parsed->text);
    return 0;
  }
  Run run(shell, parsed->given);
  const Status status = parsed->command->run(run);
  if (status) return 0;
  auto problem = run.connected() ? run.connected()->problem() : std::nullopt;
  if (!problem) problem = own_problem(status.error(), help_of(*shell.commands, words));
  shell.terminal.err(json ? failure_json(status.error(), problem)
                          : failure_text(status.error(), problem));
  return row_of(status.error().code).cli_exit;
}

std::string failure_text(const Error& error, const std::optional<http::ProblemText>& problem) {
  const CodeRow& row = row_of(error.code);
  const std::string title =
      problem && !problem->title.empty() ? problem->title : std::string(row.title);
  const std::string mend =
      problem && !problem->mend.empty() ? problem->mend : std::string(row.mend);
  std::string out = "error: " + title + '\n';
  // It may name what a device said of itself.
  if (const std::string why = printable_lines(error.text()); !why.empty() && why != title)
    out += "  why:  " + why + '\n';
  if (!error.permission.empty()) out += "  permission: " + error.permission + '\n';
  if (!mend.empty()) out += "  mend: " + mend + '\n';
  out += "  code: " + (problem ? problem->code : std::string(row.name));
  if (problem && !problem->request_id.empty()) out += "  request: " + problem->request_id;
  return out + '\n';
}

std::string failure_json(const Error& error, const std::optional<http::ProblemText>& problem) {
  const CodeRow& row = row_of(error.code);
  const std::string code = problem ? problem->code : std::string(row.name);
  wire::JsonObject out{
      {"type", "/problems/" + code},
      {"title", problem && !problem->title.empty() ? problem->title : std::string(row.title)},
      {"status", row.http_status},
      {"code", code},
      {"detail", error.text()},
      {"mend", problem && !problem->mend.empty() ? problem->mend : std::string(row.mend)},
      {"request_id", problem ? problem->request_id : ""}};
  if (!error.permission.empty()) out["permission"] = error.permission;
  if (problem && problem->retry_after_s) out["retry_after_s"] = *problem->retry_after_s;
  return wire::json_text(out) + '\n';
}

// ---- reading answers

const wire::Json* json_at(const wire::Json& json, std::string_view path) {
  const wire::Json* at = &json;
  while (at) {
    const auto* object = at->if_object();
    if (!object) return nullptr;
    const std::size_t dot = path.find('.');
    at = object->if_contains(path.substr(0, dot));
    if (dot == std::string_view::npos) return at;
    path.remove_prefix(dot + 1);
  }
  return nullptr;
}

std::string text_at(const wire::Json& json, std::string_view path) {
  const wire::Json* at = json_at(json, path);
  if (!at || at->is_null()) return {};
  if (const auto* text = at->if_string()) return std::string(*text);
  if (const auto* list = at->if_array()) {
    std::string out;
    for (const wire::Json& one : *list) {
      const auto* text = one.if_string();
      out += (out.empty() ? "" : ",") + (text ? std::string(*text) : wire::json_text(one));
    }
    return out;
  }
  return wire::json_text(*at);
}

std::string short_time(std::string_view rfc3339) {
  if (rfc3339.size() < 19) return std::string(rfc3339);
  std::string out(rfc3339.substr(0, 19));
  if (out[10] == 'T') out[10] = ' ';
  return out + 'Z';
}

}  // namespace holdfast::cli
