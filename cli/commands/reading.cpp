// holdfast telemetry ..., holdfast event ...
#include <algorithm>
#include <array>

#include "cli/commands/commands.hpp"

namespace holdfast::cli {
namespace {

using wire::Json;
using wire::JsonArray;
using wire::JsonObject;

std::string path_of_readings(const std::string& device, std::string_view below) {
  return "/v1/devices/" + http::encode_component(device) + std::string(below);
}

// ---- telemetry

Status list_metrics(Run& run) {
  const std::string device = TRY(run.device(run.given().text("DEVICE")));
  const Reply reply = TRY(TRY(run.remote())->get(path_of_readings(device, "/metrics")));
  if (run.json()) {
    run.print(reply.json);
    return {};
  }
  Table table{{{"METRIC", 9}, {"VALUE", 8, true}, {"UNIT", 6}, {"TIME", 7}}, {}};
  const Json* items = json_at(reply.json, "items");
  if (items && items->is_array()) {
    for (const Json& item : items->get_array()) {
      table.rows.push_back({text_at(item, "name"), text_at(item, "last_value"),
                            text_at(item, "unit"),
                            run.terminal().out_is_tty() ? short_time(text_at(item, "last_time"))
                                                        : text_at(item, "last_time")});
    }
  }
  run.print(table);
  return {};
}

// Points go out as they come: there may be millions.
class PointPrinter {
 public:
  explicit PointPrinter(Run& run) : run_(run) {
    if (run_.json()) run_.terminal().out("{\"points\":[");
  }
  void add(const Json& point) {
    if (run_.json()) {
      const JsonObject out{{"time", text_at(point, "time")}, {"value", *json_at(point, "value")}};
      buffer_ += (count_ > 0 ? "," : "") + wire::json_text(out);
    } else {
      buffer_ += text_at(point, "time") + '\t' + printable(text_at(point, "value")) + '\n';
    }
    ++count_;
    if (buffer_.size() > 60'000) flush();
  }
  void end() {
    if (run_.json()) buffer_ += "]}\n";
    flush();
  }

 private:
  void flush() { run_.terminal().out(std::exchange(buffer_, {})); }
  Run& run_;
  std::string buffer_;
  std::size_t count_ = 0;
};

Status query_raw(Run& run, const std::string& path, http::Params query) {
  add_query(run, query, "order", "order");
  add_page(run, query);
  Remote& server = *TRY(run.remote());
  PointPrinter printer(run);
  const auto next = server.items(
      path, query,
      [&](const Json& point) {
        if (json_at(point, "value")) printer.add(point);
        return true;
      },
      "points");
  printer.end();
  if (!next) return std::unexpected(next.error());
  if (const auto* cursor = next->if_string())
    run.say("More follow: --cursor " + std::string(*cursor));
  return {};
}

Status query_buckets(Run& run, const std::string& path, http::Params query) {
  query.emplace_back("bucket_s",
                     std::to_string(TRY(seconds_of(run.given().text("bucket"), "--bucket"))));
  add_query(run, query, "functions", "functions");
  const Reply reply = TRY(TRY(run.remote())->get(path, query));
  if (run.json()) {
    run.print(reply.json);
    return {};
  }
  Table table{{{"METRIC", 8},
               {"START", 9},
               {"COUNT", 5, true},
               {"MIN", 6, true},
               {"MEAN", 7, true},
               {"MAX", 6, true},
               {"SUM", 1, true},
               {"FIRST", 2, true},
               {"LAST", 4, true}},
              {}};
  const Json* buckets = json_at(reply.json, "buckets");
  if (buckets && buckets->is_array()) {
    for (const Json& bucket : buckets->get_array()) {
      std::vector<std::string> row;
      for (std::string_view name :
           {"metric", "start", "count", "min", "mean", "max", "sum", "first", "last"}) {
        row.push_back(text_at(bucket, name));
      }
      table.rows.push_back(std::move(row));
    }
  }
  run.print(table);
  return {};
}

// Several devices side by side: one row a start, one column a line.
Status compare_telemetry(Run& run, const std::string& device, http::Params query) {
  query.emplace_back("device_id", device);
  for (const std::string& other : run.given().all("with"))
    query.emplace_back("device_id", TRY(run.device(other)));
  for (const std::string& tag : run.given().all("with-tag")) {
    const Reply reply =
        TRY(TRY(run.remote())->get("/v1/devices", {{"tag", tag}, {"limit", "100"}}));
    const Json* items = json_at(reply.json, "items");
    for (const Json& item : items && items->is_array() ? items->get_array() : JsonArray{}) {
      if (text_at(item, "id") != device) query.emplace_back("device_id", text_at(item, "id"));
    }
  }
  query.emplace_back("bucket_s",
                     std::to_string(TRY(seconds_of(run.given().text("bucket"), "--bucket"))));
  add_query(run, query, "functions", "functions");
  add_query(run, query, "fill", "fill");
  if (const auto key = run.given().maybe("group-by")) query.emplace_back("group_by", "tag:" + *key);
  add_query(run, query, "top", "top");
  const Reply reply = TRY(TRY(run.remote())->get("/v1/telemetry", query));
  if (text_at(reply.json, "partial") == "true")
    run.say("The answer is partial: " + text_at(reply.json, "partial_reason") + '.');
  if (run.json()) {
    run.print(reply.json);
    return {};
  }
  Table table{{{"START", 9}}, {}};
  const Json* starts = json_at(reply.json, "starts");
  for (const Json& start : starts && starts->is_array() ? starts->get_array() : JsonArray{})
    table.rows.push_back({start.is_string() ? std::string(start.as_string()) : ""});
  const Json* lines = json_at(reply.json, "lines");
  for (const Json& line : lines && lines->is_array() ? lines->get_array() : JsonArray{}) {
    const std::string of =
        run.given().has("group-by") ? text_at(line, "group") : text_at(line, "device_id");
    table.columns.push_back(
        {of + ' ' + text_at(line, "metric") + ' ' + text_at(line, "function"), 8, true});
    const Json* values = json_at(line, "values");
    for (std::size_t i = 0;
         values != nullptr && i < table.rows.size() && i < values->get_array().size(); ++i) {
      const Json& value = values->get_array()[i];
      table.rows[i].push_back(value.is_null()
                                  ? "-"
                                  : printable(value.is_string() ? std::string(value.as_string())
                                                                : wire::json_text(value)));
    }
  }
  run.print(table);
  return {};
}

Status newest_readings(Run& run) {
  http::Params query;
  for (const std::string& metric : run.given().all("METRIC")) query.emplace_back("metric", metric);
  for (const std::string& device : run.given().all("device"))
    query.emplace_back("device_id", TRY(run.device(device)));
  add_page(run, query);
  return print_list(run, "/v1/telemetry/newest", query,
                    {{{"DEVICE", 9}, "device_id"},
                     {{"METRIC", 8}, "metric"},
                     {{"VALUE", 8, true}, "value"},
                     {{"TIME", 7}, "time", true}});
}

Status query_telemetry(Run& run) {
  const std::string device = TRY(run.device(run.given().text("DEVICE")));
  const auto metrics = run.given().all("METRIC");
  http::Params query;
  for (const std::string& metric : metrics) query.emplace_back("metric", metric);
  TRY(add_span(run, query));
  const std::string path = path_of_readings(device, "/telemetry");
  const bool compares =
      std::ranges::any_of(std::array{"with", "with-tag", "fill", "group-by", "top"},
                          [&](const char* option) { return run.given().has(option); });
  if (compares && !run.given().has("bucket"))
    return fail(Code::invalid_argument, "Several devices are compared in buckets: give --bucket.");
  if (compares) return compare_telemetry(run, device, std::move(query));
  if (run.given().has("bucket")) return query_buckets(run, path, std::move(query));
  if (metrics.size() != 1) {
    return fail(Code::invalid_argument, "Raw points are of one metric; several need --bucket.");
  }
  return query_raw(run, path, std::move(query));
}

Status tail_telemetry(Run& run) {
  const std::string device = TRY(run.device(run.given().text("DEVICE")));
  http::Params query;
  add_query(run, query, "METRIC", "metric");
  return TRY(run.remote())
      ->follow(path_of_readings(device, "/telemetry/tail"), query, [&](const http::Event& event) {
        const auto data = wire::parse_json(event.data);
        if (!data) return true;
        if (event.name == "reset") {
          run.say("Something was missed: " + text_at(*data, "reason") + '.');
        } else if (run.json()) {
          run.line(wire::json_text(*data));
        } else {
          run.line(text_at(*data, "time") + '\t' + text_at(*data, "metric") + '\t' +
                   printable(text_at(*data, "value")));
        }
        return true;
      });
}

// ---- events

Result<http::Params> event_query(Run& run) {
  http::Params query;
  if (const auto device = run.given().maybe("device"))
    query.emplace_back("device_id", TRY(run.device(*device)));
  add_query(run, query, "kind", "kind");
  add_query(run, query, "severity", "severity");
  std::string text = run.given().text("q");
  for (const std::string& word : run.given().all("QUERY")) text += (text.empty() ? "" : " ") + word;
  if (!text.empty()) query.emplace_back("q", text);
  return query;
}

// An answer that does not cover all says so, and how to go on.
void say_partial(Run& run, const Json& reply) {
  const auto* partial = json_at(reply, "partial");
  if (partial == nullptr || !partial->is_bool() || !partial->get_bool()) return;
  const std::string reached = text_at(reply, "reached");
  run.say("Not all was looked at" + (reached.empty() ? "" : ", only what came since " + reached) +
          ": narrow the time or the query, or go on with --cursor.");
}

Status print_counts(Run& run, http::Params query) {
  if (run.given().has("histogram"))
    query.emplace_back(
        "step_s", std::to_string(TRY(seconds_of(run.given().text("histogram"), "--histogram"))));
  if (run.given().has("top")) query.emplace_back("by", run.given().text("top"));
  add_query(run, query, "limit", "limit");
  const Reply reply = TRY(TRY(run.remote())->get("/v1/events/count", query));
  if (run.json()) {
    run.print(reply.json);
    return {};
  }
  Table table{{}, {}};
  const bool steps = run.given().has("histogram");
  const bool values = run.given().has("top");
  if (steps) table.columns.push_back({"START", 9});
  if (values) table.columns.push_back({"VALUE", 8});
  table.columns.push_back({"COUNT", 7, true});
  const Json* rows = json_at(reply.json, "rows");
  if (rows && rows->is_array() && (steps || values)) {
    for (const Json& row : rows->get_array()) {
      std::vector<std::string> cells;
      if (steps) cells.push_back(text_at(row, "start"));
      if (values) cells.push_back(printable(text_at(row, "value")));
      cells.push_back(text_at(row, "count"));
      table.rows.push_back(std::move(cells));
    }
  } else {
    table.rows.push_back({text_at(reply.json, "total")});
  }
  run.print(table);
  if (steps || values) run.say(text_at(reply.json, "total") + " events.");
  say_partial(run, reply.json);
  return {};
}

void print_event(Run& run, const Json& event) {
  run.line(
      (run.terminal().out_is_tty() ? short_time(text_at(event, "time")) : text_at(event, "time")) +
      '\t' + text_at(event, "severity") + '\t' + text_at(event, "kind") + '\t' +
      text_at(event, "device_id") + '\t' + printable(text_at(event, "message")));
}

Status query_events(Run& run) {
  http::Params query = TRY(event_query(run));
  TRY(add_span(run, query));
  if (run.given().has("histogram") || run.given().has("top") || run.given().has("count"))
    return print_counts(run, std::move(query));
  add_page(run, query);
  return print_list(run, "/v1/events", query,
                    {{{"TIME", 9}, "time", true},
                     {{"SEVERITY", 6}, "severity"},
                     {{"KIND", 7}, "kind"},
                     {{"DEVICE", 4}, "device_id"},
                     {{"MESSAGE", 8}, "message"}});
}

Status explain_query(Run& run) {
  http::Params query = TRY(event_query(run));
  TRY(add_span(run, query));
  const Reply reply = TRY(TRY(run.remote())->get("/v1/events/explain", query));
  if (run.json()) {
    run.print(reply.json);
    return {};
  }
  Table table{{{"PART", 9}, {"HOW", 8}}, {}};
  const Json* steps = json_at(reply.json, "steps");
  if (steps && steps->is_array()) {
    for (const Json& step : steps->get_array())
      table.rows.push_back({printable(text_at(step, "part")), text_at(step, "how")});
  }
  run.print(table);
  if (text_at(reply.json, "blocks").empty()) return {};
  run.say("To read: " + text_at(reply.json, "blocks_left") + " of " +
          text_at(reply.json, "blocks") + " blocks, " + text_at(reply.json, "events_left") +
          " of " + text_at(reply.json, "events") + " events.");
  return {};
}

Status tail_events(Run& run) {
  const http::Params query = TRY(event_query(run));
  return TRY(run.remote())->follow("/v1/events/tail", query, [&](const http::Event& event) {
    const auto data = wire::parse_json(event.data);
    if (!data) return true;
    if (event.name == "reset") {
      run.say("Something was missed: " + text_at(*data, "reason") + '.');
    } else if (event.name == "dropped") {
      run.say(text_at(*data, "count") + " more came than can be shown; event query finds them.");
    } else if (run.json()) {
      run.line(wire::json_text(*data));
    } else {
      print_event(run, *data);
    }
    return true;
  });
}

}  // namespace

void add_reading_commands(Commands& out) {
  const Argument device = positional("DEVICE", "Name or id of the device");
  Argument metrics = positional("METRIC", "Metric, such as lab.temp");
  metrics.many = true;
  out.push_back({"telemetry metrics",
                 "The metrics of a device with their newest values",
                 {device},
                 list_metrics});
  out.push_back(
      {"telemetry query", "Readings: every raw point, or buckets",
       joined({device, metrics, value("--bucket", "In buckets of this length, such as 5m"),
               value("--functions",
                     "Of each bucket: min,max,mean,sum,count,first,last,increase,rate,median,p95"),
               many_values("--with", "Beside it this device, on the same starts"),
               many_values("--with-tag", "Beside it the devices with this tag (KEY or KEY=VALUE)"),
               value("--fill", "Where nothing was measured: none, null, previous or linear"),
               value("--group-by", "One line for each value of this tag"),
               value("--top", "Only the highest so many"),
               value("--order", "Raw points: asc (oldest first) or desc")},
              joined(span_arguments(), page_arguments())),
       query_telemetry});
  out.push_back(
      {"telemetry newest", "The newest reading of some metrics of many devices",
       joined({metrics, many_values("--device", "Only of this device")}, page_arguments()),
       newest_readings});
  metrics.required = false;
  out.push_back(
      {"telemetry tail", "Readings as they are stored", {device, metrics}, tail_telemetry});
  Argument words = positional("QUERY", "Words, field:value, field>=10, ip:10.0.0.0/8, NOT (...)");
  words.required = false;
  words.many = true;
  const std::vector<Argument> filters = {
      words, value("--device", "Only of this device"), many_values("--kind", "Only this kind"),
      value("--severity", "This severity or worse"), value("--q", "The query as one text")};
  out.push_back(
      {"event query", "Events, newest first; or how many",
       joined(joined(filters, {flag("--count", "Only how many"),
                               value("--histogram", "How many in each step of this length, as 1h"),
                               value("--top", "How many of each severity, kind, device or field")}),
              joined(span_arguments(), page_arguments())),
       query_events});
  out.push_back({"event tail", "Events as they are stored", filters, tail_events});
  out.push_back({"event explain", "How a query would be answered",
                 joined(filters, span_arguments()), explain_query});
}

}  // namespace holdfast::cli
