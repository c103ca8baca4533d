#include "libs/crypto/x509.hpp"

#include "libs/crypto/der.hpp"
#include "libs/crypto/names.hpp"
#include "libs/crypto/oids.hpp"
#include "libs/crypto/pem.hpp"

namespace holdfast::crypto {
namespace {

// Every refusal inside a certificate gets the same code and keeps its reason.
std::unexpected<Error> refuse(Error error) {
  return fail(Code::certificate_invalid, "certificate: " + error.message);
}

Result<std::uint16_t> parse_key_usage(View value) {
  der::Reader reader(value);
  const View content = TRY(reader.take(der::kBitString, "keyUsage"));
  TRY(reader.end("keyUsage"));
  if (content.size() < 2 || content.size() > 3 || content[0] > 7) {
    return fail(Code::invalid_argument, "keyUsage has no bits, or too many");
  }
  std::uint16_t usage = 0;
  for (std::size_t bit = 0; bit < (content.size() - 1) * 8; ++bit) {
    const bool set = (content[1 + bit / 8] & (0x80U >> (bit % 8))) != 0;
    if (set && bit > 8) return fail(Code::invalid_argument, "keyUsage has unknown bits");
    if (set) usage = static_cast<std::uint16_t>(usage | (1U << bit));
  }
  return usage;
}

Result<std::vector<std::string>> parse_extended_usage(View value) {
  der::Reader outer(value);
  der::Reader list = TRY(outer.enter(der::kSequence, "extendedKeyUsage"));
  TRY(outer.end("extendedKeyUsage"));
  std::vector<std::string> usages;
  while (!list.done()) {
    if (usages.size() == kExtensionsMax) {
      return fail(Code::invalid_argument, "extendedKeyUsage is too long");
    }
    usages.push_back(TRY(der::oid_text(TRY(list.take(der::kOid, "purpose")))));
  }
  return usages;
}

Result<BasicConstraints> parse_basic_constraints(View value) {
  der::Reader outer(value);
  der::Reader fields = TRY(outer.enter(der::kSequence, "basicConstraints"));
  TRY(outer.end("basicConstraints"));
  BasicConstraints out;
  if (fields.peek() == der::kBoolean) {
    out.ca = TRY(der::boolean(TRY(fields.take(der::kBoolean, "cA"))));
  }
  if (fields.peek() == der::kInteger) {
    const auto length = TRY(der::unsigned_integer(TRY(fields.take(der::kInteger, "path length"))));
    if (!out.ca || length > 255) {
      return fail(Code::invalid_argument, "basicConstraints has a path length that means nothing");
    }
    out.path_length = static_cast<unsigned>(length);
  }
  TRY(fields.end("basicConstraints"));
  return out;
}

Result<Bytes> parse_subject_key_id(View value) {
  der::Reader reader(value);
  const View id = TRY(reader.take(der::kOctetString, "subjectKeyIdentifier"));
  TRY(reader.end("subjectKeyIdentifier"));
  return der::copy(id);
}

// Only [0] keyIdentifier matters to us; issuer and serial are skipped.
Result<Bytes> parse_authority_key_id(View value) {
  der::Reader outer(value);
  der::Reader fields = TRY(outer.enter(der::kSequence, "authorityKeyIdentifier"));
  TRY(outer.end("authorityKeyIdentifier"));
  Bytes id;
  while (!fields.done()) {
    const der::Element one = TRY(fields.next());
    if (one.tag == der::context_tag(0)) id = der::copy(one.content);
  }
  return id;
}

Status decode_known(Certificate& out, const Extension& extension) {
  if (extension.oid == kOidSubjectAltName) {
    out.names = TRY(parse_alternative_names(extension.value));
  } else if (extension.oid == kOidKeyUsage) {
    out.key_usage = TRY(parse_key_usage(extension.value));
  } else if (extension.oid == kOidExtendedKeyUsage) {
    out.extended_usage = TRY(parse_extended_usage(extension.value));
  } else if (extension.oid == kOidBasicConstraints) {
    out.basic_constraints = TRY(parse_basic_constraints(extension.value));
  } else if (extension.oid == kOidSubjectKeyId) {
    out.subject_key_id = TRY(parse_subject_key_id(extension.value));
  } else if (extension.oid == kOidAuthorityKeyId) {
    out.authority_key_id = TRY(parse_authority_key_id(extension.value));
  }
  return {};
}

Status parse_name_field(der::Reader& body, std::string_view what, Bytes& der, std::string& text,
                        std::string& common_name) {
  const View whole = TRY(body.element(der::kSequence, what)).whole;
  DistinguishedName name = TRY(parse_name(whole));
  der = der::copy(whole);
  text = std::move(name.text);
  common_name = std::move(name.common_name);
  return {};
}

Status parse_validity(der::Reader& body, Certificate& out) {
  der::Reader validity = TRY(body.enter(der::kSequence, "validity"));
  out.not_before = TRY(der::time(TRY(validity.next())));
  out.not_after = TRY(der::time(TRY(validity.next())));
  return validity.end("validity");
}

// RFC 5280 4.1: TBSCertificate.
Status parse_body(der::Reader body, Certificate& out) {
  out.version = 1;
  if (body.peek() == der::explicit_tag(0)) {
    der::Reader version = TRY(body.enter(der::explicit_tag(0), "version"));
    const auto number = TRY(der::unsigned_integer(TRY(version.take(der::kInteger, "version"))));
    TRY(version.end("version"));
    if (number < 1 || number > 2) return fail(Code::invalid_argument, "no such version");
    out.version = static_cast<int>(number) + 1;
  }
  out.serial = der::copy(TRY(der::integer(TRY(body.take(der::kInteger, "serialNumber")))));
  der::Reader algorithm = TRY(body.enter(der::kSequence, "signature"));
  out.signature_oid = TRY(der::oid_text(TRY(algorithm.take(der::kOid, "signature"))));
  TRY(parse_name_field(body, "issuer", out.issuer_der, out.issuer, out.issuer_cn));
  TRY(parse_validity(body, out));
  TRY(parse_name_field(body, "subject", out.subject_der, out.subject, out.subject_cn));
  out.spki_der = der::copy(TRY(body.element(der::kSequence, "subjectPublicKeyInfo")).whole);
  for (const unsigned unique_id : {1U, 2U}) {
    if (body.peek() == der::context_tag(unique_id)) TRY(body.next());
  }
  if (body.peek() == der::explicit_tag(3)) {
    der::Reader wrapped = TRY(body.enter(der::explicit_tag(3), "extensions"));
    out.extensions = TRY(parse_extensions(wrapped));
    TRY(wrapped.end("extensions"));
    if (out.version != 3) return fail(Code::invalid_argument, "extensions need version 3");
    for (const Extension& extension : out.extensions) TRY(decode_known(out, extension));
  }
  return body.end("TBSCertificate");
}

Status parse_whole(View bytes, Certificate& out) {
  if (bytes.size() > kCertificateBytesMax) {
    return fail(Code::invalid_argument,
                "more than " + std::to_string(kCertificateBytesMax) + " bytes");
  }
  der::Reader outer(bytes);
  der::Reader fields = TRY(outer.enter(der::kSequence, "Certificate"));
  TRY(outer.end("Certificate"));
  const der::Reader body = TRY(fields.enter(der::kSequence, "TBSCertificate"));
  TRY(parse_body(body, out));
  der::Reader algorithm = TRY(fields.enter(der::kSequence, "signatureAlgorithm"));
  // RFC 5280 4.1.1.2: both must be the same, or a signature could be read under another algorithm.
  if (TRY(der::oid_text(TRY(algorithm.take(der::kOid, "signatureAlgorithm")))) !=
      out.signature_oid) {
    return fail(Code::invalid_argument, "the two signature algorithms differ");
  }
  TRY(der::bit_string(TRY(fields.take(der::kBitString, "signature"))));
  TRY(fields.end("Certificate"));
  out.der = der::copy(bytes);
  out.fingerprint = sha256(bytes);
  return {};
}

}  // namespace

Result<std::vector<Extension>> parse_extensions(der::Reader& from) {
  der::Reader list = TRY(from.enter(der::kSequence, "extensions"));
  std::vector<Extension> out;
  while (!list.done()) {
    if (out.size() == kExtensionsMax) return fail(Code::invalid_argument, "too many extensions");
    der::Reader one = TRY(list.enter(der::kSequence, "extension"));
    Extension extension;
    extension.oid = TRY(der::oid_text(TRY(one.take(der::kOid, "extnID"))));
    if (one.peek() == der::kBoolean) {
      extension.critical = TRY(der::boolean(TRY(one.take(der::kBoolean, "critical"))));
    }
    extension.value = der::copy(TRY(one.take(der::kOctetString, "extnValue")));
    TRY(one.end("extension"));
    for (const Extension& earlier : out) {
      if (earlier.oid == extension.oid) {
        return fail(Code::invalid_argument, "extension " + extension.oid + " is there twice");
      }
    }
    out.push_back(std::move(extension));
  }
  return out;
}

const Extension* Certificate::find(std::string_view oid) const {
  for (const Extension& extension : extensions) {
    if (extension.oid == oid) return &extension;
  }
  return nullptr;
}

Result<Certificate> parse_certificate(View der) {
  Certificate out;
  auto parsed = parse_whole(der, out);
  if (!parsed) return refuse(std::move(parsed).error());
  return out;
}

Result<std::vector<Bytes>> certificates_from_pem(std::string_view pem) {
  auto found = parse_pem(pem, "CERTIFICATE");
  if (!found) return refuse(std::move(found).error());
  return found;
}

std::string certificates_to_pem(const std::vector<Bytes>& chain_der) {
  std::string out;
  for (const Bytes& one : chain_der) out += to_pem("CERTIFICATE", one);
  return out;
}

std::string serial_text(View serial) {
  while (serial.size() > 1 && serial[0] == 0) serial = serial.subspan(1);
  std::string out = to_hex(serial);
  for (char& c : out) {
    if (c >= 'a') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

}  // namespace holdfast::crypto
