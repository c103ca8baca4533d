// Start: looks at what the last life left, replays what is unsealed, begins a new segment
// (docs/spec/journal.md, Reading after a crash).
#include <algorithm>
#include <set>

#include "server/store/journal/journal_core.hpp"

namespace holdfast::journal {
namespace {

Result<SegmentHeader> read_header(os::Files& files, const std::string& path) {
  const auto file = TRY(files.open(path, os::Open::read));
  return decode_header(TRY(file->read_at(0, kSegmentHeaderBytes)));
}

}  // namespace

Result<Journal::Core::Found> Journal::Core::look_around() {
  Found found;
  for (const os::Entry& entry : TRY(sys.files.list(options.folder))) {
    const std::string file = os::join(options.folder, entry.name);
    if (entry.name.ends_with(".tmp")) {
      TRY(sys.files.remove(file));
    } else if (const auto number = segment_number(entry.name, ".hfj")) {
      found.newest = std::max(found.newest, *number);
      auto header = read_header(sys.files, file);
      if (header && header->number == *number) {
        found.segments[*number] = *header;
      } else if (!header && header.error().code != Code::corrupt) {
        // It may be read next time: what is in it was acknowledged.
        return std::unexpected(header.error());
      } else {
        quarantine(*number, header ? "its header names another segment" : header.error().text());
      }
    } else if (const auto old = segment_number(entry.name, ".done")) {
      found.newest = std::max(found.newest, *old);
      found.done.push_back(file);
    } else if (const auto bad = segment_number(entry.name, ".bad")) {
      found.newest = std::max(found.newest, *bad);
    }
  }
  for (const Consumer* consumer : consumers)
    found.newest = std::max(found.newest, TRY(consumer->newest_output()));
  return found;
}

// Nothing of the segment can be read: out of the way with it.
void Journal::Core::quarantine(SegmentId number, std::string_view why) {
  counters.damaged.add();
  shared.with([](Shared& s) { ++s.damaged; });
  static_cast<void>(sys.files.rename(path(number, ".hfj"), path(number, ".bad")));
  static_cast<void>(sys.files.sync_dir(options.folder));
  raise_alarm("journal segment " + std::to_string(number) +
              " cannot be read and is in quarantine: " + std::string(why));
}

Status Journal::Core::recover() {
  Found found = TRY(look_around());
  next_number = found.newest + 1;
  Windows windows(options.sessions_max);
  TRY(window_file.load(windows));
  shared.with([&](Shared& s) { s.windows = std::move(windows); });

  const SegmentId first_unsealed =
      found.segments.empty() ? next_number : found.segments.begin()->first;
  for (Consumer* consumer : consumers) TRY(consumer->begin(first_unsealed));
  std::map<SegmentId, std::uint32_t> lengths;
  for (const auto& [number, header] : found.segments) {
    if (header.previous != 0) lengths[header.previous] = header.previous_length;
  }
  for (const auto& [number, header] : found.segments) {
    const auto known = lengths.find(number);
    TRY(replay(header, known == lengths.end() ? std::nullopt : std::optional(known->second)));
  }

  headroom.reserve();
  if (auto begun = begin_segment(); !begun) {
    // A full disk must not keep the server from starting: that is how space gets freed.
    if (begun.error().code != Code::disk_full) return begun;
    raise_alarm(begun.error().message);
  } else {
    remove_done(found.done);
    destroy_orphans();
  }
  shared.with([](Shared& s) {
    s.running = true;
    s.disk_full = s.segments.empty() || s.segments.rbegin()->second.closed;
  });
  if (!seal_workers->post([this] { static_cast<void>(seal_closed()); }))
    return fail(Code::internal, "no sealer");
  return {};
}

Status Journal::Core::replay(const SegmentHeader& header, std::optional<std::uint32_t> length) {
  const std::string file_path = path(header.number, ".hfj");
  auto key = keys.get(header.key);
  if (!key && key.error().code != Code::not_found) return std::unexpected(key.error());
  if (!key) {
    quarantine(header.number, "its key: " + key.error().text());
    return {};
  }
  Segment segment;
  segment.path = file_path;
  segment.key = header.key;
  segment.created = header.created;
  segment.closed = true;
  const auto file = TRY(sys.files.open(file_path, os::Open::read));
  FrameCipher cipher = TRY(FrameCipher::make(header.number, key->view()));
  WallTime last_time{INT64_MIN};
  const Scan scan = TRY(scan_segment(*file, cipher, kSegmentHeaderBytes, length, [&](Frame frame) {
    const Batch batch{{header.number, frame.first}, frame.count, std::move(frame.plain)};
    segment.note_frame(frame.first, frame.offset);
    static_cast<void>(batch.for_each([&](const Stored& record) {
      if (record.delivery.session != 0) segment.deliveries.push_back(entry_of(record.delivery));
      last_time = record.time + microseconds(record.ticks - 1);
      return true;
    }));
    for (Consumer* consumer : consumers) consumer->committed(batch);
    return true;
  }));
  segment.length = length.value_or(scan.length);
  segment.records = scan.records;
  segment.damaged = scan.damaged;
  if (scan.damaged) {
    counters.damaged.add();
    raise_alarm("journal segment " + std::to_string(header.number) +
                " is damaged: what can be read of it is served, the file is kept in quarantine");
  }
  shared.with([&](Shared& s) {
    for (const Entry& entry : segment.deliveries) s.windows.add(entry);
    if (last_time.us != INT64_MIN) s.last_time = last_time;
    if (scan.damaged) ++s.damaged;
    s.segments[header.number] = std::move(segment);
  });
  return {};
}

// Keys that were made for a file which never came to be, or whose file went before them.
void Journal::Core::destroy_orphans() {
  std::set<KeyId> used = {window_file.key()};
  shared.with([&](const Shared& s) {
    for (const auto& [number, segment] : s.segments) used.insert(segment.key);
  });
  const auto entries = sys.files.list(options.folder);
  if (!entries) return;
  for (const os::Entry& entry : *entries) {
    if (!entry.name.ends_with(".bad") && !entry.name.ends_with(".done") &&
        !entry.name.starts_with("windows."))
      continue;
    const auto header = read_header(sys.files, os::join(options.folder, entry.name));
    if (header) used.insert(header->key);
  }
  std::vector<KeyId> orphans;
  for (const KeyId id : keys.find(kJournalPurpose)) {
    if (!used.contains(id)) orphans.push_back(id);
  }
  if (!orphans.empty()) static_cast<void>(keys.destroy_all(orphans));
}

void Journal::Core::remove_done(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (auto header = read_header(sys.files, name); header && !keys.destroy(header->key)) continue;
    static_cast<void>(sys.files.remove(name));
  }
}

}  // namespace holdfast::journal
