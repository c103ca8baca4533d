// Issues certificates of our profiles (RFC 5280): the to-be-signed bytes are written directly, then
// signed once, because a fleet that renews at once needs a thousand a second from one core.
// Every certificate has version 3, a positive serial, SKI and AKI (RFC 5280 4.2.1.1, method 1 of
// 4.2.1.2), critical basicConstraints and keyUsage, and no extension that its request asked for.
// Errors: Code::invalid_argument for a specification that no certificate may have. Thread-safe.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "libs/crypto/x509.hpp"

namespace holdfast::crypto {

enum class Profile {
  root_ca,         // keyCertSign, cRLSign; any path length
  issuing_ca,      // the same, path length 0
  server,          // digitalSignature, serverAuth; needs a DNS name or address
  device,          // digitalSignature, clientAuth
  ocsp_responder,  // digitalSignature, OCSPSigning; give it ocsp_no_check() (RFC 6960 4.2.2.2.1)
};

struct CertificateRequestSpec {
  Profile profile = Profile::device;
  Bytes serial;                    // from make_serial()
  std::string common_name;         // UTF-8, 1 to 64 bytes
  std::string organisation;        // may be empty
  WallTime not_before, not_after;  // whole seconds count; both inside 1950 to 9999
  AlternativeNames names;
  std::vector<Extension> extensions;  // more of them; none of those written by the profile
};

struct Issuer {
  Certificate certificate;
  PrivateKey key;
};

inline constexpr std::size_t kSerialBytes = 16;
// Positive, always 16 bytes with 126 bits of the randomness given.
Bytes make_serial(std::span<const std::uint8_t, kSerialBytes> random);

// Where verifiers find the issuer's CRL, its OCSP responder and its certificate (RFC 5280 4.2.1.13,
// 4.2.2.1). URLs are ASCII.
Extension crl_distribution_point(std::string_view url);
Extension authority_access(std::string_view ocsp_url, std::string_view issuer_url);
Extension ocsp_no_check();

// The certificate's DER. Refuses a validity that leaves the issuer's, an issuer that is no CA or
// whose key is not the issuer certificate's, and names that no certificate may carry.
Result<Bytes> issue_certificate(const CertificateRequestSpec& spec, const PublicKey& subject,
                                const Issuer& issuer);
// Self-signed; profile root_ca.
Result<Bytes> make_root(const CertificateRequestSpec& spec, const PrivateKey& key);

}  // namespace holdfast::crypto
