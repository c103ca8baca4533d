#include "libs/crypto/csr.hpp"

#include "libs/crypto/der.hpp"
#include "libs/crypto/names.hpp"
#include "libs/crypto/oids.hpp"
#include "libs/crypto/spki.hpp"

namespace holdfast::crypto {
namespace {

constexpr std::string_view kOidChallengePassword = "1.2.840.113549.1.9.7";
constexpr std::string_view kOidExtensionRequest = "1.2.840.113549.1.9.14";

std::unexpected<Error> malformed(std::string why) {
  return fail(Code::csr_malformed, "certificate request: " + std::move(why));
}

Status parse_extension_request(der::Reader values, Csr& out) {
  out.extensions = TRY(parse_extensions(values));
  for (const Extension& extension : out.extensions) {
    if (extension.oid != kOidSubjectAltName) continue;
    out.names = TRY(parse_alternative_names(extension.value));
  }
  return {};
}

// RFC 2986 4.1: SET OF SEQUENCE { type, SET OF value }. Unknown attributes are listed and skipped.
Status parse_attributes(der::Reader list, Csr& out) {
  while (!list.done()) {
    if (out.attribute_oids.size() == kCsrAttributesMax) {
      return fail(Code::invalid_argument, "too many attributes");
    }
    der::Reader one = TRY(list.enter(der::kSequence, "attribute"));
    const std::string oid = TRY(der::oid_text(TRY(one.take(der::kOid, "attribute type"))));
    der::Reader values = TRY(one.enter(der::kSet, "attribute values"));
    TRY(one.end("attribute"));
    for (const std::string& earlier : out.attribute_oids) {
      if (earlier == oid)
        return fail(Code::invalid_argument, "attribute " + oid + " is there twice");
    }
    out.attribute_oids.push_back(oid);
    if (oid == kOidExtensionRequest) TRY(parse_extension_request(values, out));
    if (oid == kOidChallengePassword) {
      out.challenge_password = TRY(der::text(TRY(values.next())));
    }
  }
  return {};
}

struct Parts {
  View info, spki, signature;
  std::string signature_oid;
};

Result<Parts> parse_structure(View bytes, Csr& out) {
  if (bytes.size() > kCsrBytesMax) {
    return fail(Code::invalid_argument, "more than " + std::to_string(kCsrBytesMax) + " bytes");
  }
  der::Reader outer(bytes);
  der::Reader request = TRY(outer.enter(der::kSequence, "CertificationRequest"));
  TRY(outer.end("CertificationRequest"));
  Parts parts;
  const der::Element info = TRY(request.element(der::kSequence, "CertificationRequestInfo"));
  parts.info = info.whole;
  der::Reader fields(info.content);
  if (TRY(der::unsigned_integer(TRY(fields.take(der::kInteger, "version")))) != 0) {
    return fail(Code::invalid_argument, "no such version");
  }
  const View subject = TRY(fields.element(der::kSequence, "subject")).whole;
  DistinguishedName name = TRY(parse_name(subject));
  out.subject_der = der::copy(subject);
  out.subject = std::move(name.text);
  out.subject_cn = std::move(name.common_name);
  out.subject_serial = std::move(name.serial_number);
  parts.spki = TRY(fields.element(der::kSequence, "subjectPKInfo")).whole;
  // [0] IMPLICIT SET; some clients leave it out when it is empty.
  if (!fields.done()) {
    TRY(parse_attributes(TRY(fields.enter(der::explicit_tag(0), "attributes")), out));
  }
  TRY(fields.end("CertificationRequestInfo"));
  der::Reader algorithm = TRY(request.enter(der::kSequence, "signatureAlgorithm"));
  parts.signature_oid = TRY(der::oid_text(TRY(algorithm.take(der::kOid, "signatureAlgorithm"))));
  parts.signature = TRY(der::bit_string(TRY(request.take(der::kBitString, "signature"))));
  TRY(request.end("CertificationRequest"));
  return parts;
}

}  // namespace

Result<Csr> parse_csr(View bytes) {
  Csr out;
  auto parts = parse_structure(bytes, out);
  if (!parts) return malformed(parts.error().message);
  TRY(check_key_policy(parts->spki));
  auto key = PublicKey::from_spki(parts->spki);
  if (!key) return malformed(key.error().message);
  const auto algorithm = signature_algorithm_of(parts->signature_oid);
  if (!algorithm) {
    return malformed("signature algorithm " + parts->signature_oid +
                     " is not taken; use SHA-256 or stronger, or Ed25519");
  }
  if (!key->verify(*algorithm, parts->info, parts->signature)) {
    return malformed("its signature does not fit its key; sign it with the key inside");
  }
  out.key = *std::move(key);
  out.der = der::copy(bytes);
  return out;
}

Result<Bytes> make_csr(const CsrSpec& spec, const PrivateKey& key) {
  if (key.empty()) return fail(Code::invalid_argument, "a certificate request needs a key");
  const Bytes subject = spec.subject_der.empty()
                            ? put_name(spec.common_name, {}, spec.serial_number)
                            : spec.subject_der;
  TRY(parse_name(subject));
  std::vector<Bytes> attributes;
  if (!spec.names.empty()) {
    const Bytes names = TRY(put_alternative_names(spec.names));
    const Bytes extension =
        der::sequence({der::put_oid(kOidSubjectAltName), der::wrap(der::kOctetString, names)});
    attributes.push_back(der::sequence(
        {der::put_oid(kOidExtensionRequest), der::wrap(der::kSet, der::sequence({extension}))}));
  }
  if (!spec.challenge_password.empty()) {
    const Bytes value = der::wrap(der::kUtf8String, view_of(spec.challenge_password));
    attributes.push_back(
        der::sequence({der::put_oid(kOidChallengePassword), der::wrap(der::kSet, value)}));
  }
  std::sort(attributes.begin(), attributes.end());  // SET OF in DER (X.690 11.6)
  Bytes set;
  for (const Bytes& attribute : attributes) append(set, attribute);
  const Bytes info = der::sequence({der::put_integer(0), subject, key.public_key().spki_der(),
                                    der::wrap(der::explicit_tag(0), set)});
  const Bytes signature = TRY(key.sign(info));
  return der::sequence(
      {info, algorithm_identifier(key.signature_algorithm()), der::put_bit_string(signature)});
}

}  // namespace holdfast::crypto
