// A TPM of paper for tests: makes the structures that a real one would, with keys in software, so
// that each lie can be told. Real ones answer in libs/keys and tests/interop. Test code only.
#pragma once

#include <openssl/evp.h>

#include <map>

#include "libs/crypto/der.hpp"
#include "libs/crypto/seal_to.hpp"
#include "libs/crypto/testing.hpp"
#include "libs/tpm/checks.hpp"
#include "libs/tpm/credential.hpp"

namespace holdfast::tpm::testing {

using crypto::testing::must;

inline Bytes tpm2b(View content) {
  Bytes out;
  store_be<std::uint16_t>(out, static_cast<std::uint16_t>(content.size()));
  append(out, content);
  return out;
}

// What a TPM2B_PUBLIC says of a key; the defaults are those of a device key.
struct Template {
  std::uint32_t attributes =
      kFixedTpm | kFixedParent | kSensitiveDataOrigin | kUserWithAuth | kSign;
  std::uint16_t name_algorithm = kAlgSha256;
  std::uint16_t scheme = kAlgNull;
  std::uint16_t hash = kAlgSha256;
  std::uint16_t symmetric_bits = 0;  // 0: no storage key

  static Template endorsement() {
    return {
        kFixedTpm | kFixedParent | kSensitiveDataOrigin | kAdminWithPolicy | kRestricted | kDecrypt,
        kAlgSha256, kAlgNull, kAlgSha256, 128};
  }
  static Template attestation() {
    return {kFixedTpm | kFixedParent | kSensitiveDataOrigin | kUserWithAuth | kRestricted | kSign,
            kAlgSha256, kAlgEcdsa, kAlgSha256, 0};
  }
};

// The TPM2B_PUBLIC of a P-256 or P-384 key.
inline Bytes public_of(const crypto::PublicKey& key, const Template& as = {}) {
  const auto point = must(crypto::point_of(key));
  Bytes out;
  store_be<std::uint16_t>(out, kAlgEcc);
  store_be<std::uint16_t>(out, as.name_algorithm);
  store_be<std::uint32_t>(out, as.attributes);
  append(out, tpm2b(View()));
  if (as.symmetric_bits == 0) {
    store_be<std::uint16_t>(out, kAlgNull);
  } else {
    store_be<std::uint16_t>(out, kAlgAes);
    store_be<std::uint16_t>(out, as.symmetric_bits);
    store_be<std::uint16_t>(out, kAlgCfb);
  }
  store_be<std::uint16_t>(out, as.scheme);
  if (as.scheme != kAlgNull) store_be<std::uint16_t>(out, as.hash);
  store_be<std::uint16_t>(out, key.bits() == 256 ? kCurveP256 : kCurveP384);
  store_be<std::uint16_t>(out, kAlgNull);
  append(out, tpm2b(point.x));
  append(out, tpm2b(point.y));
  return tpm2b(out);
}

// ECDSA-Sig-Value as TPMT_SIGNATURE.
inline Bytes signature_of(const Bytes& der) {
  crypto::der::Reader outer(der);
  auto both = must(outer.enter(crypto::der::kSequence, "signature"));
  Bytes out;
  store_be<std::uint16_t>(out, kAlgEcdsa);
  store_be<std::uint16_t>(out, kAlgSha256);
  for (int i = 0; i < 2; ++i) {
    View number = must(both.take(crypto::der::kInteger, "number"));
    if (number.size() > 1 && number[0] == 0) number = number.subspan(1);
    append(out, tpm2b(number));
  }
  return out;
}

struct Said {
  Bytes attest, signature;
};

class SoftTpm {
 public:
  SoftTpm()
      : endorsement(must(crypto::PrivateKey::generate(crypto::KeyAlgorithm::p256))),
        attestation(must(crypto::PrivateKey::generate(crypto::KeyAlgorithm::p256))) {}

  Bytes endorsement_public() const {
    return public_of(endorsement.public_key(), Template::endorsement());
  }
  Bytes attestation_public() const {
    return public_of(attestation.public_key(), Template::attestation());
  }

