// Asymmetric keys as values: P-256, P-384 (FIPS 186-4), Ed25519 (RFC 8032), RSA. A PrivateKey may
// lie in this process or behind a key store (libs/keys); who uses it cannot tell. Copies share one
// handle. Thread-safe.
//
// Signatures: P-256 with SHA-256 and P-384 with SHA-384, as DER (RFC 3279 2.2.3); Ed25519 pure;
// RSA PKCS#1 v1.5 with SHA-256.
// Errors: Code::invalid_argument for bytes that are no key, Code::unsupported for other algorithms.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/bytes.hpp"
#include "libs/crypto/hash.hpp"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY; only libs/crypto looks inside

namespace holdfast::crypto {

enum class KeyAlgorithm { p256, p384, ed25519, rsa };

// What a signature is made with; X.509 and CMS name them by object identifiers.
enum class SignatureAlgorithm {
  ecdsa_sha256,
  ecdsa_sha384,
  ecdsa_sha512,
  ed25519,
  rsa_sha256,
  rsa_sha384,
  rsa_sha512,
};

std::string_view name_of(KeyAlgorithm algorithm);  // "P-256", "P-384", "Ed25519", "RSA"
std::optional<KeyAlgorithm> key_algorithm_named(std::string_view name);  // any case, "p256" too

class PublicKey final {
 public:
  PublicKey() = default;  // empty: only assignment and == make sense
  // SubjectPublicKeyInfo (RFC 5280 4.1): named curves only, explicit parameters are refused.
  static Result<PublicKey> from_spki(View der);
  static Result<PublicKey> from_pem(std::string_view pem);  // "PUBLIC KEY"

  bool empty() const { return !handle_; }
  KeyAlgorithm algorithm() const { return algorithm_; }
  unsigned bits() const { return bits_; }
  std::string name() const;  // "P-256", "RSA-2048"
  const Bytes& spki_der() const { return *spki_; }
  std::string pem() const;
  Sha256 fingerprint() const;  // SHA-256 of the SPKI (RFC 7469)

  // With the key's own signature algorithm, or with a named one (foreign certificates).
  bool verify(View message, View signature) const;
  bool verify(SignatureAlgorithm algorithm, View message, View signature) const;

  bool operator==(const PublicKey& other) const;
  const std::shared_ptr<evp_pkey_st>& handle() const { return handle_; }

 private:
  friend class PrivateKey;
  std::shared_ptr<evp_pkey_st> handle_;
  std::shared_ptr<const Bytes> spki_;
  KeyAlgorithm algorithm_ = KeyAlgorithm::p256;
  unsigned bits_ = 0;
};

class PrivateKey final {
 public:
  PrivateKey() = default;  // empty
  // Randomness is OpenSSL's own; a simulation replaces it (libs/crypto/seeded.hpp).
  static Result<PrivateKey> generate(KeyAlgorithm algorithm, unsigned rsa_bits = 2048);
  static Result<PrivateKey> from_pkcs8(View der);  // PrivateKeyInfo (RFC 5208), unencrypted
  // "PRIVATE KEY", "EC PRIVATE KEY" or "RSA PRIVATE KEY", unencrypted.
  static Result<PrivateKey> from_pem(std::string_view pem);

  bool empty() const { return public_.empty(); }
  const PublicKey& public_key() const { return public_; }
  KeyAlgorithm algorithm() const { return public_.algorithm(); }
  SignatureAlgorithm signature_algorithm() const;
  Result<Bytes> sign(View message) const;
  // Code::unsupported when the key lies in hardware. The caller wipes what it gets (aead.hpp).
  Result<Bytes> pkcs8_der() const;
  Result<std::string> pkcs8_pem() const;

  const std::shared_ptr<evp_pkey_st>& handle() const { return handle_; }
  // For bridges of key stores: an EVP_PKEY that can sign, and its public part.
  static Result<PrivateKey> from_handle(std::shared_ptr<evp_pkey_st> handle);

 private:
  std::shared_ptr<evp_pkey_st> handle_;
  PublicKey public_;
};

// What a device may bring: P-256, P-384, Ed25519, or RSA of 2048 to 4096 bits with an odd exponent
// from 65537 to 2^64, a modulus that is odd, divisible by 8 in length, without small factors and
// without the fingerprint of the ROCA weakness (CVE-2017-15361). The error says which rule failed:
// Code::csr_key_weak. Needs no OpenSSL: works on SubjectPublicKeyInfo.
Status check_key_policy(View spki_der);

}  // namespace holdfast::crypto
