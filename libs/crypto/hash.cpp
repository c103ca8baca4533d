#include "libs/crypto/hash.hpp"

#include <openssl/hmac.h>
#include <openssl/kdf.h>

#include <cstdlib>

#include "libs/crypto/openssl.hpp"

namespace holdfast::crypto {

struct Hasher::Context {
  MdCtxPtr md;
};

namespace {

const EVP_MD* md_of(Digest digest) {
  switch (digest) {
    case Digest::sha256:
      return EVP_sha256();
    case Digest::sha384:
      return EVP_sha384();
    case Digest::sha512:
      return EVP_sha512();
  }
  std::abort();
}

// Hashing fails only when memory is out or OpenSSL lacks its default provider: nothing can go on.
void must(bool ok) {
  if (!ok) std::abort();
}

}  // namespace

std::size_t digest_bytes(Digest digest) {
  return static_cast<std::size_t>(EVP_MD_get_size(md_of(digest)));
}

Sha256 sha256(View bytes) {
  Sha256 out{};
  must(EVP_Digest(bytes.data(), bytes.size(), out.data(), nullptr, EVP_sha256(), nullptr) == 1);
  return out;
}

Bytes hash(Digest digest, View bytes) {
  Bytes out(digest_bytes(digest));
  must(EVP_Digest(bytes.data(), bytes.size(), out.data(), nullptr, md_of(digest), nullptr) == 1);
  return out;
}

Hasher::Hasher(Digest digest) : context_(std::make_unique<Context>()) {
  context_->md.reset(EVP_MD_CTX_new());
  must(context_->md && EVP_DigestInit_ex(context_->md.get(), md_of(digest), nullptr) == 1);
}

Hasher::~Hasher() = default;

void Hasher::update(View bytes) {
  must(EVP_DigestUpdate(context_->md.get(), bytes.data(), bytes.size()) == 1);
}

Bytes Hasher::finish() {
  Bytes out(static_cast<std::size_t>(EVP_MD_CTX_get_size(context_->md.get())));
  must(EVP_DigestFinal_ex(context_->md.get(), out.data(), nullptr) == 1);
  return out;
}

Sha256 hmac_sha256(View key, View bytes) {
  const Bytes out = hmac(Digest::sha256, key, bytes);
  Sha256 fixed{};
  std::copy(out.begin(), out.end(), fixed.begin());
  return fixed;
}

Bytes hmac(Digest digest, View key, View bytes) {
  Bytes out(digest_bytes(digest));
  unsigned size = 0;
  // A null key would mean "the key of the last call", so an empty one still needs an address.
  const std::uint8_t none = 0;
  must(HMAC(md_of(digest), key.empty() ? &none : key.data(), static_cast<int>(key.size()),
            bytes.data(), bytes.size(), out.data(), &size) != nullptr);
  return out;
}

Result<Bytes> hkdf(Digest digest, View secret, View salt, View info, std::size_t size) {
  const std::size_t width = digest_bytes(digest);
  if (size == 0 || size > 255 * width) {
    return fail(Code::invalid_argument, "HKDF gives 1 to 255 digests of output");
  }
  const Bytes no_salt(width, 0);  // RFC 5869 2.2
  Bytes extracted = hmac(digest, salt.empty() ? View(no_salt) : salt, secret);
  Bytes out, block, input;
  for (std::uint8_t counter = 1; out.size() < size; ++counter) {
    input = block;
    append(input, info);
    input.push_back(counter);
    block = hmac(digest, extracted, input);
    append(out, block);
  }
  OPENSSL_cleanse(extracted.data(), extracted.size());
  out.resize(size);
  return out;
}

std::string fingerprint_text(const Sha256& fingerprint) {
  return "sha256:" + to_hex(fingerprint);
}

Result<Sha256> parse_fingerprint(std::string_view text) {
  if (text.size() > 7 && (text.starts_with("sha256:") || text.starts_with("SHA256:"))) {
    text.remove_prefix(7);
  }
  std::string hex;
  for (const char c : text) {
    if (c != ':') hex.push_back(c);
  }
  Sha256 out{};
  auto bytes = from_hex(hex);
  if (!bytes || bytes->size() != out.size()) {
    return fail(Code::invalid_argument, "a fingerprint is \"sha256:\" and 64 hex digits");
  }
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return out;
}

}  // namespace holdfast::crypto
