// Queries: points of one metric, day by day, from files and head, in order and without repeats.
#include <algorithm>
#include <array>

#include "server/store/series/rollup.hpp"
#include "server/store/series/store.hpp"

namespace holdfast::series {
namespace {

constexpr std::int64_t kDay = 86'400'000'000;

// Only the rows in which the column has a value: what a query of one metric sees.
Rows only_values(Times times, Column column, std::string_view field) {
  Rows out;
  if (!column.rows.empty()) {
    for (const std::uint32_t row : column.rows) {
      out.times.push(times.time[row], times.other[row], static_cast<TimeSource>(times.source[row]));
    }
    column.rows.clear();
  } else {
    out.times = std::move(times);
  }
  out.columns.push_back({std::string(field), std::move(column)});
  return out;
}

// The rows of one day; the source has one column with a value in each row.
Source rows_of_day(const Source& all, std::int64_t day) {
  Source out;
  out.rank = all.rank;
  Column column;
  const Times& times = all.rows.times;
  const Column& from = all.rows.columns.front().column;
  for (std::size_t row = 0; row < times.size(); ++row) {
    if (day_of(WallTime{times.time[row]}) != day) continue;
    out.rows.times.push(times.time[row], times.other[row],
                        static_cast<TimeSource>(times.source[row]));
    out.arrival.push_back(all.arrival[row]);
    const bool text = is_text(from.kinds[row]);
    column.push(from.kinds[row], from.bits[row],
                text ? std::string_view(from.texts[from.bits[row]]) : std::string_view());
  }
  out.rows.columns.push_back({all.rows.columns.front().field, std::move(column)});
  return out;
}

}  // namespace

// The groups of one day that may hold points of a walk.
struct Store::DayGroups {
  struct Item {
    FilePtr file;
    UnitCache::UnitPtr unit;
    const GroupInfo* group = nullptr;
    const ColumnInfo* column = nullptr;
    std::uint32_t rank = 0;
    std::uint32_t base = 0;  // rows of this file's stream before the group
  };
  std::vector<Item> items;  // by time of their first row
  bool overlap = false;
};

void Store::leave_out(Outcome& outcome, const char* why) {
  outcome.partial = true;
  outcome.reason = why;
}

bool Store::late(MonoTime deadline, Outcome& outcome) const {
  if (deadline == kNever || system_.clock.mono() < deadline) return false;
  leave_out(outcome, "the deadline came first");
  outcome.late = true;
  return true;
}

Store::DayGroups Store::groups_of(const Walk& walk, const std::vector<FilePtr>& files,
                                  Outcome& outcome) {
  DayGroups out;
  std::uint32_t rank = 0;
  for (const FilePtr& file : files) {
    ++rank;
    if (file->name().rollup) continue;
    const auto units = cache_.units(file, walk.device, *walk.compressor);
    if (!units) {
      leave_out(outcome, "a damaged file was left out");
      continue;
    }
    for (const UnitCache::UnitPtr& unit : *units) {
      const StreamInfo* stream = unit->directory.find(walk.metric.stream);
      if (stream == nullptr) continue;
      std::uint32_t base = 0;
      for (const GroupInfo& group : stream->groups) {
        const std::uint32_t before = std::exchange(base, base + group.rows);
        if (group.last < walk.from || group.first >= walk.to) continue;
        const ColumnInfo* column = group.find(walk.metric.field);
        if (column != nullptr) out.items.push_back({file, unit, &group, column, rank, before});
      }
    }
  }
  std::ranges::sort(out.items, {}, [](const DayGroups::Item& item) {
    return std::tuple(item.group->first, item.rank, item.base);
  });
  for (std::size_t i = 1; i < out.items.size(); ++i) {
    const auto& a = out.items[i - 1];
    const auto& b = out.items[i];
    if (b.group->first < a.group->last || (b.group->first == a.group->last && b.rank != a.rank))
      out.overlap = true;
  }
  return out;
}

Status Store::walk_rollup(const Walk& walk, const FilePtr& file, const UseRolled& use) {
  for (const UnitCache::UnitPtr& unit : TRY(cache_.units(file, walk.device, *walk.compressor))) {
    const StreamInfo* stream = unit->directory.find(walk.metric.stream);
    if (stream == nullptr) continue;
    const auto reader = TRY(BlockReader::make(*file, *unit, *walk.compressor));
    for (const GroupInfo& group : stream->groups) {
      if (group.last < walk.from || group.first >= walk.to) continue;
      const Times times = TRY(reader->times(group));
      std::array<std::optional<Column>, 7> held;
      RollupColumns columns{};
      for (std::size_t part = 0; part < columns.size(); ++part) {
        const ColumnInfo* info = group.find(rollup_column(walk.metric.field, kRollupParts[part]));
        if (info == nullptr) continue;
        columns[part] = &held[part].emplace(TRY(reader->column(group, *info)));
      }
      auto buckets = TRY(buckets_of(times.time, columns));
      std::erase_if(buckets, [&](const Bucket& bucket) {
        return bucket.start.us < walk.from || bucket.start.us >= walk.to;
      });
      use(std::move(buckets));
    }
  }
  return {};
}

// True: go on.
bool Store::walk_day(const Walk& walk, const std::vector<FilePtr>& files, std::vector<Source> head,
                     const Uses& uses, Outcome& outcome) {
  const auto& [use, use_info, use_rolled] = uses;
  for (const FilePtr& file : files) {
    if (!file->name().rollup) continue;
    outcome.rolled_up = true;
    if (!use_rolled) continue;
    if (!walk_rollup(walk, file, use_rolled)) leave_out(outcome, "a damaged file was left out");
  }
  DayGroups day = groups_of(walk, files, outcome);
  const bool merged = day.overlap || (!head.empty() && !day.items.empty()) || head.size() > 1;
  std::vector<Source> sources;
  if (walk.newest_first && !merged) std::ranges::reverse(day.items);
  const SeriesFile* open_file = nullptr;
  const OpenUnit* open_unit = nullptr;
  std::unique_ptr<BlockReader> reader;
  for (const DayGroups::Item& item : day.items) {
    if (late(walk.deadline, outcome)) return false;
    const bool whole = item.group->first >= walk.from && item.group->last < walk.to;
    if (!merged && whole && use_info && use_info(*item.group, *item.column)) continue;
    if (open_file != item.file.get() || open_unit != item.unit.get()) {
      auto made = BlockReader::make(*item.file, *item.unit, *walk.compressor);
      if (!made) continue;
      reader = std::move(*made);
      open_file = item.file.get();
      open_unit = item.unit.get();
    }
    auto column = reader->column(*item.group, *item.column);
    if (column && !merged && !walk.full_times) {
      const auto block = reader->read(item.group->times);
      const auto time = block ? decode_time(*block, item.group->rows)
                              : Result<std::vector<std::int64_t>>(std::unexpected(block.error()));
      if (time) {
        if (!use({*time, nullptr, *column})) return false;
        continue;
      }
    }
    auto times = reader->times(*item.group);
    if (!column || !times) {
      leave_out(outcome, "a damaged block was left out");
      continue;
    }
    if (merged) {
      sources.push_back({only_values(std::move(*times), std::move(*column), walk.metric.field),
                         item.rank,
                         {},
                         item.base});
    } else if (!use({times->time, &*times, *column})) {
      return false;
    }
  }
  std::ranges::move(head, std::back_inserter(sources));
  if (sources.empty()) return true;
  const Rows rows = merge_rows(std::move(sources));
  return rows.columns.empty() || use({rows.times.time, &rows.times, rows.columns.front().column});
}

// What the head has, by day. Taken before the version: a segment that is sealed in between is in
// both, and dropped here.
std::map<std::int64_t, std::vector<Source>> Store::head_days(const Walk& walk,
                                                             VersionPtr& version) const {
  auto rows = head_.rows(walk.device, walk.metric.stream, walk.metric.field, walk.from, walk.to);
  version = files_.version();
  std::map<std::int64_t, std::vector<Source>> out;
  for (auto& [segment, source] : rows) {
    if (segment <= version->sealed) continue;
    const auto [low, high] = std::ranges::minmax(source.rows.times.time);
    const std::int64_t first = day_of(WallTime{low});
    const std::int64_t last = day_of(WallTime{high});
    if (first == last) {
      out[first].push_back(std::move(source));
      continue;
    }
    std::set<std::int64_t> days;
    for (const std::int64_t time : source.rows.times.time) days.insert(day_of(WallTime{time}));
    for (const std::int64_t day : days) out[day].push_back(rows_of_day(source, day));
  }
  return out;
}

Outcome Store::walk(const Walk& walk, const Uses& uses) {
  Outcome outcome;
  Compressor compressor;
  VersionPtr version;
  look_again();
  auto head = head_days(walk, version);
  if (version->lacks(day_of(WallTime{walk.from}), day_of(WallTime{walk.to})))
    leave_out(outcome, "a damaged file was left out");
  std::set<std::int64_t> days;
  for (const auto& [day, files] : version->days) {
    if (day >= day_of(WallTime{walk.from}) && day <= day_of(WallTime{walk.to})) days.insert(day);
  }
  for (const auto& [day, sources] : head) days.insert(day);
  const auto each = [&](std::int64_t day) {
    const auto files = version->days.find(day);
    Walk one = walk;
    one.compressor = &compressor;
    one.from = std::max(one.from, day * kDay);
    one.to = std::min(one.to, (day + 1) * kDay);
    return walk_day(one, files == version->days.end() ? std::vector<FilePtr>{} : files->second,
                    std::move(head[day]), uses, outcome);
  };
  if (walk.newest_first) {
    for (auto day = days.rbegin(); day != days.rend() && each(*day); ++day) {
    }
  } else {
    for (auto day = days.begin(); day != days.end() && each(*day); ++day) {
    }
  }
  return outcome;
}

}  // namespace holdfast::series
