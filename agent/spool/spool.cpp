#include "agent/spool/spool.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace holdfast::agent {
namespace {

constexpr std::string_view kSuffix = ".spool";
constexpr std::array<std::string_view, kSpoolClasses> kLaneNames = {"readings", "events"};

std::optional<std::uint32_t> segment_number(std::string_view name, std::string_view lane) {
  if (!name.starts_with(lane) || !name.ends_with(kSuffix)) return std::nullopt;
  name.remove_prefix(lane.size());
  name.remove_suffix(kSuffix.size());
  if (name.size() != 11 || name[0] != '-') return std::nullopt;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

}  // namespace

Result<std::unique_ptr<Spool>> Spool::open(os::Files& files, os::Entropy& entropy,
                                           std::string folder, View key32,
                                           std::uint64_t bytes_max) {
  TRY(files.make_folder(folder));
  TRY(files.sync_dir(os::folder_of(folder)));
  auto key = TRY(crypto::AeadKey::make(key32));
  std::unique_ptr<Spool> spool(
      new Spool(files, entropy, std::move(folder), std::move(key), bytes_max));
  TRY(with_context(spool->recover(), "opening the spool"));
  return spool;
}

Spool::Spool(os::Files& files, os::Entropy& entropy, std::string folder,
             std::unique_ptr<crypto::AeadKey> key, std::uint64_t bytes_max)
    : files_(files),
      entropy_(entropy),
      folder_(std::move(folder)),
      key_(std::move(key)),
      bytes_max_(std::max<std::uint64_t>(bytes_max, 2 * kSegmentBytes)) {
  for (std::size_t i = 0; i < kSpoolClasses; ++i) lanes_[i].kind = static_cast<SpoolClass>(i);
}

Spool::~Spool() = default;

std::string Spool::path(const Lane& lane, std::uint32_t number) const {
  std::array<char, 16> digits{};
  std::snprintf(digits.data(), digits.size(), "-%010u", number);
  std::string name(kLaneNames[static_cast<std::size_t>(lane.kind)]);
  return os::join(folder_, name + digits.data() + std::string(kSuffix));
}

Bytes Spool::associated(SpoolClass kind, std::uint64_t sequence) {
  Bytes out{static_cast<std::uint8_t>(kind)};
  store_le<std::uint64_t>(out, sequence);
  return out;
}

// ---- what a former run left

Status Spool::recover() {
  const auto names = TRY(files_.list(folder_));
  for (Lane& lane : lanes_) {
    // The newest first: what it says is done lies in older ones.
    for (auto entry = names.rbegin(); entry != names.rend(); ++entry) {
      const auto number =
          segment_number(entry->name, kLaneNames[static_cast<std::size_t>(lane.kind)]);
      if (!number) continue;
      TRY(recover_segment(lane, *number));
      next_segment_ = std::max(next_segment_, *number + 1);
    }
    trim(lane);
  }
  return {};
}

Status Spool::recover_segment(Lane& lane, std::uint32_t number) {
  const Bytes file =
      TRY(os::read_file(files_, path(lane, number), kSegmentBytes + kFrameBodyMax + 64));
  const FrameScan scan = scan_frames(file);
  if (scan.damaged && !file.empty()) ++counters_.damaged;
  Segment segment{number, file.size(), 0};
  for (const Frame& frame : scan.frames) {
    next_sequence_ = std::max(next_sequence_, frame.sequence + 1);
    if (frame.type == FrameType::done) lane.done.add(frame.sequence);
  }
  for (const Frame& frame : scan.frames) {
    if (frame.type == FrameType::record && !lane.done.contains(frame.sequence)) ++segment.left;
  }
  lane.waiting += segment.left;
  lane.segments.push_front(segment);
  return {};
}

// Reads which records the first segment holds that is not known yet.
void Spool::learn_segment(Lane& lane) {
  Segment& segment = lane.segments[lane.known++];
  if (segment.left == 0) return;
  const auto file =
      os::read_file(files_, path(lane, segment.number), kSegmentBytes + kFrameBodyMax + 64);
  std::size_t found = 0;
  std::uint64_t last = 0;
  for (const Frame& frame : file ? scan_frames(*file).frames : std::vector<Frame>{}) {
    if (frame.type != FrameType::record) continue;
    // Rising for find(); a file that somebody changed may say otherwise.
    const bool rises = lane.entries.empty() || frame.sequence > lane.entries.back().sequence;
    if (!rises || lane.done.contains(frame.sequence)) continue;
    lane.entries.push_back({frame.sequence, segment.number,
                            static_cast<std::uint32_t>(frame.offset),
                            static_cast<std::uint32_t>(frame.sealed.size()), false, false});
    last = frame.sequence;
    ++found;
  }
  if (found != segment.left) ++counters_.damaged;
  lane.waiting += found;
  lane.waiting -= segment.left;
  segment.left = found;
  if (last > 0) lane.done.forget_below(last);
}

// ---- writing

Status Spool::append(const std::vector<SpoolRecord>& records) {
  for (Lane& lane : lanes_) {
    auto written = append_lane(lane, records);
    // A full disk may be ours to mend, by what was there before; a failed try leaves a file too.
    std::size_t ours = lanes_[0].segments.size() + lanes_[1].segments.size();
    while (!written && written.error().code == Code::disk_full && ours-- > 0 && drop_oldest()) {
      written = append_lane(lane, records);
    }
    TRY(std::move(written));
  }
  while (bytes() > bytes_max_ && drop_oldest()) {
  }
  return {};
}

Status Spool::append_lane(Lane& lane, const std::vector<SpoolRecord>& records) {
  Bytes frames;
  std::vector<Entry> entries;
  for (const SpoolRecord& record : records) {
    if (record.kind != lane.kind) continue;
    const std::uint64_t sequence = next_sequence_++;
    Bytes sealed = entropy_.bytes(crypto::kAeadNonceBytes);
    const Bytes nonce = sealed;
    TRY(key_->seal(nonce, associated(lane.kind, sequence), encode_record(record), sealed));
    if (sealed.size() + kFrameBodyMin > kFrameBodyMax) {
      return fail(Code::payload_too_large, "a message is too large for the spool");
    }
    append_frame(frames, FrameType::record, sequence, sealed);
    entries.push_back({sequence, 0, static_cast<std::uint32_t>(frames.size() - sealed.size()),
                       static_cast<std::uint32_t>(sealed.size()), false, false});
  }
  if (entries.empty()) return {};
  return write_lane(lane, frames, std::move(entries));
}

Status Spool::write_lane(Lane& lane, const Bytes& frames, std::vector<Entry> entries) {
  if (!lane.active || lane.segments.back().bytes + frames.size() > kSegmentBytes) {
    TRY(open_segment(lane));
  }
  Segment& segment = lane.segments.back();
  auto written = lane.active->write_at(segment.bytes, frames);
  if (written) written = lane.active->sync();
  if (!written) {
    // Its unsynced content is unknown from here on: the next append begins a new file.
    ++counters_.write_failures;
    (void)lane.active->truncate(segment.bytes);
    lane.active.reset();
    return written;
  }
  // Of a segment that is read later only the number counts.
  for (Entry& entry : entries) {
    if (lane.known < lane.segments.size()) break;
    entry.segment = segment.number;
    entry.offset += static_cast<std::uint32_t>(segment.bytes);
    lane.entries.push_back(entry);
  }
  lane.waiting += entries.size();
  segment.left += entries.size();
  segment.bytes += frames.size();
  return {};
}

Status Spool::open_segment(Lane& lane) {
  lane.active.reset();
  const std::uint32_t number = next_segment_++;
  auto file = files_.open(path(lane, number), os::Open::create_new);
  Status made =
      file ? (*file)->write_at(0, view_of(kSpoolMagic)) : Status(std::unexpected(file.error()));
  if (made) made = files_.sync_dir(folder_);
  if (!made) {
    ++counters_.write_failures;
    (void)files_.remove(path(lane, number));
    return made;
  }
  lane.active = *std::move(file);
  const bool known = lane.known == lane.segments.size() && lane.entries.size() < kIndexedMax;
  lane.segments.push_back({number, kSpoolMagic.size(), 0});
  if (known) ++lane.known;
  return {};
}

// ---- dropping

bool Spool::drop_oldest() {
  for (Lane& lane : lanes_) {  // readings are the first lane
    if (lane.segments.empty()) continue;
    drop_segment(lane, true);
    return true;
  }
  return false;
}

void Spool::drop_segment(Lane& lane, bool count) {
  const auto [number, bytes, left] = lane.segments.front();
  lane.segments.pop_front();
  if (lane.known > 0) --lane.known;
  if (lane.segments.empty()) lane.active.reset();
  if (lane.reading_number == number) lane.reading.reset();
  lane.waiting -= left;
  if (count) {
    (lane.kind == SpoolClass::reading ? counters_.readings_dropped : counters_.events_dropped) +=
        left;
  }
  while (!lane.entries.empty() && lane.entries.front().segment == number) {
    lane.entries.pop_front();
    if (lane.handed_below > 0) --lane.handed_below;
  }
  // A file that stays behind is read again after a restart: late, but not wrong.
  if (!files_.remove(path(lane, number))) ++counters_.write_failures;
}

// Forgets what is done at the front, and files without anything left; the active one only when a
// new one is due anyway.
void Spool::trim(Lane& lane) {
  while (!lane.entries.empty() && lane.entries.front().done) {
    lane.entries.pop_front();
    if (lane.handed_below > 0) --lane.handed_below;
  }
  while (!lane.segments.empty()) {
    const Segment& oldest = lane.segments.front();
    const bool writing = lane.active && lane.segments.size() == 1;
    if (oldest.left > 0 || (writing && oldest.bytes < kSegmentBytes / 2)) return;
    drop_segment(lane, false);
  }
}

// ---- reading

std::optional<Spool::Handed> Spool::next() {
  for (auto at = lanes_.rbegin(); at != lanes_.rend(); ++at) {  // events are the last lane
    Lane& lane = *at;
    while (lane.handed_below < lane.entries.size() || lane.known < lane.segments.size()) {
      if (lane.handed_below == lane.entries.size()) {
        learn_segment(lane);
        continue;
      }
      Entry& entry = lane.entries[lane.handed_below++];
      if (entry.handed || entry.done) continue;
      Result<SpoolRecord> record = std::unexpected(Error{});
      const auto plain = read_sealed(lane, entry);
      if (plain) record = decode_record(*plain);
      if (record) {
        entry.handed = true;
        return Handed{entry.sequence * kSpoolClasses + static_cast<std::size_t>(lane.kind),
                      *std::move(record)};
      }
      ++counters_.damaged;
      forget(lane, entry);
    }
    trim(lane);
  }
  return std::nullopt;
}

Result<Bytes> Spool::read_sealed(Lane& lane, const Entry& entry) {
  Bytes bytes;
  if (lane.active && entry.segment == lane.segments.back().number) {
    bytes = TRY(lane.active->read_at(entry.offset, entry.size));
  } else {
    if (!lane.reading || lane.reading_number != entry.segment) {
      lane.reading = TRY(files_.open(path(lane, entry.segment), os::Open::read));
      lane.reading_number = entry.segment;
    }
    bytes = TRY(lane.reading->read_at(entry.offset, entry.size));
  }
  if (bytes.size() != entry.size || bytes.size() < crypto::kAeadNonceBytes) {
    return fail(Code::corrupt, "a spooled record ends early");
  }
  const View all(bytes);
  Bytes plain;
  TRY(key_->open(all.first(crypto::kAeadNonceBytes), associated(lane.kind, entry.sequence),
                 all.subspan(crypto::kAeadNonceBytes), plain));
  return plain;
}

Spool::Segment& Spool::segment_of(Lane& lane, const Entry& entry) {
  return *std::ranges::lower_bound(lane.segments, entry.segment, {}, &Segment::number);
}

void Spool::forget(Lane& lane, Entry& entry) {
  entry.done = true;
  --lane.waiting;
  --segment_of(lane, entry).left;
}

Spool::Entry* Spool::find(std::uint64_t tag, Lane*& lane) {
  lane = &lanes_[tag % kSpoolClasses];
  const std::uint64_t sequence = tag / kSpoolClasses;
  const auto at = std::ranges::lower_bound(lane->entries, sequence, {}, &Entry::sequence);
  return at != lane->entries.end() && at->sequence == sequence && !at->done ? &*at : nullptr;
}

void Spool::done(std::uint64_t tag) {
  Lane* lane = nullptr;
  Entry* entry = find(tag, lane);
  if (!entry) return;  // dropped meanwhile
  forget(*lane, *entry);
  // Written without sync: it only saves a repeat after a restart.
  Bytes frame;
  append_frame(frame, FrameType::done, entry->sequence, {});
  if (!lane->active && !open_segment(*lane)) return trim(*lane);
  Segment& segment = lane->segments.back();
  if (lane->active->write_at(segment.bytes, frame)) {
    segment.bytes += frame.size();
  } else {
    ++counters_.write_failures;
    lane->active.reset();
  }
  trim(*lane);
}

void Spool::put_back(std::uint64_t tag) {
  Lane* lane = nullptr;
  Entry* entry = find(tag, lane);
  if (!entry) return;
  entry->handed = false;
  const auto index = static_cast<std::size_t>(
      std::ranges::lower_bound(lane->entries, entry->sequence, {}, &Entry::sequence) -
      lane->entries.begin());
  lane->handed_below = std::min(lane->handed_below, index);
}

std::size_t Spool::waiting() const {
  std::size_t total = 0;
  for (const Lane& lane : lanes_) total += lane.waiting;
  return total;
}

std::uint64_t Spool::bytes() const {
  std::uint64_t total = 0;
  for (const Lane& lane : lanes_) {
    for (const Segment& segment : lane.segments) total += segment.bytes;
  }
  return total;
}

std::size_t Spool::indexed() const {
  std::size_t total = 0;
  for (const Lane& lane : lanes_) total += lane.entries.size();
  return total;
}

}  // namespace holdfast::agent
