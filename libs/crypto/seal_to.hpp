// Encrypting to somebody's public key, as TPM 2.0 credentials need it: RSA-OAEP (RFC 8017 7.1),
// one-pass ECDH with an ephemeral key, and AES in CFB mode (NIST SP 800-38A). Building blocks: what
// is built of them is in libs/tpm/credential.hpp. Randomness is OpenSSL's. Thread-safe. Errors:
// Code::unsupported for another kind of key, Code::invalid_argument for sizes.
#pragma once

#include "libs/crypto/hash.hpp"
#include "libs/crypto/key.hpp"

namespace holdfast::crypto {

// `digest` serves the label and the mask generation alike. RSA keys only.
Result<Bytes> encrypt_oaep(const PublicKey& key, Digest digest, View label, View message);

struct Agreement {
  Bytes x, y;  // of the ephemeral public point, as wide as the curve
  Bytes z;     // x of the shared point: a secret, the caller wipes it
};
// P-256 and P-384.
Result<Agreement> agree_with(const PublicKey& key);

// The affine coordinates of a P-256 or P-384 key, as wide as the curve.
struct Point {
  Bytes x, y;
};
Result<Point> point_of(const PublicKey& key);

// AES-128 or AES-256 by the key's size, 128-bit feedback; the IV has 16 bytes.
Result<Bytes> encrypt_cfb(View key, View iv, View plain);

}  // namespace holdfast::crypto
