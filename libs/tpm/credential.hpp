// MakeCredential in software (TPM 2.0 Library, Part 1, 24): a secret that only the TPM with this
// endorsement key can read, and only while it holds the object with this name. Activating it proves
// that attestation key and endorsement key live in one chip. Endorsement keys: RSA-2048, P-256,
// P-384 by the EK Credential Profile. Thread-safe.
#pragma once

#include "libs/os/entropy.hpp"
#include "libs/tpm/structures.hpp"

namespace holdfast::tpm {

struct Credential {
  Bytes blob;    // TPM2B_ID_OBJECT
  Bytes secret;  // TPM2B_ENCRYPTED_SECRET
};
// `secret` has at most as many bytes as the digest of the endorsement key's name.
// Errors: Code::attestation_refused when the key cannot take a credential.
Result<Credential> make_credential(const Public& endorsement, View object_name, View secret,
                                   os::Entropy& entropy);

// KDFa and KDFe (Part 1, 11.4.10.2 and 11.4.10.3); `bits` is a multiple of 8.
Bytes kdf_a(crypto::Digest digest, View key, std::string_view label, View u, View v, unsigned bits);
Bytes kdf_e(crypto::Digest digest, View z, std::string_view label, View u, View v, unsigned bits);

}  // namespace holdfast::tpm
