// Newest points: from memory; of a device that was not asked for since start, once from the files.
#include <algorithm>

#include "server/store/series/store.hpp"

namespace holdfast::series {
namespace {

// Does what the map knows of the metric lie at `time` or after it?
bool newer_known(const std::map<std::string, Last>& newest, const std::string& metric,
                 std::int64_t time) {
  const auto at = newest.find(metric);
  return at != newest.end() && at->second.point.time.us >= time;
}

Point last_point(const Times& times, const Column& column) {
  const std::size_t i = column.size() - 1;
  const std::uint32_t row = column.row(i);
  Point point;
  point.source = static_cast<TimeSource>(times.source[row]);
  point.time = point.received = point.claimed = {times.time[row]};
  (point.source == TimeSource::uncertain ? point.claimed : point.received) = {times.other[row]};
  point.value = column.value(i);
  return point;
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
          const std::string metric = stream.name + "." + column.field;
          if (newer_known(newest, metric, group->last)) continue;
          if (!times) times = TRY(reader->times(*group));
          Point point;
          if (column.values == group->rows && column.last) {
            Column only;
            only.push(1, 0);
            only.rows.push_back(group->rows - 1);
            point = last_point(*times, only);
            point.value = *column.last;
          } else {
            point = last_point(*times, TRY(reader->column(*group, column)));
          }
          if (!newer_known(newest, metric, point.time.us)) newest[metric] = {metric, point};
        }
      }
    }
  }
  return {};
}

Status Store::load_lasts(const Ulid& device) {
  std::map<std::string, Last> newest;
  Compressor compressor;
  bool all_read = true;
  const VersionPtr version = files_.version();
  for (auto day = version->days.rbegin(); day != version->days.rend(); ++day) {
    for (auto file = day->second.rbegin(); file != day->second.rend(); ++file) {
      // A damaged file hides only what it alone knows.
      if (auto read = lasts_in_file(*file, device, newest, compressor); !read) {
        log_.warning("newest points of a device are not read from a file",
                     {{"file", (*file)->path()}, {"error", read.error().text()}});
        all_read = all_read && read.error().code == Code::corrupt;
      }
    }
  }
  std::vector<Last> all;
  for (auto& [metric, last] : newest) all.push_back(std::move(last));
  head_.learn(device, all);
  // What could not be read is asked for again; so is what came to light meanwhile.
  if (!all_read || files_.version()->unread != version->unread) head_.forget_files(device);
  return {};
}

Result<std::vector<Last>> Store::metrics(const Ulid& device) {
  look_again();
  bool loaded = false;
  auto out = head_.lasts(device, loaded);
  if (loaded) return out;
  TRY(load_lasts(device));
  return head_.lasts(device, loaded);
}

Status Store::last(const std::vector<Ulid>& devices, const std::vector<std::string>& metrics,
                   const std::function<void(std::size_t, std::size_t, const Point&)>& use) {
  look_again();
  std::vector<std::uint32_t> numbers = head_.numbers_of(metrics);
  Head::Found found;
  for (std::size_t d = 0; d < devices.size(); ++d) {
    bool loaded = false;
    head_.lasts(devices[d], numbers, found, loaded);
    if (!loaded && found.size() < metrics.size()) {
      TRY(load_lasts(devices[d]));
      numbers = head_.numbers_of(metrics);  // files may have told of names
      head_.lasts(devices[d], numbers, found, loaded);
    }
    for (const auto& [metric, point] : found) use(d, metric, point);
  }
  return {};
}

}  // namespace holdfast::series
