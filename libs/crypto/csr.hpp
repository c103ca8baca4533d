// Certification requests, PKCS#10 (RFC 2986): what a device sends to be certified.
// Pure, but for the signature check; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "libs/crypto/x509.hpp"

namespace holdfast::crypto {

inline constexpr std::size_t kCsrBytesMax = 16 * 1024;
inline constexpr std::size_t kCsrAttributesMax = 32;

struct Csr {
  Bytes der;
  Bytes subject_der;
  std::string subject, subject_cn;  // suggestions: whoever issues decides on names
  std::string subject_serial;       // serialNumber (2.5.4.5), "" when absent
  PublicKey key;
  std::optional<AlternativeNames> names;    // asked for; never copied
  std::vector<Extension> extensions;        // asked for; never copied
  std::string challenge_password;           // PKCS#9 (RFC 2985 5.4.1), "" when absent
  std::vector<std::string> attribute_oids;  // all of them, in order
};

// Reads the request, checks proof of possession (its signature fits its key, SHA-256 or stronger)
// and check_key_policy(). Errors: Code::csr_malformed, Code::csr_key_weak; each says which rule
// failed.
Result<Csr> parse_csr(View der);

struct CsrSpec {
  std::string common_name = {};
  std::string serial_number = {};  // of the device (2.5.4.5), "" for none
  Bytes subject_der = {};  // used instead of both when not empty: re-enrolment keeps the subject
  AlternativeNames names = {};
  std::string challenge_password = {};  // "" for none
};
Result<Bytes> make_csr(const CsrSpec& spec, const PrivateKey& key);

}  // namespace holdfast::crypto
