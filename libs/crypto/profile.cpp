// What OpenSSL's verifier lets pass and a device identity must not: pure rules on parsed
// certificates, each with its own refusal.
#include <cctype>

#include "libs/crypto/names.hpp"
#include "libs/crypto/oids.hpp"
#include "libs/crypto/spki.hpp"
#include "libs/crypto/verify.hpp"

namespace holdfast::crypto {
namespace {

constexpr std::size_t kSerialBytesMax = 20;  // RFC 5280 4.1.2.2
constexpr std::string_view kOidNameConstraints = "2.5.29.30";

std::unexpected<Error> refuse(const Certificate& which, std::string why) {
  return fail(Code::certificate_invalid,
              "certificate \"" + which.subject + "\": " + std::move(why));
}

Status check_common(const Certificate& it) {
  if (it.version != 3) return refuse(it, "version " + std::to_string(it.version) + " instead of 3");
  if (it.serial.size() > kSerialBytesMax) return refuse(it, "its serial is above 20 bytes");
  if (it.serial[0] >= 0x80) return refuse(it, "its serial is negative");
  if (it.serial.size() == 1 && it.serial[0] == 0) return refuse(it, "its serial is zero");
  if (!signature_algorithm_of(it.signature_oid)) {
    return refuse(it, "it is signed with " + it.signature_oid + ", not with SHA-2 or Ed25519");
  }
  if (auto key = check_key_policy(it.spki_der); !key) return refuse(it, key.error().message);
  return {};
}

// Makers differ in keyUsage, but none lets an endorsement key sign.
Status check_endorsement_usage(const Certificate& leaf) {
  const auto& usages = leaf.extended_usage;
  if (!usages || std::find(usages->begin(), usages->end(), kOidEndorsementUsage) == usages->end()) {
    return refuse(leaf, "it is not for an endorsement key: its extendedKeyUsage lacks 2.23.133.8.1");
  }
  constexpr unsigned kSigns = kDigitalSignature | kKeyCertSign | kCrlSign;
  if (leaf.key_usage && (*leaf.key_usage & kSigns) != 0) {
    return refuse(leaf, "an endorsement key signs nothing, but its keyUsage allows it");
  }
  return {};
}

Status check_leaf_usage(const Certificate& leaf, Purpose purpose) {
  if (purpose == Purpose::endorsement) return check_endorsement_usage(leaf);
  const bool client = purpose == Purpose::client;
  const std::string_view wanted = client ? kOidClientAuth : kOidServerAuth;
  const char* shown = client ? "clientAuth" : "serverAuth";
  if (!leaf.extended_usage) {
    return refuse(leaf, std::string("it has no extendedKeyUsage; it needs ") + shown);
  }
  const auto& usages = *leaf.extended_usage;
  if (usages.empty()) return refuse(leaf, "its extendedKeyUsage is empty");
  if (std::find(usages.begin(), usages.end(), wanted) == usages.end()) {
    return refuse(leaf, std::string("its extendedKeyUsage does not name ") + shown);
  }
  if (leaf.key_usage && (*leaf.key_usage & kDigitalSignature) == 0) {
    return refuse(leaf, "its keyUsage does not allow digital signatures");
  }
  if (leaf.key_usage && (*leaf.key_usage & kKeyCertSign) != 0) {
    return refuse(leaf, "its keyUsage allows to sign certificates");
  }
  return {};
}

bool same_text(std::string_view left, std::string_view right) {
  return left.size() == right.size() &&
         std::equal(left.begin(), left.end(), right.begin(), [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) ==
                  std::tolower(static_cast<unsigned char>(b));
         });
}

// RFC 9525 6.3: a wildcard stands for one whole left-most label.
bool matches_dns(std::string_view pattern, std::string_view host) {
  if (!is_dns_name(pattern, true)) return false;
  if (!pattern.starts_with("*.")) return same_text(pattern, host);
  const std::size_t dot = host.find('.');
  return dot != std::string_view::npos && dot > 0 &&
         same_text(pattern.substr(2), host.substr(dot + 1));
}

}  // namespace

Status check_leaf_profile(const Certificate& leaf, Purpose purpose) {
  TRY(check_common(leaf));
  if (leaf.is_ca()) return refuse(leaf, "it is a CA's; a peer needs one of its own");
  TRY(check_leaf_usage(leaf, purpose));
  if (leaf.find(kOidNameConstraints) != nullptr) {
    return refuse(leaf, "nameConstraints belong into a CA's certificate only");
  }
  constexpr std::string_view kKnown[] = {kOidSubjectKeyId,   kOidKeyUsage,
                                         kOidSubjectAltName, kOidBasicConstraints,
                                         kOidAuthorityKeyId, kOidExtendedKeyUsage};
  for (const Extension& extension : leaf.extensions) {
    const bool known =
        std::find(std::begin(kKnown), std::end(kKnown), extension.oid) != std::end(kKnown);
    if (extension.critical && !known) {
      return refuse(leaf, "its critical extension " + extension.oid + " is not known");
    }
  }
  if (leaf.authority_key_id.empty() && !leaf.self_issued()) {
    return refuse(leaf, "it has no authority key identifier");
  }
  return {};
}

Status check_ca_profile(const Certificate& ca) {
  TRY(check_common(ca));
  if (!ca.is_ca()) return refuse(ca, "it is no CA");
  if (!ca.find(kOidBasicConstraints)->critical) {
    return refuse(ca, "its basicConstraints are not critical");
  }
  if (!ca.key_usage || (*ca.key_usage & kKeyCertSign) == 0) {
    return refuse(ca, "its keyUsage does not allow to sign certificates");
  }
  if (ca.subject_key_id.empty()) return refuse(ca, "it has no subject key identifier");
  return {};
}

bool names_host(const Certificate& leaf, std::string_view host) {
  if (!leaf.names || host.empty()) return false;
  if (host.size() > 1 && host.back() == '.') host.remove_suffix(1);
  if (const auto address = address_bytes(host)) {
    const std::string canonical = address_text(*address);
    const auto& all = leaf.names->addresses;
    return std::find(all.begin(), all.end(), canonical) != all.end();
  }
  if (!is_dns_name(host, false)) return false;
  for (const std::string& pattern : leaf.names->dns) {
    if (matches_dns(pattern, host)) return true;
  }
  return false;
}

}  // namespace holdfast::crypto
