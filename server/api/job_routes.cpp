#include "server/api/job_routes.hpp"

#include "server/core/answers.hpp"

namespace holdfast::api {
namespace {

using core::Call;
using http::Response;

wire::JsonObject job_json(const core::Job& job) {
  wire::Json error = nullptr;
  if (job.last_code) {
    error = wire::JsonObject{{"code", row_of(*job.last_code).name}, {"message", job.last_message}};
  }
  return {{"id", job.id.text()},
          {"kind", job.kind},
          {"object", core::text_or_null(job.object)},
          {"state", core::name_of(job.state)},
          {"run_at", to_rfc3339(job.run_at)},
          {"attempts", job.attempts},
          {"max_attempts", job.max_attempts},
          {"deadline", core::time_or_null(job.deadline)},
          {"last_error", std::move(error)},
          {"created_at", to_rfc3339(job.created_at)},
          {"updated_at", to_rfc3339(job.updated_at)}};
}

Result<Response> list_jobs(core::Jobs& jobs, const Call& call) {
  const core::Page page = TRY(core::page_of(call));
  core::JobQuery query;
  query.limit = page.limit + 1;
  query.after = page.cursor;
  query.kind = call.query("kind").value_or("");
  if (const auto state = call.query("state")) {
    query.state = core::job_state_named(*state);
    if (!query.state) {
      return std::unexpected(
          core::bad_parameter("state", "there is no state \"" + std::string(*state) + "\""));
    }
  }
  return core::list_response(TRY(jobs.list(call.caller, query)), page.limit, job_json,
                             [](const core::Job& job) { return job.id.text(); });
}

}  // namespace

Status add_job_routes(core::Operations& operations, core::Jobs& jobs) {
  TRY(operations.add("list_jobs", [&](const Call& call) { return list_jobs(jobs, call); }));
  TRY(operations.add("get_job", [&](const Call& call) -> Result<Response> {
    const auto id = TRY(call.id<JobId>("job_id", "job.read"));
    return http::json(200, wire::json_text(job_json(TRY(jobs.find(call.caller, id)))));
  }));
  return operations.add("retry_job", [&](const Call& call) -> Result<Response> {
    const auto id = TRY(call.id<JobId>("job_id", "job.retry"));
    return http::json(200, wire::json_text(job_json(TRY(jobs.retry(call.caller, id)))));
  });
}

}  // namespace holdfast::api
