#include "libs/tpm/credential.hpp"

#include "libs/crypto/aead.hpp"
#include "libs/crypto/seal_to.hpp"

namespace holdfast::tpm {
namespace {

constexpr std::string_view kIdentity = "IDENTITY";

Bytes tpm2b(View content) {
  Bytes out;
  store_be<std::uint16_t>(out, static_cast<std::uint16_t>(content.size()));
  append(out, content);
  return out;
}

Bytes with_zero(std::string_view label) {
  Bytes out = bytes_of(label);
  out.push_back(0);
  return out;
}

struct Seed {
  Bytes seed;       // what both sides know
  Bytes encrypted;  // TPM2B_ENCRYPTED_SECRET
};

Result<Seed> make_seed(const Public& endorsement, const crypto::PublicKey& key,
                       crypto::Digest digest, os::Entropy& entropy) {
  if (endorsement.type == kAlgRsa) {
    Bytes seed = entropy.bytes(crypto::digest_bytes(digest));
    const Bytes wrapped = TRY(crypto::encrypt_oaep(key, digest, with_zero(kIdentity), seed));
    return Seed{std::move(seed), tpm2b(wrapped)};
  }
  auto agreed = TRY(crypto::agree_with(key));
  const auto bits = static_cast<unsigned>(crypto::digest_bytes(digest) * 8);
  Seed out{kdf_e(digest, agreed.z, kIdentity, agreed.x, endorsement.x, bits), {}};
  crypto::wipe(agreed.z);
  Bytes point = tpm2b(agreed.x);
  append(point, tpm2b(agreed.y));
  out.encrypted = tpm2b(point);
  return out;
}

}  // namespace

Bytes kdf_a(crypto::Digest digest, View key, std::string_view label, View u, View v,
            unsigned bits) {
  Bytes out;
  for (std::uint32_t counter = 1; out.size() * 8 < bits; ++counter) {
    Bytes input;
    store_be(input, counter);
    append(input, with_zero(label));
    append(input, u);
    append(input, v);
    store_be<std::uint32_t>(input, bits);
    append(out, crypto::hmac(digest, key, input));
  }
  out.resize(bits / 8);
  return out;
}

Bytes kdf_e(crypto::Digest digest, View z, std::string_view label, View u, View v, unsigned bits) {
  Bytes out;
  for (std::uint32_t counter = 1; out.size() * 8 < bits; ++counter) {
    Bytes input;
    store_be(input, counter);
    append(input, z);
    append(input, with_zero(label));
    append(input, u);
    append(input, v);
    append(out, crypto::hash(digest, input));
    crypto::wipe(input);
  }
  out.resize(bits / 8);
  return out;
}

Result<Credential> make_credential(const Public& endorsement, View object_name, View secret,
                                   os::Entropy& entropy) {
  const auto digest = digest_of(endorsement.name_algorithm);
  const bool usable = digest && endorsement.symmetric == kAlgAes &&
                      endorsement.symmetric_mode == kAlgCfb &&
                      (endorsement.symmetric_bits == 128 || endorsement.symmetric_bits == 256);
  if (!usable || secret.size() > crypto::digest_bytes(*digest)) {
    return fail(
        Code::attestation_refused,
        "the endorsement key cannot take a credential: it must be a storage key with AES-CFB");
  }
  const auto key = TRY(key_of(endorsement));
  auto seed = TRY(make_seed(endorsement, key, *digest, entropy));
  Bytes symmetric =
      kdf_a(*digest, seed.seed, "STORAGE", object_name, View(), endorsement.symmetric_bits);
  const Bytes identity = TRY(crypto::encrypt_cfb(symmetric, Bytes(16), tpm2b(secret)));
  const auto bits = static_cast<unsigned>(crypto::digest_bytes(*digest) * 8);
  Bytes integrity_key = kdf_a(*digest, seed.seed, "INTEGRITY", View(), View(), bits);
  Bytes protected_part = identity;
  append(protected_part, object_name);
  Bytes blob = tpm2b(crypto::hmac(*digest, integrity_key, protected_part));
  append(blob, identity);
  crypto::wipe(seed.seed);
  crypto::wipe(symmetric);
  crypto::wipe(integrity_key);
  return Credential{tpm2b(blob), std::move(seed.encrypted)};
}

}  // namespace holdfast::tpm
