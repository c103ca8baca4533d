#include "server/store/events/store.hpp"

#include <algorithm>

namespace holdfast::events {
namespace {

constexpr Duration kLookAgainEvery = seconds(1);

}  // namespace

Store::Store(const os::System& system, KeySource& keys, journal::Journal& journal, Log log,
             Metrics& metrics, StoreOptions options, journal::AlarmFn alarm)
    : system_(system),
      keys_(keys),
      journal_(journal),
      log_(std::move(log)),
      alarm_(std::move(alarm)),
      options_(std::move(options)),
      malformed_(metrics.counter("holdfast_events_malformed_total",
                                 "Journal records that were no events")),
      damage_(metrics.counter("holdfast_events_damaged_files_total",
                              "Event files of which something could not be read")),
      retention_(Retention{options_.keep, options_.bytes_max}),
      merge_workers_(system.threads.start_workers("events", 1, 16)) {}

Store::~Store() {
  merge_workers_.reset();
}

Result<std::unique_ptr<Store>> Store::open(const os::System& system, KeySource& keys,
                                           journal::Journal& journal, Log log, Metrics& metrics,
                                           StoreOptions options, journal::AlarmFn alarm) {
  std::unique_ptr<Store> out(new Store(system, keys, journal, std::move(log), metrics,
                                       std::move(options), std::move(alarm)));
  TRY(out->set_retention(out->options_.keep, out->options_.bytes_max));
  return out;
}

void Store::raise_alarm(const std::string& what) const {
  log_.error(what);
  if (alarm_) alarm_(what);
}

void Store::report_damage(const FilePtr& file, const Error& error) const {
  if (!file->set_damaged()) return;
  damage_.add();
  raise_alarm("event file " + file->path() +
              " is damaged, the rest of it is served: " + error.text());
}

std::vector<ChunkPtr> Store::chunks_of_memory() const {
  return memory_.with([](const Memory& memory) {
    std::vector<ChunkPtr> out;
    for (const auto& [segment, chunks] : memory)
      out.insert(out.end(), chunks.begin(), chunks.end());
    return out;
  });
}

std::vector<FilePtr> Store::files() const {
  return files_.with([](const std::vector<FilePtr>& all) { return all; });
}

Result<SegmentId> Store::newest_output() const {
  SegmentId out = 0;
  const auto entries = system_.files.list(options_.folder);
  if (!entries && entries.error().code == Code::not_found) return out;
  if (!entries) return std::unexpected(entries.error());
  for (const os::Entry& entry : *entries) {
    if (const auto name = parse_file_name(entry.name)) out = std::max(out, name->last);
  }
  return out;
}

Status Store::begin(SegmentId first_unsealed) {
  TRY(system_.files.make_folder(options_.folder));
  TRY(system_.files.sync_dir(os::folder_of(options_.folder)));
  std::vector<FilePtr> opened;
  std::vector<std::pair<FileName, Error>> failed;
  for (const os::Entry& entry : TRY(system_.files.list(options_.folder))) {
    const std::string at = os::join(options_.folder, entry.name);
    const auto name = parse_file_name(entry.name);
    if (entry.name.ends_with(".tmp") || (name && name->last >= first_unsealed)) {
      TRY(system_.files.remove(at));
    } else if (name) {
      auto file = EventFile::open(system_.files, at, *name, keys_);
      if (file) {
        opened.push_back(std::move(*file));
      } else {
        failed.emplace_back(*name, file.error());
      }
    }
  }
  for (const auto& [name, error] : failed) {
    // Merged, its key destroyed, and only its removal was lost in a power cut.
    const bool merged =
        std::ranges::any_of(opened, [&](const FilePtr& file) { return file->name().covers(name); });
    if (merged && error.code == Code::not_found) {
      TRY(system_.files.remove(path(name)));
      continue;
    }
    damage_.add();
    const bool for_good = error.code == Code::corrupt || error.code == Code::not_found;
    lost_.with([&](std::vector<Lost>& all) { all.push_back({name, for_good}); });
    raise_alarm("event file " + path(name) + " cannot be read and is left out" +
                (for_good ? ": " : " until it can: ") + error.text());
  }
  // Only a file that opens supersedes others.
  std::vector<FilePtr> good;
  for (const FilePtr& file : opened) {
    if (std::ranges::any_of(
            opened, [&](const FilePtr& other) { return other->name().covers(file->name()); })) {
      file->remove_when_unused();
    } else {
      good.push_back(file);
    }
  }
  std::ranges::sort(good, {}, &EventFile::name);
  opened.clear();  // superseded ones go from disk
  files_.with([&](std::vector<FilePtr>& all) { all = std::move(good); });
  return destroy_unused_keys();
}

std::vector<Store::Lost> Store::lost() const {
  return lost_.with([](const std::vector<Lost>& all) { return all; });
}

void Store::look_again() {
  const std::vector<Lost> all = lost();
  if (std::ranges::all_of(all, &Lost::for_good)) return;
  const std::int64_t now = system_.clock.mono().us;
  std::int64_t due = look_again_at_.load();
  if (now < due || !look_again_at_.compare_exchange_strong(due, now + kLookAgainEvery.us)) return;
  for (const Lost& each : all) {
    if (each.for_good) continue;
    const auto file = EventFile::open(system_.files, path(each.name), each.name, keys_);
    if (file) {
      serve_late(*file);
      log_.info("an event file that could not be read is served again",
                {{"file", (*file)->path()}});
      continue;
    }
    const Code code = file.error().code;
    if (code != Code::corrupt && code != Code::not_found) continue;
    lost_.with([&](std::vector<Lost>& now_lost) {
      for (Lost& one : now_lost) one.for_good = one.for_good || one.name == each.name;
    });
    raise_alarm("event file " + path(each.name) + " is left out for good: " + file.error().text());
  }
}

// As begin() would have, had it been able to read the file.
void Store::serve_late(const FilePtr& file) {
  std::vector<FilePtr> gone;
  files_.with([&](std::vector<FilePtr>& all) {
    const auto same = [&](const FilePtr& other) { return other->name() == file->name(); };
    if (std::ranges::any_of(all, same)) return;  // another caller was faster
    const bool covered = std::ranges::any_of(
        all, [&](const FilePtr& other) { return other->name().covers(file->name()); });
    if (covered) return gone.push_back(file);
    std::erase_if(all, [&](const FilePtr& other) {
      if (!file->name().covers(other->name())) return false;
      gone.push_back(other);
      return true;
    });
    all.push_back(file);
    std::ranges::sort(all, {}, &EventFile::name);
  });
  lost_.with([&](std::vector<Lost>& all) {
    std::erase_if(all, [&](const Lost& each) { return each.name == file->name(); });
  });
  for (const FilePtr& each : gone) each->remove_when_unused();
}

void Store::committed(const journal::Batch& batch) {
  std::uint64_t malformed = 0;
  const ChunkPtr chunk = Chunk::make(batch, malformed);
  if (malformed > 0) malformed_.add(malformed);
  if (!chunk) return;
  memory_.with([&](Memory& memory) { memory[batch.first.segment].push_back(chunk); });
}

Status Store::seal(SegmentId segment) {
  // A closed segment gets no more chunks: they may be read without the lock.
  const std::vector<ChunkPtr> chunks = memory_.with([&](const Memory& memory) {
    const auto at = memory.find(segment);
    return at == memory.end() ? std::vector<ChunkPtr>() : at->second;
  });
  if (chunks.empty()) return {};
  std::uint64_t events = 0;
  for (const ChunkPtr& chunk : chunks) events += chunk->rows().size();
  // On the merger's thread: what destroys unused keys must not see one whose file is being written.
  Status done;
  merge_workers_->call([&] {
    auto file = write_file({segment, segment}, events, [&](FileWriter& writer) -> Status {
      for (const ChunkPtr& chunk : chunks)
        for (const Row& row : chunk->rows()) TRY(writer.add(row));
      return {};
    });
    if (file) {
      written_.with([&](Written& written) { written[segment] = std::move(*file); });
    } else {
      done = std::unexpected(file.error());
    }
  });
  return done;
}

void Store::sealed(SegmentId segment) {
  const FilePtr file = written_.with([&](const Written& written) {
    const auto at = written.find(segment);
    return at == written.end() ? FilePtr{} : at->second;
  });
  if (file) files_.with([&](std::vector<FilePtr>& all) { all.push_back(file); });
  written_.with([&](Written& written) { written.erase(segment); });
  memory_.with([&](Memory& memory) { memory.erase(segment); });
  if (!merge_workers_->post([this] { static_cast<void>(merge_what_is_due()); })) {
    log_.debug("merging events is behind: the next segment asks again");
  }
}

}  // namespace holdfast::events
