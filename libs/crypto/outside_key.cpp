#include "libs/crypto/outside_key.hpp"

#include <openssl/ec.h>

#include "libs/crypto/der.hpp"
#include "libs/crypto/openssl.hpp"
#include "libs/crypto/spki.hpp"

// EC_KEY_METHOD is deprecated in favour of providers; OpenSSL 3 keeps such a key out of them
// ("foreign") and calls the method directly, which is what we want. A provider would do the same in
// 800 lines.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace holdfast::crypto {
namespace {

using Signer = std::shared_ptr<OutsideSigner>;
struct FreeEcKey {
  void operator()(EC_KEY* key) const { EC_KEY_free(key); }
};
using EcKeyPtr = std::unique_ptr<EC_KEY, FreeEcKey>;
using SigPtr = std::unique_ptr<ECDSA_SIG, Freeing<ECDSA_SIG_free>>;

void free_signer(void*, void* held, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Signer*>(held);
}

// Where an EC_KEY keeps its signer. OpenSSL numbers such places once in a process.
int signer_place() {
  static const int place =
      CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_EC_KEY, 0, nullptr, nullptr, nullptr, free_signer);
  return place;
}

ECDSA_SIG* outside_sign_sig(const std::uint8_t* digest, int size, const BIGNUM*, const BIGNUM*,
                            EC_KEY* key) {
  const auto* signer = static_cast<Signer*>(EC_KEY_get_ex_data(key, signer_place()));
  if (signer == nullptr || size <= 0) return nullptr;
  const auto both = (*signer)->sign_digest(View(digest, static_cast<std::size_t>(size)));
  if (!both || both->empty() || both->size() % 2 != 0) {
    ERR_raise_data(ERR_LIB_EC, ERR_R_OPERATION_FAIL, "%s",
                   both ? "signature of a wrong size" : both.error().message.c_str());
    return nullptr;
  }
  const auto half = static_cast<int>(both->size() / 2);
  BigNumPtr r(BN_bin2bn(both->data(), half, nullptr));
  BigNumPtr s(BN_bin2bn(both->data() + half, half, nullptr));
  SigPtr signature(ECDSA_SIG_new());
  if (!r || !s || !signature || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1)
    return nullptr;
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  return signature.release();
}

int outside_sign(int, const std::uint8_t* digest, int size, std::uint8_t* out, unsigned* out_size,
                 const BIGNUM* k, const BIGNUM* r, EC_KEY* key) {
  const SigPtr signature(outside_sign_sig(digest, size, k, r, key));
  const int written = signature ? i2d_ECDSA_SIG(signature.get(), &out) : 0;
  *out_size = written > 0 ? static_cast<unsigned>(written) : 0;
  return written > 0 ? 1 : 0;
}

// One for all keys, for the life of the process, as OpenSSL wants it.
const EC_KEY_METHOD* outside_method() {
  static const EC_KEY_METHOD* const method = [] {
    EC_KEY_METHOD* made = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
    if (made != nullptr) EC_KEY_METHOD_set_sign(made, outside_sign, nullptr, outside_sign_sig);
    return made;
  }();
  return method;
}

}  // namespace

Result<PrivateKey> make_outside_key(const PublicKey& key, std::shared_ptr<OutsideSigner> signer) {
  const bool p256 = !key.empty() && key.algorithm() == KeyAlgorithm::p256;
  if (!p256 && (key.empty() || key.algorithm() != KeyAlgorithm::p384)) {
    return fail(Code::unsupported, "a key outside is P-256 or P-384");
  }
  const Spki spki = TRY(parse_spki(key.spki_der()));
  EcKeyPtr ec(EC_KEY_new_by_curve_name(p256 ? NID_X9_62_prime256v1 : NID_secp384r1));
  if (!ec || EC_KEY_oct2key(ec.get(), spki.point.data(), spki.point.size(), nullptr) != 1) {
    return openssl_fail(Code::invalid_argument, "not a usable public key");
  }
  auto held = std::make_unique<Signer>(std::move(signer));
  if (outside_method() == nullptr || EC_KEY_set_method(ec.get(), outside_method()) != 1 ||
      EC_KEY_set_ex_data(ec.get(), signer_place(), held.get()) != 1) {
    return openssl_fail(Code::internal, "cannot join a key outside to OpenSSL");
  }
  static_cast<void>(held.release());  // the EC_KEY deletes it
  const std::shared_ptr<EVP_PKEY> pkey(EVP_PKEY_new(), Freeing<EVP_PKEY_free>{});
  if (!pkey || EVP_PKEY_set1_EC_KEY(pkey.get(), ec.get()) != 1) {
    return openssl_fail(Code::internal, "cannot join a key outside to OpenSSL");
  }
  return PrivateKey::from_handle(pkey);
}

Result<Bytes> ecdsa_der(View r_and_s) {
  if (r_and_s.empty() || r_and_s.size() % 2 != 0) {
    return fail(Code::invalid_argument, "a signature of a wrong size");
  }
  const std::size_t half = r_and_s.size() / 2;
  return der::sequence(
      {der::put_unsigned(r_and_s.first(half)), der::put_unsigned(r_and_s.subspan(half))});
}

}  // namespace holdfast::crypto

#pragma GCC diagnostic pop
