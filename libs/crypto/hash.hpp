// SHA-2 (FIPS 180-4), HMAC (RFC 2104) and HKDF (RFC 5869). Thread-safe, but for a Hasher, which one
// thread uses at a time. Nothing here fails on input; an allocation failure ends the process.
#pragma once

#include <array>
#include <memory>

#include "libs/base/bytes.hpp"

namespace holdfast::crypto {

enum class Digest { sha256, sha384, sha512 };
using Sha256 = std::array<std::uint8_t, 32>;

std::size_t digest_bytes(Digest digest);
Sha256 sha256(View bytes);
Bytes hash(Digest digest, View bytes);

// Hashes a stream: update() any number of times, then finish() once.
class Hasher final {
 public:
  explicit Hasher(Digest digest);
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  void update(View bytes);
  Bytes finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

Sha256 hmac_sha256(View key, View bytes);
Bytes hmac(Digest digest, View key, View bytes);

// Extract and expand; `size` is at most 255 digests, else Code::invalid_argument.
Result<Bytes> hkdf(Digest digest, View secret, View salt, View info, std::size_t size);

// "sha256:<64 hex digits>", how fingerprints are shown; parsing accepts upper case, colons between
// the bytes, and a missing prefix.
std::string fingerprint_text(const Sha256& fingerprint);
Result<Sha256> parse_fingerprint(std::string_view text);

}  // namespace holdfast::crypto
