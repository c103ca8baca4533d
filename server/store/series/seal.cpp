// Sealing: a closed journal segment's rows become one file a day and class.
#include <algorithm>

#include "server/store/series/file_writer.hpp"
#include "server/store/series/store.hpp"

namespace holdfast::series {
namespace {

constexpr std::int64_t kDayUs = 86'400'000'000;

std::int64_t day_at(std::int64_t us) {
  return day_of(WallTime{us});
}

// The days on which the rows of a part lie.
std::vector<std::int64_t> days_of(const HeadPart& part) {
  std::vector<std::int64_t> days;
  for (const auto& rows : part.rows) {
    for (const std::int64_t time : rows->times.time) {
      const std::int64_t day = day_at(time);
      if (days.empty() || days.back() != day) days.push_back(day);
    }
  }
  std::ranges::sort(days);
  days.erase(std::unique(days.begin(), days.end()), days.end());
  return days;
}

}  // namespace

// What goes into one file of a part.
struct Store::Part {
  const HeadPart* part = nullptr;
  std::int64_t day = 0;

  Rows rows() const {
    std::vector<Source> sources;
    for (const auto& rows : part->rows)
      sources.push_back(rows->source(day * kDayUs, (day + 1) * kDayUs));
    return merge_rows(std::move(sources));
  }
};

Status Store::seal(SegmentId segment) {
  written_[segment] = TRY(write_segment(segment));
  return {};
}

Result<std::vector<FileName>> Store::write_segment(SegmentId segment) {
  const std::vector<HeadPart> parts = head_.collect(segment);
  std::map<FileName, std::vector<Part>> files;
  std::map<Ulid, Key> subject_keys;
  for (const HeadPart& part : parts) {
    for (const std::int64_t day : days_of(part)) {
      files[{day, part.retention, segment, segment}].push_back({&part, day});
      subject_keys[part.subject] = {};
    }
  }
  std::vector<std::string> purposes;
  for (const auto& [subject, key] : subject_keys) purposes.push_back(subject_purpose(subject));
  const std::vector<Key> keys = TRY(keys_.current_all(purposes));
  auto next = keys.begin();
  for (auto& [subject, key] : subject_keys) key = *next++;

  std::vector<FileName> names;
  std::set<std::int64_t> days;
  for (const auto& [name, in_file] : files) {
    if (days.insert(name.day).second) TRY(files_.make_day(name.day));
    TRY(write_file(name, in_file, subject_keys));
    names.push_back(name);
  }
  for (const std::int64_t day : days) {
    TRY(system_.files.sync_dir(os::folder_of(files_.path({day, 0, segment, segment}))));
  }
  return names;
}

// `parts` come in order of device, subject, stream: that is the file's.
Status Store::write_file(const FileName& name, const std::vector<Part>& parts,
                         const std::map<Ulid, Key>& subject_keys) {
  const auto writer =
      TRY(FileWriter::create(system_.files, system_.entropy, files_.path(name), name));
  const HeadPart* unit = nullptr;
  for (const Part& part : parts) {
    if (unit == nullptr || unit->device != part.part->device ||
        unit->subject != part.part->subject) {
      if (unit != nullptr) TRY(writer->end_unit());
      unit = part.part;
      TRY(writer->begin_unit(unit->device, unit->subject, subject_keys.at(unit->subject)));
    }
    TRY(writer->add_rows(part.part->stream(), part.rows()));
  }
  if (unit != nullptr) TRY(writer->end_unit());
  return writer->publish();
}

void Store::sealed(SegmentId segment) {
  const auto at = written_.find(segment);
  const std::vector<FileName> names = at == written_.end() ? std::vector<FileName>{} : at->second;
  if (auto added = files_.add(names, segment); !added) {
    // The rows stay in memory, so nothing is missing; the next start serves the files.
    raise_alarm("sealed series files cannot be opened again: " + added.error().text());
    return;
  }
  if (at != written_.end()) written_.erase(at);
  head_.drop(segment);
  if (merge_posted_.with([](bool& posted) { return std::exchange(posted, true); })) return;
  const bool taken = merge_workers_->post([this] {
    merge_posted_.with([](bool& posted) { posted = false; });
    static_cast<void>(merge_what_is_due());
  });
  if (!taken) merge_posted_.with([](bool& posted) { posted = false; });
}

}  // namespace holdfast::series
