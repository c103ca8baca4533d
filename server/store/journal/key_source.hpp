// KeySource: where journal, series and events get their data keys. The server's adapter is the key
// ring (server/store/seal); tests use keys in memory. What is encrypted under a destroyed key is
// gone, in old backups too: that is how Holdfast erases.
//
// Purposes: "journal", "series:<subject>", "events:<segment>". A key is durable when create()
// returns, and gone for good when destroy() returns. Errors: not_found, and those of os::Files.
// Threads: any.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/base/result.hpp"
#include "libs/crypto/aead.hpp"

namespace holdfast::journal {

using KeyId = std::uint64_t;  // 0: none; never used twice
inline constexpr std::string_view kJournalPurpose = "journal";

// 32 bytes that wipe themselves.
struct Key {
  KeyId id = 0;
  std::array<std::uint8_t, crypto::kAeadKeyBytes> bytes{};

  Key() = default;
  Key(const Key&) = default;
  Key& operator=(const Key&) = default;
  ~Key() { crypto::wipe(bytes); }
  View view() const { return bytes; }
};

struct KeyInfo {
  KeyId id = 0;
  std::string purpose;
};

class KeySource {
 public:
  virtual ~KeySource() = default;
  virtual Result<Key> create(std::string_view purpose) = 0;
  virtual Result<Key> get(KeyId id) = 0;
  // The newest key of each purpose, made where there is none; one write for all.
  virtual Result<std::vector<Key>> current_all(const std::vector<std::string>& purposes) = 0;
  virtual std::vector<KeyInfo> list(std::string_view purpose_prefix) = 0;  // oldest first
  // Destroying what is not there succeeds. One write for all.
  virtual Status destroy_all(const std::vector<KeyId>& ids) = 0;

  Status destroy(KeyId id) { return destroy_all({id}); }
  std::vector<KeyId> find(std::string_view purpose) {
    std::vector<KeyId> out;
    for (const KeyInfo& info : list(purpose)) {
      if (info.purpose == purpose) out.push_back(info.id);
    }
    return out;
  }
};

}  // namespace holdfast::journal
