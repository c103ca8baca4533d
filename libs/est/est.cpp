#include "libs/est/est.hpp"

#include "libs/crypto/cms.hpp"
#include "libs/crypto/pem.hpp"

namespace holdfast::est {
namespace {

// Asn1 of RFC 7030 4.5.2: SEQUENCE { ecdsa-with-SHA256, Attribute { id-ecPublicKey, { P-256 } } }.
constexpr std::uint8_t kCsrAttributes[] = {0x30, 0x21, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D,
                                           0x04, 0x03, 0x02, 0x30, 0x15, 0x06, 0x07, 0x2A, 0x86,
                                           0x48, 0xCE, 0x3D, 0x02, 0x01, 0x31, 0x0A, 0x06, 0x08,
                                           0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
constexpr std::size_t kLibestColumns = 64;

// What every structure here starts with: a SEQUENCE longer than 127 bytes. The second byte is none
// of base64's, so the two cannot be mistaken.
bool looks_like_der(View body) {
  return body.size() > 2 && body[0] == 0x30 && body[1] >= 0x80;
}

// Base64, PEM or DER to bytes; a PEM label must end with `label`. Failures get the code `code`.
Result<Bytes> decode(View body, std::string_view label, Code code) {
  const auto malformed = [code](std::string why) { return fail(code, std::move(why)); };
  if (looks_like_der(body)) return Bytes(body.begin(), body.end());
  const std::string_view text = text_of(body);
  if (!text.contains("-----BEGIN ")) {
    auto flat = from_base64(text);
    if (!flat) return malformed("the body is neither base64 nor DER");
    if (flat->empty()) return malformed("the body is empty");
    return flat;
  }
  auto blocks = crypto::parse_pem(text);
  if (!blocks) return malformed(blocks.error().message);
  for (crypto::PemBlock& block : *blocks) {
    if (block.label.ends_with(label)) return std::move(block.der);
  }
  return malformed("the body holds no PEM block \"" + std::string(label) + "\"");
}

}  // namespace

Result<Bytes> parse_request_body(View body) {
  if (body.size() > kRequestBytesMax) {
    return fail(Code::body_too_large,
                "a certificate request has at most " + std::to_string(kRequestBytesMax) + " bytes");
  }
  // "NEW CERTIFICATE REQUEST" too.
  return decode(body, "CERTIFICATE REQUEST", Code::csr_malformed);
}

Result<crypto::Csr> parse_enrolment(View body) {
  return crypto::parse_csr(TRY(parse_request_body(body)));
}

std::string encode_body(View der, std::string_view user_agent) {
  if (user_agent.starts_with("libest")) return crypto::to_base64_lines(der, kLibestColumns);
  return to_base64(der) + "\n";
}

std::string certificates_body(const std::vector<Bytes>& certificates_der,
                              std::string_view user_agent) {
  return encode_body(crypto::make_certs_only(certificates_der), user_agent);
}

std::string csr_attributes_body(std::string_view user_agent) {
  return encode_body(kCsrAttributes, user_agent);
}

std::string enrolment_body(View csr_der) {
  return crypto::to_base64_lines(csr_der, kLibestColumns);
}

Result<std::vector<Bytes>> parse_certificates_body(View body) {
  const Bytes der = TRY(decode(body, "PKCS7", Code::invalid_argument));
  auto found = TRY(crypto::parse_certs_only(der));
  if (found.empty()) return fail(Code::invalid_argument, "the answer holds no certificate");
  return found;
}

}  // namespace holdfast::est
