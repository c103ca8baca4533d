// Certificate revocation lists, version 2 (RFC 5280 5), written and judged. A list of ours always
// carries authorityKeyIdentifier and cRLNumber, which RFC 5280 5.2 demands and plain OpenSSL does
// not miss.
// Errors: Code::invalid_argument for what cannot be read or written, Code::certificate_invalid for
// a list not to be believed. Pure, but for the signature; thread-safe.
#pragma once

#include <optional>
#include <vector>

#include "libs/crypto/issue.hpp"

namespace holdfast::crypto {

inline constexpr std::size_t kCrlBytesMax = 64 * 1024 * 1024;
inline constexpr std::size_t kCrlEntriesMax = 1'000'000;

// CRLReason (RFC 5280 5.3.1), as far as we say them. `unspecified` is said by leaving it out.
enum class RevocationReason : std::uint8_t {
  unspecified = 0,
  key_compromise = 1,
  superseded = 4,
  cessation_of_operation = 5,
};

struct RevokedCertificate {
  Bytes serial;
  WallTime at;  // whole seconds count
  RevocationReason reason = RevocationReason::unspecified;
};

struct CrlSpec {
  std::uint64_t number = 0;  // rises with each list of this issuer
  WallTime this_update, next_update;
  std::vector<RevokedCertificate> revoked;
};
// The list's DER, signed by the issuer, which must be a CA with cRLSign.
Result<Bytes> make_crl(const CrlSpec& spec, const Issuer& issuer);

struct Crl {
  Bytes issuer_der;
  Bytes authority_key_id;
  std::optional<std::uint64_t> number;
  WallTime this_update;
  std::optional<WallTime> next_update;
  std::vector<RevokedCertificate> revoked;  // reasons that are not ours read as unspecified
  Bytes body_der, signature;
  std::string signature_oid;
};
Result<Crl> parse_crl(View der);
// Version 2, number and authority key identifier there, of this issuer, signed by it, not past its
// next update at `now`.
Status check_crl(const Crl& crl, const Certificate& issuer, WallTime now);

}  // namespace holdfast::crypto
