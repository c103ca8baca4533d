#include "libs/crypto/key.hpp"

#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cctype>

#include "libs/crypto/der.hpp"
#include "libs/crypto/openssl.hpp"
#include "libs/crypto/pem.hpp"
#include "libs/crypto/spki.hpp"

namespace holdfast::crypto {
namespace {

constexpr std::size_t kSignatureBytesMax = 2048;

std::shared_ptr<EVP_PKEY> shared(PkeyPtr key) {
  return {key.release(), Freeing<EVP_PKEY_free>{}};
}

// EVP_PKEY_fromdata instead of d2i_PUBKEY: OpenSSL 3.0's decoders take ten times as long, and a
// server reads a public key for every certificate that it issues.
Result<PkeyPtr> from_params(const char* type, OSSL_PARAM* params) {
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params) != 1) {
    return openssl_fail(Code::invalid_argument, "not a usable public key");
  }
  return PkeyPtr(made);
}

char* mutable_text(const char* text) {
  return const_cast<char*>(text);
}
std::uint8_t* mutable_bytes(View bytes) {
  return const_cast<std::uint8_t*>(bytes.data());
}

Result<PkeyPtr> make_ec(const Spki& spki) {
  const char* group = spki.algorithm == KeyAlgorithm::p256 ? "P-256" : "P-384";
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, mutable_text(group), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, mutable_bytes(spki.point),
                                        spki.point.size()),
      OSSL_PARAM_construct_end()};
  return from_params("EC", params);
}

Result<PkeyPtr> make_rsa(const Spki& spki) {
  // OSSL_PARAM carries integers in the machine's byte order.
  Bytes modulus(spki.modulus.rbegin(), spki.modulus.rend());
  Bytes exponent(spki.exponent.rbegin(), spki.exponent.rend());
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, modulus.data(), modulus.size()),
      OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, exponent.data(), exponent.size()),
      OSSL_PARAM_construct_end()};
  return from_params("RSA", params);
}

Result<PkeyPtr> make_public(const Spki& spki) {
  switch (spki.algorithm) {
    case KeyAlgorithm::p256:
    case KeyAlgorithm::p384:
      return make_ec(spki);
    case KeyAlgorithm::rsa:
      return make_rsa(spki);
    case KeyAlgorithm::ed25519:
      break;
  }
  PkeyPtr key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, spki.point.data(), spki.point.size()));
  if (!key) return openssl_fail(Code::invalid_argument, "not an Ed25519 key");
  return key;
}

const EVP_MD* md_of(SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case SignatureAlgorithm::ecdsa_sha256:
    case SignatureAlgorithm::rsa_sha256:
      return EVP_sha256();
    case SignatureAlgorithm::ecdsa_sha384:
    case SignatureAlgorithm::rsa_sha384:
      return EVP_sha384();
    case SignatureAlgorithm::ecdsa_sha512:
    case SignatureAlgorithm::rsa_sha512:
      return EVP_sha512();
    case SignatureAlgorithm::ed25519:
      break;
  }
  return nullptr;  // Ed25519 hashes by itself
}

bool fits(SignatureAlgorithm signature, KeyAlgorithm key) {
  switch (signature) {
    case SignatureAlgorithm::ed25519:
      return key == KeyAlgorithm::ed25519;
    case SignatureAlgorithm::rsa_sha256:
    case SignatureAlgorithm::rsa_sha384:
    case SignatureAlgorithm::rsa_sha512:
      return key == KeyAlgorithm::rsa;
    default:
      return key == KeyAlgorithm::p256 || key == KeyAlgorithm::p384;
  }
}

SignatureAlgorithm own_signature(KeyAlgorithm key) {
  switch (key) {
    case KeyAlgorithm::p384:
      return SignatureAlgorithm::ecdsa_sha384;
    case KeyAlgorithm::ed25519:
      return SignatureAlgorithm::ed25519;
    case KeyAlgorithm::rsa:
      return SignatureAlgorithm::rsa_sha256;
    case KeyAlgorithm::p256:
      break;
  }
  return SignatureAlgorithm::ecdsa_sha256;
}

Result<PkeyPtr> generate_pkey(KeyAlgorithm algorithm, unsigned rsa_bits) {
  PkeyPtr key;
  switch (algorithm) {
    case KeyAlgorithm::p256:
      key.reset(EVP_EC_gen("P-256"));
      break;
    case KeyAlgorithm::p384:
      key.reset(EVP_EC_gen("P-384"));
      break;
    case KeyAlgorithm::ed25519:
      key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
      break;
    case KeyAlgorithm::rsa:
      if (rsa_bits < 2048 || rsa_bits > 4096 || rsa_bits % 8 != 0) {
        return fail(Code::invalid_argument, "RSA keys have 2048 to 4096 bits, in steps of 8");
      }
      key.reset(EVP_RSA_gen(rsa_bits));
      break;
  }
  if (!key) return openssl_fail(Code::internal, "cannot make a key");
  return key;
}

}  // namespace

std::string_view name_of(KeyAlgorithm algorithm) {
  switch (algorithm) {
    case KeyAlgorithm::p256:
      return "P-256";
    case KeyAlgorithm::p384:
      return "P-384";
    case KeyAlgorithm::ed25519:
      return "Ed25519";
    case KeyAlgorithm::rsa:
      break;
  }
  return "RSA";
}

std::optional<KeyAlgorithm> key_algorithm_named(std::string_view name) {
  std::string flat;
  for (const char c : name) {
    if (c != '-') flat.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  }
  if (flat == "p256") return KeyAlgorithm::p256;
  if (flat == "p384") return KeyAlgorithm::p384;
  if (flat == "ed25519") return KeyAlgorithm::ed25519;
  if (flat == "rsa") return KeyAlgorithm::rsa;
  return std::nullopt;
}

