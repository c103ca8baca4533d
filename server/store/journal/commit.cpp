// The committer: one thread that makes durable whatever was queued while its last sync ran.
#include <algorithm>

#include "server/store/journal/journal_core.hpp"

namespace holdfast::journal {
namespace {

constexpr Duration kRetryFull = seconds(1);

void call_back(std::vector<Waiter>& waiters, const Status& status) {
  // One task a loop: a commit may answer thousands.
  using LoopCalls = std::pair<os::Loop*, std::vector<Durable>>;
  std::vector<LoopCalls> by_loop;
  for (Waiter& waiter : waiters) {
    if (!waiter.durable) continue;
    if (waiter.loop == nullptr) {
      waiter.durable(status);
      continue;
    }
    auto at = std::ranges::find(by_loop, waiter.loop, &LoopCalls::first);
    if (at == by_loop.end()) {
      by_loop.emplace_back(waiter.loop, std::vector<Durable>{});
      at = by_loop.end() - 1;
    }
    at->second.push_back(std::move(waiter.durable));
  }
  for (auto& [loop, durables] : by_loop) {
    loop->post([calls = std::move(durables), status]() mutable {
      for (Durable& call : calls) call(status);
    });
  }
  waiters.clear();
}

}  // namespace

void Journal::Core::schedule() {
  if (commit_workers->post([this] { run_committer(); })) return;
  // At most one task of ours waits there, so the queue cannot be full; if it is, nothing is lost:
  // the next append asks again.
  shared.with([](Shared& s) { s.scheduled = false; });
}

void Journal::Core::run_committer() {
  for (;;) {
    Queue batch;
    const bool idle = shared.with([&](Shared& s) {
      if (s.queue.empty()) {
        s.scheduled = false;
        return true;
      }
      batch = s.queue.take();
      s.in_flight = std::move(batch.deliveries);
      s.in_flight_bytes = batch.bytes;
      return false;
    });
    if (idle) break;
    commit(std::move(batch));
  }
  when_idle();
}

void Journal::Core::commit(Queue batch) {
  if (batch.frames.empty()) {  // a barrier: all before it is committed
    call_back(batch.waiters, {});
    return;
  }
  auto written = write(batch);
  if (!written) {
    counters.io_errors.add();
    const bool known = shared.with([](const Shared& s) { return s.disk_full; });
    if (!known) raise_alarm("the journal could not write: " + written.error().text());
    // What the disk holds beyond the committed length is unknown: never touch that file again.
    end_segment();
    written = write(batch);
  }
  if (!written) return fail_queued(batch, written.error());
  publish(batch);
}

Status Journal::Core::write(Queue& batch) {
  std::size_t size = 0;
  for (const PlainFrame& frame : batch.frames) size += frame.plain.size();
  const bool full = writer && writer->length() + size > options.segment_bytes;
  const bool old = writer && sys.clock.wall() - writer->header().created > options.segment_age;
  if (writer && writer->records() > 0 && (full || old)) TRY(rotate());
  if (!writer) TRY(begin_segment());
  for (PlainFrame& frame : batch.frames)
    frame.offset = TRY(writer->stage(frame.plain, frame.count));
  const std::uint32_t before = writer->length();
  TRY(writer->commit(options.durability == Durability::disk));
  counters.commits.add();
  counters.bytes.add(writer->length() - before);
  return {};
}

void Journal::Core::publish(Queue& batch) {
  const SegmentId number = writer->header().number;
  std::uint32_t first = writer->records();
  for (const PlainFrame& frame : batch.frames) first -= frame.count;
  std::vector<BatchPtr> batches;
  std::vector<IndexEntry> index;
  for (PlainFrame& frame : batch.frames) {
    index.push_back({first, frame.offset});
    batches.push_back(
        std::make_shared<Batch>(Batch{{number, first}, frame.count, std::move(frame.plain)}));
    first += frame.count;
    counters.records.add(frame.count);
  }
  // Consumers first: who has an acknowledgement may ask for what he wrote.
  for (const BatchPtr& each : batches) {
    for (Consumer* consumer : consumers) consumer->committed(*each);
  }
  shared.with([&](Shared& s) {
    Segment& segment = s.segments[number];
    segment.length = writer->length();
    segment.records = writer->records();
    for (const IndexEntry& entry : index) segment.note_frame(entry.record, entry.offset);
    for (const Entry& entry : s.in_flight) s.windows.add(entry);
    segment.deliveries.insert(segment.deliveries.end(), s.in_flight.begin(), s.in_flight.end());
    s.in_flight.clear();
    s.in_flight_bytes = 0;
    s.disk_full = false;
  });
  for (const BatchPtr& each : batches) live.publish(each);
  call_back(batch.waiters, {});
}

// Everything that is queued fails with the batch: a resend among it may wait for a record of it.
void Journal::Core::fail_queued(Queue& batch, const Error& error) {
  Queue rest;
  shared.with([&](Shared& s) {
    rest = s.queue.take();
    s.in_flight.clear();
    s.in_flight_bytes = 0;
    s.disk_full = error.code == Code::disk_full;
    s.retry_at = sys.clock.mono() + kRetryFull;
  });
  const Status status = std::unexpected(error);
  call_back(batch.waiters, status);
  call_back(rest.waiters, status);
}

void Journal::Core::when_idle() {
  if (!writer) return;
  Status done;
  if (writer->unsynced()) done = writer->sync();
  if (done) done = writer->fill_ahead();
  if (!done) {
    counters.io_errors.add();
    raise_alarm("the journal could not sync: " + done.error().text());
    end_segment();
    return;
  }
  headroom.reserve();
}

Status Journal::Core::begin_segment() {
  if (!headroom.room_for(2ULL * options.fill_bytes)) {
    headroom.release();
    return fail(Code::disk_full, "the server's data disk is full: free space or shorten retention");
  }
  SegmentHeader header;
  header.number = next_number++;
  header.created = sys.clock.wall();
  shared.with([&](const Shared& s) {
    if (s.segments.empty()) return;
    header.previous = s.segments.rbegin()->first;
    header.previous_length = s.segments.rbegin()->second.length;
  });
  const Key key = TRY(keys.create(kJournalPurpose));
  header.key = key.id;
  const std::string file = path(header.number, ".hfj");
  auto made = SegmentWriter::create(sys.files, file, header, key, options.fill_bytes);
  if (!made) {
    static_cast<void>(keys.destroy(key.id));
    if (made.error().code == Code::disk_full) headroom.release();
    return std::unexpected(made.error());
  }
  writer = std::move(*made);
  shared.with([&](Shared& s) {
    Segment& segment = s.segments[header.number];
    segment.path = file;
    segment.key = key.id;
    segment.created = header.created;
    s.disk_full = false;
  });
  return {};
}

void Journal::Core::end_segment() {
  if (!writer) return;
  const SegmentId number = writer->header().number;
  writer.reset();
  shared.with([&](Shared& s) { s.segments[number].closed = true; });
}

Status Journal::Core::rotate() {
  writer->close();
  end_segment();
  TRY(begin_segment());
  if (!seal_workers->post([this] { static_cast<void>(seal_closed()); })) {
    log.debug("sealing is behind: what is closed now is sealed with the next segment");
  }
  return {};
}

}  // namespace holdfast::journal
