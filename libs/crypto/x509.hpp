// X.509 certificates (RFC 5280) as plain values, read by a strict DER reader of our own: one
// encoding of each certificate, none that another reader could see differently.
// Parsing only says what is written there; libs/crypto/verify.hpp says whether to believe it.
// Errors: Code::certificate_invalid, with what and where. Values; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/base/time.hpp"
#include "libs/crypto/hash.hpp"
#include "libs/crypto/key.hpp"

namespace holdfast::crypto {

inline constexpr std::size_t kCertificateBytesMax = 16 * 1024;
inline constexpr std::size_t kExtensionsMax = 64;

struct Extension {
  std::string oid;  // "2.5.29.15"
  bool critical = false;
  Bytes value;  // DER inside the OCTET STRING
  bool operator==(const Extension&) const = default;
};

// Bits of KeyUsage (RFC 5280 4.2.1.3), bit 0 lowest.
enum KeyUsage : std::uint16_t {
  kDigitalSignature = 1 << 0,
  kContentCommitment = 1 << 1,
  kKeyEncipherment = 1 << 2,
  kDataEncipherment = 1 << 3,
  kKeyAgreement = 1 << 4,
  kKeyCertSign = 1 << 5,
  kCrlSign = 1 << 6,
  kEncipherOnly = 1 << 7,
  kDecipherOnly = 1 << 8,
};

struct BasicConstraints {
  bool ca = false;
  std::optional<unsigned> path_length;
  bool operator==(const BasicConstraints&) const = default;
};

// Subject alternative names (RFC 5280 4.2.1.6); kinds that are not listed are counted only.
struct AlternativeNames {
  std::vector<std::string> dns;
  std::vector<std::string> addresses;  // "192.0.2.7", "2001:db8::1"
  std::vector<std::string> uris;
  std::vector<std::string> mails;
  std::size_t others = 0;
  bool empty() const {
    return dns.empty() && addresses.empty() && uris.empty() && mails.empty() && others == 0;
  }
  bool operator==(const AlternativeNames&) const = default;
};

inline constexpr std::string_view kOidServerAuth = "1.3.6.1.5.5.7.3.1";
inline constexpr std::string_view kOidClientAuth = "1.3.6.1.5.5.7.3.2";
inline constexpr std::string_view kOidOcspSigning = "1.3.6.1.5.5.7.3.9";
inline constexpr std::string_view kOidAnyUsage = "2.5.29.37.0";

struct Certificate {
  Bytes der;
  int version = 3;                    // 1, 2 or 3
  Bytes serial;                       // content of the INTEGER, as encoded (two's complement)
  std::string signature_oid;          // of the signature over the certificate
  Bytes subject_der, issuer_der;      // Name, with tag
  std::string subject, issuer;        // "CN=dev_01J9, O=Example" in the order of the encoding
  std::string subject_cn, issuer_cn;  // the last CN; "" when there is none
  WallTime not_before, not_after;
  Bytes spki_der;
  Sha256 fingerprint{};  // SHA-256 of `der`
  std::vector<Extension> extensions;
  // The known ones, decoded.
  std::optional<AlternativeNames> names;
  std::optional<std::uint16_t> key_usage;                  // KeyUsage bits
  std::optional<std::vector<std::string>> extended_usage;  // object identifiers
  std::optional<BasicConstraints> basic_constraints;
  Bytes subject_key_id, authority_key_id;  // empty when absent

  // Decoded on demand, since it costs more than all the rest.
  Result<PublicKey> public_key() const { return PublicKey::from_spki(spki_der); }
  bool is_ca() const { return basic_constraints && basic_constraints->ca; }
  bool self_issued() const { return subject_der == issuer_der; }
  const Extension* find(std::string_view oid) const;
};

Result<Certificate> parse_certificate(View der);
// From PEM: the blocks labelled CERTIFICATE, in order.
Result<std::vector<Bytes>> certificates_from_pem(std::string_view pem);
std::string certificates_to_pem(const std::vector<Bytes>& chain_der);

// Upper-case hex without leading zero bytes, as openssl prints it: "7F03A9...".
std::string serial_text(View serial);

}  // namespace holdfast::crypto
