#include "server/core/notices.hpp"

#include <algorithm>
#include <atomic>
#include <set>

#include "generated/core/notices.hpp"
#include "server/core/gate.hpp"

namespace holdfast::core {

namespace {

constexpr std::string_view kWakeSubject = "holdfast.notices";
constexpr Duration kPollEvery = seconds(5);  // a wake-up that got lost costs no more than this
constexpr Duration kRetryFirst = milliseconds(100);
constexpr Duration kRetryMost = minutes(1);
constexpr Duration kForgetSubscriber = days(30);
constexpr std::int64_t kCursorLagMax = 1'000;

Notice read_notice(sql::Row& row) {
  Notice notice;
  notice.seq = row.integer(0);
  notice.name = row.text(1);
  notice.time = row.time(2);
  notice.payload = row.text(3);
  notice.actor = row.text(4);
  notice.request_id = row.maybe_text(5).value_or("");
  notice.audit_seq = row.maybe_integer(6);
  notice.site = row.maybe_id<SiteId>(7);
  return notice;
}

Duration retry_delay(unsigned attempts) {
  return std::min(kRetryMost, kRetryFirst * (std::int64_t{1} << std::min(attempts, 16U)));
}

Status check_names(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (!notice_declared(name)) {
      return fail(Code::internal, "the notice \"" + name + "\" is not in contract/notices.yaml");
    }
  }
  return {};
}

// One line of work: a subscriber with its cursor, or all followers together.
struct Lane {
  std::string subscriber;  // empty: the followers
  std::vector<std::string> names;
  Dispatcher::Handler handler;
  Dispatcher::Delivery delivery;  // instead of the handler

  // Guarded by DispatcherCore::lanes_.
  bool running = false;
  bool again = false;
  unsigned attempts = 0;
};

struct FollowerEntry {
  std::set<std::string, std::less<>> names;
  Dispatcher::Follower follower;
};

// Tasks on workers and timers share it, so that late ones find the gate closed and nothing gone.
class DispatcherCore : public std::enable_shared_from_this<DispatcherCore> {
 public:
  DispatcherCore(Store& store, os::Workers& workers, os::Loop& loop, const Log& log,
                 Metrics& metrics)
      : store_(store),
        workers_(workers),
        loop_(loop),
        log_(log),
        handled_(
            metrics.counter("holdfast_notices_handled_total", "Notices handled by subscribers")),
        failed_(metrics.counter("holdfast_notices_failed_total",
                                "Attempts to handle a notice that failed")),
        parked_(metrics.counter("holdfast_notices_parked_total",
                                "Notices put aside after too many attempts")) {}

  Status add(std::string subscriber, std::vector<std::string> names, Dispatcher::Handler handler,
             Dispatcher::Delivery delivery);
  Status add_follower(std::vector<std::string> names, Dispatcher::Follower follower);
  Status start();
  void wake_all();
  Status trim(Duration keep);
  Gate gate;

 private:
  struct Batch {
    std::int64_t cursor = 0;
    std::vector<Notice> notices;
    std::int64_t last = 0;  // newest notice of all names
  };

  void kick(Lane& lane);
  void post(Lane& lane);
  void run(Lane& lane);
  void finish(Lane& lane, bool more);
  void retry_later(Lane& lane, Duration delay);
  void poll();
  bool turn(Lane& lane);
  bool turn_of_followers();
  void deliver(Lane& lane);
  void delivered(Lane& lane, const Batch& batch, const Status& durable);
  bool nothing_to_do(Lane& lane, const Batch& batch);
  Result<Batch> next_batch(const Lane& lane);
  Status handle(const Lane& lane, std::span<const Notice> notices);
  void handle_failed(Lane& lane, const Notice& notice, const Error& error);
  Status park(const Lane& lane, const Notice& notice, const Error& error);
  Status move_cursor(Change& change, const Lane& lane, std::int64_t seq);

