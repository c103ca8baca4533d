// What the structures prove. Each refusal is Code::attestation_refused and says which rule failed,
// so that whoever writes a device can mend it. Pure; thread-safe.
#pragma once

#include <map>

#include "libs/tpm/structures.hpp"

namespace holdfast::tpm {

// A restricted decryption key that was born in its TPM and cannot leave it, of a kind that
// make_credential() serves: RSA-2048 (templates L-1, H-1), P-256 (L-2, H-2), P-384 (H-3).
Status check_endorsement_key(const Public& key);

// Signs only what the TPM itself says: fixedTPM, fixedParent, sensitiveDataOrigin, restricted,
// sign, not decrypt; ECDSA or RSASSA with SHA-2 in its public area.
Status check_attestation_key(const Public& key);

// fixedTPM, fixedParent, sensitiveDataOrigin, sign, not restricted, not decrypt; P-256 or P-384.
Status check_device_key(const Public& key);

struct Statement {
  View attest;     // TPMS_ATTEST
  View signature;  // TPMT_SIGNATURE by the attestation key
};

// The statement certifies `key` (TPM2_Certify or TPM2_CertifyCreation) with the nonce.
Result<Attest> check_certified(const Statement& statement, const Public& attestation_key,
                               View nonce, const Public& key);

// PCR values of the SHA-256 bank by number.
using PcrValues = std::map<unsigned, crypto::Sha256>;
// The statement quotes exactly these values of exactly these PCRs with the nonce.
Result<Attest> check_quoted(const Statement& statement, const Public& attestation_key, View nonce,
                            const PcrValues& values);

// Did the TPM's time run on from `before` to `now`? A clock or count that went back means that an
// older state of the TPM answers: a copy, or a rollback. Counts may be obfuscated by a constant
// (Part 1, 36.7), so that only their difference counts, and they wrap.
Status check_time_ran_on(const ClockInfo& before, const ClockInfo& now);

}  // namespace holdfast::tpm
