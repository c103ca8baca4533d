// holdfast audit ..., holdfast job ...
#include "cli/commands/commands.hpp"
#include "libs/tlog/audit_folder.hpp"

namespace holdfast::cli {
namespace {

using wire::Json;
using wire::JsonArray;
using wire::JsonObject;

// ---- audit

Status list_audit(Run& run) {
  http::Params query;
  add_query(run, query, "actor", "actor");
  add_query(run, query, "object", "object");
  add_query(run, query, "action", "action");
  add_query(run, query, "from-seq", "from_seq");
  add_query(run, query, "to-seq", "to_seq");
  add_page(run, query);
  return print_list(run, "/v1/audit", query,
                    {{{"SEQ", 9, true}, "seq"},
                     {{"TIME", 7}, "time", true},
                     {{"ACTOR", 6}, "actor"},
                     {{"ACTION", 8}, "action"},
                     {{"OBJECT", 5}, "object"}});
}

Result<std::vector<std::string>> notes_given(Run& run) {
  std::vector<std::string> notes;
  for (const std::string& file : run.given().all("checkpoint"))
    notes.push_back(TRY(run.read_input(file)));
  return notes;
}

Status report_verdict(Run& run, const Json& verdict) {
  if (run.json()) {
    run.print(verdict);
  } else {
    run.line(text_at(verdict, "entries_checked") + " entries and " +
             text_at(verdict, "checkpoints_checked") + " checkpoints checked.");
    if (const std::string detail = text_at(verdict, "detail"); !detail.empty()) run.line(detail);
  }
  if (text_at(verdict, "ok") == "true") return {};
  std::string message = "The audit is not what it was: " + text_at(verdict, "finding");
  if (const std::string seq = text_at(verdict, "first_bad_seq"); !seq.empty())
    message += " at entry " + seq;
  return fail(Code::audit_broken, message + '.');
}

// Without the server: a folder that was copied from it.
Result<Json> verify_copy(Run& run, const std::string& folder,
                         const std::vector<std::string>& notes) {
  std::vector<crypto::PublicKey> keys;
  for (const std::string& file : run.given().all("key")) {
    keys.push_back(TRY(with_context(crypto::PublicKey::from_pem(TRY(run.read_input(file))), file)));
  }
  const tlog::Verdict verdict =
      TRY(tlog::verify_folder(run.shell().system.files, folder, notes, keys));
  return Json(JsonObject{
      {"ok", verdict.ok},
      {"entries_checked", verdict.entries_checked},
      {"checkpoints_checked", verdict.checkpoints_checked},
      {"first_bad_seq", verdict.first_bad_seq ? Json(*verdict.first_bad_seq) : Json(nullptr)},
      {"finding", verdict.finding.empty() ? Json(nullptr) : Json(verdict.finding)},
      {"detail", verdict.detail.empty() ? Json(nullptr) : Json(verdict.detail)}});
}

Status verify_audit(Run& run) {
  const auto notes = TRY(notes_given(run));
  if (const auto folder = run.given().maybe("DIR"))
    return report_verdict(run, TRY(verify_copy(run, *folder, notes)));
  JsonObject body;
  if (!notes.empty()) {
    JsonArray list;
    for (const std::string& note : notes) list.push_back(Json(note));
    body["checkpoints"] = std::move(list);
  }
  return report_verdict(run, TRY(TRY(run.remote())->send("POST", "/v1/audit/verify", body)).json);
}

Status prove_entry(Run& run) {
  const std::string seq = run.given().text("SEQ");
  const Reply reply =
      TRY(TRY(run.remote())->get("/v1/audit/" + http::encode_component(seq) + "/proof"));
  const auto file = run.given().maybe("output");
  if (!file) {
    run.print(reply.json);
    return {};
  }
  TRY(os::replace_file(run.shell().system.files, *file,
                       view_of(wire::json_pretty(reply.json) + '\n')));
  run.say("Entry " + seq + " and all that proves it are in " + *file + '.');
  return {};
}

// ---- jobs

Status list_jobs(Run& run) {
  http::Params query;
  add_query(run, query, "state", "state");
  add_query(run, query, "kind", "kind");
  add_page(run, query);
  return print_list(run, "/v1/jobs", query,
                    {{{"ID", 9}, "id"},
                     {{"KIND", 8}, "kind"},
                     {{"STATE", 7}, "state"},
                     {{"OBJECT", 4}, "object"},
                     {{"RUN AT", 6}, "run_at", true},
                     {{"ATTEMPTS", 2, true}, "attempts"},
                     {{"LAST ERROR", 5}, "last_error.message"}});
}

Status show_job(Run& run) {
  const Reply reply =
      TRY(TRY(run.remote())->get("/v1/jobs/" + http::encode_component(run.given().text("JOB"))));
  print_object(run, reply.json,
               {{"id", "id"},
                {"kind", "kind"},
                {"object", "object"},
                {"state", "state"},
                {"run at", "run_at"},
                {"attempts", "attempts"},
                {"at most", "max_attempts"},
                {"deadline", "deadline"},
                {"last error", "last_error.message"},
                {"code", "last_error.code"},
                {"created", "created_at"},
                {"updated", "updated_at"}});
  return {};
}

Status retry_job(Run& run) {
  const std::string path = "/v1/jobs/" + http::encode_component(run.given().text("JOB")) + "/retry";
  run.done(TRY(TRY(run.remote())->send("POST", path, nullptr)), "It runs now.");
  return {};
}

}  // namespace

void add_audit_commands(Commands& out) {
  out.push_back(
      {"audit list", "Entries, newest first; with --from-seq, oldest first",
       joined({value("--actor", "Only by this id"), value("--object", "Only about this id"),
               value("--action", "Only this action"), value("--from-seq", "From this entry on"),
               value("--to-seq", "Up to this entry")},
              page_arguments()),
       list_audit});
  Argument folder = positional("DIR", "A copied audit folder, checked without the server");
  folder.required = false;
  out.push_back(
      {"audit verify",
       "Find edits, removals, reordering and a cut tail",
       {folder, many_values("--checkpoint", "File with a checkpoint that was kept elsewhere"),
        many_values("--key", "File with the server's audit key in PEM, for DIR")},
       verify_audit});
  out.push_back(
      {"audit prove",
       "All that proves one entry offline",
       {positional("SEQ", "Its sequence number"), value("-o,--output", "Write it to this file")},
       prove_entry});
  const Argument job = positional("JOB", "Id of the job");
  out.push_back(
      {"job list", "Scheduled work",
       joined({value("--state", "Only in this state"), value("--kind", "Only of this kind")},
              page_arguments()),
       list_jobs});
  out.push_back({"job show", "One job", {job}, show_job});
  out.push_back({"job retry", "Run it now", {job}, retry_job});
}

}  // namespace holdfast::cli
