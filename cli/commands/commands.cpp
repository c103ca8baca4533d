#include "cli/commands/commands.hpp"

namespace holdfast::cli {

Commands all_commands() {
  Commands out;
  add_session_commands(out);
  add_device_commands(out);
  add_enrol_commands(out);
  add_tpm_commands(out);
  add_reading_commands(out);
  add_keeping_commands(out);
  add_control_commands(out);
  add_place_commands(out);
  add_people_commands(out);
  add_audit_commands(out);
  add_backup_commands(out);
  add_system_commands(out);
  return out;
}

Status print_list(Run& run, std::string_view path, const http::Params& query,
                  const std::vector<Field>& fields) {
  Remote& server = *TRY(run.remote());
  wire::JsonArray items;
  const wire::Json next = TRY(server.items(path, query, [&](const wire::Json& item) {
    items.push_back(item);
    return true;
  }));
  if (run.json()) {
    run.print(wire::JsonObject{{"items", std::move(items)}, {"next_cursor", next}});
    return {};
  }
  if (run.quiet()) {
    for (const wire::Json& item : items) run.line(text_at(item, "id"));
    return {};
  }
  Table table;
  for (const Field& field : fields) table.columns.push_back(field.column);
  const bool tty = run.terminal().out_is_tty();
  for (const wire::Json& item : items) {
    std::vector<std::string> row;
    for (const Field& field : fields) {
      std::string value = text_at(item, field.path);
      row.push_back(field.time && tty ? short_time(value) : std::move(value));
    }
    table.rows.push_back(std::move(row));
  }
  if (table.rows.empty() && tty) {
    run.say("Nothing found.");
  } else {
    run.print(table);
  }
  if (const auto* cursor = next.if_string())
    run.say("More follow: --cursor " + std::string(*cursor));
  return {};
}

void print_object(Run& run, const wire::Json& object,
                  const std::vector<std::pair<std::string_view, std::string_view>>& fields) {
  if (run.json()) return run.print(object);
  if (run.quiet()) return run.line(text_at(object, "id"));
  std::size_t width = 0;
  for (const auto& [title, path] : fields) width = std::max(width, title.size());
  const bool tty = run.terminal().out_is_tty();
  for (const auto& [title, path] : fields) {
    const std::string value = text_at(object, path);
    if (value.empty()) continue;
    const std::string space(tty ? width - title.size() + 2 : 0, ' ');
    run.line(std::string(title) + (tty ? space : "\t") + printable(value));
  }
}

void add_query(const Run& run, http::Params& query, std::string_view option,
               std::string_view parameter) {
  for (const std::string& value : run.given().all(option)) query.emplace_back(parameter, value);
}

void add_page(const Run& run, http::Params& query) {
  add_query(run, query, "limit", "limit");
  add_query(run, query, "cursor", "cursor");
}

std::vector<Argument> page_arguments() {
  return {value("--limit", "Only one page, of this many"),
          value("--cursor", "The page after this cursor")};
}

std::vector<Argument> span_arguments() {
  return {value("--since", "Only the last while, such as 1h"),
          value("--from", "From this time (RFC 3339)"),
          value("--to", "Before this time (RFC 3339)")};
}

Status add_span(Run& run, http::Params& query) {
  const auto since = run.given().maybe("since");
  if (since && run.given().has("from")) {
    return fail(Code::invalid_argument, "Give --since or --from, not both.");
  }
  if (since) {
    const Duration back = TRY(with_context(parse_duration(*since), "--since"));
    query.emplace_back("from", to_rfc3339(run.now() - back));
  }
  for (std::string_view name : {"from", "to"}) {
    if (const auto text = run.given().maybe(name)) {
      query.emplace_back(
          name, to_rfc3339(TRY(with_context(from_rfc3339(*text), "--" + std::string(name)))));
    }
  }
  return {};
}

std::vector<Argument> joined(std::vector<Argument> first, const std::vector<Argument>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

wire::Json array_of(const Run& run, std::string_view option) {
  if (!run.given().has(option)) return nullptr;
  wire::JsonArray out;
  for (const std::string& value : run.given().all(option)) out.push_back(wire::Json(value));
  return out;
}

Result<wire::Json> pairs_of(const std::vector<std::string>& pairs) {
  wire::JsonObject out;
  for (const std::string& pair : pairs) {
    const std::size_t equals = pair.find('=');
    if (equals == 0) return fail(Code::invalid_argument, "\"" + pair + "\" is no KEY=VALUE.");
    out[pair.substr(0, equals)] = equals == std::string::npos ? "" : pair.substr(equals + 1);
  }
  return wire::Json(std::move(out));
}

Result<std::int64_t> seconds_of(std::string_view text, std::string_view option) {
  const Duration duration = TRY(with_context(parse_duration(text), std::string(option)));
  return duration.us / 1'000'000;
}

}  // namespace holdfast::cli
