// Files over time: merging, retention, erasure, and the keys that go with files.
#include <algorithm>
#include <set>

#include "server/store/events/store.hpp"

namespace holdfast::events {
namespace {

constexpr std::size_t kFilesAtOnce = 8;           // so many of like size are merged
constexpr std::uint64_t kSmallBytes = 64 * 1024;  // all below are of like size
constexpr std::string_view kPurposePrefix = "events:";

constexpr std::uint64_t kCopyEvents = kGroupEvents / 2;  // groups this large are copied as they are

bool concerns(const Meta& meta, std::size_t i, const Ulid& subject) {
  const Ulid& named = meta.subjects[meta.subject[i]];
  return meta.devices[meta.device[i]] == subject || named == subject;
}

std::int64_t last_day(const EventFile& file) {
  return file.groups().empty() ? 0 : day_of(WallTime{file.received().greatest});
}

}  // namespace

Result<FilePtr> Store::write_file(const FileName& name, std::uint64_t events,
                                  const std::function<Status(FileWriter&)>& fill) {
  // After an error the key stays: the file may have its name all the same. Whether it has is seen
  // by destroy_unused_keys().
  const Key key = TRY(keys_.create(key_purpose(name)));
  const auto writer = TRY(FileWriter::create(system_.files, path(name), name, key, events));
  TRY(fill(*writer));
  TRY(writer->publish());
  TRY(system_.files.sync_dir(options_.folder));
  return EventFile::open(system_.files, path(name), name, keys_);
}

void Store::replace(const std::vector<FilePtr>& old, const FilePtr& with) {
  files_.with([&](std::vector<FilePtr>& all) {
    std::erase_if(all,
                  [&](const FilePtr& file) { return std::ranges::find(old, file) != old.end(); });
    if (with) all.push_back(with);
    std::ranges::sort(all, {}, &EventFile::name);
  });
}

// Keys of files that are gone, or that were written anew under another key.
Status Store::destroy_unused_keys() {
  std::set<KeyId> used;
  // In this order: a file moves from the first to the second.
  written_.with([&](const Written& written) {
    for (const auto& [segment, file] : written) used.insert(file->key());
  });
  for (const FilePtr& file : files()) used.insert(file->key());
  // Whatever a file on disk names stays; of a damaged one that is every key made for its name.
  std::set<std::string> unclear;
  for (const os::Entry& entry : TRY(system_.files.list(options_.folder))) {
    const auto name = parse_file_name(entry.name);
    if (!name) continue;
    const auto header = read_file_header(system_.files, path(*name));
    if (header) {
      used.insert(header->key);
    } else {
      unclear.insert(key_purpose(*name));
    }
  }
  std::vector<KeyId> unused;
  for (const journal::KeyInfo& info : keys_.list(kPurposePrefix)) {
    if (!used.contains(info.id) && !unclear.contains(info.purpose)) unused.push_back(info.id);
  }
  return unused.empty() ? Status{} : keys_.destroy_all(unused);
}

// ---- merging

Status Store::maintain() {
  Status done;
  merge_workers_->call([&] { done = merge_what_is_due(); });
  return done;
}

// How many files before `end` are of like size, received on one day, and not too many events
// together.
std::size_t Store::run_before(const std::vector<FilePtr>& all, std::size_t end) const {
  std::uint64_t bytes = 0;
  std::uint64_t events = 0;
  std::size_t run = 0;
  const std::vector<Lost> left_out = lost();
  for (; run < end; ++run) {
    const EventFile& file = *all[end - 1 - run];
    // What a run makes takes the place of all in its range: it must not reach over a lost file.
    const SegmentId range_end = all[end - 1]->name().last;
    const auto in_range = [&](const Lost& each) {
      return each.name.last >= file.name().first && each.name.first <= range_end;
    };
    if (std::ranges::any_of(left_out, in_range)) break;
    events += file.events();
    const std::uint64_t like = run == 0 ? file.bytes() : std::max(kSmallBytes, 3 * bytes / run);
    if (file.damaged() || file.bytes() > like || events > options_.file_events_max ||
        last_day(file) != last_day(*all[end - 1]))
      break;
    bytes += file.bytes();
  }
  return run;
}

// Files of like size that one day received become one, the newest first.
Status Store::merge_what_is_due() {
  look_again();
  for (;;) {
    const std::vector<FilePtr> all = files();
    std::vector<FilePtr> inputs;
    for (std::size_t end = all.size(); end > 0 && inputs.empty(); --end) {
      const std::size_t run = run_before(all, end);
      if (run < kFilesAtOnce) continue;
      const auto stop = all.begin() + static_cast<std::ptrdiff_t>(end);
      inputs.assign(stop - static_cast<std::ptrdiff_t>(run), stop);
    }
    if (inputs.empty()) return {};
    TRY(merge(inputs));
  }
}

Status Store::merge(const std::vector<FilePtr>& inputs) {
  const FileName name{inputs.front()->name().first, inputs.back()->name().last};
  const auto fill = [&](FileWriter& writer) -> Status {
    for (const FilePtr& input : inputs) {
      const auto reader = TRY(FileReader::make(*input));
      for (const Group& group : input->groups()) {
        const Status added = [&]() -> Status {
          if (group.events() >= kCopyEvents) return writer.copy(*reader, group);
          const auto rows = std::make_shared<FileReader::Rows>(TRY(reader->rows(group)));
          writer.hold(rows);
          for (const Row& row : rows->rows) TRY(writer.add(row));
          return {};
        }();
        // Left out of merges from now on.
        if (!added && added.error().code == Code::corrupt) report_damage(input, added.error());
        if (!added) return added;
      }
    }
    return {};
  };
  const FilePtr merged = TRY(write_file(name, 0, fill));
  std::vector<KeyId> keys;
  for (const FilePtr& input : inputs) {
    input->remove_when_unused();
    keys.push_back(input->key());
  }
  replace(inputs, merged);
  return keys_.destroy_all(keys);
}

// ---- retention

Status Store::set_retention(std::optional<Duration> keep, std::optional<std::uint64_t> bytes_max) {
  if (keep && keep->us <= 0)
    return fail(Code::invalid_argument, "events must be kept for some time: give one above zero");
  retention_.with([&](Retention& retention) { retention = {keep, bytes_max}; });
  return {};
}

std::vector<FilePtr> Store::past_retention(WallTime now) const {
  const Retention retention = retention_.with([](const Retention& set) { return set; });
  const std::vector<FilePtr> all = files();
  std::vector<FilePtr> out;
  std::uint64_t newer = 0;
  for (auto file = all.rbegin(); file != all.rend(); ++file) {
    newer += (*file)->bytes();
    const std::int64_t newest = (*file)->received().greatest;
    const bool old = retention.keep && newest < now.us - retention.keep->us;
    if (old || (retention.bytes_max && newer > *retention.bytes_max)) out.push_back(*file);
  }
  return out;
}

Result<Receipt> Store::retention_preview(WallTime now) {
  Receipt out;
  for (const FilePtr& file : past_retention(now)) {
    out.events += file->events();
    ++out.segments;
  }
  return out;
}

Result<Receipt> Store::retention_apply(WallTime now) {
  Receipt out;
  Status done;
  // On the merger's thread: nobody else may be reading the files to merge them.
  merge_workers_->call([&] {
    std::vector<FilePtr> gone = past_retention(now);
    std::vector<KeyId> keys;
    for (const FilePtr& file : gone) {
      out.events += file->events();
      ++out.segments;
      file->remove_when_unused();
      keys.push_back(file->key());
    }
    replace(gone, nullptr);
    gone.clear();
    // First the files, then their keys: a file whose removal is lost would be missing its key.
    if (!keys.empty()) done = system_.files.sync_dir(options_.folder);
    if (done && !keys.empty()) done = keys_.destroy_all(keys);
  });
  if (!done) return std::unexpected(done.error());
  return out;
}

// ---- erasure

Result<std::vector<std::uint64_t>> Store::count_of(const FilePtr& file, const Ulid& subject) const {
  const auto reader = TRY(FileReader::make(*file));
  std::vector<std::uint64_t> out;
  for (const Group& group : file->groups()) {
    std::uint64_t count = 0;
    const auto found = reader->look_up(group, query::device_hash(subject));
    const BlockMask mask = found ? *found : group.all_blocks();
    for (std::size_t number = 0; number < group.blocks.size(); ++number) {
      if ((mask >> number & 1U) == 0) continue;
      const auto block = reader->block(group, number);
      if (!block) {
        report_damage(file, block.error());
        ++count;
        continue;
      }
      const Meta& meta = (*block)->meta;
      for (std::size_t i = 0; i < meta.size(); ++i) count += concerns(meta, i, subject) ? 1 : 0;
    }
    out.push_back(count);
  }
  return out;
}

Result<Receipt> Store::erase_preview(const Ulid& subject) {
  Receipt out;
  for (const FilePtr& file : files()) {
    std::uint64_t count = 0;
    for (const std::uint64_t of_group : TRY(count_of(file, subject))) count += of_group;
    out.events += count;
    out.segments += count > 0 ? 1 : 0;
  }
  return out;
}

// A block that cannot be read may hold the subject's events: it goes with them.
Status Store::add_rows_without(FileWriter& writer, FileReader& reader, const FilePtr& file,
                               const Group& group, const Ulid& subject) const {
  const auto rows = std::make_shared<FileReader::Rows>();
  for (std::size_t number = 0; number < group.blocks.size(); ++number) {
    auto block = reader.block(group, number);
    Status read = block ? reader.add_messages(group, number, **block)
                        : Status(std::unexpected(block.error()));
    if (read) read = reader.add_fields(group, number, **block);
    if (!read) {
      raise_alarm("event file " + file->path() + ": " + std::to_string(group.blocks[number].count) +
                  " events could not be read and went with an erasure: " + read.error().text());
      continue;
    }
    for (std::size_t i = 0; i < (*block)->meta.size(); ++i) {
      if (!concerns((*block)->meta, i, subject)) rows->rows.push_back((*block)->row(i));
    }
    rows->blocks.push_back(std::move(*block));
  }
  std::ranges::sort(rows->rows, {}, &Row::at);
  writer.hold(rows);
  for (const Row& row : rows->rows) TRY(writer.add(row));
  return {};
}

Status Store::rewrite_without(const FilePtr& file, const Ulid& subject,
                              const std::vector<std::uint64_t>& counts) {
  const auto fill = [&](FileWriter& writer) -> Status {
    const auto reader = TRY(FileReader::make(*file));
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const Group& group = file->groups()[i];
      const bool as_it_is = counts[i] == 0 && group.events() >= kCopyEvents;
      if (as_it_is && writer.copy(*reader, group)) continue;
      TRY(add_rows_without(writer, *reader, file, group, subject));
    }
    return {};
  };
  // The new file takes the old one's name; the old bytes stay readable to who reads them now.
  replace({file}, TRY(write_file(file->name(), 0, fill)));
  return {};
}

Result<Receipt> Store::erase(const Ulid& subject) {
  TRY(journal_.roll());
  Receipt out;
  Status done;
  merge_workers_->call([&] {
    done = [&]() -> Status {
      look_again();
      if (!std::ranges::all_of(lost(), &Lost::for_good))
        return fail(Code::io_error, "an event file cannot be read now: erase again later");
      for (const FilePtr& file : files()) {
        const auto counts = TRY(count_of(file, subject));
        std::uint64_t count = 0;
        for (const std::uint64_t of_group : counts) count += of_group;
        if (count == 0) continue;
        out.events += count;
        ++out.segments;
        TRY(rewrite_without(file, subject, counts));
      }
      // Also keys that an interrupted erasure left: running it again finishes it.
      return destroy_unused_keys();
    }();
  });
  if (!done) return std::unexpected(done.error());
  return out;
}

}  // namespace holdfast::events
