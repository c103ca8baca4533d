#include "libs/crypto/seal_to.hpp"

#include <openssl/rsa.h>

#include "libs/crypto/openssl.hpp"
#include "libs/crypto/spki.hpp"

namespace holdfast::crypto {
namespace {

const char* digest_name(Digest digest) {
  switch (digest) {
    case Digest::sha384:
      return "SHA384";
    case Digest::sha512:
      return "SHA512";
    case Digest::sha256:
      break;
  }
  return "SHA256";
}

bool set_oaep(EVP_PKEY_CTX* context, Digest digest, View label) {
  char* name = const_cast<char*>(digest_name(digest));
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, name, 0),
      OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, name, 0),
      OSSL_PARAM_construct_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL,
                                        const_cast<std::uint8_t*>(label.data()), label.size()),
      OSSL_PARAM_construct_end()};
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
         EVP_PKEY_CTX_set_params(context, params) == 1;
}

bool on_curve(const PublicKey& key) {
  return !key.empty() &&
         (key.algorithm() == KeyAlgorithm::p256 || key.algorithm() == KeyAlgorithm::p384);
}

}  // namespace

Result<Bytes> encrypt_oaep(const PublicKey& key, Digest digest, View label, View message) {
  if (key.empty() || key.algorithm() != KeyAlgorithm::rsa) {
    return fail(Code::unsupported, "only an RSA key encrypts");
  }
  const PkeyCtxPtr context(EVP_PKEY_CTX_new(key.handle().get(), nullptr));
  Bytes out(key.bits() / 8);
  std::size_t size = out.size();
  if (!context || EVP_PKEY_encrypt_init(context.get()) != 1 ||
      !set_oaep(context.get(), digest, label) ||
      EVP_PKEY_encrypt(context.get(), out.data(), &size, message.data(), message.size()) != 1) {
    return openssl_fail(Code::invalid_argument, "cannot encrypt to " + key.name());
  }
  out.resize(size);
  return out;
}

Result<Point> point_of(const PublicKey& key) {
  if (!on_curve(key)) return fail(Code::unsupported, "only P-256 and P-384 keys are points");
  const std::size_t width = key.bits() / 8;
  Point out{Bytes(width), Bytes(width)};
  const auto read = [&](const char* name, Bytes& to) {
    BIGNUM* number = nullptr;
    if (EVP_PKEY_get_bn_param(key.handle().get(), name, &number) != 1) return false;
    const BigNumPtr held(number);
    return BN_bn2binpad(number, to.data(), static_cast<int>(width)) == static_cast<int>(width);
  };
  if (!read(OSSL_PKEY_PARAM_EC_PUB_X, out.x) || !read(OSSL_PKEY_PARAM_EC_PUB_Y, out.y)) {
    return openssl_fail(Code::internal, "cannot read a point");
  }
  return out;
}

Result<Agreement> agree_with(const PublicKey& key) {
  if (!on_curve(key)) return fail(Code::unsupported, "only P-256 and P-384 keys agree");
  const auto ephemeral = TRY(PrivateKey::generate(key.algorithm()));
  auto point = TRY(point_of(ephemeral.public_key()));
  const PkeyCtxPtr context(EVP_PKEY_CTX_new(ephemeral.handle().get(), nullptr));
  Bytes z(key.bits() / 8);
  std::size_t size = z.size();
  if (!context || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), key.handle().get()) != 1 ||
      EVP_PKEY_derive(context.get(), z.data(), &size) != 1 || size != z.size()) {
    return openssl_fail(Code::invalid_argument, "cannot agree with " + key.name());
  }
  return Agreement{std::move(point.x), std::move(point.y), std::move(z)};
}

Result<Bytes> encrypt_cfb(View key, View iv, View plain) {
  if ((key.size() != 16 && key.size() != 32) || iv.size() != 16) {
    return fail(Code::invalid_argument, "AES-CFB takes 16 or 32 bytes of key and 16 of IV");
  }
  const CipherCtxPtr context(EVP_CIPHER_CTX_new());
  const EVP_CIPHER* cipher = key.size() == 16 ? EVP_aes_128_cfb128() : EVP_aes_256_cfb128();
  Bytes out(plain.size());
  int size = 0;
  if (!context || EVP_EncryptInit_ex(context.get(), cipher, nullptr, key.data(), iv.data()) != 1 ||
      EVP_EncryptUpdate(context.get(), out.data(), &size, plain.data(),
                        static_cast<int>(plain.size())) != 1 ||
      static_cast<std::size_t>(size) != plain.size()) {
    return openssl_fail(Code::internal, "cannot encrypt");
  }
  return out;
}

}  // namespace holdfast::crypto
