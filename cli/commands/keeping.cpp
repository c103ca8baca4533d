// holdfast retention ..., holdfast erase ...
#include "cli/commands/commands.hpp"

namespace holdfast::cli {
namespace {

using wire::Json;
using wire::JsonArray;
using wire::JsonObject;

JsonArray list_at(const Json& json, std::string_view path) {
  const Json* at = json_at(json, path);
  return at != nullptr && at->is_array() ? at->get_array() : JsonArray{};
}

Status show_retention(Run& run) {
  return print_list(run, "/v1/retention", {},
                    {{{"CLASS", 9}, "name"},
                     {{"KEEP_S", 8, true}, "keep_s"},
                     {{"BYTES_MAX", 6, true}, "bytes_max"},
                     {{"ROLLUP_S", 6, true}, "rollup_s"},
                     {{"ROLLUP_KEEP_S", 5, true}, "rollup_keep_s"},
                     {{"BYTES", 7, true}, "bytes"},
                     {{"ROLLUP_BYTES", 4, true}, "rollup_bytes"},
                     {{"OLDEST", 7}, "oldest_day"},
                     {{"STREAMS", 3}, "streams"},
                     {{"ORIGIN", 2}, "origin"}});
}

Table steps_table(const Json& json) {
  Table table{
      {{"DUE", 9}, {"CLASS", 8}, {"DAY", 8}, {"BYTES", 7, true}, {"ACTION", 7}, {"REASON", 5}}, {}};
  for (const Json& step : list_at(json, "steps")) {
    std::vector<std::string> row;
    for (std::string_view name : {"due", "class", "day", "bytes", "action", "reason"})
      row.push_back(text_at(step, name));
    table.rows.push_back(std::move(row));
  }
  return table;
}

Status preview_retention(Run& run) {
  http::Params query;
  if (const auto ahead = run.given().maybe("until")) {
    const std::int64_t far = TRY(seconds_of(*ahead, "--until"));
    query.emplace_back("to", to_rfc3339(run.now() + seconds(far)));
  }
  const Reply reply = TRY(TRY(run.remote())->get("/v1/retention/preview", query));
  if (run.json()) {
    run.print(reply.json);
  } else {
    run.print(steps_table(reply.json));
  }
  return {};
}

Result<Json> seconds_given(Run& run, std::string_view option) {
  const auto text = run.given().maybe(option);
  if (!text || *text == "forever") return Json(nullptr);
  return Json(TRY(seconds_of(*text, "--" + std::string(option))));
}

// What would go is shown and asked about before anything changes.
Status set_retention(Run& run) {
  JsonObject body{{"keep_s", TRY(seconds_given(run, "keep"))},
                  {"rollup_s", TRY(seconds_given(run, "rollup"))},
                  {"rollup_keep_s", TRY(seconds_given(run, "rollup-keep"))}};
  if (const auto bytes = run.given().maybe("bytes")) {
    const Json parsed = TRY(with_context(wire::parse_json(*bytes), "--bytes"));
    body["bytes_max"] = parsed;
  }
  if (run.given().has("stream")) body["streams"] = array_of(run, "stream");
  const std::string path = "/v1/retention/" + http::encode_component(run.given().text("CLASS"));
  Remote& server = *TRY(run.remote());
  const Reply would = TRY(server.send("PUT", path + "?dry_run=true", body));
  const std::size_t steps = list_at(would.json, "steps").size();
  if (run.given().has("dry-run")) {
    if (run.json()) {
      run.print(would.json);
    } else {
      run.print(steps_table(would.json));
    }
    return {};
  }
  if (steps > 0) {
    if (!run.json()) run.print(steps_table(would.json));
    TRY(run.confirm("Let " + std::to_string(steps) + " days of readings go within the hour?"));
  }
  const Reply reply = TRY(server.send("PUT", path, body));
  run.done(reply, "Class " + run.given().text("CLASS") + " is set.");
  return {};
}

Status erase(Run& run, const std::string& subject) {
  const std::string path = "/v1/erasure/" + http::encode_component(subject);
  Remote& server = *TRY(run.remote());
  const Reply found = TRY(server.get(path));
  if (run.given().has("preview")) {
    run.print(found.json);
    return {};
  }
  TRY(run.confirm("Destroy " + text_at(found.json, "readings.points") + " points of " +
                  text_at(found.json, "readings.metrics") + " metrics and " +
                  text_at(found.json, "events.events") + " events of " +
                  std::to_string(list_at(found.json, "devices").size()) +
                  " devices, also in old backups? It can not be undone."));
  const Reply receipt = TRY(server.send(
      "POST", path, JsonObject{{"confirm", subject}, {"reason", run.given().text("reason")}}));
  run.print(receipt.json);
  return {};
}

Status erase_device(Run& run) {
  return erase(run, TRY(run.device(run.given().text("DEVICE"))));
}

Status erase_subject(Run& run) {
  return erase(run, run.given().text("SUBJECT"));
}

}  // namespace

void add_keeping_commands(Commands& out) {
  out.push_back(
      {"retention show", "How long readings and events are kept, by class", {}, show_retention});
  out.push_back({"retention preview",
                 "Which days will go, and when",
                 {value("--until", "So far ahead, such as 30d (the default)")},
                 preview_retention});
  out.push_back({"retention set",
                 "Set a class as a whole, or make one for streams",
                 {positional("CLASS", "default, events, or a class of your own"),
                  value("--keep", "Points so long, such as 90d; without it for ever"),
                  value("--bytes", "At most so many bytes; then the oldest days go"),
                  value("--rollup", "When points go, buckets of this length stay, such as 1h"),
                  value("--rollup-keep", "And so long; without it for ever"),
                  many_values("--stream", "Readings of this stream are of this class"),
                  flag("--dry-run", "Only show what would go")},
                 set_retention});
  const std::vector<Argument> order = {value("--reason", "For the audit; needed to erase"),
                                       flag("--preview", "Only show what would go")};
  out.push_back({"erase device", "Destroy everything that a device reported, in backups too",
                 joined({positional("DEVICE", "Name or id of the device")}, order), erase_device});
  out.push_back({"erase subject", "The same of a device or of all devices of a site, by id",
                 joined({positional("SUBJECT", "Id of a device or of a site")}, order),
                 erase_subject});
}

}  // namespace holdfast::cli
