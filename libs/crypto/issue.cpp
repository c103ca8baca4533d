#include "libs/crypto/issue.hpp"

#include "libs/crypto/der.hpp"
#include "libs/crypto/names.hpp"
#include "libs/crypto/oids.hpp"
#include "libs/crypto/spki.hpp"
#include "libs/crypto/verify.hpp"

namespace holdfast::crypto {
namespace {

constexpr std::size_t kCommonNameBytesMax = 64;  // ub-common-name (RFC 5280 A.1)
constexpr std::size_t kKeyIdBytes = 20;

struct ProfileRow {
  Profile profile;
  bool ca;
  bool path_length_zero;
  std::uint8_t usage_unused_bits, usage_bits;  // keyUsage as the content of its BIT STRING
  std::string_view purpose;
};
constexpr ProfileRow kProfiles[] = {
    {Profile::root_ca, true, false, 1, 0x06, {}},
    {Profile::issuing_ca, true, true, 1, 0x06, {}},
    {Profile::server, false, false, 7, 0x80, kOidServerAuth},
    {Profile::device, false, false, 7, 0x80, kOidClientAuth},
    {Profile::ocsp_responder, false, false, 7, 0x80, kOidOcspSigning},
};

const ProfileRow& row_of_profile(Profile profile) {
  return kProfiles[static_cast<std::size_t>(profile)];
}

std::unexpected<Error> refuse(std::string why) {
  return fail(Code::invalid_argument, "certificate not issued: " + std::move(why));
}

// RFC 7093 2, method 1: the left 160 bits of the SHA-256 of the key's BIT STRING content.
Result<Bytes> key_id_of(View spki_der) {
  const Sha256 digest = sha256(TRY(parse_spki_key_bits(spki_der)));
  return Bytes(digest.begin(), digest.begin() + kKeyIdBytes);
}

Bytes basic_constraints(const ProfileRow& row) {
  if (!row.ca) return der::wrap(der::kSequence, View());
  if (!row.path_length_zero) return der::sequence({der::put_boolean(true)});
  return der::sequence({der::put_boolean(true), der::put_integer(0)});
}

Status check_text(std::string_view text, std::string_view what) {
  if (text.size() > kCommonNameBytesMax) return refuse(std::string(what) + " is above 64 bytes");
  const der::Element element{der::kUtf8String, view_of(text), {}};
  if (!der::text(element)) return refuse(std::string(what) + " is not printable UTF-8");
  return {};
}

Status check_extra(const std::vector<Extension>& extensions) {
  constexpr std::string_view kOwn[] = {kOidSubjectKeyId,   kOidKeyUsage,
                                       kOidSubjectAltName, kOidBasicConstraints,
                                       kOidAuthorityKeyId, kOidExtendedKeyUsage};
  for (std::size_t i = 0; i < extensions.size(); ++i) {
    const std::string& oid = extensions[i].oid;
    if (!der::is_oid(oid)) return refuse("\"" + oid + "\" is no object identifier");
    bool taken = std::find(std::begin(kOwn), std::end(kOwn), oid) != std::end(kOwn);
    for (std::size_t j = 0; j < i; ++j) taken = taken || extensions[j].oid == oid;
    if (taken) return refuse("extension " + oid + " is there already");
  }
  return {};
}

Status check_spec(const CertificateRequestSpec& spec) {
  if (spec.serial.empty() || spec.serial.size() > 20 || spec.serial[0] == 0 ||
      spec.serial[0] >= 0x80) {
    return refuse("the serial must be positive and of 1 to 20 bytes, see make_serial()");
  }
  if (spec.common_name.empty()) return refuse("it needs a common name");
  TRY(check_text(spec.common_name, "the common name"));
  TRY(check_text(spec.organisation, "the organisation"));
  const std::int64_t first = day_of(spec.not_before);
  const std::int64_t last = day_of(spec.not_after);
  // 1950-01-01 and 9999-12-31: what RFC 5280's two kinds of time can say.
  if (spec.not_after <= spec.not_before || first < -7305 || last > 2'932'896) {
    return refuse("its validity is empty or outside the years 1950 to 9999");
  }
  if (spec.profile == Profile::server && spec.names.dns.empty() && spec.names.addresses.empty()) {
    return refuse("a server needs a DNS name or an address");
  }
  return check_extra(spec.extensions);
}

Status check_issuer(const CertificateRequestSpec& spec, const Issuer& issuer) {
  const Certificate& ca = issuer.certificate;
  if (!ca.is_ca() || (ca.key_usage && (*ca.key_usage & kKeyCertSign) == 0)) {
    return refuse("\"" + ca.subject + "\" is no CA");
  }
  if (ca.subject_key_id.empty()) return refuse("the CA has no subject key identifier");
  if (issuer.key.empty() || issuer.key.public_key().spki_der() != ca.spki_der) {
    return refuse("the key is not that of the CA \"" + ca.subject + "\"");
  }
  if (row_of_profile(spec.profile).ca && ca.basic_constraints->path_length == 0U) {
    return refuse("the CA \"" + ca.subject + "\" may not make further CAs");
  }
  // A certificate knows whole seconds only, so nothing finer may decide.
  const auto second_of = [](WallTime time) { return time.us / 1'000'000; };
  if (second_of(spec.not_before) < second_of(ca.not_before) ||
      second_of(spec.not_after) > second_of(ca.not_after)) {
    return refuse("its validity leaves that of the CA, " + to_rfc3339(ca.not_before) + " to " +
                  to_rfc3339(ca.not_after));
  }
  return {};
}

Result<Bytes> put_extensions(const CertificateRequestSpec& spec, View subject_key_id,
                             View authority_key_id) {
  const ProfileRow& row = row_of_profile(spec.profile);
  Bytes all = put_extension(kOidBasicConstraints, true, basic_constraints(row));
  const std::uint8_t usage[] = {row.usage_unused_bits, row.usage_bits};
  append(all, put_extension(kOidKeyUsage, true, der::wrap(der::kBitString, usage)));
  if (!row.purpose.empty()) {
    append(all,
           put_extension(kOidExtendedKeyUsage, false, der::sequence({der::put_oid(row.purpose)})));
  }
  append(all, put_extension(kOidSubjectKeyId, false, der::wrap(der::kOctetString, subject_key_id)));
  const Bytes authority = der::sequence({der::wrap(der::context_tag(0), authority_key_id)});
  append(all, put_extension(kOidAuthorityKeyId, false, authority));
  if (!spec.names.empty()) {
    append(all, put_extension(kOidSubjectAltName, false, TRY(put_alternative_names(spec.names))));
  }
  for (const Extension& more : spec.extensions) {
    append(all, put_extension(more.oid, more.critical, more.value));
  }
  return der::wrap(der::explicit_tag(3), der::wrap(der::kSequence, all));
}

// Before it is signed, the certificate as it will be must pass our own reader and profile: what a
// verifier would refuse never gets a signature.
Status lint(const CertificateRequestSpec& spec, View body, View algorithm) {
  const Bytes nothing(8, 0);
  const Bytes draft = der::sequence({body, algorithm, der::put_bit_string(nothing)});
  const Certificate parsed = TRY(parse_certificate(draft));
  if (row_of_profile(spec.profile).ca) return check_ca_profile(parsed);
  if (spec.profile == Profile::ocsp_responder) return {};
  return check_leaf_profile(parsed,
                            spec.profile == Profile::server ? Purpose::server : Purpose::client);
}

// The TBSCertificate of RFC 5280 4.1, signed.
Result<Bytes> sign_body(const CertificateRequestSpec& spec, View issuer_name, View subject_spki,
                        View extensions, const PrivateKey& key) {
  const Bytes algorithm = algorithm_identifier(key.signature_algorithm());
  const Bytes body =
      der::sequence({der::wrap(der::explicit_tag(0), der::put_integer(2)),
                     der::put_unsigned(spec.serial), algorithm, issuer_name,
                     der::sequence({der::put_time(spec.not_before), der::put_time(spec.not_after)}),
                     put_name(spec.common_name, spec.organisation, {}), subject_spki, extensions});
  if (const Status fine = lint(spec, body, algorithm); !fine) return refuse(fine.error().message);
  const Bytes signature = TRY(key.sign(body));
  return der::sequence({body, algorithm, der::put_bit_string(signature)});
}

Bytes uri_name(std::string_view url) {
  return der::wrap(der::context_tag(6), view_of(url));
}

}  // namespace

Bytes put_extension(std::string_view oid, bool critical, View value) {
  if (!critical) return der::sequence({der::put_oid(oid), der::wrap(der::kOctetString, value)});
  return der::sequence(
      {der::put_oid(oid), der::put_boolean(true), der::wrap(der::kOctetString, value)});
}

Extension crl_distribution_point(std::string_view url) {
  // One DistributionPoint whose name is fullName [0] inside distributionPoint [0].
  const Bytes full = der::wrap(der::explicit_tag(0), uri_name(url));
  const Bytes point = der::sequence({der::wrap(der::explicit_tag(0), full)});
  return {std::string(kOidCrlPoints), false, der::sequence({point})};
}

Extension authority_access(std::string_view ocsp_url, std::string_view issuer_url) {
  const Bytes ocsp = der::sequence({der::put_oid("1.3.6.1.5.5.7.48.1"), uri_name(ocsp_url)});
  const Bytes issuer = der::sequence({der::put_oid("1.3.6.1.5.5.7.48.2"), uri_name(issuer_url)});
  return {std::string(kOidAuthorityAccess), false, der::sequence({ocsp, issuer})};
}

Extension ocsp_no_check() {
  return {"1.3.6.1.5.5.7.48.1.5", false, Bytes{der::kNull, 0}};
}

Bytes make_serial(std::span<const std::uint8_t, kSerialBytes> random) {
  Bytes serial(random.begin(), random.end());
  // Top bits 01: positive and never shortened, so that every serial has 16 bytes.
  serial[0] = static_cast<std::uint8_t>((serial[0] & 0x3FU) | 0x40U);
  return serial;
}

Result<Bytes> issue_certificate(const CertificateRequestSpec& spec, const PublicKey& subject,
                                const Issuer& issuer) {
  TRY(check_spec(spec));
  if (spec.profile == Profile::root_ca) return refuse("a root signs itself, see make_root()");
  TRY(check_issuer(spec, issuer));
  if (subject.empty()) return refuse("there is no key to certify");
  const Bytes key_id = TRY(key_id_of(subject.spki_der()));
  const Bytes extensions = TRY(put_extensions(spec, key_id, issuer.certificate.subject_key_id));
  return sign_body(spec, issuer.certificate.subject_der, subject.spki_der(), extensions,
                   issuer.key);
}

Result<Bytes> make_root(const CertificateRequestSpec& spec, const PrivateKey& key) {
  TRY(check_spec(spec));
  if (spec.profile != Profile::root_ca) return refuse("only a root signs itself");
  if (key.empty()) return refuse("there is no key to certify");
  const Bytes& spki = key.public_key().spki_der();
  const Bytes key_id = TRY(key_id_of(spki));
  return sign_body(spec, put_name(spec.common_name, spec.organisation, {}), spki,
                   TRY(put_extensions(spec, key_id, key_id)), key);
}

}  // namespace holdfast::crypto
