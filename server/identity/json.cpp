#include "server/identity/json.hpp"

#include "server/core/answers.hpp"
#include "server/identity/members.hpp"
#include "server/identity/registrar.hpp"

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

wire::JsonObject request_json(const EnrolmentRequest& r) {
  return wire::JsonObject{{"key_sha256", to_hex(r.key_hash)},
                          {"state", name_of(r.state)},
                          {"serial", core::text_or_null(r.serial)},
                          {"name", core::text_or_null(r.name)},
                          {"key_algorithm", r.key_algorithm},
                          {"address", r.address},
                          {"first_at", to_rfc3339(r.first_at)},
                          {"last_at", to_rfc3339(r.last_at)},
                          {"asked", r.asked},
                          {"decided_by", core::text_or_null(r.decided_by)},
                          {"decided_at", core::time_or_null(r.decided_at)},
                          {"reason", core::text_or_null(r.reason)},
                          {"device_id", core::id_or_null(r.device)}};
}

wire::JsonObject registration_json(const Registration& r) {
  return wire::JsonObject{{"serial", r.serial},
                          {"key_sha256", r.key_hash ? wire::Json(to_hex(*r.key_hash)) : wire::Json(nullptr)},
                          {"name", core::text_or_null(r.place.name)},
                          {"site_id", core::id_or_null(r.place.site)},
                          {"type_id", core::id_or_null(r.place.type)},
                          {"tags", tags_object(r.place.tags)},
                          {"created_by", r.created_by},
                          {"created_at", to_rfc3339(r.created_at)},
                          {"device_id", core::id_or_null(r.device)}};
}

wire::JsonObject receipt_json(const Receipt& receipt) {
  const auto time = [](const std::optional<WallTime>& at) {
    return at ? wire::Json(to_rfc3339(*at)) : wire::Json(nullptr);
  };
  wire::JsonArray serials;
  for (const std::string& serial : receipt.certificates) serials.emplace_back(serial);
  wire::Json proof = nullptr;
  if (receipt.proof) {
    proof = wire::JsonObject{{"statement", std::string(text_of(receipt.proof->statement))},
                             {"signature", to_base64(receipt.proof->signature)},
                             {"certificate", receipt.proof->certificate},
                             {"said_at", to_rfc3339(receipt.proof->said_at)}};
  }
  return wire::JsonObject{{"device_id", receipt.device.text()},
                          {"reason", receipt.reason},
                          {"ordered_by", receipt.ordered_by},
                          {"ordered_at", to_rfc3339(receipt.ordered_at)},
                          {"certificates_revoked", std::move(serials)},
                          {"claims_voided", receipt.claims},
                          {"erase_state", name_of(receipt.state)},
                          {"erase_deadline", time(receipt.deadline)},
                          {"fetched_at", time(receipt.fetched_at)},
                          {"overdue_at", time(receipt.overdue_at)},
                          {"erased_at", time(receipt.erased_at)},
                          {"proof", std::move(proof)},
                          {"data", receipt.erase_data ? "erase" : "retention"},
                          {"data_erased_at", time(receipt.data_erased_at)}};
}

wire::JsonObject replacement_json(const Replacement& one) {
  return wire::JsonObject{{"claim_id", one.claim.text()},
                          {"reason", one.reason},
                          {"ordered_by", one.ordered_by},
                          {"ordered_at", to_rfc3339(one.ordered_at)},
                          {"old_serial", one.old_serial},
                          {"done_at", one.done_at ? wire::Json(to_rfc3339(*one.done_at)) : wire::Json(nullptr)},
                          {"new_serial", one.new_serial}};
}

wire::JsonObject claim_audit(const Claim& claim, WallTime now) {
  return wire::JsonObject{{"id", claim.id.text()},
                          {"state", name_of(claim.state_at(now))},
                          {"device_serial", text_or_null(claim.device_serial)},
                          {"type_id", id_or_null(claim.type)},
                          {"site_id", id_or_null(claim.site)},
                          {"name", text_or_null(claim.name)},
                          {"tags", tags_object(claim.tags)},
                          {"device_id", id_or_null(claim.device)},
                          {"created_by", claim.created_by},
                          {"created_at", to_rfc3339(claim.created_at)},
                          {"expires_at", to_rfc3339(claim.expires_at)}};
}

wire::JsonObject new_claim_json(const Claim& claim, std::string_view secret, std::string_view code) {
  return {{"id", claim.id.text()},
          {"claim", secret},
          {"code", code},
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
