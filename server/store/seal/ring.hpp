// The key ring: every data key of the server, wrapped by the sealing key (decision 8). Data keys
// encrypt SQL columns, journal segments, series and event files; destroying one here destroys what it
// encrypted, in old backups too, because the ring is backed up apart and replaced as a whole.
//
//   <data>.seal              sealing key, 0600, outside the data folder; never in a backup
//   <data>.ring              the ring file, beside the data folder
//   <data>/recovery.sealed   the sealing key encrypted under the recovery key, for restores
//
// Ring file (integers little-endian): header = magic "HFRING1\n", generation u64, file id 16 random
// bytes, tag 16 (GCM over the header before it, nonce zero, nothing encrypted). Then one frame a key:
// id u64, created us i64, purpose length u16, purpose, nonce 12, wrapped key 48 (key and GCM tag;
// associated data = the tag before this one, id, created, purpose). All under a key that HKDF-SHA-256
// makes from the sealing key and the file id. Each frame names its forerunner's tag, so frames cannot
// be dropped, moved or taken from another ring. A new key is appended and synced; a destroyed key
// rewrites the file as a whole, under a new file id. A torn last frame (its create() never returned)
// is cut; any other damage is Code::corrupt.
//
// Errors: seal_key_missing, seal_key_wrong, corrupt (ring damaged), not_found (no such key),
// quota_exceeded (kKeysMax), and those of os::Files.
// Threads: any. create() and destroy() write and sync the file before they return.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/base/guarded.hpp"
#include "libs/base/result.hpp"
#include "libs/base/time.hpp"
#include "libs/os/system.hpp"

namespace holdfast::seal {

inline constexpr std::size_t kKeyBytes = 32;
inline constexpr std::size_t kKeysMax = 1'000'000;
inline constexpr std::size_t kPurposeBytesMax = 256;

using KeyId = std::uint64_t;  // never 0, never used twice

// 32 bytes that wipe themselves.
class SecretKey {
 public:
  SecretKey() = default;
  explicit SecretKey(View bytes);  // 32 bytes
  ~SecretKey();
  SecretKey(const SecretKey&) = default;
  SecretKey& operator=(const SecretKey&) = default;
  View view() const { return bytes_; }

 private:
  std::array<std::uint8_t, kKeyBytes> bytes_{};
};

// The sealing key's file. A systemd credential or a TPM object will answer the same question.
Result<SecretKey> load_seal_key(os::Files& files, const std::string& path);
Result<SecretKey> create_seal_key(const os::System& system, const std::string& path);  // already_exists

// The recovery key as people write it down: 14 groups of 4 letters and digits (Crockford base32, the
// last group is a check). Parsing forgives case, spaces and dashes; invalid_argument otherwise.
std::string recovery_text(const SecretKey& recovery);
Result<SecretKey> parse_recovery(std::string_view text);
Status write_recovery(const os::System& system, const std::string& path, const SecretKey& seal_key,
                      const SecretKey& recovery);
Result<SecretKey> recover_seal_key(os::Files& files, const std::string& path, const SecretKey& recovery);

struct KeyInfo {
  KeyId id = 0;
  std::string purpose;  // "sql", "journal", "series:<subject>", "events:<segment>"
  WallTime created;
};

class Ring {
 public:
  // Opens the ring at `path`, or makes an empty one if there is none.
  static Result<std::unique_ptr<Ring>> open(const os::System& system, const std::string& path,
                                            const SecretKey& seal_key);
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  Result<KeyId> create(std::string_view purpose);
  Result<SecretKey> get(KeyId id) const;
  // Gone for good once this returns; destroying what is not there succeeds.
  Status destroy(KeyId id);
  Status destroy_all(const std::vector<KeyId>& ids);  // one write
  std::vector<KeyInfo> list(std::string_view purpose_prefix = {}) const;
  // The newest key of a purpose, made if there is none.
  Result<KeyId> current(std::string_view purpose);
  // Wraps every key anew under another sealing key and writes the ring; the caller stores that key
  // first and removes the old one after.
  Status rewrap(const SecretKey& seal_key);
  // The ring file's bytes as a backup keeps them.
  Result<Bytes> export_file() const;
  std::uint64_t generation() const;

 private:
  struct Key {
    KeyInfo info;
    SecretKey secret;
  };
  struct State {
    std::map<KeyId, Key> keys;
    KeyId next = 1;
    std::uint64_t generation = 0;
    SecretKey seal_key;
    SecretKey wrap_key;      // of the present file
    Bytes last_tag;          // of the last frame, or of the header
    std::uint64_t size = 0;  // of the file, up to the last good frame
    bool rewrite = false;    // an append failed: what the file's tail holds is unknown
  };
  Ring(const os::System& system, std::string path) : system_(system), path_(std::move(path)) {}
  Status load(State& state, View file) const;
  Status append(State& state, const Key& key) const;
  Status rewrite(State& state) const;
  Result<KeyId> create_in(State& state, std::string_view purpose) const;

  os::System system_;
  std::string path_;
  mutable Guarded<State> state_;
};

}  // namespace holdfast::seal
