// The sealer: turns closed segments into the engines' files, oldest first, and lets them die.
#include "server/store/journal/journal_core.hpp"

namespace holdfast::journal {
namespace {

constexpr std::size_t kEndedMax = 1024;

}  // namespace

Status Journal::Core::seal_closed() {
  for (;;) {
    const auto oldest = shared.with([](const Shared& s) -> std::optional<SegmentId> {
      if (s.segments.empty() || !s.segments.begin()->second.closed) return std::nullopt;
      return s.segments.begin()->first;
    });
    if (!oldest) return {};
    if (auto sealed = seal_one(*oldest); !sealed) {
      raise_alarm("journal segment " + std::to_string(*oldest) +
                  " could not be sealed and is tried again: " + sealed.error().text());
      return sealed;
    }
  }
}

Status Journal::Core::seal_one(SegmentId number) {
  Segment segment;
  std::vector<Bytes> windows;
  SegmentId newest = 0;
  shared.with([&](const Shared& s) {
    const Segment& at = s.segments.at(number);
    segment.path = at.path;
    segment.key = at.key;
    segment.records = at.records;
    segment.damaged = at.damaged;
    windows = s.windows.encode(at.deliveries);
    newest = s.segments.rbegin()->first;
  });
  if (segment.records > 0) {
    for (Consumer* consumer : consumers) TRY(consumer->seal(number));
  }
  TRY(window_file.carry(windows, [&] {
    return shared.with([](const Shared& s) { return s.windows.encode_all(); });
  }));
  const std::string after = path(number, segment.damaged ? ".bad" : ".done");
  if (os::exists(sys.files, segment.path)) TRY(sys.files.rename(segment.path, after));
  TRY(sys.files.sync_dir(options.folder));
  // Committed: from here on the engines' files count.
  for (Consumer* consumer : consumers) consumer->sealed(number);
  shared.with([&](Shared& s) {
    s.segments.erase(number);
    s.ended[number] = segment.records;
    if (s.ended.size() > kEndedMax) s.ended.erase(s.ended.begin());
  });
  counters.sealed.add();
  if (segment.damaged) return {};
  // What fails now is done by the next start; a number must stay until a higher one exists.
  if (auto gone = keys.destroy(segment.key); !gone) {
    log.warning("the key of a sealed journal segment stays for now",
                {{"error", gone.error().text()}});
  } else if (newest > number) {
    static_cast<void>(sys.files.remove(after));
  }
  return {};
}

// The digests of deliveries also lie in unsealed segments: those are sealed, and die, first.
Status Journal::Core::erase_windows(const std::vector<std::uint64_t>& sessions) {
  shared.with([&](Shared& s) {
    for (const std::uint64_t session : sessions) s.windows.forget(session);
  });
  TRY(roll(false));
  Status done;
  seal_workers->call([&] {
    done = window_file.rewrite(shared.with([](const Shared& s) { return s.windows.encode_all(); }));
  });
  return done;
}

Status Journal::Core::roll(bool only_old) {
  Status rolled;
  commit_workers->call([&] {
    run_committer();
    if (!writer || writer->records() == 0) return;
    if (only_old && sys.clock.wall() - writer->header().created <= options.segment_age) return;
    rolled = rotate();
  });
  Status sealed;
  seal_workers->call([&] { sealed = seal_closed(); });
  return rolled ? sealed : rolled;
}

}  // namespace holdfast::journal