  Store& store_;
  os::Workers& workers_;
  os::Loop& loop_;
  const Log& log_;
  Counter& handled_;
  Counter& failed_;
  Counter& parked_;
  std::vector<std::unique_ptr<Lane>> lanes_;  // fixed at start()
  std::mutex mutex_;                          // running, again, attempts of all lanes
  std::vector<FollowerEntry> followers_;
  std::int64_t followed_ = 0;  // last notice given to followers; their lane's only
  bool started_ = false;
};

Status DispatcherCore::add(std::string subscriber, std::vector<std::string> names,
                           Dispatcher::Handler handler, Dispatcher::Delivery delivery) {
  TRY(check_names(names));
  if (started_) return fail(Code::internal, "subscribe before start()");
  const bool taken =
      std::ranges::any_of(lanes_, [&](const auto& lane) { return lane->subscriber == subscriber; });
  if (taken || subscriber.empty() || lanes_.size() >= kSubscribersMax) {
    return fail(Code::internal,
                "the subscriber \"" + subscriber + "\" is there already, or one too many");
  }
  auto lane = std::make_unique<Lane>();
  lane->subscriber = std::move(subscriber);
  lane->names = std::move(names);
  lane->handler = std::move(handler);
  lane->delivery = std::move(delivery);
  lanes_.push_back(std::move(lane));
  return {};
}

Status DispatcherCore::add_follower(std::vector<std::string> names, Dispatcher::Follower follower) {
  TRY(check_names(names));
  if (started_ || followers_.size() >= kSubscribersMax)
    return fail(Code::internal, "follow before start()");
  followers_.push_back({{names.begin(), names.end()}, std::move(follower)});
  return {};
}

Status DispatcherCore::start() {
  TRY(store_.record(Caller::system(), "notices.start", [&](Change& change) -> Status {
    followed_ = TRY(last_notice(change.tx()));
    for (const auto& lane : lanes_) {
      TRY(change.tx().exec(
          "INSERT INTO notice_cursor (subscriber, seq, touched_at) VALUES (?,?,?)"
          " ON CONFLICT (subscriber) DO UPDATE SET touched_at = excluded.touched_at",
          {lane->subscriber, followed_, change.now()}));
    }
    return {};
  }));
  lanes_.push_back(std::make_unique<Lane>());  // the followers
  started_ = true;
  wake_all();
  loop_.post([self = shared_from_this()] { self->poll(); });
  return {};
}

void DispatcherCore::poll() {
  const Gate::Pass pass(gate);
  if (!pass) return;
  wake_all();
  loop_.after(kPollEvery, [self = shared_from_this()] { self->poll(); });
}

void DispatcherCore::wake_all() {
  for (const auto& lane : lanes_) kick(*lane);
}

void DispatcherCore::kick(Lane& lane) {
  {
    const std::scoped_lock lock(mutex_);
    lane.again = true;
    // While it waits to try a failed notice again, `running` stays set: the timer goes on.
    if (lane.running) return;
    lane.running = true;
  }
  post(lane);
}

void DispatcherCore::post(Lane& lane) {
  if (workers_.post([self = shared_from_this(), &lane] { self->run(lane); })) return;
  retry_later(lane, kRetryFirst);
}

void DispatcherCore::retry_later(Lane& lane, Duration delay) {
  loop_.post([self = shared_from_this(), &lane, delay] {
    self->loop_.after(delay, [self, &lane] {
      const Gate::Pass pass(self->gate);
      if (pass) self->post(lane);
    });
  });
}

void DispatcherCore::run(Lane& lane) {
  const Gate::Pass pass(gate);
  if (!pass) return;
  {
    const std::scoped_lock lock(mutex_);
    lane.again = false;
  }
  if (lane.delivery) return deliver(lane);
  const bool more = lane.subscriber.empty() ? turn_of_followers() : turn(lane);
  finish(lane, more);
}

void DispatcherCore::finish(Lane& lane, bool more) {
  unsigned attempts = 0;
  {
    const std::scoped_lock lock(mutex_);
    attempts = lane.attempts;
    if (!more && !lane.again && attempts == 0) {
      lane.running = false;
      return;
    }
  }
  if (attempts > 0) {
    retry_later(lane, retry_delay(attempts - 1));
  } else {
    post(lane);  // others on the same workers get their turn between
  }
}

Result<DispatcherCore::Batch> DispatcherCore::next_batch(const Lane& lane) {
  Batch batch;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    batch.cursor =
        TRY(tx.number("SELECT seq FROM notice_cursor WHERE subscriber = ?", {lane.subscriber}));
    batch.notices = TRY(notices_after(tx, batch.cursor, lane.names, kNoticesPerTurn));
    batch.last = TRY(last_notice(tx));
    return {};
  }));
  return batch;
}

Status DispatcherCore::move_cursor(Change& change, const Lane& lane, std::int64_t seq) {
  TRY(change.tx().exec("UPDATE notice_cursor SET seq = ? WHERE subscriber = ? AND seq < ?",
                       {seq, lane.subscriber, seq}));
  return {};
}

// All of them and the cursor, in one transaction. Another process of the site may have handled some
// meanwhile: the cursor inside the transaction decides.
Status DispatcherCore::handle(const Lane& lane, std::span<const Notice> notices) {
  return store_.record(
      Caller::system(), "notice:" + lane.subscriber, [&](Change& change) -> Status {
        const std::int64_t cursor = TRY(change.tx().number(
            "SELECT seq FROM notice_cursor WHERE subscriber = ?", {lane.subscriber}));
        for (const Notice& notice : notices) {
          if (notice.seq > cursor) TRY(lane.handler(change, notice));
        }
        return move_cursor(change, lane, notices.back().seq);
      });
}

