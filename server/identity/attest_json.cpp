#include "server/identity/attest_json.hpp"

#include "libs/crypto/pem.hpp"
#include "server/core/answers.hpp"
#include "server/identity/members.hpp"
#include "server/identity/registrar.hpp"

namespace holdfast::identity {
namespace {

std::unexpected<Error> bad_payload(std::string_view member, std::string_view why) {
  return std::unexpected(Error{Code::payload_malformed, "member \"" + std::string(member) + "\": " + std::string(why),
                               {}, {}, wire::pointer_to("", member)});
}

Result<Bytes> decoded(std::string_view member, const wire::Json* value, bool needed) {
  if (value == nullptr || value->is_null()) {
    if (needed) return bad_payload(member, "it is missing");
    return Bytes();
  }
  const auto* text = value->if_string();
  auto bytes = from_base64(text != nullptr ? std::string_view(*text) : std::string_view("!"));
  if (!bytes) return bad_payload(member, "base64 is expected");
  return bytes;
}

Result<Bytes> base64_member(const wire::JsonObject& body, std::string_view member, bool needed = true) {
  return decoded(member, body.if_contains(member), needed);
}

Result<const wire::JsonObject*> payload_object(const wire::Json& body) {
  const auto object = wire::as_object(body);
  if (!object) return std::unexpected(wire::as_payload(object.error()));
  return *object;
}

Status read_quote_members(const wire::JsonObject& body, bool needed, AttestProof& out) {
  out.quote_attest = TRY(base64_member(body, "quote_attest", needed));
  out.quote_signature = TRY(base64_member(body, "quote_signature", needed));
  const wire::Json* pcrs = body.if_contains("pcrs");
  if (out.quote_attest.empty() != (pcrs == nullptr || pcrs->is_null())) {
    return bad_payload("pcrs", "a quote and its PCR values come together");
  }
  if (out.quote_attest.empty()) return {};
  auto values = pcrs_of(wire::json_text(*pcrs));
  if (!values) return bad_payload("pcrs", values.error().message);
  out.pcrs = *std::move(values);
  return {};
}

wire::Json pcrs_json(const tpm::PcrValues& values) {
  wire::JsonObject out;
  for (const auto& [number, value] : values) out[std::to_string(number)] = to_hex(value);
  return out;
}

}  // namespace

Result<AttestBegin> attest_begin_of(const wire::Json& json) {
  const auto& body = *TRY(payload_object(json));
  AttestBegin out;
  out.endorsement_public = TRY(base64_member(body, "endorsement_public"));
  out.endorsement_certificate = TRY(base64_member(body, "endorsement_certificate", false));
  out.attestation_public = TRY(base64_member(body, "attestation_public"));
  if (const wire::Json* chain = body.if_contains("endorsement_chain"); chain != nullptr && !chain->is_null()) {
    const auto* list = chain->if_array();
    if (list == nullptr || list->size() > kChainMax) {
      return bad_payload("endorsement_chain", "a list of at most four certificates is expected");
    }
    for (const wire::Json& one : *list) {
      out.endorsement_chain.push_back(TRY(decoded("endorsement_chain", &one, true)));
    }
  }
  if (const wire::Json* claim = body.if_contains("claim"); claim != nullptr && !claim->is_null()) {
    const auto* text = claim->if_string();
    if (text == nullptr || text->empty()) return bad_payload("claim", "a text is expected");
    out.claim = std::string(*text);
  }
  return out;
}

Result<AttestProof> attest_proof_of(const wire::Json& json) {
  const auto& body = *TRY(payload_object(json));
  AttestProof out;
  out.secret = TRY(base64_member(body, "secret"));
  out.key_public = TRY(base64_member(body, "key_public"));
  out.attest = TRY(base64_member(body, "certify_attest"));
  out.signature = TRY(base64_member(body, "certify_signature"));
  out.csr_der = TRY(base64_member(body, "csr"));
  TRY(read_quote_members(body, false, out));
  return out;
}

Result<AttestProof> check_proof_of(const wire::Json& json) {
  AttestProof out;
  TRY(read_quote_members(*TRY(payload_object(json)), true, out));
  return out;
}

wire::Json challenge_json(const Challenge& challenge) {
  wire::JsonObject out{{"id", challenge.id}, {"nonce", to_base64(challenge.nonce)}};
  if (!challenge.credential.blob.empty()) {
    out["credential_blob"] = to_base64(challenge.credential.blob);
    out["encrypted_secret"] = to_base64(challenge.credential.secret);
  }
  wire::JsonArray pcrs;
  for (const unsigned pcr : kAttestedPcrs) pcrs.emplace_back(pcr);
  out["pcrs"] = std::move(pcrs);
  out["expires_at"] = to_rfc3339(challenge.expires_at);
  return out;
}

wire::Json attested_json(const Attested& attested) {
  return wire::JsonObject{{"device_id", attested.device.text()},
                          {"certificate", to_base64(attested.certificate_der)},
                          {"evidence_class", "hardware-attested"}};
}

wire::Json checked_json(CheckResult result) {
  return wire::JsonObject{{"result", name_of(result)}, {"next_s", kAttestEvery.us / 1'000'000}};
}

wire::Json root_json(const EndorsementRoot& root) {
  return wire::JsonObject{{"fingerprint", root.fingerprint},
                          {"name", root.name},
                          {"certificate", crypto::to_pem("CERTIFICATE", root.der)},
                          {"admits", root.admits},
                          {"not_after", to_rfc3339(root.not_after)},
                          {"created_by", root.created_by},
                          {"created_at", to_rfc3339(root.created_at)}};
}

wire::Json endorsement_json(const Endorsement& row) {
  return wire::JsonObject{{"endorsement", row.hash},
                          {"registered", row.registered},
                          {"name", core::text_or_null(row.name)},
                          {"serial", core::text_or_null(row.serial)},
                          {"type_id", core::id_or_null(row.type)},
                          {"site_id", core::id_or_null(row.site)},
                          {"tags", tags_object(row.tags)},
                          {"device_id", core::id_or_null(row.device)},
                          {"root", core::text_or_null(row.root)},
                          {"last_at", core::time_or_null(row.last_at)},
                          {"created_at", to_rfc3339(row.created_at)}};
}

wire::Json history_json(const Attestor::History& history) {
  wire::JsonArray lines;
  for (const Attestation& one : history.attestations) {
    lines.push_back(wire::JsonObject{{"at", to_rfc3339(one.at)},
                                     {"purpose", one.purpose},
                                     {"outcome", one.outcome},
                                     {"detail", core::text_or_null(one.detail)}});
  }
  wire::JsonObject out{{"tpm", nullptr}, {"history", std::move(lines)}};
  if (!history.endorsement) return out;
  const Endorsement& row = *history.endorsement;
  wire::JsonArray changed;
  for (const unsigned pcr : changed_pcrs(row.baseline, row.pcrs)) changed.emplace_back(pcr);
  out["tpm"] = wire::JsonObject{{"endorsement", row.hash},
                                {"root", core::text_or_null(row.root)},
                                {"attestation_public", to_base64(row.attestation_public)},
                                {"clock_ms", row.clock.clock_ms},
                                {"reset_count", row.clock.reset_count},
                                {"restart_count", row.clock.restart_count},
                                {"last_at", core::time_or_null(row.last_at)},
                                {"silent", row.stale},
                                {"expected", pcrs_json(row.baseline)},
                                {"found", pcrs_json(row.pcrs)},
                                {"changed", std::move(changed)}};
  return out;
}

// ---- the face of the domain, in JSON

Result<wire::Json> Registrar::attest_begin(const wire::Json& body, std::string_view peer_address) {
  return challenge_json(TRY(attestor_->begin(TRY(attest_begin_of(body)), peer_address)));
}

Result<wire::Json> Registrar::attest_finish(std::string_view challenge, const wire::Json& body,
                                            std::string_view peer_address) {
  return attested_json(TRY(attestor_->finish(challenge, TRY(attest_proof_of(body)), peer_address)));
}

Result<wire::Json> Registrar::check_begin(DeviceId device) {
  return challenge_json(TRY(attestor_->begin_check(device)));
}

Result<wire::Json> Registrar::check_finish(DeviceId device, std::string_view challenge, const wire::Json& body) {
  return checked_json(TRY(attestor_->finish_check(device, challenge, TRY(check_proof_of(body)))));
}

}  // namespace holdfast::identity
