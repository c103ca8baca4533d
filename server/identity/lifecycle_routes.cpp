// Operations that end or renew a device's life: decommission, replace, orphans.
#include "server/identity/json.hpp"
#include "server/identity/routes.hpp"

namespace holdfast::identity {
namespace {

using LifeCall = core::Call;
using LifeAnswer = Result<http::Response>;

// Seconds of a member, bounded so that they cannot overflow on the way to whoever checks them.
Result<Duration> seconds_member(const wire::JsonObject& body, std::string_view name, Duration otherwise) {
  const auto given = TRY(wire::find_int(body, name));
  return given ? seconds(std::clamp<std::int64_t>(*given, 0, 1'000'000'000)) : otherwise;
}

LifeAnswer decommission(Registrar& registrar, const LifeCall& call) {
  const auto id = TRY(call.id<DeviceId>("device_id", "device.decommission"));
  TRY(registrar.may(call.caller, "device.decommission", id));
  const auto& body = *TRY(wire::as_object(call.body));
  TRY(wire::only_members(body, {"reason", "erase", "erase_limit_s", "erase_data"}));
  Farewell wanted;
  wanted.reason = TRY(wire::get_string(body, "reason"));
  wanted.erase = TRY(wire::find_bool(body, "erase")).value_or(true);
  wanted.erase_limit = TRY(seconds_member(body, "erase_limit_s", wanted.erase_limit));
  wanted.erase_data = TRY(wire::find_bool(body, "erase_data")).value_or(false);
  const Receipt receipt = TRY(registrar.decommissions().decommission(call.caller, id, wanted));
  return http::json(200, wire::json_text(receipt_json(receipt)));
}

LifeAnswer replace(Registrar& registrar, const LifeCall& call) {
  const auto id = TRY(call.id<DeviceId>("device_id", "device.replace"));
  TRY(registrar.may(call.caller, "device.replace", id));
  const auto& body = *TRY(wire::as_object(call.body));
  TRY(wire::only_members(body, {"reason", "expires_in_s", "device_serial"}));
  const std::string reason = TRY(wire::get_string(body, "reason"));
  const Duration life = TRY(seconds_member(body, "expires_in_s", hours(1)));
  const std::string serial = TRY(wire::find_string(body, "device_serial")).value_or("");
  if (serial.size() > 128) {
    return std::unexpected(Error{Code::invalid_argument, "a serial has at most 128 bytes", {}, {}, "/device_serial"});
  }
  const ClaimSecret made = TRY(registrar.replace(call.caller, id, reason, life, serial));
  http::Response response = http::json(
      201, wire::json_text(wire::JsonObject{{"id", made.claim.id.text()},
                                            {"claim", made.secret},
                                            {"code", made.code},
                                            {"expires_at", to_rfc3339(made.claim.expires_at)}}));
  response.headers.set("Cache-Control", "no-store");
  return response;
}

LifeAnswer replacements(Registrar& registrar, const LifeCall& call) {
  const auto id = TRY(call.id<DeviceId>("device_id", "device.read"));
  wire::JsonArray items;
  for (const Replacement& one : TRY(registrar.replacements(call.caller, id))) items.push_back(replacement_json(one));
  return http::json(200, wire::json_text(wire::JsonObject{{"items", std::move(items)}}));
}

LifeAnswer findings(Registrar& registrar, const LifeCall& call) {
  Findings::Query query;
  if (const auto kind = call.query("kind")) {
    query.kind = finding_kind_named(*kind);
    if (!query.kind) return std::unexpected(core::bad_parameter("kind", "there is no such kind"));
  }
  query.open = call.query("open") == "true";
  wire::JsonArray items;
  for (const Finding& one : TRY(registrar.findings().list(call.caller, query))) items.push_back(finding_json(one));
  return http::json(200, wire::json_text(wire::JsonObject{{"items", std::move(items)}}));
}

LifeAnswer acknowledge(Registrar& registrar, const LifeCall& call) {
  const auto& body = *TRY(wire::as_object(call.body));
  TRY(wire::only_members(body, {"kind", "subject"}));
  const auto kind = finding_kind_named(TRY(wire::get_string(body, "kind")));
  if (!kind) return std::unexpected(Error{Code::invalid_argument, "there is no such kind", {}, {}, "/kind"});
  const std::string subject = TRY(wire::get_string(body, "subject"));
  return http::json(200, wire::json_text(finding_json(TRY(registrar.findings().acknowledge(call.caller, *kind, subject)))));
}

LifeAnswer forecast(Registrar& registrar, const LifeCall& call) {
  const Forecast found = TRY(registrar.forecast(call.caller));
  wire::JsonArray list;
  for (const ForecastDay& one : found.days) {
    const std::string day = to_rfc3339(WallTime{one.day * 86'400'000'000}).substr(0, 10);
    list.push_back(wire::JsonObject{{"day", day}, {"expire", one.expire}, {"renew", one.renew}});
  }
  return http::json(200, wire::json_text(wire::JsonObject{
                             {"days", std::move(list)}, {"late", found.late}, {"expired", found.expired}}));
}

LifeAnswer orphans(Registrar& registrar, const LifeCall& call) {
  const Orphans found = TRY(registrar.orphans(call.caller));
  wire::JsonArray records, certificates;
  for (const auto& one : found.records) {
    records.push_back(wire::JsonObject{{"device_id", one.device.text()}, {"name", one.name}, {"state", one.state}});
  }
  for (const auto& one : found.certificates) {
    certificates.push_back(wire::JsonObject{{"serial", one.serial}, {"device_id", one.device.text()}});
  }
  return http::json(200, wire::json_text(wire::JsonObject{{"records_without_certificate", std::move(records)},
                                                          {"certificates_without_device", std::move(certificates)}}));
}

}  // namespace

Status add_lifecycle_routes(core::Operations& operations, Registrar& registrar) {
  TRY(operations.add("decommission_device", [&](const LifeCall& call) { return decommission(registrar, call); }));
  TRY(operations.add("get_decommission", [&](const LifeCall& call) -> LifeAnswer {
    const auto id = TRY(call.id<DeviceId>("device_id", "device.read"));
    return http::json(200, wire::json_text(receipt_json(TRY(registrar.decommissions().receipt(call.caller, id)))));
  }));
  TRY(operations.add("replace_device", [&](const LifeCall& call) { return replace(registrar, call); }));
  TRY(operations.add("list_replacements", [&](const LifeCall& call) { return replacements(registrar, call); }));
  TRY(operations.add("get_certificate_forecast", [&](const LifeCall& call) { return forecast(registrar, call); }));
  TRY(operations.add("list_findings", [&](const LifeCall& call) { return findings(registrar, call); }));
  TRY(operations.add("acknowledge_finding", [&](const LifeCall& call) { return acknowledge(registrar, call); }));
  return operations.add("list_orphans", [&](const LifeCall& call) { return orphans(registrar, call); });
}

}  // namespace holdfast::identity
