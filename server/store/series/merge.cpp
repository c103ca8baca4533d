// Merging: the many small files of a day and class become few, and in the end one.
#include <algorithm>

#include "server/store/series/file_writer.hpp"
#include "server/store/series/rollup.hpp"
#include "server/store/series/store.hpp"

namespace holdfast::series {
namespace {

constexpr std::size_t kFilesAtOnce = 8;           // so many of like size are merged
constexpr std::uint64_t kSmallBytes = 64 * 1024;  // all below are of like size
constexpr std::size_t kWindowRows = 32 * 1024;    // decoded at once, about
constexpr std::int64_t kGraceUs =
    3'600'000'000;  // a day's readings may come this late without a merge

// The rows of one stream of one unit in all inputs, read in windows of time.
class StreamMerger {
 public:
  struct Item {
    BlockReader* reader = nullptr;
    const GroupInfo* group = nullptr;
    std::uint32_t rank = 0;
    std::uint32_t base = 0;  // rows of this input's stream before the group
  };
  explicit StreamMerger(std::vector<Item> items) : items_(std::move(items)) {
    std::ranges::sort(items_, {}, [](const Item& item) {
      return std::tuple(item.group->first, item.rank, item.base);
    });
  }

  // The next rows, in order; empty at the end.
  Result<Rows> next() {
    while (at_ < items_.size() || !open_.empty()) {
      std::size_t rows = 0;
      for (; at_ < items_.size() && rows < kWindowRows; ++at_) {
        rows += items_[at_].group->rows;
        open_.push_back({TRY(read(items_[at_])), items_[at_].rank, {}, items_[at_].base});
      }
      // What comes later begins here or after; everything before is complete.
      const std::int64_t border = at_ < items_.size() ? items_[at_].group->first : INT64_MAX;
      Rows out = merge_rows(split(border));
      if (out.size() > 0) return out;
    }
    return Rows{};
  }

 private:
  static Result<Rows> read(const Item& item) {
    Rows rows;
    rows.times = TRY(item.reader->times(*item.group));
    for (const ColumnInfo& column : item.group->columns) {
      rows.columns.push_back({column.field, TRY(item.reader->column(*item.group, column))});
    }
    return rows;
  }

  // Takes the rows before `border` out of what is open.
  std::vector<Source> split(std::int64_t border) {
    std::vector<Source> before;
    std::vector<Source> after;
    for (Source& source : open_) {
      if (border == INT64_MAX || source.rows.times.time.back() < border) {
        before.push_back(std::move(source));
        continue;
      }
      Rows early = cut_rows(source.rows, INT64_MIN, border);
      const auto taken = static_cast<std::uint32_t>(early.size());
      before.push_back({std::move(early), source.rank, {}, source.base});
      after.push_back({slice_rows(source.rows, taken, source.rows.size()),
                       source.rank,
                       {},
                       source.base + taken});
    }
    open_ = std::move(after);
    return before;
  }

