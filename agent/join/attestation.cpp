// Enrolment that proves its key by the TPM (contract/device-protocol.md section 3.7).
#include "agent/join/enrolment.hpp"
#include "agent/join/quote.hpp"
#include "agent/join/state_folder.hpp"
#include "libs/crypto/aead.hpp"
#include "libs/crypto/evidence.hpp"

namespace holdfast::agent {
namespace {

// The server does not know this TPM: what else the device has may still do.
bool unknown_tpm(const Error& error) {
  return error.code == Code::endorsement_untrusted ||
         error.code == Code::endorsement_unregistered || error.code == Code::not_found ||
         error.code == Code::unsupported;
}

Result<Bytes> bytes_member(const wire::JsonObject& object, std::string_view key) {
  return from_base64(TRY(wire::get_string(object, key)));
}

Result<wire::JsonObject> introduction(keys::TpmDevice& device, const std::string& claim) {
  const auto endorsement = TRY(device.endorsement());
  wire::JsonObject out{{"endorsement_public", to_base64(endorsement.public_area)},
                       {"attestation_public", to_base64(TRY(device.attestation_public()))}};
  if (!endorsement.certificate_der.empty()) {
    out["endorsement_certificate"] = to_base64(endorsement.certificate_der);
  }
  if (!claim.empty()) out["claim"] = claim;
  return out;
}

}  // namespace

void Enrolment::post_json(std::string target, const wire::JsonObject& body,
                          void (Enrolment::*then)(Result<wire::Json>)) {
  client_ = std::make_unique<http::Client>(loop_, transport_, request_.server, settings());
  http::ClientRequest post;
  post.method = "POST";
  post.target = std::move(target);
  post.headers = {{"User-Agent", "holdfast-agent"}, {"Content-Type", "application/json"}};
  post.body = bytes_of(wire::json_text(body));
  post.deadline = loop_.clock().mono() + kAnswerLimit;
  post.body_max = kAnswerBytesMax;
  client_->send(std::move(post), [this, then](Result<http::ClientResponse> response) {
    Result<wire::Json> answer = fail(Code::protocol_error, "no answer");
    if (!response) {
      answer = std::unexpected(response.error());
    } else if (response->status >= 300) {
      if (const auto problem = http::problem_of(*response)) retry_after_s_ = problem->retry_after_s;
      answer = std::unexpected(http::error_of(*response));
    } else {
      answer = wire::parse_json(response->body);
    }
    // Not inside the client's own callback, which the next request replaces.
    loop_.post([this, then, alive = alive_, answer = std::move(answer)]() mutable {
      if (*alive) (this->*then)(std::move(answer));
    });
  });
}

void Enrolment::begin_attestation() {
  const auto body = introduction(*request_.tpm->device(), request_.claim);
  if (!body)
    return finish(
        with_context(Result<Issued>(std::unexpected(body.error())), "asking the TPM who it is"));
  post_json("/device/v1/attestation", *body, &Enrolment::got_challenge);
}

Result<wire::JsonObject> Enrolment::proof(const wire::Json& challenge) {
  const auto& object = *TRY(wire::as_object(challenge));
  keys::TpmDevice& device = *request_.tpm->device();
  const Bytes nonce = TRY(bytes_member(object, "nonce"));
  Bytes secret = TRY(device.activate(TRY(bytes_member(object, "credential_blob")),
                                     TRY(bytes_member(object, "encrypted_secret"))));
  const auto certified = TRY(request_.tpm->certify(request_.key_name, nonce));
  wire::JsonObject out = TRY(quote_of(device, object));
  out["secret"] = to_base64(secret);
  out["key_public"] = to_base64(certified.public_area);
  out["certify_attest"] = to_base64(certified.said.attest);
  out["certify_signature"] = to_base64(certified.said.signature);
  out["csr"] = to_base64(request_.csr_der);
  crypto::wipe(secret);
  return out;
}

void Enrolment::got_challenge(Result<wire::Json> challenge) {
  if (!challenge) {
    const bool otherwise = !request_.claim.empty() || request_.credential;
    if (otherwise && unknown_tpm(challenge.error())) return post_request();
    return finish(with_context(Result<Issued>(std::unexpected(challenge.error())),
                               "proving the key by the TPM"));
  }
  const auto* object = challenge->if_object();
  const auto id = object != nullptr ? wire::get_string(*object, "id")
                                    : fail(Code::protocol_error, "not an object");
  const auto body = id ? proof(*challenge) : std::unexpected(id.error());
  if (!body)
    return finish(
        with_context(Result<Issued>(std::unexpected(body.error())), "proving the key by the TPM"));
  post_json("/device/v1/attestation/" + *id, *body, &Enrolment::got_attested);
}

void Enrolment::got_attested(Result<wire::Json> answer) {
  const auto certificate = [&]() -> Result<Bytes> {
    const wire::Json json = TRY(std::move(answer));
    return bytes_member(*TRY(wire::as_object(json)), "certificate");
  }();
  if (!certificate) {
    return finish(with_context(Result<Issued>(std::unexpected(certificate.error())),
                               "proving the key by the TPM"));
  }
  finish(with_context(
      check_issued(*certificate, request_.csr_der, request_.root_der, cas_, system_.clock.wall()),
      "checking the certificate that the server issued"));
}

}  // namespace holdfast::agent
