#include "libs/crypto/crl.hpp"

#include "libs/crypto/der.hpp"
#include "libs/crypto/oids.hpp"
#include "libs/crypto/spki.hpp"

namespace holdfast::crypto {
namespace {

constexpr std::uint8_t kEnumerated = 0x0A;

std::unexpected<Error> disbelieve(std::string why) {
  return fail(Code::certificate_invalid, "revocation list: " + std::move(why));
}

Bytes put_revoked(const RevokedCertificate& one) {
  const Bytes serial = der::put_unsigned(one.serial);
  const Bytes at = der::put_time(one.at);
  // RFC 5280 5.3.1: the reason should be absent instead of unspecified.
  if (one.reason == RevocationReason::unspecified) return der::sequence({serial, at});
  const std::uint8_t code[] = {static_cast<std::uint8_t>(one.reason)};
  const Bytes reason = put_extension(kOidReasonCode, false, der::wrap(kEnumerated, code));
  return der::sequence({serial, at, der::sequence({reason})});
}

RevocationReason reason_of(View value) {
  der::Reader reader(value);
  const auto code = reader.take(kEnumerated, "reasonCode");
  if (!code || code->size() != 1) return RevocationReason::unspecified;
  switch ((*code)[0]) {
    case 1:
      return RevocationReason::key_compromise;
    case 4:
      return RevocationReason::superseded;
    case 5:
      return RevocationReason::cessation_of_operation;
    default:
      return RevocationReason::unspecified;
  }
}

Result<RevokedCertificate> parse_revoked(der::Reader& list) {
  der::Reader entry = TRY(list.enter(der::kSequence, "revokedCertificate"));
  RevokedCertificate out;
  out.serial = der::copy(TRY(der::integer(TRY(entry.take(der::kInteger, "serial")))));
  out.at = TRY(der::time(TRY(entry.next())));
  if (!entry.done()) {
    for (const Extension& one : TRY(parse_extensions(entry))) {
      if (one.oid == kOidReasonCode) out.reason = reason_of(one.value);
      if (one.oid != kOidReasonCode && one.critical) {
        return fail(Code::unsupported, "critical CRL entry extension " + one.oid);
      }
    }
  }
  TRY(entry.end("revokedCertificate"));
  return out;
}

Status read_extensions(der::Reader& body, Crl& out) {
  if (body.peek() != der::explicit_tag(0)) return {};
  der::Reader tagged = TRY(body.enter(der::explicit_tag(0), "crlExtensions"));
  for (const Extension& one : TRY(parse_extensions(tagged))) {
    der::Reader value(one.value);
    if (one.oid == kOidCrlNumber) {
      out.number = TRY(der::unsigned_integer(TRY(value.take(der::kInteger, "cRLNumber"))));
    } else if (one.oid == kOidAuthorityKeyId) {
      der::Reader authority = TRY(value.enter(der::kSequence, "authorityKeyIdentifier"));
      if (authority.peek() == der::context_tag(0)) {
        out.authority_key_id = der::copy(TRY(authority.take(der::context_tag(0), "keyIdentifier")));
      }
    } else if (one.critical) {
      return fail(Code::unsupported, "critical CRL extension " + one.oid);
    }
  }
  return tagged.end("crlExtensions");
}

Status parse_body(View body_der, Crl& out) {
  der::Reader outer(body_der);
  der::Reader body = TRY(outer.enter(der::kSequence, "tbsCertList"));
  if (TRY(der::unsigned_integer(TRY(body.take(der::kInteger, "version")))) != 1) {
    return fail(Code::unsupported, "a CRL of another version than 2");
  }
  der::Reader algorithm = TRY(body.enter(der::kSequence, "signature"));
  out.signature_oid = TRY(der::oid_text(TRY(algorithm.take(der::kOid, "algorithm"))));
  out.issuer_der = der::copy(TRY(body.element(der::kSequence, "issuer")).whole);
  out.this_update = TRY(der::time(TRY(body.next())));
  if (body.peek() == der::kUtcTime || body.peek() == der::kGeneralizedTime) {
    out.next_update = TRY(der::time(TRY(body.next())));
  }
  if (body.peek() == der::kSequence) {
    der::Reader list = TRY(body.enter(der::kSequence, "revokedCertificates"));
    while (!list.done()) {
      if (out.revoked.size() == kCrlEntriesMax) {
        return fail(Code::invalid_argument, "more than 1,000,000 entries in a CRL");
      }
      out.revoked.push_back(TRY(parse_revoked(list)));
    }
  }
  TRY(read_extensions(body, out));
  return body.end("tbsCertList");
}

}  // namespace

Result<Bytes> make_crl(const CrlSpec& spec, const Issuer& issuer) {
  const Certificate& ca = issuer.certificate;
  if (!ca.is_ca() || !ca.key_usage || (*ca.key_usage & kCrlSign) == 0) {
    return fail(Code::invalid_argument, "\"" + ca.subject + "\" may not sign revocation lists");
  }
  if (spec.next_update <= spec.this_update) {
    return fail(Code::invalid_argument, "a revocation list must live for a while");
  }
  if (spec.revoked.size() > kCrlEntriesMax) {
    return fail(Code::invalid_argument, "more than 1,000,000 entries in a CRL");
  }
  Bytes entries;
  for (const RevokedCertificate& one : spec.revoked) append(entries, put_revoked(one));
  // RFC 5280 5.1.2.6: the list is absent when nothing is revoked.
  const Bytes list = entries.empty() ? Bytes() : der::wrap(der::kSequence, entries);
  const Bytes authority = der::sequence({der::wrap(der::context_tag(0), ca.subject_key_id)});
  const Bytes extensions =
      der::sequence({put_extension(kOidAuthorityKeyId, false, authority),
                     put_extension(kOidCrlNumber, false, der::put_integer(spec.number))});
  const Bytes algorithm = algorithm_identifier(issuer.key.signature_algorithm());
  const Bytes body = der::sequence(
      {der::put_integer(1), algorithm, ca.subject_der, der::put_time(spec.this_update),
       der::put_time(spec.next_update), list, der::wrap(der::explicit_tag(0), extensions)});
  const Bytes signature = TRY(issuer.key.sign(body));
  return der::sequence({body, algorithm, der::put_bit_string(signature)});
}

Result<Crl> parse_crl(View der) {
  if (der.size() > kCrlBytesMax) return fail(Code::invalid_argument, "a CRL above 64 MiB");
  der::Reader outer(der);
  der::Reader list = TRY(outer.enter(der::kSequence, "CertificateList"));
  TRY(outer.end("CertificateList"));
  Crl out;
  out.body_der = der::copy(TRY(list.element(der::kSequence, "tbsCertList")).whole);
  TRY(parse_body(out.body_der, out));
  der::Reader algorithm = TRY(list.enter(der::kSequence, "signatureAlgorithm"));
  if (TRY(der::oid_text(TRY(algorithm.take(der::kOid, "algorithm")))) != out.signature_oid) {
    return fail(Code::invalid_argument, "a CRL whose two signature algorithms differ");
  }
  out.signature = der::copy(TRY(der::bit_string(TRY(list.take(der::kBitString, "signature")))));
  TRY(list.end("CertificateList"));
  return out;
}

Status check_crl(const Crl& crl, const Certificate& issuer, WallTime now) {
  if (crl.issuer_der != issuer.subject_der) return disbelieve("it is of another issuer");
  if (!crl.number) return disbelieve("it has no cRLNumber");
  if (crl.authority_key_id.empty() || crl.authority_key_id != issuer.subject_key_id) {
    return disbelieve("its authority key identifier is not the issuer's");
  }
  if (!issuer.is_ca() || !issuer.key_usage || (*issuer.key_usage & kCrlSign) == 0) {
    return disbelieve("its issuer may not sign revocation lists");
  }
  if (!crl.next_update) return disbelieve("it does not say when the next one comes");
  if (now < crl.this_update) return disbelieve("it is from the future");
  if (now >= *crl.next_update) return disbelieve("it ended at " + to_rfc3339(*crl.next_update));
  const auto algorithm = signature_algorithm_of(crl.signature_oid);
  if (!algorithm) return disbelieve("it is signed with " + crl.signature_oid);
  const PublicKey key = TRY(issuer.public_key());
  if (!key.verify(*algorithm, crl.body_der, crl.signature)) {
    return disbelieve("its signature is not the issuer's");
  }
  return {};
}

}  // namespace holdfast::crypto
