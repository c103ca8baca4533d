#include "server/hub/store/sessions.hpp"

namespace holdfast::hub {
namespace {

constexpr std::string_view kAction = "hub.sessions";

}  // namespace

SessionStore::SessionStore(core::Store& store, os::Workers& workers, Metrics& metrics, OverFn over)
    : store_(store),
      workers_(workers),
      over_(std::move(over)),
      operations_(
          metrics.counter("holdfast_hub_session_writes_total", "Changes of stored sessions")),
      refused_(metrics.counter("holdfast_hub_session_writes_refused_total",
                               "Changes of stored sessions that found the queue full")),
      failed_(metrics.counter("holdfast_hub_session_writes_failed_total",
                              "Changes of stored sessions that SQL refused")) {}

Status SessionStore::commit(const std::function<Status(core::Change&)>& mutate) {
  return store_.record(core::Caller::system(), kAction, mutate);
}

Status SessionStore::begin() {
  return commit([](core::Change& change) -> Status {
    TRY(tables::all_offline(change.tx(), change.now()));
    return tables::wills_wait(change.tx(), change.now());
  });
}

Status SessionStore::wills(
    const std::function<void(DeviceId, std::string client_id, FireWill)>& waits) {
  std::vector<tables::StoredWill> page;
  std::optional<std::int64_t> after;
  do {
    TRY(store_.read([&](sql::Tx& tx) -> Status {
      page = TRY(tables::waiting_wills(tx, store_.sealer(), after));
      return {};
    }));
    const auto now = store_.clock().wall();
    for (auto& each : page) {
      after = static_cast<std::int64_t>(each.will.id);
      if (each.will.topic.empty()) {
        failed_.add();
        drop_will(each.device, each.will.id);
        continue;
      }
      const auto left = std::clamp((each.due_at - now).us, std::int64_t{0},
                                   std::int64_t{kWillDelayMax_s} * 1'000'000);
      each.will.delay_s = static_cast<std::uint32_t>((left + 999'999) / 1'000'000);
      waits(each.device, std::move(each.client_id), std::move(each.will));
    }
  } while (page.size() == tables::kWillsPage);
  return {};
}

SessionStore::Operation SessionStore::ending(Ending run, Done done) {
  auto over = std::make_shared<tables::Over>();
  return {[over, run = std::move(run)](core::Change& change) {
            over->clear();
            return run(change, *over);
          },
          // What still waits in a line of ours when we go must not keep us.
          [weak = weak_from_this(), over, done = std::move(done)](Status status) mutable {
            const auto self = weak.lock();
            if (status && self) {
              for (const auto tag : *over) self->over_(tag);
            }
            if (done) done(std::move(status));
          }};
}

Status SessionStore::expire() {
  std::int64_t removed = 0;
  do {
    tables::Over over;
    TRY(commit([&](core::Change& change) -> Status {
      over.clear();
      removed = TRY(tables::expire(change.tx(), change.now(), over));
      return {};
    }));
    for (const auto tag : over) over_(tag);
  } while (removed == static_cast<std::int64_t>(tables::kExpireBatch));
  return {};
}

Result<std::vector<std::string>> SessionStore::mailbox(DeviceId device) {
  const auto now = store_.clock().wall();
  tables::Mailbox mailbox;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    mailbox = TRY(tables::mailbox(tx, device, now));
    return {};
  }));
  if (mailbox.tag != 0 && mailbox.ends_at < now + kMailboxAge - days(1)) {  // not with every poll
    TRY(commit([&](core::Change& change) {
      return tables::mailbox_touch(change.tx(), mailbox.tag, change.now());
    }));
  }
  return std::move(mailbox.settled);
}

Status SessionStore::mailbox_settle(DeviceId device, std::string_view key) {
  const auto tag = std::max<std::uint64_t>(store_.entropy().number(), 1);
  return commit([&](core::Change& change) {
    return tables::mailbox_settle(change.tx(), device, key, tag, change.now());
  });
}

void SessionStore::open(DeviceId device, tables::Kind kind, Open request, Opened done) {
  auto kept = std::make_shared<std::optional<Kept>>();
  push(device,
       ending(
           [=, request = std::move(request)](core::Change& change, tables::Over& over) -> Status {
             *kept = TRY(tables::open(change.tx(), device, kind, request, change.now(), over));
             if (!request.will) return {};
             return tables::add_will(change.tx(), change.sealer(), device, request.client_id,
                                     *request.will);
           },
           [kept, done = std::move(done)](Status status) mutable {
             if (!status) return done(std::unexpected(status.error()));
             done(std::move(*kept));
           }));
}

