#include "server/api/job_routes.hpp"

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
          {"object", job.object.empty() ? wire::Json(nullptr) : wire::Json(job.object)},
          {"state", core::name_of(job.state)},
          {"run_at", to_rfc3339(job.run_at)},
          {"attempts", job.attempts},
          {"max_attempts", job.max_attempts},
          {"deadline", job.deadline ? wire::Json(to_rfc3339(*job.deadline)) : wire::Json(nullptr)},
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
      return fail(Code::invalid_argument,
                  "query parameter \"state\": there is no state \"" + std::string(*state) + "\"");
    }
  }
  auto found = TRY(jobs.list(call.caller, query));
  wire::Json next = nullptr;
  if (found.size() > page.limit) {
    found.resize(page.limit);
    next = core::make_cursor(found.back().id.text());
  }
  wire::JsonArray items;
  for (const core::Job& job : found) items.push_back(job_json(job));
  return http::json(200, wire::json_text(wire::JsonObject{{"items", std::move(items)},
                                                          {"next_cursor", std::move(next)}}));
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
