#include "server/store/series/store.hpp"

namespace holdfast::series {
namespace {

constexpr Duration kLookAgainEvery = seconds(1);

}  // namespace

std::string subject_purpose(const Ulid& subject) {
  return "series:" + ulid_text(subject);
}

Store::Store(const os::System& system, KeySource& keys, journal::Journal& journal, Log log,
             Metrics& metrics, StoreOptions options, journal::AlarmFn alarm)
    : system_(system),
      keys_(keys),
      journal_(journal),
      log_(std::move(log)),
      alarm_(std::move(alarm)),
      options_(std::move(options)),
      head_(options_.limits, metrics),
      files_(system.files, options_.folder),
      cache_(keys, options_.cache_bytes_max),
      classes_(options_.classes),
      merge_workers_(system.threads.start_workers("merge", 1, 4)) {}

Store::~Store() {
  merge_workers_.reset();
}

Result<std::unique_ptr<Store>> Store::open(const os::System& system, KeySource& keys,
                                           journal::Journal& journal, Log log, Metrics& metrics,
                                           StoreOptions options, journal::AlarmFn alarm) {
  std::unique_ptr<Store> out(new Store(system, keys, journal, std::move(log), metrics,
                                       std::move(options), std::move(alarm)));
  TRY(out->set_retention(out->options_.classes));
  return out;
}

void Store::raise_alarm(const std::string& what) {
  log_.error(what);
  if (alarm_) alarm_(what);
}

Status Store::begin(SegmentId first_unsealed) {
  return files_.load(first_unsealed, [this](const std::string& what) { raise_alarm(what); });
}

// A file that could not be read is asked for again, by whoever wants to know what it holds.
void Store::look_again() {
  if (files_.version()->unread.empty()) return;
  const std::int64_t now = system_.clock.mono().us;
  std::int64_t due = look_again_at_.load();
  if (now < due || !look_again_at_.compare_exchange_strong(due, now + kLookAgainEvery.us)) return;
  if (!files_.open_unread([this](const std::string& what) { raise_alarm(what); })) return;
  log_.info("series files that could not be read are served again");
  head_.forget_files();
}

void Store::committed(const journal::Batch& batch) {
  note_oldest();
  static_cast<void>(batch.for_each([this](const journal::Stored& record) {
    if (record.kind == journal::Kind::reading) head_.insert(record, oldest_);
    return true;
  }));
}

}  // namespace holdfast::series