void SessionStore::save(DeviceId device, std::uint64_t tag, std::vector<Granted> granted,
                        Done done) {
  push(device, {[tag, granted = std::move(granted)](core::Change& change) {
                  return tables::save_granted(change.tx(), tag, granted);
                },
                std::move(done)});
}

void SessionStore::prepare(DeviceId device, std::uint64_t tag, std::vector<InFlight> rows,
                           Done done) {
  push(device, {[tag, rows = std::move(rows)](core::Change& change) {
                  return tables::add_in_flight(change.tx(), tag, rows);
                },
                std::move(done)});
}

void SessionStore::settle(DeviceId device, std::uint64_t tag, std::string key, Done done) {
  push(device, {[tag, key = std::move(key)](core::Change& change) {
                  return tables::settle(change.tx(), tag, key);
                },
                std::move(done)});
}

void SessionStore::forget(DeviceId device, std::uint64_t tag, std::vector<std::string> keys,
                          Done done) {
  push(device, {[tag, keys = std::move(keys)](core::Change& change) {
                  return tables::forget(change.tx(), tag, keys);
                },
                std::move(done)});
}

void SessionStore::leave(DeviceId device, std::uint64_t tag, std::uint32_t expiry_s, Done done) {
  push(device, ending(
                   [=](core::Change& change, tables::Over& over) {
                     return tables::leave(change.tx(), device, tag, expiry_s, change.now(), over);
                   },
                   std::move(done)));
}

void SessionStore::end_all(DeviceId device, Done done) {
  push(device,
       ending([=](core::Change& change,
                  tables::Over& over) { return tables::end_all(change.tx(), device, over); },
              std::move(done)));
}

void SessionStore::delay_will(DeviceId device, std::uint64_t id, std::uint32_t delay_s) {
  push(device, {[=](core::Change& change) {
                  return tables::delay_will(change.tx(), id, change.now() + seconds(delay_s));
                },
                {}});
}

void SessionStore::drop_will(DeviceId device, std::uint64_t id) {
  push(device, {[=](core::Change& change) { return tables::drop_will(change.tx(), id); }, {}});
}

void SessionStore::push(DeviceId device, Operation operation) {
  const std::size_t index = std::hash<DeviceId>{}(device) % kLines;
  bool start = false;
  ++busy_;
  const bool taken = lines_[index].with([&](Line& line) {
    if (line.waiting.size() >= kStoreQueueMax / kLines) return false;
    line.waiting.push_back(std::move(operation));
    start = !std::exchange(line.running, true);
    return true;
  });
  if (!taken) {
    refused_.add();
    if (operation.done)
      operation.done(fail(Code::overloaded, "too many session changes wait for the disk"));
    --busy_;
    return;
  }
  operations_.add();
  if (start && !workers_.post([self = shared_from_this(), index] { self->work(index); }))
    drop(index);
}

void SessionStore::work(std::size_t index) {
  std::deque<Operation> batch;
  lines_[index].with([&](Line& line) {
    while (!line.waiting.empty() && batch.size() < kShared) {
      batch.push_back(std::move(line.waiting.front()));
      line.waiting.pop_front();
    }
  });
  run(batch);
  const bool more = lines_[index].with([](Line& line) {
    line.running = !line.waiting.empty();
    return line.running;
  });
  if (more && !workers_.post([self = shared_from_this(), index] { self->work(index); }))
    drop(index);
}

// The workers are busy beyond their bound: what waits is refused, the line stays usable.
void SessionStore::drop(std::size_t index) {
  std::deque<Operation> dropped = lines_[index].with([](Line& line) {
    line.running = false;
    return std::exchange(line.waiting, {});
  });
  refused_.add(dropped.size());
  for (auto& operation : dropped) {
    if (operation.done) operation.done(fail(Code::overloaded, "all workers are busy"));
    --busy_;
  }
}

void SessionStore::run(std::deque<Operation>& batch) {
  if (batch.size() > 1) {
    const auto together = commit([&](core::Change& change) -> Status {
      for (auto& operation : batch) TRY(operation.run(change));
      return {};
    });
    if (together) {
      for (auto& operation : batch) {
        if (operation.done) operation.done({});
        --busy_;
      }
      return;
    }
  }
  for (auto& operation : batch) {  // alone, so that one that fails does not fail the others
    const auto status = commit(operation.run);
    if (!status) failed_.add();
    if (operation.done) operation.done(status);
    --busy_;
  }
}

}  // namespace holdfast::hub
