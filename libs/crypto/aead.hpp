// AES-256-GCM (NIST SP 800-38D): authenticated encryption for files, columns and keys.
// Key 32 bytes, nonce 12 bytes, tag 16 bytes appended to the ciphertext. A nonce must never be used
// twice with one key: count, or draw randomly and stay below 2^32 messages a key.
// Errors: Code::corrupt when the tag, the key, the nonce or the associated data does not fit;
// Code::invalid_argument for wrong sizes. The free functions are thread-safe, an AeadKey is not.
#pragma once

#include <memory>

#include "libs/base/bytes.hpp"

namespace holdfast::crypto {

inline constexpr std::size_t kAeadKeyBytes = 32;
inline constexpr std::size_t kAeadNonceBytes = 12;
inline constexpr std::size_t kAeadTagBytes = 16;

Result<Bytes> aead_seal(View key32, View nonce12, View associated, View plain);
Result<Bytes> aead_open(View key32, View nonce12, View associated, View sealed);

// One key, expanded once, for hot paths. One thread at a time.
class AeadKey final {
 public:
  static Result<std::unique_ptr<AeadKey>> make(View key32);
  ~AeadKey();
  AeadKey(const AeadKey&) = delete;
  AeadKey& operator=(const AeadKey&) = delete;

  // Both append to `out` and leave it as it was on error. The input must not lie inside `out`.
  Status seal(View nonce12, View associated, View plain, Bytes& out);
  Status open(View nonce12, View associated, View sealed, Bytes& out);

 private:
  struct Contexts;
  explicit AeadKey(std::unique_ptr<Contexts> contexts);
  std::unique_ptr<Contexts> contexts_;
};

// Overwrites secrets in a way that the compiler keeps.
void wipe(std::span<std::uint8_t> secret);

}  // namespace holdfast::crypto
