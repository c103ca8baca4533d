// holdfast twin ..., holdfast command ...
#include "cli/commands/commands.hpp"

namespace holdfast::cli {
namespace {

using wire::Json;
using wire::JsonObject;

// ---- twin

Result<std::string> path_of_twin(Run& run, std::string_view below = "") {
  const std::string device = TRY(run.device(run.given().text("DEVICE")));
  return "/v1/devices/" + http::encode_component(device) + "/twin" + std::string(below);
}

Status get_twin(Run& run) {
  const std::string path = TRY(path_of_twin(run));
  const Reply reply = TRY(TRY(run.remote())->get(path));
  const Json* part = &reply.json;
  if (run.given().has("desired")) part = json_at(reply.json, "desired");
  if (run.given().has("reported")) part = json_at(reply.json, "reported");
  run.print(part ? *part : Json(nullptr));
  return {};
}

// A value as JSON if it is some, else as text: 5 and true are what they look like, eco is a word.
Json value_of_text(const std::string& text) {
  return wire::parse_json(text).value_or(Json(text));
}

// "fan.mode=eco" as {"fan":{"mode":"eco"}}; "fan.mode=" removes it.
Status merge_pair(JsonObject& into, const std::string& pair) {
  const std::size_t equals = pair.find('=');
  if (equals == std::string::npos || equals == 0)
    return fail(Code::invalid_argument, "\"" + pair + "\" is no MEMBER=VALUE.");
  JsonObject* at = &into;
  std::string_view path = std::string_view(pair).substr(0, equals);
  while (true) {
    const std::size_t dot = path.find('.');
    if (dot == std::string_view::npos) break;
    Json& next = (*at)[path.substr(0, dot)];
    if (!next.is_object()) next.emplace_object();
    at = &next.get_object();
    path.remove_prefix(dot + 1);
  }
  const std::string value = pair.substr(equals + 1);
  (*at)[path] = value.empty() ? Json(nullptr) : value_of_text(value);
  return {};
}

Result<Json> desired_given(Run& run) {
  const auto words = run.given().all("CHANGE");
  if (words.size() == 1 && (words[0] == "-" || words[0].starts_with('@'))) {
    const std::string text = TRY(run.read_input(words[0] == "-" ? "-" : words[0].substr(1)));
    return with_context(wire::parse_json(text), "the document");
  }
  if (words.size() == 1 && words[0].starts_with('{')) return wire::parse_json(words[0]);
  JsonObject out;
  for (const std::string& word : words) TRY(merge_pair(out, word));
  return Json(std::move(out));
}

Status set_twin(Run& run) {
  const Json document = TRY(desired_given(run));
  const std::string twin = TRY(path_of_twin(run));
  Remote& server = *TRY(run.remote());
  const Reply now = TRY(server.get(twin));
  const std::string_view method = run.given().has("replace") ? "PUT" : "PATCH";
  const Reply reply =
      TRY(server.send(method, twin + "/desired", document, {{"If-Match", now.etag()}}));
  run.done(reply, "Desired is at version " + text_at(reply.json, "desired_version") + '.');
  return {};
}

Status diff_twin(Run& run) {
  const std::string path = TRY(path_of_twin(run, "/diff"));
  const Reply reply = TRY(TRY(run.remote())->get(path));
  if (run.json()) {
    run.print(reply.json);
    return {};
  }
  if (text_at(reply.json, "in_sync") == "true") {
    run.say("In sync: all that is desired is reported.");
    return {};
  }
  Table table{{{"MEMBER", 9}, {"DESIRED", 8}, {"REPORTED", 7}}, {}};
  const Json* changes = json_at(reply.json, "changes");
  if (changes && changes->is_array()) {
    for (const Json& change : changes->get_array()) {
      table.rows.push_back(
          {text_at(change, "pointer"), text_at(change, "desired"), text_at(change, "reported")});
    }
  }
  run.print(table);
  return {};
}

// ---- command

constexpr std::int64_t kWaitMost = 60;  // seconds that one request may wait

Status command_status(Run& run, const Reply& reply) {
  const std::string state = text_at(reply.json, "state");
  if (run.json()) {
    run.print(reply.json);
  } else if (run.quiet()) {
    run.line(text_at(reply.json, "id"));
  } else {
    run.say("Command " + text_at(reply.json, "id") + " is " + state + '.');
    if (const Json* result = json_at(reply.json, "result"); result && !result->is_null())
      run.print(*result);
  }
  // What the device answered is the outcome; what still runs is none yet.
  if (state == "failed")
    return fail(Code::conflict, "The device says: " + text_at(reply.json, "error.message"));
  if (state == "expired")
    return fail(Code::deadline_passed, "The device did not answer before the deadline.");
  return {};
}

Status run_command(Run& run) {
  JsonObject body{{"name", run.given().text("NAME")}};
  if (const auto payload = run.given().maybe("PAYLOAD"))
    body["payload"] = TRY(with_context(wire::parse_json(*payload), "PAYLOAD"));
  if (const auto text = run.given().maybe("deadline"))
    body["deadline_s"] = TRY(seconds_of(*text, "--deadline"));
  const std::string device = TRY(run.device(run.given().text("DEVICE")));
  std::string path = "/v1/devices/" + http::encode_component(device) + "/commands";
  Duration limit = TRY(run.timeout());
  if (const auto text = run.given().maybe("wait")) {
    const std::int64_t wait = std::min(TRY(seconds_of(*text, "--wait")), kWaitMost);
    path += "?wait_s=" + std::to_string(wait);
    limit = limit + seconds(wait);
  }
  http::ClientRequest request;
  request.method = "POST";
  request.target = path;
  request.headers.set("Content-Type", "application/json");
  request.body = bytes_of(wire::json_text(body));
  return command_status(run, TRY(TRY(run.remote())->raw(std::move(request), limit)));
}

Status list_commands(Run& run) {
  http::Params query;
  if (const auto device = run.given().maybe("device"))
    query.emplace_back("device_id", TRY(run.device(*device)));
  add_query(run, query, "state", "state");
  TRY(add_span(run, query));
  add_page(run, query);
  return print_list(run, "/v1/commands", query,
                    {{{"ID", 9}, "id"},
                     {{"NAME", 8}, "name"},
                     {{"STATE", 7}, "state"},
                     {{"DEVICE", 6}, "device_id"},
                     {{"CREATED", 5}, "created_at", true},
                     {{"DEADLINE", 2}, "deadline", true}});
}

Status show_command(Run& run) {
  const Reply reply =
      TRY(TRY(run.remote())
              ->get("/v1/commands/" + http::encode_component(run.given().text("COMMAND"))));
  print_object(run, reply.json,
               {{"id", "id"},
                {"device", "device_id"},
                {"name", "name"},
                {"payload", "payload"},
                {"state", "state"},
                {"result", "result"},
                {"error", "error.message"},
                {"created by", "created_by"},
                {"created", "created_at"},
                {"deadline", "deadline"},
                {"finished", "finished_at"}});
  return {};
}

Status cancel_command(Run& run) {
  const std::string path =
      "/v1/commands/" + http::encode_component(run.given().text("COMMAND")) + "/cancel";
  run.done(TRY(TRY(run.remote())->send("POST", path, nullptr)), "Cancelled.");
  return {};
}

}  // namespace

void add_control_commands(Commands& out) {
  const Argument device = positional("DEVICE", "Name or id of the device");
  Argument changes =
      positional("CHANGE", "MEMBER=VALUE ..., a JSON object, @FILE, or - for standard input");
  changes.many = true;
  out.push_back({"twin get",
                 "Desired and reported state",
                 {device, flag("--desired", "Only what is desired"),
                  flag("--reported", "Only what is reported")},
                 get_twin});
  out.push_back({"twin set",
                 "Change what is desired; MEMBER= removes a member",
                 {device, changes, flag("--replace", "Replace all of it")},
                 set_twin});
  out.push_back({"twin diff", "Where desired and reported differ", {device}, diff_twin});
  Argument payload = positional("PAYLOAD", "What goes with it, as JSON");
  payload.required = false;
  out.push_back({"command run",
                 "Tell a device to do something",
                 {device, positional("NAME", "Name of the command"), payload,
                  value("--deadline", "How long it may wait for the device; 5m unless given"),
                  value("--wait", "Wait for its end, at most 60s")},
                 run_command});
  out.push_back({"command list", "Commands, newest first",
                 joined({value("--device", "Only of this device"),
                         many_values("--state", "Only in this state")},
                        joined(span_arguments(), page_arguments())),
                 list_commands});
  const Argument command = positional("COMMAND", "Id of the command");
  out.push_back({"command show", "One command", {command}, show_command});
  out.push_back({"command cancel", "Deliver it no more", {command}, cancel_command});
}

}  // namespace holdfast::cli
