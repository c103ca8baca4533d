#include "server/identity/json.hpp"

#include "server/core/answers.hpp"

namespace holdfast::identity {
namespace {

using core::id_or_null;
using core::text_or_null;

wire::JsonObject step_json(const Claim& claim, Step which) {
  const StepRecord& step = claim.step(which);
  wire::JsonObject out{{"step", name_of(which)},
                       {"at", core::time_or_null(step.at)},
                       {"detail", text_or_null(step.detail)}};
  const bool failed = claim.failure && claim.failure->step == which && !step.at;
  const Code code = failed ? code_named(claim.failure->code).value_or(Code::internal) : Code::internal;
  out["error"] = failed ? wire::Json(wire::JsonObject{{"code", row_of(code).name},
                                                      {"message", claim.failure->message},
                                                      {"mend", row_of(code).mend},
                                                      {"at", to_rfc3339(claim.failure->at)}})
                        : wire::Json(nullptr);
  return out;
}

}  // namespace

wire::JsonObject claim_audit(const Claim& claim, WallTime now) {
  wire::JsonObject tags;
  for (const auto& [key, value] : claim.tags) tags[key] = value;
  return wire::JsonObject{{"id", claim.id.text()},
                          {"state", name_of(claim.state_at(now))},
                          {"device_serial", text_or_null(claim.device_serial)},
                          {"type_id", id_or_null(claim.type)},
                          {"site_id", id_or_null(claim.site)},
                          {"name", text_or_null(claim.name)},
                          {"tags", std::move(tags)},
                          {"device_id", id_or_null(claim.device)},
                          {"created_by", claim.created_by},
                          {"created_at", to_rfc3339(claim.created_at)},
                          {"expires_at", to_rfc3339(claim.expires_at)}};
}

wire::JsonObject claim_json(const Claim& claim, WallTime now) {
  wire::JsonObject out = claim_audit(claim, now);
  wire::JsonArray progress;
  for (const Step step : kSteps) progress.push_back(step_json(claim, step));
  out["progress"] = std::move(progress);
  return out;
}

}  // namespace holdfast::identity
