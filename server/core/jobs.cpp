#include "server/core/jobs.hpp"

#include <algorithm>
#include <map>
#include <mutex>

#include "libs/wire/json.hpp"
#include "server/core/gate.hpp"
#include "server/core/job_rows.hpp"

namespace holdfast::core {

namespace {

constexpr Duration kLookEvery = seconds(5);  // also how late a jump of the wall clock is noticed
constexpr Duration kAgainFirst = seconds(5);
constexpr Duration kAgainMost = hours(1);
constexpr Duration kPostAgain = milliseconds(200);
constexpr std::size_t kJobMessageBytesMax = 1'000;

Duration again_after(unsigned attempts) {
  const unsigned doublings = std::min(attempts == 0 ? 0U : attempts - 1, 16U);
  return std::min(kAgainMost, kAgainFirst * (std::int64_t{1} << doublings));
}

struct Kind {
  JobHandler handler;
  std::optional<Duration> interval;
};

// Tasks on workers and timers share it, so that late ones find the gate closed and nothing gone.
class JobsCore : public std::enable_shared_from_this<JobsCore> {
 public:
  JobsCore(Store& store, os::Workers& workers, os::Loop& loop, const Log& log, Metrics& metrics)
      : store_(store),
        workers_(workers),
        loop_(loop),
        log_(log),
        lease_(store.entropy().make<RequestId>(store.clock().wall()).text()),
        succeeded_(metrics.counter("holdfast_jobs_succeeded_total", "Runs of jobs that succeeded")),
        failed_(metrics.counter("holdfast_jobs_failed_total", "Runs of jobs that failed")) {}

  Status add(std::string kind, std::optional<Duration> interval, JobHandler handler);
  Status start();
  void look_soon();
  Store& store() { return store_; }
  Gate gate;

 private:
  void look();  // on the loop
  void look_on_worker();
  Status take_back(bool all);
  Status ensure_periodic(Change& change, const std::string& kind, Duration interval);
  Result<std::vector<Job>> claim_due(std::size_t room);
  void run(const Job& job);
  Status complete(const Job& job, const JobEffect& effect);
  Status record_failure(const Job& job, const Error& error);
  void note_failure(const Job& job, const Error& error);
  void store_failures_again();
  std::vector<std::string> kinds() const;
  void plan_next();
  void set_timer(Duration delay);

  Store& store_;
  os::Workers& workers_;
  os::Loop& loop_;
  const Log& log_;
  const std::string lease_;  // this life of this process
  Counter& succeeded_;
  Counter& failed_;
  std::map<std::string, Kind, std::less<>> kinds_;  // fixed at start()
  bool started_ = false;

  std::mutex mutex_;
  bool looking_ = false;
  bool look_again_ = false;
  unsigned running_ = 0;
  WallTime extended_at_;
  std::vector<std::pair<Job, Error>> unstored_;  // failures that could not be written down

