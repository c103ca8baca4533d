// The one bridge between a key that lies elsewhere (TPM, PKCS#11 token) and OpenSSL (decision 7):
// an EVP_PKEY whose signature is asked of an OutsideSigner. Certificate requests, issuing and TLS
// then work unchanged. P-256 and P-384 only: for RSA, TLS 1.3 would need raw operations that TPMs
// do not offer.
//
// Threads: OpenSSL signs on whatever thread shakes hands, so sign_digest() may be called from any,
// also at once; the signer puts them in a row. It blocks for as long as the hardware takes.
#pragma once

#include <memory>

#include "libs/crypto/key.hpp"

namespace holdfast::crypto {

class OutsideSigner {
 public:
  virtual ~OutsideSigner() = default;
  // ECDSA over a digest of 32, 48 or 64 bytes: r and s, each as wide as the curve, one after the
  // other.
  virtual Result<Bytes> sign_digest(View digest) = 0;
};

// Errors: Code::unsupported for other kinds of keys.
Result<PrivateKey> make_outside_key(const PublicKey& key, std::shared_ptr<OutsideSigner> signer);

// r and s of equal width as ECDSA-Sig-Value (RFC 3279 2.2.3).
Result<Bytes> ecdsa_der(View r_and_s);

}  // namespace holdfast::crypto