bool DispatcherCore::nothing_to_do(Lane& lane, const Batch& batch) {
  if (!batch.notices.empty()) return false;
  {
    const std::scoped_lock lock(mutex_);
    lane.attempts = 0;
  }
  if (batch.last - batch.cursor <= kCursorLagMax) return true;
  // Nothing here for this subscriber: let the trimming pass.
  (void)store_.record(Caller::system(), "notice:" + lane.subscriber,
                      [&](Change& change) { return move_cursor(change, lane, batch.last); });
  return true;
}

// The lane stays `running` until the effect is durable or has failed.
void DispatcherCore::deliver(Lane& lane) {
  auto read = next_batch(lane);
  if (!read) {
    handle_failed(lane, Notice{}, read.error());
    return finish(lane, true);
  }
  if (nothing_to_do(lane, *read)) return finish(lane, false);
  const auto batch = std::make_shared<const Batch>(*std::move(read));
  lane.delivery(batch->notices, [self = shared_from_this(), &lane, batch](const Status& durable) {
    const Gate::Pass pass(self->gate);  // after it closed there are no workers
    if (!pass) return;
    const bool posted = self->workers_.post([self, &lane, batch, durable] {
      const Gate::Pass inside(self->gate);
      if (inside) self->delivered(lane, *batch, durable);
    });
    if (!posted) self->retry_later(lane, kRetryFirst);  // they are told again
  });
}

void DispatcherCore::delivered(Lane& lane, const Batch& batch, const Status& durable) {
  Status done = durable;
  if (done) {
    done = store_.record(Caller::system(), "notice:" + lane.subscriber, [&](Change& change) {
      return move_cursor(change, lane, batch.notices.back().seq);
    });
  }
  if (!done) {
    handle_failed(lane, Notice{}, done.error());
    return finish(lane, true);
  }
  handled_.add(batch.notices.size());
  {
    const std::scoped_lock lock(mutex_);
    lane.attempts = 0;
  }
  finish(lane, batch.notices.size() == kNoticesPerTurn);
}

// True: there may be more.
bool DispatcherCore::turn(Lane& lane) {
  const auto batch = next_batch(lane);
  if (!batch) {
    handle_failed(lane, Notice{}, batch.error());
    return true;
  }
  if (nothing_to_do(lane, *batch)) return false;
  bool one_by_one = false;
  {
    const std::scoped_lock lock(mutex_);
    one_by_one = lane.attempts > 0;
  }
  if (!one_by_one && handle(lane, batch->notices)) {
    handled_.add(batch->notices.size());
    return batch->notices.size() == kNoticesPerTurn;
  }
  // One of them fails: go one by one, so that only that one waits.
  for (const Notice& notice : batch->notices) {
    const Status done = handle(lane, std::span(&notice, 1));
    if (!done) {
      handle_failed(lane, notice, done.error());
      return true;
    }
    handled_.add();
    const std::scoped_lock lock(mutex_);
    lane.attempts = 0;
  }
  return true;
}

void DispatcherCore::handle_failed(Lane& lane, const Notice& notice, const Error& error) {
  failed_.add();
  unsigned attempts = 0;
  {
    const std::scoped_lock lock(mutex_);
    attempts = ++lane.attempts;
  }
  log_.warning("a notice was not handled", {{"subscriber", lane.subscriber},
                                            {"notice", notice.name},
                                            {"seq", std::to_string(notice.seq)},
                                            {"attempt", std::to_string(attempts)},
                                            {"error", error.text()}});
  // Without a notice the store itself failed: that gets better or stays, and nothing is put aside.
  if (attempts < kAttemptsMax || notice.seq == 0) return;
  if (!park(lane, notice, error)) return;
  parked_.add();
  log_.error("a notice was put aside",
             {{"subscriber", lane.subscriber}, {"seq", std::to_string(notice.seq)}});
  const std::scoped_lock lock(mutex_);
  lane.attempts = 0;
}

Status DispatcherCore::park(const Lane& lane, const Notice& notice, const Error& error) {
  return store_.record(Caller::system(), "notice.park", [&](Change& change) -> Status {
    TRY(change.tx().exec(
        "INSERT INTO notice_parked (subscriber, seq, name, payload, at, code, message)"
        " VALUES (?,?,?,?,?,?,?) ON CONFLICT (subscriber, seq) DO NOTHING",
        {lane.subscriber, notice.seq, notice.name, notice.payload, change.now(),
         row_of(error.code).name, error.text()}));
    return move_cursor(change, lane, notice.seq);
  });
}

