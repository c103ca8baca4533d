#include "libs/crypto/ocsp.hpp"

#include "libs/crypto/der.hpp"
#include "libs/crypto/oids.hpp"
#include "libs/crypto/openssl.hpp"
#include "libs/crypto/spki.hpp"

namespace holdfast::crypto {
namespace {

constexpr std::string_view kOidSha1 = "1.3.14.3.2.26";
constexpr std::string_view kOidSha256 = "2.16.840.1.101.3.4.2.1";
constexpr std::string_view kOidBasicResponse = "1.3.6.1.5.5.7.48.1.1";
constexpr std::string_view kOidNonce = "1.3.6.1.5.5.7.48.1.2";
constexpr std::uint8_t kOcspEnumerated = 0x0A;

std::unexpected<Error> unreadable(std::string why) {
  return fail(Code::malformed_body, "OCSP request: " + std::move(why));
}

Result<OcspCertId> parse_cert_id(der::Reader& from) {
  const der::Element whole = TRY(from.element(der::kSequence, "CertID"));
  der::Reader id(whole.content);
  OcspCertId out;
  out.der = der::copy(whole.whole);
  der::Reader algorithm = TRY(id.enter(der::kSequence, "hashAlgorithm"));
  out.hash_oid = TRY(der::oid_text(TRY(algorithm.take(der::kOid, "algorithm"))));
  out.issuer_name_hash = der::copy(TRY(id.take(der::kOctetString, "issuerNameHash")));
  out.issuer_key_hash = der::copy(TRY(id.take(der::kOctetString, "issuerKeyHash")));
  out.serial = der::copy(TRY(der::integer(TRY(id.take(der::kInteger, "serialNumber")))));
  TRY(id.end("CertID"));
  return out;
}

Result<OcspRequest> parse_request(View der) {
  der::Reader outer(der);
  der::Reader request = TRY(outer.enter(der::kSequence, "OCSPRequest"));
  TRY(outer.end("OCSPRequest"));
  der::Reader body = TRY(request.enter(der::kSequence, "TBSRequest"));
  if (request.peek() == der::explicit_tag(0)) TRY(request.next());  // its signature
  TRY(request.end("OCSPRequest"));
  if (body.peek() == der::explicit_tag(0)) {
    der::Reader version = TRY(body.enter(der::explicit_tag(0), "version"));
    if (TRY(der::unsigned_integer(TRY(version.take(der::kInteger, "version")))) != 0) {
      return unreadable("another version than 1");
    }
  }
  if (body.peek() == der::explicit_tag(1)) TRY(body.next());  // requestorName: no one is asked
  OcspRequest out;
  der::Reader list = TRY(body.enter(der::kSequence, "requestList"));
  while (!list.done()) {
    if (out.certificates.size() == kOcspCertificatesMax) {
      return unreadable("more than 16 certificates at once");
    }
    der::Reader one = TRY(list.enter(der::kSequence, "Request"));
    out.certificates.push_back(TRY(parse_cert_id(one)));
    if (one.peek() == der::explicit_tag(0)) TRY(one.next());  // extensions of a single request
    TRY(one.end("Request"));
  }
  if (out.certificates.empty()) return unreadable("it names no certificate");
  if (body.peek() == der::explicit_tag(2)) {
    der::Reader tagged = TRY(body.enter(der::explicit_tag(2), "requestExtensions"));
    for (const Extension& one : TRY(parse_extensions(tagged))) {
      if (one.oid != kOidNonce) continue;
      der::Reader value(one.value);
      out.nonce = der::copy(TRY(value.take(der::kOctetString, "nonce")));
      TRY(value.end("nonce"));
      if (out.nonce->empty() || out.nonce->size() > kOcspNonceBytesMax) {
        return unreadable("its nonce has not 1 to 128 bytes");
      }
    }
    TRY(tagged.end("requestExtensions"));
  }
  TRY(body.end("TBSRequest"));
  return out;
}

// OCSP knows GeneralizedTime only (RFC 6960 4.2.1), without fractions: "20310102030405Z".
Bytes put_generalized(WallTime time) {
  std::string text = to_rfc3339(WallTime{time.us / 1'000'000 * 1'000'000});
  text = text.substr(0, 19);
  std::erase_if(text, [](char c) { return c == '-' || c == ':' || c == 'T'; });
  return der::wrap(der::kGeneralizedTime, view_of(text + "Z"));
}

Bytes sha1(View bytes) {
  Bytes out(20);
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, EVP_sha1(), nullptr);
  return out;
}

Bytes put_status(const OcspAnswer& answer) {
  switch (answer.status) {
    case OcspStatus::good:
      return der::wrap(der::context_tag(0), View());
    case OcspStatus::unknown:
      return der::wrap(der::context_tag(2), View());
    case OcspStatus::revoked:
      break;
  }
  Bytes info = put_generalized(answer.revoked_at);
  if (answer.reason != RevocationReason::unspecified) {
    const std::uint8_t code[] = {static_cast<std::uint8_t>(answer.reason)};
    append(info, der::wrap(der::explicit_tag(0), der::wrap(kOcspEnumerated, code)));
  }
  return der::wrap(der::explicit_tag(1), info);
}

}  // namespace

