// The journal: everything that devices report becomes durable here before it is acknowledged
// (decisions 4, 6, 14; docs/spec/journal.md). One committer gathers what came while the last sync
// ran, writes it as one encrypted commit and syncs once; the first append after a pause is
// committed at once. Consumers (series, events) see each commit before its acknowledgements and
// later seal whole segments; followers (live streams, detect, sinks) read by cursor or listen.
//
// Life: open(), attach() each consumer, start(), then append() from any thread. The destructor
// commits what is queued. Errors of append: overloaded (queue full: stop reading from devices
// until acknowledgements come), disk_full, io_error, invalid_argument.
// Threads: append, barrier, seen, read, follow, roll and status from any; the rest from the owner.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "libs/base/log.hpp"
#include "libs/base/metrics.hpp"
#include "libs/os/system.hpp"
#include "server/store/journal/key_source.hpp"
#include "server/store/journal/record.hpp"

namespace holdfast::journal {

inline constexpr std::size_t kFrameBytes = 256 * 1024;  // a frame is closed beyond this

enum class Durability { disk, memory };

struct Options {
  std::string folder;  // "<data>/journal"
  Durability durability = Durability::disk;
  std::size_t queue_bytes_max = 16 * 1024 * 1024;  // appended, not yet durable
  std::uint32_t segment_bytes = 64 * 1024 * 1024;  // then the next begins; 1 GiB at most
  Duration segment_age = hours(1);                 // looked at when records come, and by roll_old()
  std::uint32_t fill_bytes = 1024 * 1024;          // zero-filled ahead in steps of this
  std::uint64_t headroom_bytes = 16 * 1024 * 1024;
  std::size_t recent_bytes_max = 8 * 1024 * 1024;  // kept in memory for followers
  std::size_t sessions_max = 500'000;              // resend windows; beyond it the idlest goes
};

// What one frame holds, in memory; shared by consumers and followers, never changed.
struct Batch {
  Cursor first;
  std::uint32_t count = 0;
  Bytes plain;

  Status for_each(const std::function<bool(const Stored&)>& use) const {
    return for_each_record(plain, first, use);
  }
  Cursor next() const { return {first.segment, first.record + count}; }
};
using BatchPtr = std::shared_ptr<const Batch>;

// An engine that keeps what the journal holds. Calls come one after another.
class Consumer {
 public:
  virtual ~Consumer() = default;
  // The highest segment that this engine has outputs of; 0: none.
  virtual Result<SegmentId> newest_output() const = 0;
  // Start: outputs of segments from `first_unsealed` on are to be removed; their records follow.
  virtual Status begin(SegmentId first_unsealed) = 0;
  // A commit, or its replay at start; in order of cursors. Committer's thread.
  virtual void committed(const Batch& batch) = 0;
  // Make that segment's records durable in files of one's own, not yet served. Sealer's thread.
  virtual Status seal(SegmentId segment) = 0;
  // The segment is sealed for good: serve the files, drop the records from memory. Sealer's thread.
  virtual void sealed(SegmentId segment) = 0;
};

// Called on the follower's loop. `dropped` counts batches lost after these because the follower
// was too slow: read() goes on from the cursor of the last one.
using FollowFn = std::function<void(const std::vector<BatchPtr>& batches, std::uint64_t dropped)>;
using Durable = std::move_only_function<void(Status)>;
using AlarmFn = std::function<void(std::string_view what)>;

class Follower {
 public:
  virtual ~Follower() = default;  // on the follower's loop; no call-back after it
};

struct Page {
  std::vector<BatchPtr> batches;  // the first may hold records before the cursor: skip them
  Cursor next;                    // ask from here the next time
  bool lost = false;              // the cursor's segment is sealed: the page starts at the oldest
};

struct State {
  Cursor end;  // where the next record will be
  SegmentId oldest = 0;
  std::size_t queued_bytes = 0;
  std::uint64_t unsealed_bytes = 0;
  std::uint64_t damaged_segments = 0;  // since start
  bool disk_full = false;
};

class Journal final {
 public:
  static Result<std::unique_ptr<Journal>> open(const os::System& system, KeySource& keys, Log log,
                                               Metrics& metrics, Options options,
                                               AlarmFn alarm = {});
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Before start(). The consumer must outlive the journal or be detached by its destruction.
  void attach(Consumer& consumer);
  // Replays what is unsealed to the consumers, begins a new segment, and accepts records.
  Status start();

  // Copies the record into the queue. `durable` is called once, on `loop` or, without one, on the
  // committer's thread: after the sync (Durability::disk) or the write (memory). A record whose
  // delivery has `dup` and is in its session's window is not stored again; `durable` is called
  // when the first one is durable. On an error nothing is stored and `durable` is not called.
  Status append(const Record& record, os::Loop* loop, Durable durable);
  // Calls back when everything appended before is durable (or has failed).
  Status barrier(os::Loop* loop, Durable durable);
  bool seen(const Delivery& delivery) const;
  // The session is over for good.
  void forget(std::uint64_t session);
  // And what is known of its deliveries is gone from disk, in copies too. Not from a loop.
  Status erase_windows(const std::vector<std::uint64_t>& sessions);

  // About `bytes_max` of batches from the cursor on, at least one if there is any.
  Result<Page> read(Cursor from, std::size_t bytes_max) const;
  std::unique_ptr<Follower> follow(os::Loop& loop, std::size_t bytes_max, FollowFn follow);

  // Ends the open segment if it holds records (and, roll_old, is over age), and returns when all
  // closed segments are sealed: for backup, erasure and a regular job. Not from a loop.
  Status roll();
  Status roll_old();
  State state() const;

 private:
  struct Core;
  explicit Journal(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace holdfast::journal
