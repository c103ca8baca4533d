// EST bodies (RFC 7030 with the corrections of RFC 8951), for both ends: what libest, strongSwan
// and curl with openssl send and want, and nothing about HTTP beyond content types. Pure;
// thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/crypto/csr.hpp"

namespace holdfast::est {

inline constexpr std::string_view kRoot = "/.well-known/est";
inline constexpr std::string_view kTypePkcs10 = "application/pkcs10";
inline constexpr std::string_view kTypeCertificates = "application/pkcs7-mime";  // cacerts
inline constexpr std::string_view kTypeCertsOnly = "application/pkcs7-mime; smime-type=certs-only";
inline constexpr std::string_view kTypeCsrAttributes = "application/csrattrs";
inline constexpr std::size_t kRequestBytesMax = 32 * 1024;  // answered 413 by the header alone

// The DER of a request body: base64 wrapped or not, LF or CRLF, with or without a last newline,
// with PEM armour around it, or bare DER. Code::csr_malformed says what is wrong.
Result<Bytes> parse_request_body(View body);
// The whole way: body, then crypto::parse_csr().
Result<crypto::Csr> parse_enrolment(View body);

// One line and LF; lines of 64 columns when the User-Agent starts with "libest", whose reader needs
// them (strongSwan fails on them, so there is no form that suits all).
std::string encode_body(View der, std::string_view user_agent);
// The body of cacerts, simpleenroll and simplereenroll.
std::string certificates_body(const std::vector<Bytes>& certificates_der,
                              std::string_view user_agent);
// CsrAttrs (RFC 7030 4.5.2, RFC 9908): an EC P-256 key and SHA-256 with ECDSA.
std::string csr_attributes_body(std::string_view user_agent);

// ---- the device's side

std::string enrolment_body(View csr_der);
// The certificates of an answer (certs-only), in order; at least one.
Result<std::vector<Bytes>> parse_certificates_body(View body);

}  // namespace holdfast::est
