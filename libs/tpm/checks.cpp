#include "libs/tpm/checks.hpp"

#include <algorithm>

namespace holdfast::tpm {
namespace {

constexpr std::uint32_t kBornInside = kFixedTpm | kFixedParent | kSensitiveDataOrigin;

std::unexpected<Error> unproven(std::string why) {
  return fail(Code::attestation_refused, std::move(why));
}

Status require_born_inside(const Public& key, std::string_view what) {
  if (key.has(kBornInside)) return {};
  const std::string missing = !key.has(kFixedTpm)      ? "fixedTPM"
                              : !key.has(kFixedParent) ? "fixedParent"
                                                       : "sensitiveDataOrigin";
  return unproven("the " + std::string(what) + " is not resident in its TPM: " + missing +
                  " is not set");
}

bool fits_signature(const Public& key, const Signature& signature) {
  return key.type == kAlgRsa ? signature.algorithm == kAlgRsaSsa : signature.algorithm == kAlgEcdsa;
}

std::optional<crypto::SignatureAlgorithm> algorithm_of(const Signature& signature) {
  using crypto::SignatureAlgorithm;
  const bool rsa = signature.algorithm == kAlgRsaSsa;
  switch (signature.hash) {
    case kAlgSha256:
      return rsa ? SignatureAlgorithm::rsa_sha256 : SignatureAlgorithm::ecdsa_sha256;
    case kAlgSha384:
      return rsa ? SignatureAlgorithm::rsa_sha384 : SignatureAlgorithm::ecdsa_sha384;
    case kAlgSha512:
      return rsa ? SignatureAlgorithm::rsa_sha512 : SignatureAlgorithm::ecdsa_sha512;
    default:
      return std::nullopt;
  }
}

// Signed by the attestation key, made by a TPM, and fresh.
Result<Attest> check_statement(const Statement& statement, const Public& attestation_key,
                               View nonce) {
  const Signature signature = TRY(parse_signature(statement.signature));
  const auto key = TRY(key_of(attestation_key));
  const auto algorithm = algorithm_of(signature);
  if (!algorithm || !fits_signature(attestation_key, signature) ||
      signature.hash != attestation_key.scheme.hash ||
      !key.verify(*algorithm, statement.attest, signature.bytes)) {
    return unproven("the attestation key did not sign this statement");
  }
  Attest attest = TRY(parse_attest(statement.attest));
  if (!equal_secret(attest.extra, nonce)) {
    return unproven(
        "the statement does not carry the nonce of this challenge: it is an older one, or "
        "another's");
  }
  return attest;
}

}  // namespace

Status check_endorsement_key(const Public& key) {
  TRY(require_born_inside(key, "endorsement key"));
  if (!key.has(kRestricted | kDecrypt) || key.has(kSign)) {
    return unproven("the endorsement key is no restricted decryption key");
  }
  const bool kind = key.type == kAlgRsa ? key.rsa_bits == 2048 : true;
  if (!kind || key.symmetric != kAlgAes || key.symmetric_mode != kAlgCfb) {
    return unproven(
        "the endorsement key is of another kind than RSA-2048, P-256 or P-384 with AES-CFB");
  }
  return {};
}

Status check_attestation_key(const Public& key) {
  TRY(require_born_inside(key, "attestation key"));
  if (!key.has(kRestricted | kSign) || key.has(kDecrypt)) {
    return unproven(
        "the attestation key is no restricted signing key: it could sign statements of anybody");
  }
  const bool scheme =
      key.type == kAlgRsa ? key.scheme.algorithm == kAlgRsaSsa : key.scheme.algorithm == kAlgEcdsa;
  if (!scheme || !digest_of(key.scheme.hash)) {
    return unproven("the attestation key signs by another scheme than ECDSA or RSASSA with SHA-2");
  }
  return {};
}

Status check_device_key(const Public& key) {
  TRY(require_born_inside(key, "device key"));
  if (!key.has(kSign) || key.has(kRestricted) || key.has(kDecrypt)) {
    return unproven("the device key is no plain signing key");
  }
  if (key.type != kAlgEcc) return unproven("the device key is neither P-256 nor P-384");
  return {};
}

Result<Attest> check_certified(const Statement& statement, const Public& attestation_key,
                               View nonce, const Public& key) {
  Attest attest = TRY(check_statement(statement, attestation_key, nonce));
  if (attest.type != kAttestCertify && attest.type != kAttestCreation) {
    return unproven("the statement certifies no key");
  }
  if (attest.name != name_of(key)) {
    return unproven("the statement certifies another key than the one whose public area was sent");
  }
  return attest;
}

Result<Attest> check_quoted(const Statement& statement, const Public& attestation_key, View nonce,
                            const PcrValues& values) {
  Attest attest = TRY(check_statement(statement, attestation_key, nonce));
  if (attest.type != kAttestQuote) return unproven("the statement is no quote");
  PcrSelection wanted;
  Bytes all;
  for (const auto& [number, value] : values) {
    wanted.pcrs.push_back(number);
    append(all, value);
  }
  if (attest.quoted != std::vector<PcrSelection>{wanted}) {
    return unproven(
        "the quote covers other PCRs than those that were asked for, or another bank than SHA-256");
  }
  const auto digest = digest_of(attestation_key.scheme.hash);
  if (!digest || crypto::hash(*digest, all) != attest.pcr_digest) {
    return unproven("the PCR values are not those that the TPM quoted");
  }
  return attest;
}

Status check_time_ran_on(const ClockInfo& before, const ClockInfo& now) {
  const auto resets = static_cast<std::int32_t>(now.reset_count - before.reset_count);
  const auto restarts = static_cast<std::int32_t>(now.restart_count - before.restart_count);
  const auto back = [](std::string_view what) {
    return fail(Code::attestation_rolled_back,
                "the TPM's " + std::string(what) +
                    " went back since its last statement: an older state of it answers");
  };
  if (resets < 0) return back("reset count");
  // A reset begins restarts anew; a clock that is not safe may repeat up to 70 minutes after a
  // power cut.
  if (resets > 0) {
    constexpr std::uint64_t kUnsafeMs = 70ULL * 60 * 1000;
    if (now.clock_ms + (now.safe ? 0 : kUnsafeMs) < before.clock_ms) return back("clock");
    return {};
  }
  if (restarts < 0) return back("restart count");
  if (now.clock_ms < before.clock_ms) return back("clock");
  return {};
}

}  // namespace holdfast::tpm
