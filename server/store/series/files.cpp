#include "server/store/series/files.hpp"

#include <algorithm>

namespace holdfast::series {
namespace {

constexpr std::uint32_t kFooter = UINT32_MAX;

void sort_files(std::vector<FilePtr>& files) {
  std::ranges::sort(files, [](const FilePtr& a, const FilePtr& b) {
    return std::tie(a->name().last, a->name().retention) <
           std::tie(b->name().last, b->name().retention);
  });
}

}  // namespace

bool Version::lacks(std::int64_t first, std::int64_t last) const {
  const auto within = [&](const FileName& name) { return name.day >= first && name.day <= last; };
  return std::ranges::any_of(unread, within) || std::ranges::any_of(damaged, within);
}

std::string FileSet::path(const FileName& name) const {
  return os::join(os::join(folder_, day_text(name.day)), file_name_text(name));
}

Result<FileSet::Listed> FileSet::list() const {
  Listed out;
  const auto folders = files_.list(folder_);
  if (!folders && folders.error().code == Code::not_found) return out;
  if (!folders) return std::unexpected(folders.error());
  for (const os::Entry& folder : *folders) {
    const auto day = parse_day(folder.name);
    if (!folder.folder || !day) continue;
    for (const os::Entry& entry : TRY(files_.list(os::join(folder_, folder.name)))) {
      if (entry.name.ends_with(".tmp"))
        out.unfinished.push_back(os::join(os::join(folder_, folder.name), entry.name));
      if (const auto name = parse_file_name(*day, entry.name)) out.names.push_back(*name);
    }
  }
  return out;
}

Result<SegmentId> FileSet::newest() const {
  SegmentId out = 0;
  for (const FileName& name : TRY(list()).names) out = std::max(out, name.last);
  return out;
}

Status FileSet::load(SegmentId first_unsealed, const AlarmFn& alarm) {
  TRY(files_.make_folder(folder_));
  TRY(files_.sync_dir(os::folder_of(folder_)));
  const Listed listed = TRY(list());
  for (const std::string& name : listed.unfinished) TRY(files_.remove(name));
  auto version = std::make_shared<Version>();
  version->sealed = first_unsealed - 1;
  std::vector<FilePtr> opened;
  for (const FileName& name : listed.names) {
    if (name.last >= first_unsealed) {
      TRY(files_.remove(path(name)));
      continue;
    }
    auto file = SeriesFile::open(files_, path(name), name);
    if (file) {
      opened.push_back(std::move(*file));
    } else {
      const bool for_good = file.error().code == Code::corrupt;
      (for_good ? version->damaged : version->unread).push_back(name);
      alarm("series file " + path(name) + " cannot be read and is left out" +
            (for_good ? ": " : " until it can: ") + file.error().text());
    }
  }
  // Only a file that opens supersedes others: they are all there is, should it be damaged.
  for (const FilePtr& file : opened) {
    const bool covered = std::ranges::any_of(
        opened, [&](const FilePtr& other) { return other->name().covers(file->name()); });
    if (covered) {
      file->remove_when_unused();
    } else {
      version->days[file->name().day].push_back(file);
    }
  }
  for (auto& [day, files] : version->days) sort_files(files);
  version_.with([&](VersionPtr& now) { now = std::move(version); });
  return {};
}

bool FileSet::open_unread(const AlarmFn& alarm) {
  bool served = false;
  const VersionPtr before = version();
  for (const FileName& name : before->unread) {
    auto file = SeriesFile::open(files_, path(name), name);
    if (file) {
      serve_late(*file);
      served = true;
      continue;
    }
    const Code code = file.error().code;
    if (code != Code::corrupt && code != Code::not_found) continue;
    const bool mine = version_.with([&](VersionPtr& now) {
      auto next = std::make_shared<Version>(*now);
      if (std::erase(next->unread, name) == 0) return false;
      if (code == Code::corrupt) next->damaged.push_back(name);
      now = std::move(next);
      return true;
    });
    if (mine) alarm("series file " + path(name) + " is left out for good: " + file.error().text());
  }
  return served;
}

// As load() would have, had it been able to read the file.
void FileSet::serve_late(const FilePtr& file) {
  std::vector<FilePtr> gone;
  version_.with([&](VersionPtr& now) {
    auto next = std::make_shared<Version>(*now);
    if (std::erase(next->unread, file->name()) == 0) return;  // another caller was faster
    auto& files = next->days[file->name().day];
    const bool covered = std::ranges::any_of(
        files, [&](const FilePtr& other) { return other->name().covers(file->name()); });
    if (covered) {
      gone.push_back(file);
    } else {
      std::erase_if(files, [&](const FilePtr& other) {
        if (!file->name().covers(other->name())) return false;
        gone.push_back(other);
        return true;
      });
      files.push_back(file);
      sort_files(files);
    }
    now = std::move(next);
  });
  for (const FilePtr& each : gone) each->remove_when_unused();
}

VersionPtr FileSet::version() const {
  return version_.with([](const VersionPtr& now) { return now; });
}

Status FileSet::make_day(std::int64_t day) {
  TRY(files_.make_folder(os::join(folder_, day_text(day))));
  return files_.sync_dir(folder_);
}

Status FileSet::add(const std::vector<FileName>& names, SegmentId sealed) {
  std::vector<FilePtr> opened;
  for (const FileName& name : names)
    opened.push_back(TRY(SeriesFile::open(files_, path(name), name)));
  version_.with([&](VersionPtr& now) {
    auto next = std::make_shared<Version>(*now);
    next->sealed = std::max(next->sealed, sealed);
    for (FilePtr& file : opened) {
      auto& files = next->days[file->name().day];
      files.push_back(std::move(file));
      sort_files(files);
    }
    now = std::move(next);
  });
  return {};
}

Status FileSet::replace(const std::vector<FilePtr>& inputs, const FileName& merged) {
  FilePtr file = TRY(SeriesFile::open(files_, path(merged), merged));
  const bool replaced = version_.with([&](VersionPtr& now) {
    auto next = std::make_shared<Version>(*now);
    auto& files = next->days[merged.day];
    for (const FilePtr& input : inputs) {
      if (std::erase(files, input) == 0) return false;
    }
    files.push_back(file);
    sort_files(files);
    now = std::move(next);
    return true;
  });
  if (!replaced) {
    file->remove_when_unused();
    return {};
  }
  for (const FilePtr& input : inputs) input->remove_when_unused();
  return {};
}

void FileSet::remove(const std::vector<FilePtr>& gone) {
  version_.with([&](VersionPtr& now) {
    auto next = std::make_shared<Version>(*now);
    for (const FilePtr& file : gone) {
      const auto day = next->days.find(file->name().day);
      if (day == next->days.end()) continue;
      std::erase(day->second, file);
      if (day->second.empty()) next->days.erase(day);
    }
    now = std::move(next);
  });
  for (const FilePtr& file : gone) file->remove_when_unused();
}

// ---- the cache

std::shared_ptr<const void> UnitCache::find(const Id& id) {
  return state_.with([&](State& state) -> std::shared_ptr<const void> {
    const auto at = state.by_id.find(id);
    if (at == state.by_id.end()) return nullptr;
    state.by_use.splice(state.by_use.begin(), state.by_use, at->second);
    return at->second->content;
  });
}

void UnitCache::keep(const Id& id, const FilePtr& file, std::shared_ptr<const void> content,
                     std::size_t bytes) {
  state_.with([&](State& state) {
    if (state.by_id.contains(id)) return;
    state.by_use.push_front({id, file, std::move(content), bytes});
    state.by_id[id] = state.by_use.begin();
    state.bytes += bytes;
    while (state.bytes > bytes_max_ && state.by_use.size() > 1) {
      const Entry& last = state.by_use.back();
      state.bytes -= last.bytes;
      state.by_id.erase(last.id);
      state.by_use.pop_back();
    }
  });
}

Result<UnitCache::Units> UnitCache::footer(const FilePtr& file) {
  const Id id{file.get(), kFooter};
  if (auto there = find(id)) return std::static_pointer_cast<const std::vector<Unit>>(there);
  auto units = std::make_shared<const std::vector<Unit>>(TRY(file->footer()));
  keep(id, file, units, units->size() * sizeof(Unit) + 64);
  return units;
}

Result<std::vector<UnitCache::UnitPtr>> UnitCache::units(const FilePtr& file, const Ulid& device,
                                                         Compressor& compressor) {
  std::vector<UnitPtr> out;
  const Units all = TRY(footer(file));
  auto at = std::ranges::lower_bound(*all, device, {}, &Unit::device);
  for (; at != all->end() && at->device == device; ++at) {
    const Id id{file.get(), static_cast<std::uint32_t>(at - all->begin())};
    if (auto there = find(id)) {
      out.push_back(std::static_pointer_cast<const OpenUnit>(there));
      continue;
    }
    auto unit = file->open_unit(*at, keys_, compressor);
    if (!unit && unit.error().code == Code::not_found) continue;
    if (!unit) return std::unexpected(unit.error());
    keep(id, file, *unit, (*unit)->directory.memory());
    out.push_back(std::move(*unit));
  }
  return out;
}

void UnitCache::clear() {
  state_.with([](State& state) { state = {}; });
}

}  // namespace holdfast::series
