// The key ring: every data key of the server, wrapped by the sealing key (decision 8). Data keys
// encrypt SQL columns, journal segments, series and event files; destroying one here destroys what
// it encrypted, in old backups too, because the ring is backed up apart and replaced as a whole.
//
//   <data>.seal              sealing key, 0600, outside the data folder; never in a backup
//   <data>.ring              the ring file, beside the data folder
//   <data>/recovery.sealed   the sealing key encrypted under the recovery key, for restores
//
// Ring file (integers little-endian): header = magic "HFRING1\n", generation u64, next id u64, file
// id 16 random bytes, tag 16 (GCM over the header before it, nonce zero, nothing encrypted). Then
// one frame a key: id u64, created us i64, purpose length u16, purpose, nonce 12, wrapped key 48
// (key and GCM tag; associated data = the tag before this one and the frame up to its nonce). All
// under a key that HKDF-SHA-256 makes from the sealing key and the file id. Each frame names its
// forerunner's tag, so frames cannot be dropped from the middle, moved, or taken from another ring.
// A new key is appended and synced; a destroyed key rewrites the file as a whole, under a new file
// id. A torn last frame (its create() never returned) is cut, with a copy of the file left at
// <ring>.damaged; any other damage is Code::corrupt.
//
// Errors: seal_key_missing, seal_key_wrong, corrupt (ring damaged), not_found (no such key),
// quota_exceeded (kKeysMax), and those of os::Files.
// Threads: any. create() and destroy() write and sync the file before they return.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <set>
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
// already_exists when there is one.
Status store_seal_key(const os::System& system, const std::string& path, const SecretKey& key);
Result<SecretKey> create_seal_key(const os::System& system, const std::string& path);

// The recovery key as people write it down: 14 groups of 4 letters and digits (Crockford base32,
// the last group is a check). Parsing forgives case, spaces and dashes; invalid_argument otherwise.
std::string recovery_text(const SecretKey& recovery);
Result<SecretKey> parse_recovery(std::string_view text);
Status write_recovery(const os::System& system, const std::string& path, const SecretKey& seal_key,
                      const SecretKey& recovery);
Result<SecretKey> recover_seal_key(os::Files& files, const std::string& path,
                                   const SecretKey& recovery);

struct KeyInfo {
  KeyId id = 0;
  std::string purpose;  // "sql", "journal", "series:<subject>", "events:<segment>"
  WallTime created;
};

class Ring {
 public:
  // A new, empty ring; already_exists if there is one.
  static Result<std::unique_ptr<Ring>> make(const os::System& system, const std::string& path,
                                            const SecretKey& seal_key);
  // not_found if there is none: a lost ring is no reason to start with an empty one.
  static Result<std::unique_ptr<Ring>> open(const os::System& system, const std::string& path,
                                            const SecretKey& seal_key);
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  Result<KeyId> create(std::string_view purpose);
  Result<std::vector<KeyId>> create_all(const std::vector<std::string>& purposes);  // one sync
  Result<SecretKey> get(KeyId id) const;
  // Gone for good once this returns; destroying what is not there succeeds.
  Status destroy(KeyId id) { return destroy_all({id}); }
  Status destroy_all(const std::vector<KeyId>& ids);  // one write
  // Sorted by purpose, then id.
  std::vector<KeyInfo> list(std::string_view purpose_prefix = {}) const;
  // The newest key of exactly this purpose, made if there is none.
  Result<KeyId> current(std::string_view purpose);
  // Wraps every key anew under another sealing key and writes the ring; the caller stores that key
  // first and removes the old one after.
  Status rewrap(const SecretKey& seal_key);
  // The ring file's bytes, as a backup keeps them.
  Result<Bytes> export_file();
  std::uint64_t generation() const;                       // grows with each rewrite
  std::uint64_t cut_bytes() const { return cut_bytes_; }  // of a torn last frame, when opened

 private:
  struct Key {
    WallTime created;
    std::string purpose;
    SecretKey secret;
  };
  // Who looks a key up waits for no disk: the keys have a lock of their own.
  struct Keys {
    std::map<KeyId, Key> by_id;
    std::set<std::pair<std::string, KeyId>> by_purpose;
  };
  struct File {
    KeyId next = 1;
    std::uint64_t generation = 0;
    SecretKey seal_key;
    SecretKey wrap_key;      // of the present file
    Bytes last_tag;          // of the last frame, or of the header
    std::uint64_t size = 0;  // up to the last good frame
    bool rewrite = false;    // what lies behind `size` is unknown: write the whole file next
  };
  struct Image {  // a whole ring file, ready to be written
    Bytes bytes;
    SecretKey wrap_key;
    Bytes last_tag;
  };

  Ring(const os::System& system, std::string path) : system_(system), path_(std::move(path)) {}
  Status load(View file, const SecretKey& seal_key);
  Status load_frames(File& file, Keys& keys, View bytes);
  Result<Image> image(const File& file, const Keys& keys) const;
  Status write_whole(File& file, const Keys& keys) const;
  Status append(File& file, const Bytes& frames, const Bytes& last_tag) const;
  Result<Bytes> frame(const SecretKey& wrap_key, View last_tag, KeyId id, const Key& key) const;
  Result<std::vector<KeyId>> create_locked(File& file, const std::vector<std::string>& purposes);

  os::System system_;
  std::string path_;
  std::uint64_t cut_bytes_ = 0;
  mutable Guarded<Keys> keys_;
  mutable Guarded<File> file_;  // held while the disk is written; taken before keys_
};

}  // namespace holdfast::seal
