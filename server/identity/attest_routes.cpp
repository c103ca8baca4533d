// Operations of the contract about TPMs and their makers.
#include "libs/crypto/x509.hpp"
#include "server/core/answers.hpp"
#include "server/identity/attest_json.hpp"
#include "server/identity/members.hpp"
#include "server/identity/routes.hpp"

namespace holdfast::identity {
namespace {

using core::Call;
using http::Response;

Result<Response> add_root_of(Attestor& attestor, const Call& call) {
  const auto& body = *TRY(wire::as_object(call.body));
  TRY(wire::only_members(body, {"name", "certificate", "admits"}));
  const std::string pem = TRY(wire::get_string(body, "certificate"));
  const auto ders = crypto::certificates_from_pem(pem);
  if (!ders || ders->size() != 1) {
    return std::unexpected(Error{Code::invalid_argument, "one certificate as PEM is expected", {}, {}, "/certificate"});
  }
  const auto root = TRY(attestor.add_root(call.caller, TRY(wire::find_string(body, "name")).value_or(""), ders->front(),
                                          TRY(wire::find_bool(body, "admits")).value_or(false)));
  return core::json_response(201, root_json(root));
}

Result<Response> register_of(Attestor& attestor, const Call& call) {
  const auto& body = *TRY(wire::as_object(call.body));
  TRY(wire::only_members(body, {"endorsement", "name", "serial", "type_id", "site_id", "tags"}));
  NewEndorsement wanted;
  wanted.hash = TRY(wire::get_string(body, "endorsement"));
  wanted.name = TRY(wire::find_string(body, "name")).value_or("");
  wanted.serial = TRY(wire::find_string(body, "serial")).value_or("");
  wanted.type = TRY(id_member<TypeId>(body, "type_id"));
  wanted.site = TRY(id_member<SiteId>(body, "site_id"));
  wanted.tags = TRY(tags_member(body));
  return core::json_response(201, endorsement_json(TRY(attestor.register_endorsement(call.caller, wanted))));
}

Result<Response> list_of_endorsements(Attestor& attestor, const Call& call) {
  const core::Page page = TRY(core::page_of(call));
  return core::list_response(TRY(attestor.endorsements(call.caller, page.cursor, page.limit + 1)), page.limit,
                             endorsement_json, [](const Endorsement& row) { return row.hash; });
}

}  // namespace

Status add_attest_routes(core::Operations& operations, Attestor& attestor) {
  TRY(operations.add("list_endorsement_roots", [&](const Call& call) -> Result<Response> {
    wire::JsonArray items;
    for (const EndorsementRoot& root : TRY(attestor.roots(call.caller))) items.push_back(root_json(root));
    return core::json_response(200, wire::JsonObject{{"items", std::move(items)}});
  }));
  TRY(operations.add("add_endorsement_root", [&](const Call& call) { return add_root_of(attestor, call); }));
  TRY(operations.add("remove_endorsement_root", [&](const Call& call) -> Result<Response> {
    TRY(attestor.remove_root(call.caller, call.path("fingerprint")));
    return http::no_content();
  }));
  TRY(operations.add("list_endorsements", [&](const Call& call) { return list_of_endorsements(attestor, call); }));
  TRY(operations.add("register_endorsement", [&](const Call& call) { return register_of(attestor, call); }));
  TRY(operations.add("release_endorsement", [&](const Call& call) -> Result<Response> {
    TRY(attestor.release_endorsement(call.caller, call.path("endorsement")));
    return http::no_content();
  }));
  TRY(operations.add("get_device_attestation", [&](const Call& call) -> Result<Response> {
    const auto id = TRY(call.id<DeviceId>("device_id", "device.read"));
    return core::json_response(200, history_json(TRY(attestor.history(call.caller, id))));
  }));
  return operations.add("accept_device_attestation", [&](const Call& call) -> Result<Response> {
    const auto id = TRY(call.id<DeviceId>("device_id", "device.write"));
    TRY(attestor.accept(call.caller, id));
    return core::json_response(200, history_json(TRY(attestor.history(call.caller, id))));
  });
}

}  // namespace holdfast::identity
