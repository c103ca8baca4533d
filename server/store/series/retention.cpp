// Retention by class, and erasure of a subject.
#include <algorithm>

#include "server/store/series/store.hpp"

namespace holdfast::series {
namespace {

constexpr std::int64_t kUsOfDay = 86'400'000'000;

// Adds what a directory says of its unit.
void count_unit(const OpenUnit& unit, std::set<std::pair<Ulid, std::string>>& metrics,
                ErasePreview& out) {
  for (const StreamInfo& stream : unit.directory.streams) {
    for (const GroupInfo& group : stream.groups) {
      out.bytes += group.times.length + group.times.inlined.size();
      out.first = out.first ? std::min(*out.first, WallTime{group.first}) : WallTime{group.first};
      out.last = out.last ? std::max(*out.last, WallTime{group.last}) : WallTime{group.last};
      for (const ColumnInfo& column : group.columns) {
        metrics.insert({unit.unit.device, stream.name + "." + column.field});
        out.points += column.values;
        out.bytes += column.ref.length + column.ref.inlined.size();
      }
    }
  }
}

}  // namespace

Status Store::set_retention(std::vector<RetentionClass> classes) {
  std::set<ClassId> ids;
  for (const RetentionClass& each : classes) {
    if (!ids.insert(each.id).second)
      return fail(Code::invalid_argument,
                  "two retention classes have the number " + std::to_string(each.id));
    if (each.keep && each.keep->us <= 0)
      return fail(Code::invalid_argument,
                  "retention class \"" + each.name + "\" keeps nothing: give a time above zero");
  }
  classes_.with([&](std::vector<RetentionClass>& now) { now = std::move(classes); });
  return {};
}

// Before which time new points are dropped, by class.
void Store::note_oldest() {
  const std::int64_t now = system_.clock.wall().us;
  oldest_.fill(INT64_MIN);
  classes_.with([&](const std::vector<RetentionClass>& classes) {
    for (const RetentionClass& each : classes) {
      if (each.keep) oldest_[each.id] = now - each.keep->us;
    }
  });
}

std::vector<RetentionStep> Store::steps(WallTime now, WallTime until,
                                        std::vector<FilePtr>* gone) const {
  const auto classes = classes_.with([](const std::vector<RetentionClass>& all) { return all; });
  const VersionPtr version = files_.version();
  std::vector<RetentionStep> out;
  for (const RetentionClass& of : classes) {
    std::uint64_t newer = 0;  // bytes of the days after this one
    for (auto day = version->days.rbegin(); day != version->days.rend(); ++day) {
      RetentionStep step{of.name, day->first, 0, {}, {}};
      std::vector<FilePtr> files;
      for (const FilePtr& file : day->second) {
        if (file->name().retention != of.id) continue;
        step.bytes += file->bytes();
        files.push_back(file);
      }
      if (files.empty()) continue;
      newer += step.bytes;
      const WallTime due = WallTime{(day->first + 1) * kUsOfDay} + of.keep.value_or(Duration{});
      if (of.keep && due <= until) {
        step.due = due;
        step.reason = "age";
      } else if (of.bytes_max && newer > *of.bytes_max) {
        step.due = now;
        step.reason = "bytes";
      } else {
        continue;
      }
      out.push_back(step);
      if (gone != nullptr) std::ranges::copy(files, std::back_inserter(*gone));
    }
  }
  std::ranges::sort(out, {},
                    [](const RetentionStep& step) { return std::tie(step.day, step.class_name); });
  return out;
}

Result<std::vector<RetentionStep>> Store::retention_preview(WallTime until) {
  return steps(system_.clock.wall(), until, nullptr);
}

Result<std::vector<RetentionStep>> Store::retention_apply(WallTime now) {
  std::vector<FilePtr> gone;
  auto out = steps(now, now, &gone);
  files_.remove(gone);
  std::set<std::string> folders;
  for (const FilePtr& file : gone) folders.insert(os::folder_of(file->path()));
  gone.clear();
  cache_.clear();
  for (const std::string& folder : folders) {
    // Fails while a reader still holds a file there: then the next run removes the folder.
    if (system_.files.remove(folder)) {
      TRY(system_.files.sync_dir(os::folder_of(folder)));
    } else {
      TRY(system_.files.sync_dir(folder));
    }
  }
  return out;
}

Result<ErasePreview> Store::erase_preview(const Ulid& subject) {
  ErasePreview out;
  Compressor compressor;
  std::set<std::pair<Ulid, std::string>> metrics;
  std::set<Ulid> devices;
  const VersionPtr version = files_.version();
  for (const auto& [day, files] : version->days) {
    for (const FilePtr& file : files) {
      const UnitCache::Units units = TRY(cache_.footer(file));
      for (const Unit& unit : *units) {
        if (unit.subject != subject) continue;
        const auto open = file->open_unit(unit, keys_, compressor);
        if (!open && open.error().code == Code::not_found) continue;
        if (!open) return std::unexpected(open.error());
        devices.insert(unit.device);
        out.bytes += unit.directory_length;
        count_unit(**open, metrics, out);
      }
    }
  }
  out.devices = devices.size();
  out.metrics = metrics.size();
  return out;
}

Result<ErasePreview> Store::erase(const Ulid& subject) {
  // The journal's key covers everyone: what concerns the subject must leave it first.
  TRY(journal_.roll());
  ErasePreview out = TRY(erase_preview(subject));
  TRY(keys_.destroy_all(keys_.find(subject_purpose(subject))));
  cache_.clear();
  head_.erase_device(subject);
  head_.erase_subject(subject);
  return out;
}

}  // namespace holdfast::series
