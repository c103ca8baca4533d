// Resend windows: per session the last kWindowMax deliveries, so that an MQTT client's repeat after
// a lost acknowledgement is stored once (decision 4), across restarts and sealed segments
// (docs/spec/journal.md, Resend windows).
//
// Windows holds what is durable; WindowFile keeps what would go with a sealed segment. Memory: 8
// bytes a delivery. Threads: one at a time, each.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "libs/os/system.hpp"
#include "server/store/journal/key_source.hpp"
#include "server/store/journal/segment.hpp"

namespace holdfast::journal {

inline constexpr std::size_t kWindowMax = 64;

// A delivery, packed: packet id and hash in one number.
struct Entry {
  std::uint64_t session = 0;
  std::uint64_t packed = 0;
  bool operator==(const Entry&) const = default;
};
Entry entry_of(const Delivery& delivery);

class Windows final {
 public:
  explicit Windows(std::size_t sessions_max) : sessions_max_(sessions_max) {}

  void add(const Entry& entry);  // the newest; adding it again changes nothing
  bool has(const Entry& entry) const;
  void forget(std::uint64_t session) { sessions_.erase(session); }
  std::size_t sessions() const { return sessions_.size(); }
  std::size_t entries() const { return entries_of(nullptr); }
  std::uint64_t evicted() const { return evicted_; }

  // Bodies of window records: all there is, or of these entries the ones still in a window.
  std::vector<Bytes> encode_all() const;
  std::vector<Bytes> encode(const std::vector<Entry>& entries) const;
  Status decode(View body);  // adds

 private:
  struct Session {
    std::vector<std::uint64_t> ring;  // grows to kWindowMax, then `oldest` is overwritten
    std::uint32_t used = 0;           // when, by count of additions
    std::uint8_t oldest = 0;
  };
  std::size_t entries_of(const Session* only) const;
  void evict_one();

  std::unordered_map<std::uint64_t, Session> sessions_;
  std::size_t sessions_max_;
  std::uint32_t additions_ = 0;
  std::uint64_t evicted_ = 0;
};

class WindowFile final {
 public:
  WindowFile(const os::System& system, KeySource& keys, std::string folder)
      : system_(system), keys_(keys), folder_(std::move(folder)) {}

  // Adds what the newest file that opens holds to `windows`; removes the others.
  Status load(Windows& windows);
  // Makes entries of a segment durable that is about to be sealed. `snapshot` gives all windows
  // when the file is to be written anew. Without entries nothing is written.
  Status carry(const std::vector<Bytes>& entries,
               const std::function<std::vector<Bytes>()>& snapshot);
  // Writes a new file and destroys the old one's key: what it held cannot be read any more.
  Status rewrite(const std::vector<Bytes>& snapshot);
  KeyId key() const { return key_; }

 private:
  std::string path(std::uint64_t number) const;
  Status write(const std::vector<Bytes>& bodies);
  Status read(std::uint64_t number, Windows& windows, KeyId& key);
  Status remove(std::uint64_t number, KeyId key);
  KeyId key_of(std::uint64_t number) const;  // 0: unreadable

  os::System system_;
  KeySource& keys_;
  std::string folder_;
  std::uint64_t number_ = 0;               // the highest ever used here
  std::uint64_t current_ = 0;              // the file that counts; 0: none
  KeyId key_ = 0;                          // its key
  std::unique_ptr<SegmentWriter> writer_;  // none until the first rewrite of this life
  std::uint32_t snapshot_bytes_ = 0;
};

}  // namespace holdfast::journal
