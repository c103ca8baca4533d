#include "libs/crypto/aead.hpp"

#include <climits>

#include "libs/crypto/openssl.hpp"

namespace holdfast::crypto {

// One context a direction, since changing the direction would expand the key again.
struct AeadKey::Contexts {
  CipherCtxPtr seal, open;
};

namespace {

Result<CipherCtxPtr> make_context(View key, bool seal) {
  CipherCtxPtr context(EVP_CIPHER_CTX_new());
  if (!context || EVP_CipherInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), nullptr,
                                    seal ? 1 : 0) != 1) {
    return openssl_fail(Code::internal, "AES-256-GCM cannot start");
  }
  return context;
}

Status check_input(View nonce, View associated, View input) {
  if (nonce.size() != kAeadNonceBytes) {
    return fail(Code::invalid_argument, "an AES-256-GCM nonce has 12 bytes");
  }
  if (input.size() > INT_MAX || associated.size() > INT_MAX) {
    return fail(Code::invalid_argument, "more than 2 GiB in one AES-256-GCM message");
  }
  return {};
}

// Sets the nonce and feeds the associated data; the direction is the context's own.
bool begin(EVP_CIPHER_CTX* context, View nonce, View associated) {
  int done = 0;
  if (EVP_CipherInit_ex(context, nullptr, nullptr, nullptr, nonce.data(), -1) != 1) return false;
  return associated.empty() || EVP_CipherUpdate(context, nullptr, &done, associated.data(),
                                                static_cast<int>(associated.size())) == 1;
}

bool feed(EVP_CIPHER_CTX* context, View input, std::uint8_t* out) {
  int done = 0;
  return input.empty() ||
         EVP_CipherUpdate(context, out, &done, input.data(), static_cast<int>(input.size())) == 1;
}

}  // namespace

AeadKey::AeadKey(std::unique_ptr<Contexts> contexts) : contexts_(std::move(contexts)) {}
AeadKey::~AeadKey() = default;

Result<std::unique_ptr<AeadKey>> AeadKey::make(View key32) {
  if (key32.size() != kAeadKeyBytes) {
    return fail(Code::invalid_argument, "an AES-256-GCM key has 32 bytes");
  }
  auto contexts = std::make_unique<Contexts>();
  contexts->seal = TRY(make_context(key32, true));
  contexts->open = TRY(make_context(key32, false));
  return std::unique_ptr<AeadKey>(new AeadKey(std::move(contexts)));
}

Status AeadKey::seal(View nonce12, View associated, View plain, Bytes& out) {
  TRY(check_input(nonce12, associated, plain));
  const std::size_t before = out.size();
  out.resize(before + plain.size() + kAeadTagBytes);
  std::uint8_t* at = out.data() + before;
  EVP_CIPHER_CTX* context = contexts_->seal.get();
  int done = 0;
  if (!begin(context, nonce12, associated) || !feed(context, plain, at) ||
      EVP_CipherFinal_ex(context, at + plain.size(), &done) != 1 ||
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kAeadTagBytes, at + plain.size()) != 1) {
    out.resize(before);
    return openssl_fail(Code::internal, "AES-256-GCM cannot seal");
  }
  return {};
}

Status AeadKey::open(View nonce12, View associated, View sealed, Bytes& out) {
  TRY(check_input(nonce12, associated, sealed));
  if (sealed.size() < kAeadTagBytes) {
    return fail(Code::corrupt, "sealed bytes are shorter than their tag");
  }
  const View input = sealed.first(sealed.size() - kAeadTagBytes);
  const View tag = sealed.last(kAeadTagBytes);
  const std::size_t before = out.size();
  out.resize(before + input.size());
  std::uint8_t* at = out.data() + before;
  EVP_CIPHER_CTX* context = contexts_->open.get();
  std::array<std::uint8_t, kAeadTagBytes> rest{};
  int done = 0;
  if (!begin(context, nonce12, associated) || !feed(context, input, at) ||
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kAeadTagBytes,
                          const_cast<std::uint8_t*>(tag.data())) != 1 ||
      EVP_CipherFinal_ex(context, rest.data(), &done) != 1) {
    ERR_clear_error();
    // What does not authenticate must not be seen, not even by whoever ignores the error.
    wipe(std::span(out).subspan(before));
    out.resize(before);
    return fail(Code::corrupt, "sealed bytes do not open: damaged, or sealed under another key");
  }
  return {};
}

Result<Bytes> aead_seal(View key32, View nonce12, View associated, View plain) {
  auto key = TRY(AeadKey::make(key32));
  Bytes out;
  TRY(key->seal(nonce12, associated, plain, out));
  return out;
}

Result<Bytes> aead_open(View key32, View nonce12, View associated, View sealed) {
  auto key = TRY(AeadKey::make(key32));
  Bytes out;
  TRY(key->open(nonce12, associated, sealed, out));
  return out;
}

void wipe(std::span<std::uint8_t> secret) {
  OPENSSL_cleanse(secret.data(), secret.size());
}

}  // namespace holdfast::crypto
