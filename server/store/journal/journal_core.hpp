// The insides of a Journal: what its threads share, and the three parts that work on it: committer
// (commit.cpp), sealer (sealing.cpp), recovery (recovery.cpp). Private to this folder.
#pragma once

#include <atomic>
#include <map>
#include <vector>

#include "libs/base/guarded.hpp"
#include "server/store/journal/headroom.hpp"
#include "server/store/journal/journal.hpp"
#include "server/store/journal/live.hpp"
#include "server/store/journal/segment.hpp"
#include "server/store/journal/windows.hpp"

namespace holdfast::journal {

struct Waiter {
  os::Loop* loop = nullptr;
  Durable durable;
};

struct PlainFrame {
  Bytes plain;
  std::uint32_t count = 0;
  std::uint32_t offset = 0;  // in the segment, once staged
};

// What was appended and is not yet committed.
struct Queue {
  RecordWriter open;
  std::vector<PlainFrame> frames;
  std::vector<Waiter> waiters;
  std::vector<Entry> deliveries;
  std::size_t bytes = 0;

  bool empty() const { return bytes == 0 && waiters.empty(); }
  void close_frame();
  Queue take();  // all of it
};

// Where a frame of a segment begins; one each kIndexBytes, to find cursors.
struct IndexEntry {
  std::uint32_t record = 0;
  std::uint32_t offset = 0;
};
inline constexpr std::uint32_t kIndexBytes = 64 * 1024;

struct Segment {
  std::string path;
  KeyId key = 0;
  WallTime created;
  std::uint32_t length = kSegmentHeaderBytes;
  std::uint32_t records = 0;
  bool closed = false;
  bool damaged = false;
  std::vector<IndexEntry> index;
  std::vector<Entry> deliveries;

  void note_frame(std::uint32_t record, std::uint32_t offset);
};

struct Shared {
  explicit Shared(std::size_t sessions_max) : windows(sessions_max) {}

  bool running = false;
  bool scheduled = false;  // a committer's task is posted or runs
  Queue queue;
  std::vector<Entry> in_flight;  // deliveries of the commit under way
  std::size_t in_flight_bytes = 0;
  WallTime last_time{INT64_MIN};
  bool disk_full = false;
  MonoTime retry_at{INT64_MIN};  // while the disk is full: when the next append may try
  Windows windows;
  std::map<SegmentId, Segment> segments;  // unsealed, the open one last
  std::map<SegmentId, std::uint32_t>
      ended;  // records of segments sealed since start, the newest few
  std::uint64_t damaged = 0;

  WallTime next_time(WallTime now, std::uint32_t ticks);
  Cursor end() const;
  bool move_on(Cursor& from) const;
};

struct Journal::Core {
  Core(const os::System& system, KeySource& keys, Log log, Metrics& metrics, Options options,
       AlarmFn alarm);
  ~Core();

  // ---- commit.cpp; the committer's thread
  void schedule();
  void run_committer();
  void commit(Queue batch);
  Status write(Queue& batch);
  void publish(Queue& batch);
  void fail_queued(Queue& batch, const Error& error);
  void when_idle();
  Status begin_segment();
  void end_segment();  // the writer's segment gets no more records
  Status rotate();

  // ---- sealing.cpp; the sealer's thread
  Status seal_closed();
  Status seal_one(SegmentId number);
  Status erase_windows(const std::vector<std::uint64_t>& sessions);
  Status roll(bool only_old);

  // ---- recovery.cpp; before anything runs
  struct Found {
    std::map<SegmentId, SegmentHeader> segments;
    std::vector<std::string> done;
    SegmentId newest = 0;
  };
  Status recover();
  Result<Found> look_around();
  Status replay(const SegmentHeader& header, std::optional<std::uint32_t> length);
  void quarantine(SegmentId number, std::string_view why);
  void remove_done(const std::vector<std::string>& names);
  void destroy_orphans();

  // ---- journal.cpp
  Result<Page> read_from_disk(Cursor from, std::size_t bytes_max);
  std::string path(SegmentId number, std::string_view suffix) const {
    return os::join(options.folder, segment_name(number, suffix));
  }
  void raise_alarm(const std::string& what);

  os::System sys;
  KeySource& keys;
  Log log;
  Options options;
  AlarmFn alarm;
  struct Counters {
    explicit Counters(Metrics& metrics);
    Counter &records, &bytes, &commits, &overloaded, &resends, &dropped, &damaged, &io_errors,
        &sealed;
  } counters;

  std::vector<Consumer*> consumers;
  Guarded<Shared> shared;
  Live live;

  // The committer's own.
  std::unique_ptr<SegmentWriter> writer;
  Headroom headroom;
  SegmentId next_number = 1;

  WindowFile window_file;  // the sealer's own

  // Last: they end before anything that their tasks touch. Sealing may be asked for by the
  // committer.
  std::unique_ptr<os::Workers> seal_workers;
  std::unique_ptr<os::Workers> commit_workers;
};

}  // namespace holdfast::journal
