// holdfast enrol ...
#include "cli/commands/commands.hpp"

namespace holdfast::cli {
namespace {

using wire::Json;
using wire::JsonObject;

// One line for each step that is newly reached or newly failed; true: the end is reached.
bool print_progress(Run& run, const Json& claim, std::vector<std::string>& told) {
  const Json* steps = json_at(claim, "progress");
  const auto* list = steps ? steps->if_array() : nullptr;
  if (!list) return false;
  bool first_reading = false;
  for (const Json& step : *list) {
    const std::string name = text_at(step, "step");
    const std::string at = text_at(step, "at");
    const std::string error = text_at(step, "error.message");
    if (name == "first_reading" && !at.empty()) first_reading = true;
    const std::string line =
        !at.empty() ? short_time(at) + "  " + name + "  " + text_at(step, "detail")
        : !error.empty()
            ? "failed: " + name + ": " + error + " (" + text_at(step, "error.mend") + ')'
            : "";
    if (line.empty() || std::ranges::find(told, line) != told.end()) continue;
    told.push_back(line);
    run.say(line);
  }
  const std::string state = text_at(claim, "state");
  return first_reading || state == "expired" || state == "revoked";
}

Status follow_claim(Run& run, const std::string& id) {
  std::vector<std::string> told;
  return TRY(run.remote())
      ->follow("/v1/claims/" + id + "/progress", {}, [&](const http::Event& event) {
        const auto claim = wire::parse_json(event.data);
        return !claim || event.name != "claim" || !print_progress(run, *claim, told);
      });
}

Status make_claim(Run& run) {
  JsonObject body;
  if (const auto text = run.given().maybe("expires"))
    body["expires_in_s"] = TRY(seconds_of(*text, "--expires"));
  if (const auto serial = run.given().maybe("serial")) body["device_serial"] = *serial;
  if (const auto name = run.given().maybe("name")) body["name"] = *name;
  if (const auto site = run.given().maybe("site")) body["site_id"] = TRY(run.site(*site));
  if (const auto type = run.given().maybe("type")) body["type_id"] = TRY(run.type(*type));
  if (run.given().has("tag")) body["tags"] = TRY(pairs_of(run.given().all("tag")));
  const Reply reply = TRY(TRY(run.remote())->send("POST", "/v1/claims", body));
  const std::string id = text_at(reply.json, "id");
  if (run.json()) {
    run.print(reply.json);
  } else if (run.quiet()) {
    run.line(text_at(reply.json, "code"));
  } else {
    run.say("On the device: holdfast-agent join -    (then paste the code)");
    run.say("EST: user claim, password " + text_at(reply.json, "claim"));
    run.say("Valid until " + short_time(text_at(reply.json, "expires_at")) +
            ", for one device. Claim " + id + '.');
    run.line(text_at(reply.json, "code"));
  }
  return run.given().has("follow") ? follow_claim(run, id) : Status{};
}

Status list_claims(Run& run) {
  http::Params query;
  add_query(run, query, "state", "state");
  add_page(run, query);
  return print_list(run, "/v1/claims", query,
                    {{{"ID", 9}, "id"},
                     {{"STATE", 8}, "state"},
                     {{"NAME", 5}, "name"},
                     {{"DEVICE", 7}, "device_id"},
                     {{"SERIAL", 3}, "device_serial"},
                     {{"CREATED", 2}, "created_at", true},
                     {{"EXPIRES", 6}, "expires_at", true}});
}

Status show_claim(Run& run) {
  const std::string id = run.given().text("CLAIM");
  if (run.given().has("follow")) return follow_claim(run, http::encode_component(id));
  print_object(run, TRY(TRY(run.remote())->get("/v1/claims/" + http::encode_component(id))).json,
               {{"id", "id"},
                {"state", "state"},
                {"name", "name"},
                {"device", "device_id"},
                {"serial", "device_serial"},
                {"type", "type_id"},
                {"site", "site_id"},
                {"created by", "created_by"},
                {"created", "created_at"},
                {"expires", "expires_at"},
                {"progress", "progress"}});
  return {};
}

Status revoke_claim(Run& run) {
  const std::string id = run.given().text("CLAIM");
  run.done(
      TRY(TRY(run.remote())->send("DELETE", "/v1/claims/" + http::encode_component(id), nullptr)),
      "Revoked.");
  return {};
}

Status list_pending(Run& run) {
  http::Params query;
  query.emplace_back("state", run.given().maybe("state").value_or("waiting"));
  add_page(run, query);
  return print_list(run, "/v1/enrolments", query,
                    {{{"KEY", 9}, "key_sha256"},
                     {{"STATE", 8}, "state"},
                     {{"SERIAL", 7}, "serial"},
                     {{"NAME", 5}, "name"},
                     {{"ADDRESS", 6}, "address"},
                     {{"ALGORITHM", 2}, "key_algorithm"},
                     {{"ASKED", 3}, "asked"},
                     {{"LAST", 4}, "last_at", true}});
}

std::string path_of_key(Run& run, std::string_view action) {
  return "/v1/enrolments/" + http::encode_component(run.given().text("KEY")) + "/" +
         std::string(action);
}

Status approve_pending(Run& run) {
  JsonObject body;
  if (const auto name = run.given().maybe("name")) body["name"] = *name;
  if (const auto site = run.given().maybe("site")) body["site_id"] = TRY(run.site(*site));
  if (const auto type = run.given().maybe("type")) body["type_id"] = TRY(run.type(*type));
  if (run.given().has("tag")) body["tags"] = TRY(pairs_of(run.given().all("tag")));
  run.done(TRY(TRY(run.remote())->send("POST", path_of_key(run, "approve"), body)),
           "Approved; it comes in when it asks next.");
  return {};
}

Status refuse_pending(Run& run) {
  const JsonObject body{{"reason", run.given().text("reason")}};
  run.done(TRY(TRY(run.remote())->send("POST", path_of_key(run, "refuse"), body)), "Refused.");
  return {};
}

Status import_registrations(Run& run) {
  const std::string path = run.given().text("FILE");
  JsonObject body{{"csv", TRY(run.read_input(path))}};
  if (run.given().has("check")) body["only_check"] = true;
  const Reply reply = TRY(TRY(run.remote())->send("POST", "/v1/registrations", body));
  if (run.json()) {
    run.print(reply.json);
  } else {
    const Json* problems = json_at(reply.json, "problems");
    for (const Json& one :
         problems && problems->is_array() ? problems->get_array() : wire::JsonArray{})
      run.line(path + ':' + text_at(one, "line") + ": " + text_at(one, "message"));
    run.say(text_at(reply.json, "added") +
            (run.given().has("check") ? " rows are good." : " added."));
  }
  return {};
}

Status list_registrations(Run& run) {
  http::Params query;
  add_page(run, query);
  return print_list(run, "/v1/registrations", query,
                    {{{"SERIAL", 9}, "serial"},
                     {{"NAME", 5}, "name"},
                     {{"KEY", 3}, "key_sha256"},
                     {{"DEVICE", 7}, "device_id"},
                     {{"CREATED", 2}, "created_at", true}});
}

Status forget_registration(Run& run) {
  run.done(TRY(TRY(run.remote())
                   ->send("DELETE",
                          "/v1/registrations/" + http::encode_component(run.given().text("SERIAL")),
                          nullptr)),
           "Forgotten.");
  return {};
}

}  // namespace

void add_enrol_commands(Commands& out) {
  const Argument key = positional("KEY", "SHA-256 of its key, as `enrol pending` shows it");
  out.push_back(
      {"enrol pending", "Devices without a claim that wait for an approval",
       joined({value("--state", "waiting unless given; approved or refused")}, page_arguments()),
       list_pending});
  out.push_back(
      {"enrol approve",
       "Let a device in that waits",
       {key, value("--name", "Name that it gets"), value("--type", "Type that it gets"),
        value("--site", "Site that it gets"), many_values("--tag", "Tag that it gets, KEY=VALUE")},
       approve_pending});
  out.push_back({"enrol refuse",
                 "Turn a device away, until somebody approves it",
                 {key, required_value("--reason", "Why, for the device and the audit")},
                 refuse_pending});
  out.push_back({"enrol import",
                 "Announce devices by a CSV file: serial, key_sha256, name, site_id, type_id, tags",
                 {positional("FILE", "The file; - for standard input"),
                  flag("--check", "Only say what would happen")},
                 import_registrations});
  out.push_back(
      {"enrol registered", "Devices that are announced", page_arguments(), list_registrations});
  out.push_back({"enrol forget",
                 "Announce a device no longer",
                 {positional("SERIAL", "Serial or pattern")},
                 forget_registration});
  const Argument claim = positional("CLAIM", "Id of the claim");
  out.push_back(
      {"enrol claim",
       "Let one device enrol, and print the code to join with",
       {value("--expires", "How long it can be used; 1h unless given"),
        value("--serial", "Only a device with this serial number may use it"),
        value("--name", "Name that the device gets"), value("--type", "Type that the device gets"),
        value("--site", "Site that the device gets"),
        many_values("--tag", "Tag that the device gets, KEY=VALUE"),
        flag("--follow", "Follow the device until its first reading")},
       make_claim});
  out.push_back(
      {"enrol list", "Claims, newest first",
       joined({value("--state", "Only open, spent, expired or revoked")}, page_arguments()),
       list_claims});
  out.push_back({"enrol show",
                 "One claim and how far its device has come",
                 {claim, flag("--follow", "Follow the device until its first reading")},
                 show_claim});
  out.push_back({"enrol revoke", "Revoke a claim that is not spent", {claim}, revoke_claim});
}

}  // namespace holdfast::cli
