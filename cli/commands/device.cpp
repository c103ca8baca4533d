// holdfast device ...
#include "cli/commands/commands.hpp"

namespace holdfast::cli {
namespace {

using wire::Json;
using wire::JsonObject;

std::string path_of_device(const std::string& id, std::string_view below = "") {
  return "/v1/devices/" + http::encode_component(id) + std::string(below);
}

Status list_devices(Run& run) {
  http::Params query;
  add_query(run, query, "q", "q");
  add_query(run, query, "state", "state");
  add_query(run, query, "tag", "tag");
  add_query(run, query, "sort", "sort");
  for (const std::string& site : run.given().all("site"))
    query.emplace_back("site_id", TRY(run.site(site)));
  for (const std::string& type : run.given().all("type"))
    query.emplace_back("type_id", TRY(run.type(type)));
  if (run.given().has("online")) query.emplace_back("online", "true");
  if (run.given().has("offline")) query.emplace_back("online", "false");
  add_page(run, query);
  return print_list(run, "/v1/devices", query,
                    {{{"NAME", 9}, "name"},
                     {{"STATE", 8}, "state"},
                     {{"ONLINE", 7}, "presence.online"},
                     {{"TYPE", 3}, "type_name"},
                     {{"SITE", 4}, "site_name"},
                     {{"EVIDENCE", 2}, "evidence_class"},
                     {{"LAST SEEN", 5}, "presence.last_seen", true},
                     {{"ID", 6}, "id"}});
}

Status show_device(Run& run) {
  const std::string id = TRY(run.device(run.given().text("DEVICE")));
  const Reply reply = TRY(TRY(run.remote())->get(path_of_device(id)));
  print_object(run, reply.json,
               {{"id", "id"},
                {"name", "name"},
                {"state", "state"},
                {"online", "presence.online"},
                {"since", "presence.since"},
                {"last seen", "presence.last_seen"},
                {"last disconnect", "presence.last_disconnect_reason"},
                {"address", "presence.address"},
                {"protocol", "presence.protocol"},
                {"type", "type_name"},
                {"site", "site_name"},
                {"tags", "tags"},
                {"serial", "serial"},
                {"quarantined", "quarantine.since"},
                {"reason", "quarantine.reason"},
                {"certificate", "certificate.serial"},
                {"certificate until", "certificate.not_after"},
                {"evidence", "evidence_class"},
                {"agent", "agent.version"},
                {"created", "created_at"},
                {"updated", "updated_at"}});
  return {};
}

// One line for each change: what, of which device, and what is known of it now.
void print_change(Run& run, const http::Event& event) {
  const auto data = wire::parse_json(event.data);
  if (!data) return;
  if (run.json()) {
    return run.line(wire::json_text(JsonObject{{"event", event.name}, {"data", *data}}));
  }
  if (event.name == "device") {
    const bool removed = text_at(*data, "removed") == "true";
    run.print(Table{
        {{"WHAT"}, {"DEVICE"}, {"NAME"}, {"STATE"}, {"ONLINE"}},
        {{removed ? "removed" : "device", text_at(*data, "id"), text_at(*data, "changes.name"),
          text_at(*data, "changes.state"), text_at(*data, "changes.presence.online")}}});
  } else if (event.name == "reading") {
    run.line("reading\t" + text_at(*data, "device_id") + '\t' + text_at(*data, "metric") + '\t' +
             printable(text_at(*data, "value")));
  } else if (event.name == "event") {
    run.line("event\t" + text_at(*data, "device_id") + '\t' + text_at(*data, "kind") + '\t' +
             printable(text_at(*data, "message")));
  } else if (event.name == "reset") {
    run.say("Something was missed: " + text_at(*data, "reason") + '.');
  }
}

Status watch_devices(Run& run) {
  http::Params query;
  for (const std::string& device : run.given().all("DEVICE"))
    query.emplace_back("device_id", TRY(run.device(device)));
  return TRY(run.remote())->follow("/v1/stream", query, [&](const http::Event& event) {
    print_change(run, event);
    return true;
  });
}

Status rename_device(Run& run) {
  const std::string id = TRY(run.device(run.given().text("DEVICE")));
  const std::string name = run.given().text("NAME");
  const Reply reply =
      TRY(TRY(run.remote())->change("PATCH", path_of_device(id), JsonObject{{"name", name}}));
  run.done(reply, "Renamed to " + name + '.');
  return {};
}

// Site and type; "none" takes the device out of either.
Status assign_device(Run& run) {
  JsonObject body;
  if (const auto site = run.given().maybe("site")) {
    body["site_id"] = *site == "none" ? Json(nullptr) : Json(TRY(run.site(*site)));
  }
  if (const auto type = run.given().maybe("type")) {
    body["type_id"] = *type == "none" ? Json(nullptr) : Json(TRY(run.type(*type)));
  }
  if (body.empty()) return fail(Code::invalid_argument, "Say where to: --site, --type or both.");
  const std::string id = TRY(run.device(run.given().text("DEVICE")));
  run.done(TRY(TRY(run.remote())->change("PATCH", path_of_device(id), body)), "Assigned.");
  return {};
}

Status tag_device(Run& run) {
  const std::string id = TRY(run.device(run.given().text("DEVICE")));
  const auto tags = run.given().all("TAG");
  const auto removed = run.given().all("remove");
  if (tags.empty() && removed.empty())
    return fail(Code::invalid_argument, "Give KEY=VALUE, or --remove KEY.");
  Remote& server = *TRY(run.remote());
  Reply reply;
  const Json pairs = TRY(pairs_of(tags));
  for (const auto& tag : pairs.get_object()) {
    reply = TRY(server.send("PUT", path_of_device(id, "/tags/" + http::encode_component(tag.key())),
                            JsonObject{{"value", tag.value()}}));
  }
  for (const std::string& key : removed) {
    reply = TRY(
        server.send("DELETE", path_of_device(id, "/tags/" + http::encode_component(key)), nullptr));
  }
  run.done(reply, "Tags are now " + text_at(reply.json, "tags") + '.');
  return {};
}

Status act_on_device(Run& run, std::string_view action, std::string_view done) {
  const std::string id = TRY(run.device(run.given().text("DEVICE")));
  JsonObject body;
  if (const auto reason = run.given().maybe("reason")) body["reason"] = *reason;
  const Json sent = body.empty() ? Json(nullptr) : Json(std::move(body));
  const Reply reply =
      TRY(TRY(run.remote())->send("POST", path_of_device(id, "/" + std::string(action)), sent));
  run.done(reply, done);
  return {};
}

Status quarantine_device(Run& run) {
  return act_on_device(run, "quarantine", "Quarantined; its session is closed.");
}
Status release_device(Run& run) {
  return act_on_device(run, "release", "Released.");
}

Status revoke_device(Run& run) {
  TRY(run.confirm("Revoke every certificate of " + run.given().text("DEVICE") +
                  "? It can only come back with a new claim."));
  return act_on_device(run, "revoke", "Revoked and quarantined.");
}

void print_receipt(Run& run, const Json& receipt) {
  print_object(run, receipt,
               {{"device", "device_id"},
                {"reason", "reason"},
                {"ordered", "ordered_at"},
                {"by", "ordered_by"},
                {"certificates revoked", "certificates_revoked"},
                {"claims voided", "claims_voided"},
                {"erase", "erase_state"},
                {"erase until", "erase_deadline"},
                {"order fetched", "fetched_at"},
                {"overdue since", "overdue_at"},
                {"erased", "erased_at"},
                {"proved by certificate", "proof.certificate"},
                {"data", "data"},
                {"data erased", "data_erased_at"}});
}

Status decommission_device(Run& run) {
  const std::string id = TRY(run.device(run.given().text("DEVICE")));
  TRY(run.confirm("Take " + run.given().text("DEVICE") +
                  " out of service for good? It cannot come back as this device."));
  JsonObject body{{"reason", run.given().text("reason")}};
  if (run.given().has("no-erase")) body["erase"] = false;
  if (run.given().has("erase-data")) body["erase_data"] = true;
  if (const auto limit = run.given().maybe("deadline"))
    body["erase_limit_s"] = TRY(seconds_of(*limit, "--deadline"));
  print_receipt(
      run, TRY(TRY(run.remote())->send("POST", path_of_device(id, "/decommission"), body)).json);
  return {};
}

Status show_receipt(Run& run) {
  const std::string id = TRY(run.device(run.given().text("DEVICE")));
  print_receipt(run, TRY(TRY(run.remote())->get(path_of_device(id, "/decommission"))).json);
  return {};
}

Status replace_device(Run& run) {
  const std::string id = TRY(run.device(run.given().text("DEVICE")));
  JsonObject body{{"reason", run.given().text("reason")}};
  if (const auto serial = run.given().maybe("serial")) body["device_serial"] = *serial;
  if (const auto text = run.given().maybe("expires"))
    body["expires_in_s"] = TRY(seconds_of(*text, "--expires"));
  const Reply reply = TRY(TRY(run.remote())->send("POST", path_of_device(id, "/replace"), body));
  if (run.json()) {
    run.print(reply.json);
    return {};
  }
  run.say("On the new hardware: holdfast-agent join -    (then paste the code)");
  run.say("EST: user claim, password " + text_at(reply.json, "claim"));
  run.say("From then on the old key is dead. Valid until " +
          short_time(text_at(reply.json, "expires_at")) + '.');
  run.line(text_at(reply.json, "code"));
  return {};
}

Status show_forecast(Run& run) {
  const Reply reply = TRY(TRY(run.remote())->get("/v1/certificates/forecast"));
  if (run.json()) {
    run.print(reply.json);
    return {};
  }
  Table table{{{"DAY"}, {"EXPIRE"}, {"RENEW"}}, {}};
  const Json* list = json_at(reply.json, "days");
  for (const Json& one : list && list->is_array() ? list->get_array() : wire::JsonArray{}) {
    if (text_at(one, "expire") == "0" && text_at(one, "renew") == "0") continue;
    table.rows.push_back({text_at(one, "day"), text_at(one, "expire"), text_at(one, "renew")});
  }
  run.print(table);
  run.say(text_at(reply.json, "late") + " renewals are late, " + text_at(reply.json, "expired") +
          " devices have an expired certificate.");
  return {};
}

Status list_findings(Run& run) {
  http::Params query;
  add_query(run, query, "kind", "kind");
  if (!run.given().has("all")) query.emplace_back("open", "true");
  const Reply reply = TRY(TRY(run.remote())->get(http::with_query("/v1/findings", query)));
  if (run.json()) {
    run.print(reply.json);
    return {};
  }
  Table table{{{"KIND"}, {"SUBJECT"}, {"DEVICE"}, {"COUNT"}, {"LAST"}, {"MESSAGE"}}, {}};
  const Json* items = json_at(reply.json, "items");
  for (const Json& one : items && items->is_array() ? items->get_array() : wire::JsonArray{}) {
    table.rows.push_back({text_at(one, "kind"), text_at(one, "subject"), text_at(one, "device_id"),
                          text_at(one, "count"), short_time(text_at(one, "last_at")),
                          text_at(one, "message")});
  }
  run.print(table);
  return {};
}

Status acknowledge_finding(Run& run) {
  const JsonObject body{{"kind", run.given().text("KIND")},
                        {"subject", run.given().text("SUBJECT")}};
  run.done(TRY(TRY(run.remote())->send("POST", "/v1/findings/acknowledge", body)), "Acknowledged.");
  return {};
}

Status list_orphans(Run& run) {
  const Reply reply = TRY(TRY(run.remote())->get("/v1/orphans"));
  if (run.json()) {
    run.print(reply.json);
    return {};
  }
  Table table{{{"WHAT"}, {"DEVICE"}, {"NAME OR SERIAL"}, {"STATE"}}, {}};
  const auto each = [&](std::string_view list, const auto& row) {
    const Json* items = json_at(reply.json, list);
    const auto* array = items ? items->if_array() : nullptr;
    for (const Json& item : array ? *array : wire::JsonArray{}) table.rows.push_back(row(item));
  };
  each("records_without_certificate", [](const Json& item) {
    return std::vector<std::string>{"no certificate", text_at(item, "device_id"),
                                    text_at(item, "name"), text_at(item, "state")};
  });
  each("certificates_without_device", [](const Json& item) {
    return std::vector<std::string>{"no device", text_at(item, "device_id"),
                                    text_at(item, "serial"), ""};
  });
  run.print(table);
  return {};
}

// The end of its service, other hardware in its place, and what is odd about identities.
void add_life_commands(Commands& out, const Argument& device) {
  out.push_back({"device decommission",
                 "Take it out of service for good, and order it to erase itself",
                 {device, required_value("--reason", "Why, for receipt, timeline and audit"),
                  flag("--no-erase", "Order no wipe"),
                  flag("--erase-data", "Erase its readings and events here too, at once"),
                  value("--deadline", "How long it has to prove the wipe; 7d unless given")},
                 decommission_device});
  out.push_back({"device receipt", "How far its decommissioning has come", {device}, show_receipt});
  out.push_back({"device replace",
                 "Let other hardware take its place, and print the code to join with",
                 {device, required_value("--reason", "Why, for timeline and audit"),
                  value("--serial", "Only hardware with this serial number"),
                  value("--expires", "How long the code can be used; 1h unless given")},
                 replace_device});
  out.push_back(
      {"device forecast", "When certificates expire and renew, day by day", {}, show_forecast});
  out.push_back({"device findings",
                 "Anomalies of identities that nobody has acknowledged",
                 {value("--kind", "Only this kind"), flag("--all", "Acknowledged ones too")},
                 list_findings});
  out.push_back(
      {"device acknowledge",
       "Say that you have looked at a finding",
       {positional("KIND", "Kind of the finding"), positional("SUBJECT", "Subject of the finding")},
       acknowledge_finding});
  out.push_back({"device orphans",
                 "Devices without a valid certificate, and certificates without a device",
                 {},
                 list_orphans});
}

}  // namespace

void add_device_commands(Commands& out) {
  const Argument device = positional("DEVICE", "Name or id of the device");
  out.push_back(
      {"device list", "Devices that you may see",
       joined(
           {value("--q", "Part of name, id, tag or address"),
            many_values("--state", "Only this state"), many_values("--site", "Only at this site"),
            many_values("--type", "Only of this type"),
            many_values("--tag", "Only with this tag, KEY or KEY=VALUE"),
            flag("--online", "Only those online"), flag("--offline", "Only those offline"),
            value("--sort", "Order, such as name or -last_seen")},
           page_arguments()),
       list_devices});
  out.push_back({"device show", "One device", {device}, show_device});
  Argument watched = positional("DEVICE", "Only these devices");
  watched.required = false;
  watched.many = true;
  out.push_back(
      {"device watch", "Changes, readings and events as they come", {watched}, watch_devices});
  out.push_back({"device rename",
                 "Give it another name",
                 {device, positional("NAME", "The new name")},
                 rename_device});
  out.push_back({"device assign",
                 "Move it to a site, or give it a type",
                 {device, value("--site", "Site, or none"), value("--type", "Type, or none")},
                 assign_device});
  Argument tags = positional("TAG", "KEY=VALUE");
  tags.required = false;
  tags.many = true;
  out.push_back({"device tag",
                 "Set and remove tags",
                 {device, tags, many_values("--remove", "Key of a tag to remove")},
                 tag_device});
  out.push_back({"device quarantine",
                 "Cut it off within a second; it keeps its certificate",
                 {device, required_value("--reason", "Why, for timeline and audit")},
                 quarantine_device});
  out.push_back({"device release",
                 "End the quarantine",
                 {device, value("--reason", "Why, for timeline and audit")},
                 release_device});
  out.push_back({"device revoke",
                 "Revoke its certificates for good, and quarantine it",
                 {device, required_value("--reason", "Why, for timeline and audit")},
                 revoke_device});
  add_life_commands(out, device);
}

}  // namespace holdfast::cli
