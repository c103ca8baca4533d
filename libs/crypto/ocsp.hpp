// The responder's side of OCSP (RFC 6960): requests read, answers written and signed. Nonces as
// RFC 9654; certificate ids by SHA-1 (what every client sends, as a name, not as a proof) or
// SHA-256.
// Errors: Code::malformed_body, Code::invalid_argument. Pure, but for the signature; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/crypto/crl.hpp"

namespace holdfast::crypto {

inline constexpr std::size_t kOcspRequestBytesMax = 4 * 1024;
inline constexpr std::size_t kOcspCertificatesMax = 16;  // in one request
inline constexpr std::size_t kOcspNonceBytesMax = 128;

struct OcspCertId {
  Bytes der;  // as asked: the answer repeats it
  std::string hash_oid;
  Bytes issuer_name_hash, issuer_key_hash;
  Bytes serial;  // content of the INTEGER
};

struct OcspRequest {
  std::vector<OcspCertId> certificates;  // 1 to kOcspCertificatesMax
  std::optional<Bytes> nonce;            // 1 to kOcspNonceBytesMax bytes
};
// A signature on the request is not looked at: answers are for everyone.
Result<OcspRequest> parse_ocsp_request(View der);
// Does the id name a certificate of this issuer?
bool names_issuer(const OcspCertId& id, const Certificate& issuer);

enum class OcspStatus { good, revoked, unknown };
struct OcspAnswer {
  Bytes cert_id_der;
  OcspStatus status = OcspStatus::unknown;
  WallTime revoked_at;
  RevocationReason reason = RevocationReason::unspecified;
};
struct OcspAnswers {
  std::vector<OcspAnswer> answers;
  WallTime this_update, next_update;
  std::optional<Bytes> nonce;
};
// Signed by the issuer itself or by one whom it has delegated (Profile::ocsp_responder), whose
// certificate then goes with it.
Result<Bytes> make_ocsp_response(const OcspAnswers& answers, const Issuer& responder);

// An answer that says only why there is none; unsigned (RFC 6960 4.2.1).
enum class OcspFailure : std::uint8_t {
  malformed_request = 1,
  internal_error = 2,
  try_later = 3,
  unauthorized = 6
};
Bytes make_ocsp_failure(OcspFailure failure);

}  // namespace holdfast::crypto