bool DispatcherCore::turn_of_followers() {
  if (followers_.empty()) return false;
  std::vector<Notice> notices;
  const Status read = store_.read([&](sql::Tx& tx) -> Status {
    notices = TRY(notices_after(tx, followed_, {}, kNoticesPerTurn));
    return {};
  });
  if (!read) return false;  // the next wake-up or poll tries again
  for (const Notice& notice : notices) {
    for (const FollowerEntry& entry : followers_) {
      if (entry.names.contains(notice.name)) entry.follower(notice);
    }
    followed_ = notice.seq;
  }
  return notices.size() == kNoticesPerTurn;
}

Status DispatcherCore::trim(Duration keep) {
  return store_.record(Caller::system(), "notices.trim", [&](Change& change) -> Status {
    TRY(
        change.tx().exec("DELETE FROM notice_cursor WHERE touched_at < ? AND seq <"
                         " (SELECT max(seq) FROM notice) - ?",
                         {change.now() - kForgetSubscriber, kCursorLagMax * 10}));
    TRY(
        change.tx().exec("DELETE FROM notice WHERE at < ? AND seq < (SELECT max(seq) FROM notice)"
                         " AND seq <= (SELECT coalesce(min(seq), 0) FROM notice_cursor)",
                         {change.now() - keep}));
    return {};
  });
}

class DispatcherFace final : public Dispatcher {
 public:
  DispatcherFace(Store& store, Bus& bus, os::Workers& workers, os::Loop& loop, const Log& log,
                 Metrics& metrics)
      : bus_(bus), core_(std::make_shared<DispatcherCore>(store, workers, loop, log, metrics)) {}
  ~DispatcherFace() override {
    subscription_.reset();
    core_->gate.close();
  }

  Status subscribe(std::string subscriber, std::vector<std::string> names,
                   Handler handler) override {
    return core_->add(std::move(subscriber), std::move(names), std::move(handler), nullptr);
  }
  Status deliver(std::string subscriber, std::vector<std::string> names,
                 Delivery delivery) override {
    return core_->add(std::move(subscriber), std::move(names), nullptr, std::move(delivery));
  }
  Status follow(std::vector<std::string> names, Follower follower) override {
    return core_->add_follower(std::move(names), std::move(follower));
  }
  Status start() override {
    TRY(core_->start());
    subscription_ = TRY(bus_.subscribe(kWakeSubject, [core = core_](std::string_view) {
      const Gate::Pass pass(core->gate);
      if (pass) core->wake_all();
    }));
    return {};
  }
  void stop() override { core_->gate.shut(); }
  void wake() override {
    // In process the bus calls us back at once. If it cannot, this process still hears of it.
    if (!subscription_ || !bus_.publish(kWakeSubject, "")) core_->wake_all();
  }
  Status trim(Duration keep) override { return core_->trim(keep); }

 private:
  Bus& bus_;
  std::shared_ptr<DispatcherCore> core_;
  std::unique_ptr<BusSubscription> subscription_;
};

}  // namespace

bool notice_declared(std::string_view name) {
  return std::ranges::find(kNoticeNames, name) != kNoticeNames.end();
}

Result<std::vector<Notice>> notices_after(sql::Tx& tx, std::int64_t after_seq,
                                          const std::vector<std::string>& names,
                                          std::size_t limit) {
  std::string text =
      "SELECT seq, name, at, payload, actor, request_id, audit_seq, site_id FROM notice WHERE seq "
      "> ?";
  sql::Params params{after_seq};
  if (!names.empty()) {
    text += " AND name IN (" + sql::placeholders(names.size()) + ")";
    params.insert(params.end(), names.begin(), names.end());
  }
  params.emplace_back(static_cast<std::uint64_t>(limit));
  return tx.list(text + " ORDER BY seq LIMIT ?", params, read_notice);
}

Result<std::int64_t> last_notice(sql::Tx& tx) {
  return tx.number("SELECT max(seq) FROM notice");
}
Result<std::int64_t> first_notice(sql::Tx& tx) {
  return tx.number("SELECT min(seq) FROM notice");
}

Result<std::unique_ptr<Dispatcher>> Dispatcher::make(Store& store, Bus& bus, os::Workers& workers,
                                                     os::Loop& loop, const Log& log,
                                                     Metrics& metrics) {
  return std::make_unique<DispatcherFace>(store, bus, workers, loop, log, metrics);
}

}  // namespace holdfast::core