  // TPM2_ActivateCredential: nothing unless the credential is for this endorsement key and this
  // name.
  std::optional<Bytes> activate(View id_object, View encrypted_secret, View name) const {
    ByteReader secret(encrypted_secret.subspan(2));
    const auto read = [&] {
      const auto size = load_be<std::uint16_t>(must(secret.take(2)).data());
      return must(secret.take(size));
    };
    const View x = read();
    const View y = read();
    const Bytes seed = kdf_e(crypto::Digest::sha256, derive(x, y), "IDENTITY", x,
                             must(crypto::point_of(endorsement.public_key())).x, 256);
    const View mac = id_object.subspan(4, 32);
    const View identity = id_object.subspan(36);
    Bytes covered(identity.begin(), identity.end());
    append(covered, name);
    const Bytes key = kdf_a(crypto::Digest::sha256, seed, "INTEGRITY", View(), View(), 256);
    if (!equal_secret(crypto::hmac(crypto::Digest::sha256, key, covered), mac)) return std::nullopt;
    const Bytes symmetric = kdf_a(crypto::Digest::sha256, seed, "STORAGE", name, View(), 128);
    Bytes plain;
    Bytes before(16);
    for (std::size_t at = 0; at < identity.size(); at += 16) {
      const View block = identity.subspan(at, std::min<std::size_t>(16, identity.size() - at));
      const Bytes mask = must(crypto::encrypt_cfb(symmetric, before, Bytes(16)));
      for (std::size_t i = 0; i < block.size(); ++i)
        plain.push_back(static_cast<std::uint8_t>(block[i] ^ mask[i]));
      before.assign(block.begin(), block.end());
      before.resize(16);
    }
    return Bytes(plain.begin() + 2, plain.end());
  }

  Said certify(View name, View nonce) {
    return say(kAttestCertify, nonce, [&](Bytes& out) {
      append(out, tpm2b(name));
      append(out, tpm2b(name));
    });
  }
  Said quote(View nonce, const PcrValues& values, std::uint16_t bank = kAlgSha256) {
    return say(kAttestQuote, nonce, [&](Bytes& out) {
      Bytes bits(3), all;
      for (const auto& [number, value] : values) {
        bits[number / 8] = static_cast<std::uint8_t>(bits[number / 8] | 1U << (number % 8));
        append(all, value);
      }
      store_be<std::uint32_t>(out, 1);
      store_be<std::uint16_t>(out, bank);
      out.push_back(3);
      append(out, bits);
      append(out, tpm2b(crypto::sha256(all)));
    });
  }

  crypto::PrivateKey endorsement, attestation;
  ClockInfo clock{1'000, 1, 0, true};
  std::uint32_t magic = kGenerated;

 private:
  template <class Body>
  Said say(std::uint16_t type, View nonce, Body body) {
    Bytes out;
    store_be(out, magic);
    store_be(out, type);
    append(out, tpm2b(name_of(must(parse_public(attestation_public())))));
    append(out, tpm2b(nonce));
    store_be(out, clock.clock_ms += 10);
    store_be(out, clock.reset_count);
    store_be(out, clock.restart_count);
    out.push_back(clock.safe ? 1 : 0);
    store_be<std::uint64_t>(out, 7);
    body(out);
    Bytes signature = signature_of(must(attestation.sign(out)));
    return {std::move(out), std::move(signature)};
  }

  Bytes derive(View x, View y) const {
    Bytes point{4};
    append(point, x);
    append(point, y);
    const auto peer = must(crypto::PublicKey::from_spki(
        crypto::der::sequence({crypto::der::sequence({crypto::der::put_oid("1.2.840.10045.2.1"),
                                                      crypto::der::put_oid("1.2.840.10045.3.1.7")}),
                               crypto::der::put_bit_string(point)})));
    EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(endorsement.handle().get(), nullptr);
    Bytes z(32);
    std::size_t size = z.size();
    const bool ok = EVP_PKEY_derive_init(context) == 1 &&
                    EVP_PKEY_derive_set_peer(context, peer.handle().get()) == 1 &&
                    EVP_PKEY_derive(context, z.data(), &size) == 1;
    EVP_PKEY_CTX_free(context);
    if (!ok) std::abort();
    return z;
  }
};

}  // namespace holdfast::tpm::testing
