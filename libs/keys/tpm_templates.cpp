#include "libs/keys/tpm_templates.hpp"

#include <algorithm>
#include <iterator>

namespace holdfast::keys {
namespace {

constexpr TPMA_OBJECT kResident =
    TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN;

// PolicySecret(TPM_RH_ENDORSEMENT), SHA-256 (EK Credential Profile, B.3.3).
constexpr std::uint8_t kEndorsementPolicy[] = {
    0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xB3, 0xF8, 0x1A, 0x90, 0xCC, 0x8D, 0x46, 0xA5, 0xD7, 0x24,
    0xFD, 0x52, 0xD7, 0x6E, 0x06, 0x52, 0x0B, 0x64, 0xF2, 0xA1, 0xDA, 0x1B, 0x33, 0x14, 0x69, 0xAA};
// Makes our attestation key another one than somebody else's of the same template.
constexpr std::string_view kAttestationLabel = "holdfast attestation key";

TPM2B_PUBLIC empty_template(TPMI_ALG_PUBLIC type, TPMA_OBJECT attributes) {
  TPM2B_PUBLIC out{};
  out.publicArea.type = type;
  out.publicArea.nameAlg = TPM2_ALG_SHA256;
  out.publicArea.objectAttributes = attributes;
  return out;
}

TPM2B_PUBLIC ecc_template(TPMA_OBJECT attributes, TPMI_ECC_CURVE curve) {
  TPM2B_PUBLIC out = empty_template(TPM2_ALG_ECC, attributes);
  auto& ecc = out.publicArea.parameters.eccDetail;
  ecc.symmetric.algorithm = TPM2_ALG_NULL;
  ecc.scheme.scheme = TPM2_ALG_NULL;
  ecc.curveID = curve;
  ecc.kdf.scheme = TPM2_ALG_NULL;
  return out;
}

void set_aes(TPMT_SYM_DEF_OBJECT& symmetric) {
  symmetric.algorithm = TPM2_ALG_AES;
  symmetric.keyBits.aes = 128;
  symmetric.mode.aes = TPM2_ALG_CFB;
}

void set_endorsement_policy(TPM2B_PUBLIC& out) {
  out.publicArea.authPolicy.size = sizeof kEndorsementPolicy;
  std::copy(std::begin(kEndorsementPolicy), std::end(kEndorsementPolicy),
            out.publicArea.authPolicy.buffer);
}

constexpr TPMA_OBJECT kEndorsement =
    kResident | TPMA_OBJECT_ADMINWITHPOLICY | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;

}  // namespace

TPM2B_PUBLIC storage_root_template() {
  TPM2B_PUBLIC out = ecc_template(kResident | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA |
                                      TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT,
                                  TPM2_ECC_NIST_P256);
  set_aes(out.publicArea.parameters.eccDetail.symmetric);
  return out;
}

TPM2B_PUBLIC rsa_endorsement_template() {
  TPM2B_PUBLIC out = empty_template(TPM2_ALG_RSA, kEndorsement);
  set_endorsement_policy(out);
  auto& rsa = out.publicArea.parameters.rsaDetail;
  set_aes(rsa.symmetric);
  rsa.scheme.scheme = TPM2_ALG_NULL;
  rsa.keyBits = 2048;
  out.publicArea.unique.rsa.size = 256;  // zeros, as the profile says
  return out;
}

TPM2B_PUBLIC ecc_endorsement_template() {
  TPM2B_PUBLIC out = ecc_template(kEndorsement, TPM2_ECC_NIST_P256);
  set_endorsement_policy(out);
  set_aes(out.publicArea.parameters.eccDetail.symmetric);
  out.publicArea.unique.ecc.x.size = 32;
  out.publicArea.unique.ecc.y.size = 32;
  return out;
}

TPM2B_PUBLIC attestation_template() {
  TPM2B_PUBLIC out = ecc_template(kResident | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA |
                                      TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT,
                                  TPM2_ECC_NIST_P256);
  auto& scheme = out.publicArea.parameters.eccDetail.scheme;
  scheme.scheme = TPM2_ALG_ECDSA;
  scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
  auto& x = out.publicArea.unique.ecc.x;
  x.size = static_cast<std::uint16_t>(kAttestationLabel.size());
  std::copy(kAttestationLabel.begin(), kAttestationLabel.end(), x.buffer);
  return out;
}

TPM2B_PUBLIC signing_template(crypto::KeyAlgorithm algorithm) {
  return ecc_template(
      kResident | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA | TPMA_OBJECT_SIGN_ENCRYPT,
      algorithm == crypto::KeyAlgorithm::p384 ? TPM2_ECC_NIST_P384 : TPM2_ECC_NIST_P256);
}

TPM2B_PUBLIC sealed_template() {
  TPM2B_PUBLIC out =
      empty_template(TPM2_ALG_KEYEDHASH, TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                             TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA);
  out.publicArea.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
  return out;
}

}  // namespace holdfast::keys
