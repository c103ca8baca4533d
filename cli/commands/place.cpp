// holdfast site ..., holdfast type ...
#include "cli/commands/commands.hpp"

namespace holdfast::cli {
namespace {

using wire::JsonObject;

struct Kind {
  std::string_view path;
  std::string_view word;
  Result<std::string> (Run::*resolve)(const std::string&);
};
constexpr Kind kSite{"/v1/sites", "SITE", &Run::site};
constexpr Kind kType{"/v1/types", "TYPE", &Run::type};

Status list_of(Run& run, const Kind& kind) {
  http::Params query;
  add_query(run, query, "q", "q");
  add_page(run, query);
  return print_list(run, kind.path, query,
                    {{{"NAME", 9}, "name"},
                     {{"DEVICES", 5, true}, "device_count"},
                     {{"DESCRIPTION", 2}, "description"},
                     {{"ID", 6}, "id"}});
}

Result<std::string> path_of_place(Run& run, const Kind& kind) {
  return std::string(kind.path) + '/' + TRY((run.*kind.resolve)(run.given().text(kind.word)));
}

Status show_of(Run& run, const Kind& kind) {
  const std::string path = TRY(path_of_place(run, kind));
  print_object(run, TRY(TRY(run.remote())->get(path)).json,
               {{"id", "id"},
                {"name", "name"},
                {"description", "description"},
                {"devices", "device_count"},
                {"streams", "streams"},
                {"evidence required", "evidence_required"},
                {"created", "created_at"},
                {"updated", "updated_at"}});
  return {};
}

// What was given of name, description and streams.
Result<JsonObject> members_of(Run& run) {
  JsonObject body;
  if (const auto name = run.given().maybe("name")) body["name"] = *name;
  if (const auto text = run.given().maybe("description")) body["description"] = *text;
  if (const auto file = run.given().maybe("streams")) {
    body["streams"] = TRY(with_context(wire::parse_json(TRY(run.read_input(*file))), "--streams"));
  }
  if (const auto least = run.given().maybe("evidence")) {
    body["evidence_required"] = *least == "none" ? wire::Json(nullptr) : wire::Json(*least);
  }
  return body;
}

Status create_of(Run& run, const Kind& kind) {
  JsonObject body = TRY(members_of(run));
  body["name"] = run.given().text("NAME");
  const Reply reply = TRY(TRY(run.remote())->send("POST", kind.path, body));
  run.done(reply, "Made " + text_at(reply.json, "id") + '.');
  return {};
}

Status change_of(Run& run, const Kind& kind) {
  const JsonObject body = TRY(members_of(run));
  if (body.empty())
    return fail(Code::invalid_argument, "Say what to change; --help shows what there is.");
  const std::string path = TRY(path_of_place(run, kind));
  run.done(TRY(TRY(run.remote())->change("PATCH", path, body)), "Changed.");
  return {};
}

Status remove_of(Run& run, const Kind& kind) {
  TRY(run.confirm("Remove " + run.given().text(kind.word) + '?'));
  const std::string path = TRY(path_of_place(run, kind));
  run.done(TRY(TRY(run.remote())->change("DELETE", path, nullptr)), "Removed.");
  return {};
}

void add_kind(Commands& out, const std::array<std::string_view, 5>& paths, std::string_view plural,
              const Kind& kind, const std::array<Status (*)(Run&), 5>& run, bool streams) {
  const Argument one = positional(kind.word, "Name or id");
  std::vector<Argument> members = {value("--description", "Free text")};
  if (streams) {
    members.push_back(
        value("--streams", "File with what the streams mean, as JSON; - is standard input"));
    members.push_back(value("--evidence",
                            "The least its devices must prove: hardware-attested, "
                            "hardware-asserted, software, claim, none"));
  }
  out.push_back(
      {paths[0], plural, joined({value("--q", "Part of the name")}, page_arguments()), run[0]});
  out.push_back({paths[1], "One of them", {one}, run[1]});
  out.push_back({paths[2], "Add one", joined({positional("NAME", "Its name")}, members), run[2]});
  out.push_back(
      {paths[3], "Change one", joined({one, value("--name", "The new name")}, members), run[3]});
  out.push_back({paths[4], "Remove one that nothing uses", {one}, run[4]});
}

}  // namespace

void add_place_commands(Commands& out) {
  add_kind(
      out, {"site list", "site show", "site create", "site change", "site remove"},
      "Sites that you may see", kSite,
      {[](Run& run) { return list_of(run, kSite); }, [](Run& run) { return show_of(run, kSite); },
       [](Run& run) { return create_of(run, kSite); },
       [](Run& run) { return change_of(run, kSite); },
       [](Run& run) { return remove_of(run, kSite); }},
      false);
  add_kind(
      out, {"type list", "type show", "type create", "type change", "type remove"}, "Device types",
      kType,
      {[](Run& run) { return list_of(run, kType); }, [](Run& run) { return show_of(run, kType); },
       [](Run& run) { return create_of(run, kType); },
       [](Run& run) { return change_of(run, kType); },
       [](Run& run) { return remove_of(run, kType); }},
      true);
}

}  // namespace holdfast::cli