Result<OcspRequest> parse_ocsp_request(View der) {
  if (der.size() > kOcspRequestBytesMax) return unreadable("above 4 KiB");
  auto parsed = parse_request(der);
  if (!parsed && parsed.error().code != Code::malformed_body) {
    return unreadable(parsed.error().message);
  }
  return parsed;
}

bool names_issuer(const OcspCertId& id, const Certificate& issuer) {
  const auto spki = parse_spki_key_bits(issuer.spki_der);
  if (!spki) return false;
  if (id.hash_oid == kOidSha1) {
    return id.issuer_name_hash == sha1(issuer.subject_der) && id.issuer_key_hash == sha1(*spki);
  }
  if (id.hash_oid != kOidSha256) return false;
  return id.issuer_name_hash == hash(Digest::sha256, issuer.subject_der) &&
         id.issuer_key_hash == hash(Digest::sha256, *spki);
}

Result<Bytes> make_ocsp_response(const OcspAnswers& answers, const Issuer& responder) {
  const Bytes this_update = put_generalized(answers.this_update);
  const Bytes next_update = der::wrap(der::explicit_tag(0), put_generalized(answers.next_update));
  Bytes all;
  for (const OcspAnswer& one : answers.answers) {
    append(all, der::sequence({one.cert_id_der, put_status(one), this_update, next_update}));
  }
  Bytes extensions;
  if (answers.nonce) {
    const Bytes nonce =
        put_extension(kOidNonce, false, der::wrap(der::kOctetString, *answers.nonce));
    extensions = der::wrap(der::explicit_tag(1), der::sequence({nonce}));
  }
  const Bytes by_name = der::wrap(der::explicit_tag(1), responder.certificate.subject_der);
  const Bytes body =
      der::sequence({by_name, this_update, der::wrap(der::kSequence, all), extensions});
  const Bytes signature = TRY(responder.key.sign(body));
  const Bytes certificates =
      responder.certificate.is_ca()
          ? Bytes()
          : der::wrap(der::explicit_tag(0), der::sequence({responder.certificate.der}));
  const Bytes basic =
      der::sequence({body, algorithm_identifier(responder.key.signature_algorithm()),
                     der::put_bit_string(signature), certificates});
  const Bytes bytes =
      der::sequence({der::put_oid(kOidBasicResponse), der::wrap(der::kOctetString, basic)});
  const std::uint8_t successful[] = {0};
  return der::sequence(
      {der::wrap(kOcspEnumerated, successful), der::wrap(der::explicit_tag(0), bytes)});
}

Bytes make_ocsp_failure(OcspFailure failure) {
  const std::uint8_t code[] = {static_cast<std::uint8_t>(failure)};
  return der::sequence({der::wrap(kOcspEnumerated, code)});
}

}  // namespace holdfast::crypto
