#include "server/store/journal/journal.hpp"

#include <algorithm>
#include <cassert>

#include "server/store/journal/journal_core.hpp"

namespace holdfast::journal {
namespace {

constexpr Duration kClockStepMax = minutes(1);
constexpr std::size_t kRecordOverhead = 64;  // of the queue's bound, beside the body
constexpr std::uint32_t kSegmentBytesMax = 1024 * 1024 * 1024;

}  // namespace

void Queue::close_frame() {
  if (open.count() == 0) return;
  const std::uint32_t count = open.count();
  frames.push_back({open.take(), count, 0});
}

Queue Queue::take() {
  close_frame();
  return std::exchange(*this, {});
}

void Segment::note_frame(std::uint32_t record, std::uint32_t offset) {
  if (index.empty() || offset >= index.back().offset + kIndexBytes)
    index.push_back({record, offset});
}

WallTime Shared::next_time(WallTime now, std::uint32_t ticks) {
  // A small step back is a correction of the clock; a large one means that it was wrong before.
  if (now <= last_time && last_time - now <= kClockStepMax) now = last_time + microseconds(1);
  last_time = now + microseconds(ticks - 1);
  return now;
}

Cursor Shared::end() const {
  if (segments.empty()) return {};
  const auto& [number, last] = *segments.rbegin();
  return {number, last.records};
}

// Moves a cursor out of segments that are sealed. True: there were records that it had not read.
bool Shared::move_on(Cursor& from) const {
  const Cursor oldest{segments.begin()->first, 0};
  if (from.segment == 0) from = oldest;
  bool known = false;  // everything before `from` was read, by what we know of this life
  while (from < oldest) {
    const auto sealed = ended.lower_bound(from.segment);
    const bool here = sealed != ended.end() && sealed->first == from.segment;
    if ((here && from.record < sealed->second) || (!here && !known)) {
      from = oldest;
      return true;
    }
    known = true;
    from = here                    ? Cursor{from.segment + 1, 0}
           : sealed == ended.end() ? oldest
                                   : Cursor{sealed->first, 0};
  }
  return false;
}

Journal::Core::Counters::Counters(Metrics& metrics)
    : records(metrics.counter("holdfast_journal_records_total", "Records made durable")),
      bytes(metrics.counter("holdfast_journal_bytes_total", "Bytes written to segments")),
      commits(metrics.counter("holdfast_journal_commits_total", "Group commits")),
      overloaded(metrics.counter("holdfast_journal_overloaded_total",
                                 "Records refused because the queue was full")),
      resends(metrics.counter("holdfast_journal_resends_total",
                              "Resent messages that were stored already")),
      dropped(metrics.counter("holdfast_journal_follower_dropped_total",
                              "Batches that slow followers missed")),
      damaged(metrics.counter("holdfast_journal_damaged_segments_total", "Segments found damaged")),
      io_errors(metrics.counter("holdfast_journal_io_errors_total", "Commits that failed on disk")),
      sealed(metrics.counter("holdfast_journal_sealed_segments_total", "Segments sealed")) {}

Journal::Core::Core(const os::System& system, KeySource& key_source, Log to, Metrics& metrics,
                    Options with, AlarmFn call)
    : sys(system),
      keys(key_source),
      log(std::move(to)),
      options(std::move(with)),
      alarm(std::move(call)),
      counters(metrics),
      shared(options.sessions_max),
      live(options.recent_bytes_max, counters.dropped),
      headroom(system.files, os::join(options.folder, "headroom"), options.headroom_bytes),
      window_file(system, key_source, options.folder) {
  options.segment_bytes = std::clamp(options.segment_bytes, 4096U, kSegmentBytesMax);
  seal_workers = sys.threads.start_workers("seal", 1, 64);
  commit_workers = sys.threads.start_workers("journal", 1, 64);
}

Journal::Core::~Core() {
  shared.with([](Shared& s) { s.running = false; });
  commit_workers.reset();
  seal_workers.reset();
  if (writer) writer->close();
}

void Journal::Core::raise_alarm(const std::string& what) {
  log.error(what);
  if (alarm) alarm(what);
}

Journal::Journal(std::unique_ptr<Core> core) : core_(std::move(core)) {}
Journal::~Journal() = default;

Result<std::unique_ptr<Journal>> Journal::open(const os::System& system, KeySource& keys, Log log,
                                               Metrics& metrics, Options options, AlarmFn alarm) {
  TRY(system.files.make_folder(options.folder));
  TRY(system.files.sync_dir(os::folder_of(options.folder)));
  return std::unique_ptr<Journal>(new Journal(std::make_unique<Core>(
      system, keys, std::move(log), metrics, std::move(options), std::move(alarm))));
}

void Journal::attach(Consumer& consumer) {
  assert(!core_->shared.with([](const Shared& s) { return s.running; }));
  core_->consumers.push_back(&consumer);
}

Status Journal::start() {
  return with_context(core_->recover(), "starting the journal");
}

Status Journal::append(const Record& record, os::Loop* loop, Durable durable) {
  if (record.body.size() > kBodyBytesMax || record.ticks == 0 || record.ticks > kTicksMax) {
    return fail(Code::invalid_argument, "the record is larger than the journal takes");
  }
  Core& core = *core_;
  const WallTime now = core.sys.clock.wall();
  const std::size_t size = record.body.size() + kRecordOverhead;
  bool tell = false;
  auto taken = core.shared.with([&](Shared& s) -> Status {
    if (!s.running) return fail(Code::unavailable, "the journal is not running");
    if (s.disk_full && core.sys.clock.mono() < s.retry_at) {
      return fail(Code::disk_full,
                  "the server's data disk is full: free space or shorten retention");
    }
    const bool traced = record.delivery.session != 0;
    const Entry entry = entry_of(record.delivery);
    if (traced && record.delivery.dup &&
        (s.windows.has(entry) ||
         std::ranges::find(s.queue.deliveries, entry) != s.queue.deliveries.end() ||
         std::ranges::find(s.in_flight, entry) != s.in_flight.end())) {
      core.counters.resends.add();  // the wait for the first one to be durable remains
    } else if (s.queue.bytes + s.in_flight_bytes + size > core.options.queue_bytes_max) {
      core.counters.overloaded.add();
      return fail(Code::overloaded, "the journal's queue is full: wait for acknowledgements");
    } else {
      s.queue.open.add(record, s.next_time(now, record.ticks));
      s.queue.bytes += size;
      if (s.queue.open.size() >= kFrameBytes) s.queue.close_frame();
      if (traced) s.queue.deliveries.push_back(entry);
    }
    s.queue.waiters.push_back({loop, std::move(durable)});
    tell = !std::exchange(s.scheduled, true);
    return {};
  });
  if (tell) core.schedule();
  return taken;
}

Status Journal::barrier(os::Loop* loop, Durable durable) {
  bool tell = false;
  auto taken = core_->shared.with([&](Shared& s) -> Status {
    if (!s.running) return fail(Code::unavailable, "the journal is not running");
    s.queue.waiters.push_back({loop, std::move(durable)});
    tell = !std::exchange(s.scheduled, true);
    return {};
  });
  if (tell) core_->schedule();
  return taken;
}

bool Journal::seen(const Delivery& delivery) const {
  const Entry entry = entry_of(delivery);
  return core_->shared.with([&](const Shared& s) {
    return s.windows.has(entry) || std::ranges::find(s.in_flight, entry) != s.in_flight.end() ||
           std::ranges::find(s.queue.deliveries, entry) != s.queue.deliveries.end();
  });
}

void Journal::forget(std::uint64_t session) {
  core_->shared.with([&](Shared& s) { s.windows.forget(session); });
}

Status Journal::erase_windows(const std::vector<std::uint64_t>& sessions) {
  return core_->erase_windows(sessions);
}

Result<Page> Journal::read(Cursor from, std::size_t bytes_max) const {
  Page page;
  const bool at_end = core_->shared.with([&](const Shared& s) {
    page.next = s.end();
    if (s.segments.empty()) return true;
    page.lost = s.move_on(from);
    return from >= page.next;
  });
  if (at_end) return page;
  if (auto recent = core_->live.recent(from, bytes_max)) {
    page.batches = std::move(*recent);
    page.next = page.batches.empty() ? from : page.batches.back()->next();
    return page;
  }
  const bool lost = page.lost;
  page = TRY(core_->read_from_disk(from, bytes_max));
  page.lost = page.lost || lost;
  return page;
}

std::unique_ptr<Follower> Journal::follow(os::Loop& loop, std::size_t bytes_max, FollowFn follow) {
  return core_->live.follow(loop, bytes_max, std::move(follow));
}

Status Journal::roll() {
  return core_->roll(false);
}
Status Journal::roll_old() {
  return core_->roll(true);
}

State Journal::state() const {
  return core_->shared.with([](const Shared& s) {
    State out;
    out.end = s.end();
    out.oldest = s.segments.empty() ? 0 : s.segments.begin()->first;
    out.queued_bytes = s.queue.bytes + s.in_flight_bytes;
    for (const auto& [number, segment] : s.segments) out.unsealed_bytes += segment.length;
    out.damaged_segments = s.damaged;
    out.disk_full = s.disk_full;
    return out;
  });
}

// Batches of one segment, from the frame that holds the cursor on.
Result<Page> Journal::Core::read_from_disk(Cursor from, std::size_t bytes_max) {
  std::optional<Segment> segment;
  std::uint32_t offset = kSegmentHeaderBytes;
  Page page;
  shared.with([&](const Shared& s) {
    const auto at = s.segments.lower_bound(from.segment);
    if (at == s.segments.end()) {
      page.next = s.end();
      return;
    }
    if (at->first != from.segment) from = {at->first, 0};
    const auto& index = at->second.index;
    const auto after = std::ranges::upper_bound(index, from.record, {}, &IndexEntry::record);
    if (after != index.begin()) offset = (after - 1)->offset;
    segment = Segment{at->second.path,
                      at->second.key,
                      {},
                      at->second.length,
                      at->second.records,
                      at->second.closed,
                      at->second.damaged,
                      {},
                      {}};
  });
  if (!segment) return page;
  page.next = from;
  std::size_t bytes = 0;
  if (from.record < segment->records) {
    const auto file = TRY(sys.files.open(segment->path, os::Open::read));
    FrameCipher cipher = TRY(FrameCipher::make(from.segment, TRY(keys.get(segment->key)).view()));
    TRY(scan_segment(*file, cipher, offset, segment->length, [&](Frame frame) {
      if (frame.first + frame.count <= from.record) return true;
      page.batches.push_back(std::make_shared<Batch>(
          Batch{{from.segment, frame.first}, frame.count, std::move(frame.plain)}));
      bytes += page.batches.back()->plain.size();
      page.next = page.batches.back()->next();
      return bytes < bytes_max;
    }));
  }
  if (segment->closed && (page.batches.empty() || page.next.record >= segment->records)) {
    page.next = {from.segment + 1, 0};
  }
  return page;
}

}  // namespace holdfast::journal
