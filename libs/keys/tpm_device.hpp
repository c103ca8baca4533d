// TpmDevice: one TPM 2.0 through ESAPI, as far as an identity needs it. Keys live as pairs of blobs
// that only this TPM can load (under its storage root key), so that nothing is used up inside it;
// attestation and endorsement keys are made anew from its seeds whenever they are needed.
//
// Works on a bare TPM without a resource manager: at most three objects are loaded at a time, all
// of them are flushed at the first contact and after use. A bare TPM therefore belongs to this
// process alone; /dev/tpmrm0 does not. A connection that broke is made anew at the next call.
//
// Errors: key_store_unavailable (no library, no TPM, it refuses), key_store_locked (lockout,
// passwords), corrupt (a blob of another TPM). Thread-safe: calls wait for one another, and block
// for as long as the chip takes (a signature: 1 ms on swtpm, 100 to 600 ms on chips).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "libs/crypto/key.hpp"
#include "libs/tpm/checks.hpp"

namespace holdfast::keys {

inline constexpr std::string_view kTpmDefault = "device:/dev/tpmrm0";
inline constexpr std::size_t kSealedBytesMax = 128;

class TpmDevice {
 public:
  virtual ~TpmDevice() = default;

  struct Blob {
    Bytes public_area;   // TPM2B_PUBLIC
    Bytes private_area;  // TPM2B_PRIVATE, encrypted by the TPM
    bool operator==(const Blob&) const = default;
  };
  // P-256 or P-384; fixedTPM, fixedParent, sensitiveDataOrigin, sign. Exempt from lockout.
  virtual Result<Blob> create_key(crypto::KeyAlgorithm algorithm) = 0;
  // r and s, each as wide as the curve.
  virtual Result<Bytes> sign(const Blob& key, View digest) = 0;

  struct Endorsement {
    Bytes public_area;      // TPM2B_PUBLIC
    Bytes certificate_der;  // empty: the maker left none, or it is for another key
  };
  // RSA-2048 (template L-1) where the maker left a certificate for it, else P-256 (L-2).
  virtual Result<Endorsement> endorsement() = 0;
  // TPM2B_PUBLIC of the attestation key: P-256, ECDSA with SHA-256, in the endorsement hierarchy;
  // the same one for ever, for it is derived from the endorsement seed.
  virtual Result<Bytes> attestation_public() = 0;
  // The secret of a credential for endorsement and attestation key.
  virtual Result<Bytes> activate(View id_object, View encrypted_secret) = 0;

  struct Said {
    Bytes attest;     // TPMS_ATTEST
    Bytes signature;  // TPMT_SIGNATURE
  };
  virtual Result<Said> certify(const Blob& key, View nonce) = 0;
  struct Quote {
    Said said;
    tpm::PcrValues values;
  };
  // PCRs of the SHA-256 bank.
  virtual Result<Quote> quote(View nonce, const std::vector<unsigned>& pcrs) = 0;

  // A secret that only this TPM gives back; at most kSealedBytesMax.
  virtual Result<Blob> seal(View secret) = 0;
  virtual Result<Bytes> unseal(const Blob& sealed) = 0;

  virtual const std::string& name() const = 0;  // the TCTI
};

// `tcti`: "device:/dev/tpmrm0", "swtpm:host=127.0.0.1,port=2321", or what else tpm2-tss knows.
// Answers only when the TPM does.
Result<std::shared_ptr<TpmDevice>> open_tpm(const std::string& tcti);

}  // namespace holdfast::keys
