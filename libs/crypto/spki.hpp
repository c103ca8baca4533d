// SubjectPublicKeyInfo (RFC 5280 4.1, RFC 5480, RFC 8410, RFC 3279) taken apart, without OpenSSL.
// Views lie inside the input. Errors: Code::invalid_argument, Code::unsupported. Pure.
// Private to libs/crypto.
#pragma once

#include "libs/base/bytes.hpp"
#include "libs/crypto/key.hpp"

namespace holdfast::crypto {

struct Spki {
  KeyAlgorithm algorithm = KeyAlgorithm::p256;
  unsigned bits = 0;
  View point;              // P-256, P-384: uncompressed or compressed; Ed25519: 32 bytes
  View modulus, exponent;  // RSA: big-endian magnitudes
};

Result<Spki> parse_spki(View der);

// The content of the key's BIT STRING: what key identifiers are digests of.
Result<View> parse_spki_key_bits(View spki_der);

// The object identifier of a signature algorithm, and its AlgorithmIdentifier in DER.
std::string_view oid_of(SignatureAlgorithm algorithm);
std::optional<SignatureAlgorithm> signature_algorithm_of(std::string_view oid);
Bytes algorithm_identifier(SignatureAlgorithm algorithm);

}  // namespace holdfast::crypto