  os::TimerId timer_ = os::TimerId::none;  // the loop's only
};

Status JobsCore::add(std::string kind, std::optional<Duration> interval, JobHandler handler) {
  if (started_) return fail(Code::internal, "handle jobs before start()");
  if (!kinds_.try_emplace(kind, Kind{std::move(handler), interval}).second) {
    return fail(Code::internal, "the job kind \"" + kind + "\" has a handler already");
  }
  return {};
}

std::vector<std::string> JobsCore::kinds() const {
  std::vector<std::string> names;
  for (const auto& [name, kind] : kinds_) names.push_back(name);
  return names;
}

Status JobsCore::ensure_periodic(Change& change, const std::string& kind, Duration interval) {
  const auto have = TRY(find_periodic_job(change.tx(), kind));
  if (have) {
    // A shorter interval counts at once, as does a clock that was set back.
    const WallTime latest = change.now() + interval;
    TRY(change.tx().exec("UPDATE job SET interval_us = ?, run_at = ? WHERE id = ?",
                         {interval, std::min(have->run_at, latest), have->id}));
    return {};
  }
  Job job;
  job.id = change.new_id<JobId>();
  job.kind = kind;
  job.payload = "{}";
  job.run_at = change.now() + interval;
  job.interval = interval;
  job.created_at = job.updated_at = change.now();
  return insert_job(change.tx(), job, "periodic");
}

Status JobsCore::take_back(bool all) {
  return store_.record(Caller::system(), "jobs.take_back", [&](Change& change) -> Status {
    for (Job job : TRY(abandoned_jobs(change.tx(), change.now(), all))) {
      job.run_at = change.now();
      TRY(reschedule_job(change.tx(), job, change.now()));
    }
    return {};
  });
}

Status JobsCore::start() {
  // The embedded store belongs to this process alone: what runs there, a killed one left behind.
  TRY(take_back(store_.database().engine() == sql::Engine::sqlite));
  TRY(store_.record(Caller::system(), "jobs.start", [&](Change& change) -> Status {
    for (const auto& [name, kind] : kinds_) {
      if (kind.interval) TRY(ensure_periodic(change, name, *kind.interval));
    }
    return {};
  }));
  started_ = true;
  extended_at_ = store_.clock().wall();
  look_soon();
  return {};
}

void JobsCore::look_soon() {
  loop_.post([self = shared_from_this()] { self->look(); });
}

void JobsCore::set_timer(Duration delay) {
  loop_.cancel(timer_);
  timer_ = loop_.after(delay, [self = shared_from_this()] {
    self->timer_ = os::TimerId::none;
    self->look();
  });
}

void JobsCore::look() {
  const Gate::Pass pass(gate);
  if (!pass) return;
  {
    const std::scoped_lock lock(mutex_);
    if (looking_) {
      look_again_ = true;
      return;
    }
    looking_ = true;
  }
  if (workers_.post([self = shared_from_this()] { self->look_on_worker(); })) return;
  {
    const std::scoped_lock lock(mutex_);
    looking_ = false;
  }
  set_timer(kPostAgain);
}

Result<std::vector<Job>> JobsCore::claim_due(std::size_t room) {
  const auto names = kinds();
  std::vector<Job> due;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    due = TRY(due_jobs(tx, names, store_.clock().wall(), room));
    return {};
  }));
  std::vector<Job> claimed;
  if (due.empty()) return claimed;
  TRY(store_.record(Caller::system(), "jobs.claim", [&](Change& change) -> Status {
    claimed.clear();
    for (Job job : due) {
      if (!TRY(claim_job(change.tx(), job.id, lease_, change.now(), change.now() + kJobLease)))
        continue;
      ++job.attempts;
      claimed.push_back(std::move(job));
    }
    return {};
  }));
  return claimed;
}

void JobsCore::look_on_worker() {
  const Gate::Pass pass(gate);
  if (!pass) return;
  unsigned running = 0;
  bool extend = false;
  {
    const std::scoped_lock lock(mutex_);
    running = running_;
    extend = running > 0 && store_.clock().wall() - extended_at_ > Duration{kJobLease.us / 2};
  }
  if (extend) {
    const WallTime now = store_.clock().wall();
    const Status done = store_.record(Caller::system(), "jobs.extend", [&](Change& change) {
      return extend_leases(change.tx(), lease_, change.now() + kJobLease);
    });
    const std::scoped_lock lock(mutex_);
    if (done) extended_at_ = now;
  }
  store_failures_again();
  if (store_.database().engine() != sql::Engine::sqlite) (void)take_back(false);
  const auto claimed =
      running < kJobsRunningMax ? claim_due(kJobsRunningMax - running) : std::vector<Job>{};
  if (!claimed) log_.warning("jobs cannot be read", {{"error", claimed.error().text()}});
  for (const Job& job : claimed.value_or(std::vector<Job>{})) {
    {
      const std::scoped_lock lock(mutex_);
      ++running_;
    }
    const bool posted = workers_.post([self = shared_from_this(), job] { self->run(job); });
    if (!posted) run(job);  // the pool is full: here, then
  }
  plan_next();
}

void JobsCore::plan_next() {
  std::optional<WallTime> next;
  (void)store_.read([&](sql::Tx& tx) -> Status {
    next = TRY(next_due(tx, kinds()));
    return {};
  });
  bool again = false;
  bool full = false;
  {
    const std::scoped_lock lock(mutex_);
    looking_ = false;
    again = std::exchange(look_again_, false);
    full = running_ >= kJobsRunningMax;
  }
  Duration delay = kLookEvery;
  // When all places are taken, the end of a run looks again.
  if (next && !full) delay = std::clamp(*next - store_.clock().wall(), Duration{}, kLookEvery);
  if (again) delay = Duration{};
  loop_.post([self = shared_from_this(), delay] {
    const Gate::Pass pass(self->gate);
    if (pass) self->set_timer(delay);
  });
}

