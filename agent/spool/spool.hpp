// Spool: messages on disk until the server has stored them. append() returns when they are durable;
// done() drops one, after its PUBACK. After a crash everything that was appended and not done is
// there again, in order; what was done just before a power cut may come once more (a resent reading
// has the same device time and is one reading).
//
// Files: FOLDER/<class>-<number>.spool, up to kSegmentBytes each, of one class; always removed
// oldest first. A file that was there at the start is only read: its end may be torn. Records are
// sealed with AES-256-GCM, class and sequence as associated data.
// Beyond bytes_max, and on a full disk, the oldest file goes: of readings first, events only when
// there are no readings left. All that is lost is counted.
// Memory does not grow with what waits: only the records that go out next are known one by one
// (kIndexedMax a class, and the rest of a file); of later files it is known how many they hold.
// Errors: io_error, disk_full, payload_too_large. One owner thread.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/spool/ranges.hpp"
#include "agent/spool/record.hpp"
#include "libs/crypto/aead.hpp"
#include "libs/os/entropy.hpp"
#include "libs/os/files.hpp"

namespace holdfast::agent {

struct SpoolCounters {
  std::uint64_t readings_dropped = 0;  // for want of space
  std::uint64_t events_dropped = 0;
  std::uint64_t damaged = 0;  // records or ends of files that could not be read
  std::uint64_t write_failures = 0;
};

class Spool final {
 public:
  static constexpr std::size_t kSegmentBytes = 256 * 1024;
  static constexpr std::size_t kIndexedMax = 4096;  // records; beyond it new files wait unread

  static Result<std::unique_ptr<Spool>> open(os::Files& files, os::Entropy& entropy,
                                             std::string folder, View key32,
                                             std::uint64_t bytes_max);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  // All of them or none, with one sync a class.
  Status append(const std::vector<SpoolRecord>& records);

  struct Handed {
    std::uint64_t tag = 0;
    SpoolRecord record;
  };
  // The oldest that is not handed out yet; events come before readings.
  std::optional<Handed> next();
  void done(std::uint64_t tag);
  void put_back(std::uint64_t tag);  // will be handed out again

  std::size_t waiting() const;  // not done
  std::uint64_t bytes() const;
  std::size_t indexed() const;  // records known one by one
  const SpoolCounters& counters() const { return counters_; }

 private:
  struct Entry {
    std::uint64_t sequence = 0;
    std::uint32_t segment = 0;
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
    bool handed = false;
    bool done = false;
  };
  struct Segment {
    std::uint32_t number = 0;
    std::uint64_t bytes = 0;
    std::size_t left = 0;  // records that are not done
  };
  struct Lane {
    SpoolClass kind = SpoolClass::reading;
    std::deque<Segment> segments;
    std::size_t known = 0;      // so many of the first segments have their records in `entries`
    std::deque<Entry> entries;  // sequences rise
    SequenceRanges done;        // by a former run, of records in segments that are not known yet
    std::size_t waiting = 0;
    std::size_t handed_below = 0;       // no unhanded entry before this index
    std::unique_ptr<os::File> active;   // the last segment, when it may be written
    std::unique_ptr<os::File> reading;  // of reading_number, open as long as it is read from
    std::uint32_t reading_number = 0;
  };

  Spool(os::Files& files, os::Entropy& entropy, std::string folder,
        std::unique_ptr<crypto::AeadKey> key, std::uint64_t bytes_max);
  Status recover();
  Status recover_segment(Lane& lane, std::uint32_t number);
  Status append_lane(Lane& lane, const std::vector<SpoolRecord>& records);
  Status write_lane(Lane& lane, const Bytes& frames, std::vector<Entry> entries);
  Status open_segment(Lane& lane);
  bool drop_oldest();
  void drop_segment(Lane& lane, bool count);
  void learn_segment(Lane& lane);
  static Segment& segment_of(Lane& lane, const Entry& entry);
  static void forget(Lane& lane, Entry& entry);
  void trim(Lane& lane);
  Result<Bytes> read_sealed(Lane& lane, const Entry& entry);
  Entry* find(std::uint64_t tag, Lane*& lane);
  std::string path(const Lane& lane, std::uint32_t number) const;
  static Bytes associated(SpoolClass kind, std::uint64_t sequence);

  os::Files& files_;
  os::Entropy& entropy_;
  const std::string folder_;
  const std::unique_ptr<crypto::AeadKey> key_;
  const std::uint64_t bytes_max_;
  std::array<Lane, kSpoolClasses> lanes_;
  std::uint64_t next_sequence_ = 1;  // of all classes
  std::uint32_t next_segment_ = 1;
  SpoolCounters counters_;
};

}  // namespace holdfast::agent
