// For tests: certificates that no sound CA would sign, to see them refused. Starts from a good leaf
// or CA; a test changes what it is about.
#pragma once

#include "libs/crypto/der.hpp"
#include "libs/crypto/names.hpp"
#include "libs/crypto/oids.hpp"
#include "libs/crypto/spki.hpp"
#include "libs/crypto/testing.hpp"

namespace holdfast::crypto::testing {

struct Forgery {
  std::optional<unsigned> version = 2;  // 0, 1, 2 for 1, 2, 3; nothing leaves the field out
  Bytes serial = der::put_integer(0x5AFE);
  Bytes subject = put_name("dev_1", {}, {});
  WallTime not_before, not_after;
  Bytes spki;
  std::vector<Extension> extensions;
  std::optional<Bytes> outer_algorithm;  // of the signature, when it is to differ from the inner

  Extension& at(std::string_view oid) {
    for (Extension& extension : extensions) {
      if (extension.oid == oid) return extension;
    }
    std::abort();
  }
  void drop(std::string_view oid) {
    std::erase_if(extensions, [&](const Extension& one) { return one.oid == oid; });
  }
};

inline Bytes key_usage_value(std::uint8_t unused, std::uint8_t bits) {
  const std::uint8_t content[] = {unused, bits};
  return der::wrap(der::kBitString, content);
}

inline Forgery good_leaf(const Pki& pki, std::string_view purpose, const PublicKey& key) {
  Forgery it;
  it.not_before = pki.now() - days(1);
  it.not_after = pki.now() + days(30);
  it.spki = key.spki_der();
  const Bytes authority =
      der::sequence({der::wrap(der::context_tag(0), pki.issuing().certificate.subject_key_id)});
  it.extensions = {
      {std::string(kOidBasicConstraints), true, der::wrap(der::kSequence, View())},
      {std::string(kOidKeyUsage), true, key_usage_value(7, 0x80)},
      {std::string(kOidExtendedKeyUsage), false, der::sequence({der::put_oid(purpose)})},
      {std::string(kOidSubjectKeyId), false, der::wrap(der::kOctetString, Bytes(20, 1))},
      {std::string(kOidAuthorityKeyId), false, authority},
  };
  return it;
}

inline Bytes forge(const Forgery& it, const Issuer& issuer) {
  Bytes extensions;
  for (const Extension& one : it.extensions) {
    const Bytes critical = one.critical ? der::put_boolean(true) : Bytes();
    append(extensions, der::sequence({der::put_oid(one.oid), critical,
                                      der::wrap(der::kOctetString, one.value)}));
  }
  const Bytes list = it.extensions.empty()
                         ? Bytes()
                         : der::wrap(der::explicit_tag(3), der::wrap(der::kSequence, extensions));
  const Bytes version =
      it.version ? der::wrap(der::explicit_tag(0), der::put_integer(*it.version)) : Bytes();
  const Bytes algorithm = algorithm_identifier(issuer.key.signature_algorithm());
  const Bytes body =
      der::sequence({version, it.serial, algorithm, issuer.certificate.subject_der,
                     der::sequence({der::put_time(it.not_before), der::put_time(it.not_after)}),
                     it.subject, it.spki, list});
  return der::sequence({body, it.outer_algorithm.value_or(algorithm),
                        der::put_bit_string(must(issuer.key.sign(body)))});
}

}  // namespace holdfast::crypto::testing