Status JobsCore::complete(const Job& job, const JobEffect& effect) {
  return store_.record(Caller::system(), job.kind, [&](Change& change) -> Status {
    // Whoever lost its lease must leave no effect.
    if (!TRY(holds_job(change.tx(), job.id, lease_))) {
      return fail(Code::cancelled, "the job was taken by another process");
    }
    if (effect) TRY(effect(change));
    Job done = job;
    done.last_code = std::nullopt;
    done.last_message.clear();
    if (job.interval) {
      done.run_at = change.now() + *job.interval;
      done.attempts = 0;
      return reschedule_job(change.tx(), done, change.now());
    }
    done.state = JobState::succeeded;
    return finish_job(change.tx(), done, change.now());
  });
}

Status JobsCore::record_failure(const Job& job, const Error& error) {
  return store_.record(Caller::system(), job.kind, [&](Change& change) -> Status {
    if (!TRY(holds_job(change.tx(), job.id, lease_))) return {};
    Job next = job;
    next.last_code = error.code;
    next.last_message = error.text().substr(0, kJobMessageBytesMax);
    next.run_at = change.now() + again_after(job.attempts);
    const bool too_late = job.deadline && next.run_at >= *job.deadline;
    const bool final = !job.interval && (job.attempts >= job.max_attempts || too_late);
    if (final) {
      next.state = JobState::failed;
      TRY(finish_job(change.tx(), next, change.now()));
    } else {
      if (job.interval) next.run_at = std::min(next.run_at, change.now() + *job.interval);
      TRY(reschedule_job(change.tx(), next, change.now()));
    }
    return change.notice("job.failed",
                         wire::json_text(wire::JsonObject{{"job_id", job.id.text()},
                                                          {"kind", job.kind},
                                                          {"code", row_of(error.code).name},
                                                          {"attempts", job.attempts},
                                                          {"final", final}}));
  });
}

// If even that cannot be stored (a full disk), it is tried again at each look: else the job would
// stay `running` until the next start.
void JobsCore::note_failure(const Job& job, const Error& error) {
  const Status noted = record_failure(job, error);
  if (noted) return;
  log_.error("a job's failure was not stored",
             {{"job", job.id.text()}, {"error", noted.error().text()}});
  const std::scoped_lock lock(mutex_);
  unstored_.emplace_back(job, error);
}

void JobsCore::store_failures_again() {
  std::vector<std::pair<Job, Error>> unstored;
  {
    const std::scoped_lock lock(mutex_);
    unstored = std::exchange(unstored_, {});
  }
  for (const auto& [job, error] : unstored) note_failure(job, error);
}

void JobsCore::run(const Job& job) {
  const Gate::Pass pass(gate);
  if (!pass) return;
  const bool late = job.deadline && *job.deadline <= store_.clock().wall();
  auto effect = late ? Result<JobEffect>(fail(Code::deadline_exceeded, "its deadline has passed"))
                     : kinds_.find(job.kind)->second.handler(job);
  Status done = effect ? complete(job, *effect) : Status(std::unexpected(effect.error()));
  if (done) {
    succeeded_.add();
  } else {
    failed_.add();
    log_.warning("a job failed",
                 {{"job", job.id.text()}, {"kind", job.kind}, {"error", done.error().text()}});
    note_failure(job, done.error());
  }
  {
    const std::scoped_lock lock(mutex_);
    --running_;
  }
  look_soon();
}

class JobsFace final : public Jobs {
 public:
  JobsFace(Store& store, os::Workers& workers, os::Loop& loop, const Log& log, Metrics& metrics)
      : core_(std::make_shared<JobsCore>(store, workers, loop, log, metrics)) {}
  ~JobsFace() override { core_->gate.close(); }

  Status handle(std::string kind, JobHandler handler) override {
    return core_->add(std::move(kind), std::nullopt, std::move(handler));
  }
  Status every(std::string kind, Duration interval, JobHandler handler) override {
    if (interval <= Duration{})
      return fail(Code::internal, "a job's interval must be longer than nothing");
    return core_->add(std::move(kind), interval, std::move(handler));
  }
  Status start() override { return core_->start(); }
  void stop() override { core_->gate.shut(); }
  void wake() override { core_->look_soon(); }

