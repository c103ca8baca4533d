// Retention by class, and erasure of a subject.
#include <algorithm>

#include "server/store/series/rollup.hpp"
#include "server/store/series/store.hpp"

namespace holdfast::series {
namespace {

constexpr std::int64_t kUsOfDay = 86'400'000'000;

// Adds what a directory says of its unit.
void count_unit(const OpenUnit& unit, bool rolled, std::set<std::pair<Ulid, std::string>>& metrics,
                ErasePreview& out) {
  for (const StreamInfo& stream : unit.directory.streams) {
    for (const GroupInfo& group : stream.groups) {
      out.bytes += group.times.length + group.times.inlined.size();
      out.first = out.first ? std::min(*out.first, WallTime{group.first}) : WallTime{group.first};
      out.last = out.last ? std::max(*out.last, WallTime{group.last}) : WallTime{group.last};
      for (const ColumnInfo& column : group.columns) {
        const std::string_view field = rolled ? rolled_field(column.field) : column.field;
        if (!field.empty())
          metrics.insert({unit.unit.device, stream.name + "." + std::string(field)});
        out.points += rolled ? 0 : column.values;
        out.bytes += column.ref.length + column.ref.inlined.size();
      }
    }
  }
}

}  // namespace

Status check_class(const RetentionClass& of) {
  const auto no = [&](const char* why) {
    return fail(Code::invalid_argument, "retention class \"" + of.name + "\" " + why);
  };
  if (of.keep && of.keep->us <= 0) return no("keeps nothing: give a time above zero");
  if (!of.rollup && of.rollup_keep) return no("has a time for roll-ups, but makes none");
  if (!of.rollup) return {};
  if (!of.keep) return no("keeps points for ever: roll-ups are made when points go");
  if (of.rollup->us <= 0 || kUsOfDay % of.rollup->us != 0)
    return no("needs roll-ups of a length that divides a day");
  if (of.rollup_keep && *of.rollup_keep < *of.keep)
    return no("has to keep roll-ups at least as long as points");
  return {};
}

Status Store::set_retention(std::vector<RetentionClass> classes) {
  std::set<ClassId> ids;
  for (const RetentionClass& each : classes) {
    if (!ids.insert(each.id).second)
      return fail(Code::invalid_argument,
                  "two retention classes have the number " + std::to_string(each.id));
    TRY(check_class(each));
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

std::vector<RetentionUse> Store::retention() {
  std::vector<RetentionUse> out;
  for (RetentionClass& of : classes_.with([](const auto& all) { return all; })) {
    RetentionUse use;
    use.of = std::move(of);
    for (const auto& [day, files] : files_.version()->days) {
      bool here = false;
      for (const FilePtr& file : files) {
        if (file->name().retention != use.of.id) continue;
        (file->name().rollup ? use.rollup_bytes : use.bytes) += file->bytes();
        here = true;
      }
      if (!here) continue;
      ++use.days;
      use.newest_day = day;
      if (!use.oldest_day) use.oldest_day = day;
    }
    out.push_back(std::move(use));
  }
  return out;
}

std::vector<Store::Due> Store::due(
    WallTime now, WallTime until, const std::optional<std::vector<RetentionClass>>& instead) const {
  const auto classes = instead ? *instead : classes_.with([](const auto& all) { return all; });
  const VersionPtr version = files_.version();
  std::vector<Due> out;
  for (const RetentionClass& of : classes) {
    std::uint64_t newer = 0;  // bytes of this day and those after it
    for (auto day = version->days.rbegin(); day != version->days.rend(); ++day) {
      Due all;  // of the day
      Due raw;  // its points
      for (const FilePtr& file : day->second) {
        if (file->name().retention != of.id) continue;
        for (Due* due : {&all, &raw}) {
          if (due == &raw && file->name().rollup && !of.rollup) continue;
          due->files.push_back(file);
          due->step.bytes += file->bytes();
        }
      }
      newer += all.step.bytes;
      const bool points =
          std::ranges::any_of(all.files, [](const FilePtr& file) { return !file->name().rollup; });
      const WallTime end{(day->first + 1) * kUsOfDay};
      const auto over = [&](const std::optional<Duration>& keep) {
        return keep && end + *keep <= until;
      };
      const auto take = [&](Due due, WallTime when, const char* reason) {
        due.step.class_name = of.name;
        due.step.day = day->first;
        due.step.due = when;
        due.step.reason = reason;
        due.step.rolls_up = due.rollup.has_value();
        out.push_back(std::move(due));
      };
      if (all.files.empty()) continue;
      // Roll-ups go when their own time is over, or at once with a class that makes none.
      const std::optional<Duration> last = of.rollup ? of.rollup_keep : of.keep;
      if (over(last) && (!of.keep || *last >= *of.keep)) {
        take(std::move(all), end + *last, "age");
      } else if (of.bytes_max && newer > *of.bytes_max) {
        take(std::move(all), now, "bytes");
      } else if (points && of.rollup && over(of.keep)) {
        raw.rollup = of.rollup;
        take(std::move(raw), end + *of.keep, "age");
      }
    }
  }
  std::ranges::sort(out, {},
                    [](const Due& due) { return std::tie(due.step.day, due.step.class_name); });
  return out;
}

Result<std::vector<RetentionStep>> Store::retention_preview(
    WallTime until, const std::optional<std::vector<RetentionClass>>& instead) {
  std::vector<RetentionStep> out;
  for (const Due& due : this->due(system_.clock.wall(), until, instead)) out.push_back(due.step);
  return out;
}

Result<std::vector<RetentionStep>> Store::retention_apply(WallTime now) {
  std::vector<Due> all = due(now, now);
  Status done;
  // Where merges run, so that none of them works on the same files.
  merge_workers_->call([&] {
    all = due(now, now);
    done = retain(all);
  });
  TRY(done);
  std::vector<RetentionStep> out;
  std::set<std::string> folders;
  for (const Due& due : all) {
    out.push_back(due.step);
    for (const FilePtr& file : due.files) folders.insert(os::folder_of(file->path()));
  }
  all.clear();
  cache_.clear();
  for (const std::string& folder : folders) {
    // Fails while files are left there, or a reader holds one: then a later run removes the folder.
    if (system_.files.remove(folder)) {
      TRY(system_.files.sync_dir(os::folder_of(folder)));
    } else {
      TRY(system_.files.sync_dir(folder));
    }
  }
  return out;
}

Status Store::retain(const std::vector<Due>& all) {
  std::vector<FilePtr> gone;
  for (const Due& due : all) {
    if (!due.rollup) {
      gone.insert(gone.end(), due.files.begin(), due.files.end());
      continue;
    }
    auto rolled = merge(due.files, due.rollup);
    if (rolled) continue;
    if (rolled.error().code != Code::corrupt) return rolled;
    // What cannot be read cannot be rolled up: it stays until it is dropped with the roll-ups.
    raise_alarm("series files of " + day_text(due.step.day) +
                " are damaged and are not rolled up: " + rolled.error().text());
  }
  files_.remove(gone);
  return {};
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
        count_unit(**open, file->name().rollup, metrics, out);
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
