// All commands, by topic, and what they share.
#pragma once

#include "cli/run.hpp"

namespace holdfast::cli {

void add_device_commands(Commands& out);
void add_place_commands(Commands& out);   // site, type
void add_people_commands(Commands& out);  // user, token
void add_enrol_commands(Commands& out);
void add_tpm_commands(Commands& out);
void add_reading_commands(Commands& out);  // telemetry, event
void add_keeping_commands(Commands& out);  // retention, erase
void add_control_commands(Commands& out);  // twin, command
void add_audit_commands(Commands& out);    // audit, job
void add_backup_commands(Commands& out);
void add_session_commands(Commands& out);  // login, logout, context
void add_system_commands(Commands& out);   // config, trust, doctor, version, help

Commands all_commands();

// One column of a list: where its value lies in an item.
struct Field {
  Column column;
  std::string_view path;
  bool time = false;
};

// Prints all items, or one page when `query` has a limit: JSON {"items","next_cursor"}, ids, or a
// table. Readers that follow the lists by hand see the cursor on standard error.
Status print_list(Run& run, std::string_view path, const http::Params& query,
                  const std::vector<Field>& fields);
// One object, a line for each field that has a value.
void print_object(Run& run, const wire::Json& object,
                  const std::vector<std::pair<std::string_view, std::string_view>>& fields);

// Adds what was given to a query: {"state", "state"} is --state as ?state=.
void add_query(const Run& run, http::Params& query, std::string_view option,
               std::string_view parameter);
// --limit and --cursor.
void add_page(const Run& run, http::Params& query);
std::vector<Argument> page_arguments();
// --since, --from, --to as ?from= and ?to=.
Status add_span(Run& run, http::Params& query);
std::vector<Argument> span_arguments();
std::vector<Argument> joined(std::vector<Argument> first, const std::vector<Argument>& second);

// "--role viewer --role operator" as a JSON array; null when none was given.
wire::Json array_of(const Run& run, std::string_view option);
// "key=value" pairs as an object.
Result<wire::Json> pairs_of(const std::vector<std::string>& pairs);
// Seconds of "5m".
Result<std::int64_t> seconds_of(std::string_view text, std::string_view option);

}  // namespace holdfast::cli