Result<PublicKey> PublicKey::from_spki(View der) {
  const Spki spki = TRY(parse_spki(der));
  PublicKey key;
  key.handle_ = shared(TRY(make_public(spki)));
  key.spki_ = std::make_shared<const Bytes>(der.begin(), der.end());
  key.algorithm_ = spki.algorithm;
  key.bits_ = spki.bits;
  return key;
}

Result<PublicKey> PublicKey::from_pem(std::string_view pem) {
  return from_spki(TRY(parse_pem(pem, "PUBLIC KEY")).front());
}

std::string PublicKey::name() const {
  std::string name(name_of(algorithm_));
  if (algorithm_ == KeyAlgorithm::rsa) name += "-" + std::to_string(bits_);
  return name;
}

std::string PublicKey::pem() const {
  return to_pem("PUBLIC KEY", spki_der());
}
Sha256 PublicKey::fingerprint() const {
  return sha256(spki_der());
}

bool PublicKey::verify(View message, View signature) const {
  return verify(own_signature(algorithm_), message, signature);
}

bool PublicKey::verify(SignatureAlgorithm algorithm, View message, View signature) const {
  if (empty() || !fits(algorithm, algorithm_)) return false;
  const MdCtxPtr context(EVP_MD_CTX_new());
  const bool ok =
      context &&
      EVP_DigestVerifyInit(context.get(), nullptr, md_of(algorithm), nullptr, handle_.get()) == 1 &&
      EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                       message.size()) == 1;
  ERR_clear_error();
  return ok;
}

bool PublicKey::operator==(const PublicKey& other) const {
  if (empty() || other.empty()) return empty() && other.empty();
  return *spki_ == *other.spki_;
}

Result<PrivateKey> PrivateKey::from_handle(std::shared_ptr<evp_pkey_st> handle) {
  if (!handle) return fail(Code::invalid_argument, "no key");
  std::uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(handle.get(), &der);
  if (size <= 0) return openssl_fail(Code::unsupported, "the key has no public part");
  const Bytes spki(der, der + size);
  OPENSSL_free(der);
  PrivateKey key;
  key.public_ = TRY(PublicKey::from_spki(spki));
  key.handle_ = std::move(handle);
  return key;
}

Result<PrivateKey> PrivateKey::generate(KeyAlgorithm algorithm, unsigned rsa_bits) {
  return from_handle(shared(TRY(generate_pkey(algorithm, rsa_bits))));
}

Result<PrivateKey> PrivateKey::from_pkcs8(View der) {
  const std::uint8_t* at = der.data();
  const std::unique_ptr<PKCS8_PRIV_KEY_INFO, Freeing<PKCS8_PRIV_KEY_INFO_free>> info(
      d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
  if (!info || at != der.data() + der.size()) {
    return openssl_fail(Code::invalid_argument, "not a PKCS#8 private key");
  }
  PkeyPtr key(EVP_PKCS82PKEY(info.get()));
  if (!key) return openssl_fail(Code::invalid_argument, "not a usable private key");
  return from_handle(shared(std::move(key)));
}

Result<PrivateKey> PrivateKey::from_pem(std::string_view pem) {
  for (PemBlock& block : TRY(parse_pem(pem))) {
    if (block.label == "PRIVATE KEY") {
      auto key = from_pkcs8(block.der);
      OPENSSL_cleanse(block.der.data(), block.der.size());
      return key;
    }
    if (block.label == "ENCRYPTED PRIVATE KEY") {
      return fail(Code::unsupported, "the private key is encrypted; decrypt it with openssl pkey");
    }
    if (block.label == "EC PRIVATE KEY" || block.label == "RSA PRIVATE KEY") {
      const std::uint8_t* at = block.der.data();
      PkeyPtr key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(block.der.size())));
      OPENSSL_cleanse(block.der.data(), block.der.size());
      if (!key) return openssl_fail(Code::invalid_argument, "not a usable private key");
      return from_handle(shared(std::move(key)));
    }
  }
  return fail(Code::invalid_argument, "no private key in this PEM text");
}

SignatureAlgorithm PrivateKey::signature_algorithm() const {
  return own_signature(algorithm());
}

Result<Bytes> PrivateKey::sign(View message) const {
  if (empty()) return fail(Code::invalid_argument, "signing without a key");
  const MdCtxPtr context(EVP_MD_CTX_new());
  Bytes signature(kSignatureBytesMax);
  std::size_t size = signature.size();
  if (!context ||
      EVP_DigestSignInit(context.get(), nullptr, md_of(signature_algorithm()), nullptr,
                         handle_.get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) != 1) {
    return openssl_fail(Code::internal, "cannot sign with " + public_.name());
  }
  signature.resize(size);
  return signature;
}

Result<Bytes> PrivateKey::pkcs8_der() const {
  if (empty()) return fail(Code::invalid_argument, "no key to write");
  const std::unique_ptr<PKCS8_PRIV_KEY_INFO, Freeing<PKCS8_PRIV_KEY_INFO_free>> info(
      EVP_PKEY2PKCS8(handle_.get()));
  std::uint8_t* der = nullptr;
  const int size = info ? i2d_PKCS8_PRIV_KEY_INFO(info.get(), &der) : 0;
  if (size <= 0) return openssl_fail(Code::unsupported, "this key does not leave its place");
  Bytes out(der, der + size);
  OPENSSL_clear_free(der, static_cast<std::size_t>(size));
  return out;
}

Result<std::string> PrivateKey::pkcs8_pem() const {
  Bytes der = TRY(pkcs8_der());
  std::string pem = to_pem("PRIVATE KEY", der);
  OPENSSL_cleanse(der.data(), der.size());
  return pem;
}

}  // namespace holdfast::crypto