  std::vector<Item> items_;
  std::size_t at_ = 0;
  std::vector<Source> open_;
};

// How many of the newest files are of like size.
std::size_t like_sized(const std::vector<FilePtr>& files) {
  std::uint64_t bytes = 0;
  std::size_t run = 0;
  for (; run < files.size(); ++run) {
    const std::uint64_t size = files[files.size() - 1 - run]->bytes();
    if (run > 0 && size > std::max(kSmallBytes, 3 * bytes / run)) break;
    bytes += size;
  }
  return run;
}

// One unit of one input.
struct Input {
  std::uint32_t rank = 0;
  std::shared_ptr<const OpenUnit> unit;
  std::unique_ptr<BlockReader> reader;
  bool rolled = false;
};

using Streams = std::map<std::string, std::vector<StreamMerger::Item>>;
Streams streams_of(const std::vector<Input>& inputs, bool rolled) {
  Streams streams;
  for (const Input& input : inputs) {
    if (input.rolled != rolled) continue;
    for (const StreamInfo& stream : input.unit->directory.streams) {
      std::uint32_t base = 0;
      for (const GroupInfo& group : stream.groups) {
        streams[stream.name].push_back({input.reader.get(), &group, input.rank, base});
        base += group.rows;
      }
    }
  }
  return streams;
}

Status merge_unit(FileWriter& writer, const std::vector<Input>& inputs) {
  for (auto& [name, items] : streams_of(inputs, false)) {
    StreamMerger merger(std::move(items));
    Rows kept;  // less than a group, waiting for more
    for (Rows rows = TRY(merger.next()); rows.size() > 0; rows = TRY(merger.next())) {
      if (kept.size() > 0) {
        std::vector<Source> both;
        both.push_back({std::move(kept), 0, {}, 0});
        both.push_back({std::move(rows), 1, {}, 0});
        rows = merge_rows(std::move(both));
      }
      const std::size_t whole = rows.size() / kGroupRowsMax * kGroupRowsMax;
      TRY(writer.add_rows(name, slice_rows(rows, 0, whole)));
      kept = slice_rows(rows, whole, rows.size());
    }
    TRY(writer.add_rows(name, kept));
  }
  return {};
}

// Of what is left out of the version, by day and class.
bool is_like(const FileName& lost, const FileName& file) {
  return lost.day == file.day && lost.retention == file.retention;
}

bool any_lost(const Version& version, const std::function<bool(const FileName&)>& that) {
  return std::ranges::any_of(version.unread, that) || std::ranges::any_of(version.damaged, that);
}

bool overlaps_lost(const Version& version, const FileName& file) {
  return any_lost(version, [&](const FileName& lost) {
    return is_like(lost, file) && lost.first <= file.last && file.first <= lost.last;
  });
}

// Does something that is left out lie between the last of the run and the file?
bool reaches_over_lost(const Version& version, const std::vector<FilePtr>& run,
                       const FileName& file) {
  return !run.empty() && any_lost(version, [&](const FileName& lost) {
    return is_like(lost, file) && lost.last > run.back()->name().last && lost.first < file.first;
  });
}

Status roll_unit(FileWriter& writer, const std::vector<Input>& inputs, Duration length) {
  std::map<std::string, Roller> rollers;  // by stream
  for (const bool rolled : {true, false}) {
    for (auto& [name, items] : streams_of(inputs, rolled)) {
      Roller& roller = rollers.try_emplace(name, length).first->second;
      StreamMerger merger(std::move(items));
      for (Rows rows = TRY(merger.next()); rows.size() > 0; rows = TRY(merger.next())) {
        if (rolled) {
          TRY(roller.add_rolled(rows));
        } else {
          roller.add(rows);
        }
      }
    }
  }
  for (auto& [name, roller] : rollers) TRY(writer.add_rows(name, roller.take()));
  return {};
}

}  // namespace

Status Store::merge(const std::vector<FilePtr>& inputs, std::optional<Duration> rollup) {
  FileName name = inputs.front()->name();
  name.rollup = rollup.has_value();
  Compressor compressor;
  std::map<std::pair<Ulid, Ulid>, std::vector<std::pair<std::uint32_t, Unit>>> units;
  for (std::uint32_t rank = 0; rank < inputs.size(); ++rank) {
    name.first = std::min(name.first, inputs[rank]->name().first);
    name.last = std::max(name.last, inputs[rank]->name().last);
    for (const Unit& unit : TRY(inputs[rank]->footer()))
      units[{unit.device, unit.subject}].push_back({rank, unit});
  }
  const auto writer =
      TRY(FileWriter::create(system_.files, system_.entropy, files_.path(name), name));
  for (const auto& [id, parts] : units) {
    std::vector<Input> open;
    for (const auto& [rank, unit] : parts) {
      auto opened = inputs[rank]->open_unit(unit, keys_, compressor);
      if (!opened && opened.error().code == Code::not_found) continue;  // erased
      if (!opened) return std::unexpected(opened.error());
      auto reader = TRY(BlockReader::make(*inputs[rank], **opened, compressor));
      open.push_back({rank, std::move(*opened), std::move(reader), inputs[rank]->name().rollup});
    }
    if (open.empty()) continue;
    TRY(writer->begin_unit(id.first, id.second, TRY(keys_.get(open.back().unit->unit.key))));
    TRY(rollup ? roll_unit(*writer, open, *rollup) : merge_unit(*writer, open));
    TRY(writer->end_unit());
  }
  TRY(writer->publish());
  TRY(system_.files.sync_dir(os::folder_of(files_.path(name))));
  return files_.replace(inputs, name);
}

// Runs of files of one day and class, oldest first, that are worth merging.
std::vector<std::vector<FilePtr>> Store::due_for_merge() const {
  std::vector<std::vector<FilePtr>> out;
  const std::int64_t now = system_.clock.wall().us;
  const VersionPtr version = files_.version();
  for (const auto& [day, all] : version->days) {
    std::map<ClassId, std::vector<FilePtr>> classes;
    for (const FilePtr& file : all) {
      if (file->name().rollup) continue;
      const bool bad = unmergeable_.with(
          [&](const std::set<std::string>& paths) { return paths.contains(file->path()); });
      auto& files = classes[file->name().retention];
      // A run must not reach over a damaged file: what it makes would take that one's place.
      if (reaches_over_lost(*version, files, file->name())) files.clear();
      if (bad || overlaps_lost(*version, file->name())) {
        files.clear();
      } else {
        files.push_back(file);
      }
    }
    for (auto& [retention, files] : classes) {
      if (files.size() < 2) continue;
      std::uint64_t sum = 0;
      std::uint64_t largest = 0;
      for (const FilePtr& file : files) {
        sum += file->bytes();
        largest = std::max(largest, file->bytes());
      }
      const bool over = now > (day + 1) * 86'400'000'000 + kGraceUs;
      // A day that is over becomes one file, but not anew for each late point.
      if (over && ((sum - largest) * 10 >= largest || files.size() >= kFilesAtOnce)) {
        out.push_back(files);
        continue;
      }
      // The newest ones of like size; runs must not have gaps, or their ranges would not nest.
      const std::size_t run = like_sized(files);
      if (run >= kFilesAtOnce)
        out.emplace_back(files.end() - static_cast<std::ptrdiff_t>(run), files.end());
    }
  }
  return out;
}

Status Store::maintain() {
  Status done;
  merge_workers_->call([&] { done = merge_what_is_due(); });
  return done;
}

Status Store::merge_what_is_due() {
  look_again();
  for (const std::vector<FilePtr>& inputs : due_for_merge()) {
    auto merged = merge(inputs);
    if (merged) continue;
    if (merged.error().code != Code::corrupt) return merged;
    raise_alarm("series files of " + day_text(inputs.front()->name().day) +
                " are damaged and stay as they are: " + merged.error().text());
    unmergeable_.with([&](std::set<std::string>& paths) {
      for (const FilePtr& input : inputs) paths.insert(input->path());
    });
  }
  return {};
}

}  // namespace holdfast::series
