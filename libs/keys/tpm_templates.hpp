// Public templates of the keys that we make in a TPM, and sizes between bytes and TSS structures.
// Private to libs/keys. Sources: TCG TPM 2.0 Provisioning Guidance (storage root key), EK
// Credential Profile 2.5 (L-1, L-2).
#pragma once

#include <tss2/tss2_tpm2_types.h>

#include "libs/base/bytes.hpp"
#include "libs/crypto/key.hpp"

namespace holdfast::keys {

TPM2B_PUBLIC storage_root_template();
TPM2B_PUBLIC rsa_endorsement_template();  // L-1
TPM2B_PUBLIC ecc_endorsement_template();  // L-2
TPM2B_PUBLIC attestation_template();
TPM2B_PUBLIC signing_template(crypto::KeyAlgorithm algorithm);  // P-256 or P-384
TPM2B_PUBLIC sealed_template();

// Into a TPM2B_... of TSS; Code::invalid_argument when it does not fit.
template <class Sized>
Status fill_sized(Sized& out, std::uint8_t* buffer, std::size_t most, View from) {
  if (from.size() > most) return fail(Code::invalid_argument, "too long for the TPM");
  out.size = static_cast<std::uint16_t>(from.size());
  std::copy(from.begin(), from.end(), buffer);
  return {};
}

}  // namespace holdfast::keys