  Result<JobId> schedule(Change& change, const NewJob& job) override;
  Result<bool> cancel(Change& change, std::string_view kind, std::string_view key) override;
  Result<std::vector<Job>> list(const Caller& caller, const JobQuery& query) override;
  Result<Job> find(const Caller& caller, JobId id) override;
  Result<Job> retry(const Caller& caller, JobId id) override;
  Status trim(Duration keep) override;

 private:
  std::shared_ptr<JobsCore> core_;
};

Result<JobId> JobsFace::schedule(Change& change, const NewJob& wanted) {
  if (wanted.payload.size() > kJobPayloadBytesMax)
    return fail(Code::internal, "the payload of a job is too large");
  if (!wanted.key.empty()) {
    if (const auto moved = TRY(move_scheduled(change.tx(), wanted, change.now()))) return *moved;
  }
  Job job;
  job.id = change.new_id<JobId>();
  job.kind = wanted.kind;
  job.object = wanted.object;
  job.payload = wanted.payload;
  job.run_at = wanted.run_at;
  job.deadline = wanted.deadline;
  job.max_attempts = std::max(1U, wanted.max_attempts);
  job.created_at = job.updated_at = change.now();
  TRY(insert_job(change.tx(), job, wanted.key));
  return job.id;
}

Result<bool> JobsFace::cancel(Change& change, std::string_view kind, std::string_view key) {
  const auto cancelled =
      TRY(change.tx().exec("UPDATE job SET state = 'cancelled', updated_at = ? WHERE kind = ? AND"
                           " job_key = ? AND state = 'scheduled'",
                           {change.now(), kind, key}));
  return cancelled > 0;
}

Result<std::vector<Job>> JobsFace::list(const Caller& caller, const JobQuery& query) {
  TRY(require(caller, "job.read"));
  std::vector<Job> jobs;
  TRY(core_->store().read([&](sql::Tx& tx) -> Status {
    jobs = TRY(list_jobs(tx, query));
    return {};
  }));
  return jobs;
}

Result<Job> JobsFace::find(const Caller& caller, JobId id) {
  TRY(require(caller, "job.read"));
  std::optional<Job> job;
  TRY(core_->store().read([&](sql::Tx& tx) -> Status {
    job = TRY(find_job(tx, id));
    return {};
  }));
  if (!job) return fail(Code::not_found, "there is no job " + id.text());
  return std::move(*job);
}

Result<Job> JobsFace::retry(const Caller& caller, JobId id) {
  TRY(require(caller, "job.retry"));
  Job again;
  TRY(core_->store().change(caller, "retry_job", [&](Change& change) -> Status {
    const auto job = TRY(find_job(change.tx(), id));
    if (!job) return fail(Code::not_found, "there is no job " + id.text());
    if (job->state != JobState::failed && job->state != JobState::scheduled) {
      return fail(Code::conflict, "the job is " + std::string(name_of(job->state)) +
                                      ": only failed and scheduled ones run again");
    }
    again = *job;
    again.run_at = change.now();
    again.attempts = 0;
    TRY(reschedule_job(change.tx(), again, change.now()));
    const auto stored = TRY(find_job(change.tx(), id));
    if (stored) again = *stored;
    const auto state = [](const Job& it) {
      return wire::json_text(wire::JsonObject{{"state", name_of(it.state)},
                                              {"run_at", to_rfc3339(it.run_at)},
                                              {"attempts", it.attempts}});
    };
    TRY(change.audit(id.text(), state(*job), state(again)));
    return change.notice("job.retried", wire::json_text(wire::JsonObject{{"job_id", id.text()},
                                                                         {"kind", job->kind}}));
  }));
  wake();
  return again;
}

Status JobsFace::trim(Duration keep) {
  return core_->store().record(Caller::system(), "jobs.trim", [&](Change& change) -> Status {
    TRY(trim_jobs(change.tx(), change.now() - keep));
    return {};
  });
}

}  // namespace

Result<std::unique_ptr<Jobs>> Jobs::make(Store& store, os::Workers& workers, os::Loop& loop,
                                         const Log& log, Metrics& metrics) {
  return std::make_unique<JobsFace>(store, workers, loop, log, metrics);
}

}  // namespace holdfast::core
