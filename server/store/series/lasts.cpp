// Newest points: from memory; of a device that was not asked for since start, once from the files.
#include <algorithm>

#include "server/store/series/rollup.hpp"
#include "server/store/series/store.hpp"

namespace holdfast::series {
namespace {

// Does what the map knows of the metric lie at `time` or after it?
bool newer_known(const std::map<std::string, Last>& newest, const std::string& metric,
                 std::int64_t time) {
  const auto at = newest.find(metric);
  return at != newest.end() && at->second.point.time.us >= time;
}

}  // namespace

Status Store::lasts_in_file(const FilePtr& file, const Ulid& device,
                            std::map<std::string, Last>& newest, Compressor& compressor) {
  for (const UnitCache::UnitPtr& unit : TRY(cache_.units(file, device, compressor))) {
    const auto reader = TRY(BlockReader::make(*file, *unit, compressor));
    for (const StreamInfo& stream : unit->directory.streams) {
      std::set<std::string_view> seen;  // an older group of the same stream has nothing newer
      for (auto group = stream.groups.rbegin(); group != stream.groups.rend(); ++group) {
        std::optional<Times> times;
        for (const ColumnInfo& column : group->columns) {
          if (!seen.insert(column.field).second) continue;
          std::string metric = stream.name + "." + column.field;
          if (file->name().rollup) {
            const std::string_view field = rolled_field(column.field);
            if (field.empty()) continue;
            metric = stream.name + "." + std::string(field);
          }
          if (newer_known(newest, metric, group->last)) continue;
          if (!times) times = TRY(reader->times(*group));
          Point point;
          if (column.values == group->rows && column.last) {
            Column only;
            only.push(1, 0);
            only.rows.push_back(group->rows - 1);
            point = point_of(*times, only, 0);
            point.value = *column.last;
          } else {
            const Column values = TRY(reader->column(*group, column));
            point = point_of(*times, values, values.size() - 1);
          }
          if (!newer_known(newest, metric, point.time.us)) newest[metric] = {metric, point};
        }
      }
    }
  }
  return {};
}

// Reads the newest day of files before `before`; notes that there is none from `floor` on: false.
bool Store::load_older(const Ulid& device, std::int64_t before, std::int64_t floor,
                       bool& all_read) {
  const VersionPtr version = files_.version();
  auto day = version->days.lower_bound(before);
  if (day == version->days.begin() || (--day)->first < floor) {
    head_.learn(device, {}, floor);
    return false;
  }
  std::map<std::string, Last> newest;
  Compressor compressor;
  for (auto file = day->second.rbegin(); file != day->second.rend(); ++file) {
    // A damaged file hides only what it alone knows.
    if (auto read = lasts_in_file(*file, device, newest, compressor); !read) {
      log_.warning("newest points of a device are not read from a file",
                   {{"file", (*file)->path()}, {"error", read.error().text()}});
      all_read = all_read && read.error().code == Code::corrupt;
    }
  }
  std::vector<Last> all;
  for (auto& [metric, last] : newest) all.push_back(std::move(last));
  head_.learn(device, all, day->first);
  return true;
}

// What could not be read is asked for again the next time; so is what came to light meanwhile.
void Store::end_loading(const Ulid& device, const VersionPtr& began, bool all_read) {
  if (!all_read || files_.version()->unread != began->unread) head_.forget_files(device);
}

Result<std::vector<Last>> Store::metrics(const Ulid& device) {
  look_again();
  std::int64_t known_from = 0;
  auto out = head_.lasts(device, known_from);
  if (known_from == INT64_MIN) return out;
  const VersionPtr began = files_.version();
  bool all_read = true;
  while (load_older(device, known_from, INT64_MIN, all_read)) head_.lasts(device, known_from);
  end_loading(device, began, all_read);
  return head_.lasts(device, known_from);
}

Result<Outcome> Store::last(
    const std::vector<Ulid>& devices, const std::vector<std::string>& metrics, MonoTime deadline,
    const std::function<void(std::size_t, std::size_t, const Point&)>& use) {
  for (const std::string& metric : metrics) TRY(split(metric));
  look_again();
  const VersionPtr began = files_.version();
  Outcome outcome;
  Head::Wanted wanted;
  wanted.numbers = head_.numbers_of(metrics);
  for (std::size_t d = 0; d < devices.size(); ++d) {
    if (d % 256 == 0 && late(deadline, outcome)) return outcome;
    head_.lasts(devices[d], wanted);
    // A day before that of the oldest point found has nothing newer of any of them.
    bool all_read = true;
    for (;;) {
      const auto floor = wanted.count < metrics.size() ? INT64_MIN : wanted.oldest_day;
      if (wanted.known_from <= floor) break;
      if (late(deadline, outcome)) return outcome;
      load_older(devices[d], wanted.known_from, floor, all_read);
      wanted.numbers = head_.numbers_of(metrics);  // files may have told of names
      head_.lasts(devices[d], wanted);
    }
    if (!all_read) leave_out(outcome, "a file could not be read");
    end_loading(devices[d], began, all_read);
    for (std::size_t i = 0; i < wanted.count; ++i)
      use(d, wanted.found[i].first, wanted.found[i].second);
  }
  return outcome;
}

}  // namespace holdfast::series
