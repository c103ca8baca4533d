#include "server/core/jobs.hpp"

#include <gtest/gtest.h>

#include "server/core/testing/test_store.hpp"

namespace holdfast::core {
namespace {

std::vector<Migration> run_table() {
  return {{"test", 1, "runs",
           "CREATE TABLE run (job {text} NOT NULL, attempt {int} NOT NULL) {strict}", nullptr}};
}

// A store with a scheduler on it. Jobs of kind "work" write one row each; "slow" part and effect
// can be made to fail.
class Plant {
 public:
  explicit Plant(std::uint64_t seed = 5) : t(seed, run_table()) { EXPECT_TRUE(t.open()); }
  ~Plant() { stop(); }

  Status start(std::optional<Duration> every = {}) {
    workers = t.system().threads.start_workers("core", 2, 64);
    jobs = TRY(Jobs::make(t.store(), *workers, t.node.loop(), t.log, t.metrics));
    const JobHandler handler = [this](const Job& job) { return work(job); };
    TRY(jobs->handle("work", handler));
    if (every) TRY(jobs->every("tick", *every, handler));
    return jobs->start();
  }
  void stop() {
    jobs.reset();
    workers.reset();
  }
  Result<JobEffect> work(const Job& job) {
    ++slow_parts;
    if (fail_slow > 0) {
      --fail_slow;
      return fail(Code::unavailable, "the other side is away");
    }
    return JobEffect([this, job](Change& change) -> Status {
      TRY(change.tx().exec("INSERT INTO run (job, attempt) VALUES (?,?)",
                           {job.object, job.attempts}));
      if (fail_effect > 0) {
        --fail_effect;
        return fail(Code::conflict, "not in this state");
      }
      return {};
    });
  }
  JobId schedule(NewJob job) {
    if (job.kind.empty()) job.kind = "work";
    if (job.run_at == WallTime{}) job.run_at = t.world.wall();
    JobId id;
    const Status done = t.store().change(test_caller(), "plan", [&](Change& change) -> Status {
      id = TRY(jobs->schedule(change, job));
      return change.audit(id.text(), "", "{}");
    });
    EXPECT_TRUE(done) << done.error().text();
    jobs->wake();
    return id;
  }
  Job get(JobId id) {
    auto job = jobs->find(test_caller(), id);
    EXPECT_TRUE(job) << job.error().text();
    return job.value_or(Job{});
  }
  std::int64_t runs(std::string_view object = "") {
    std::int64_t count = -1;
    EXPECT_TRUE(t.store().read([&](sql::Tx& tx) -> Status {
      count = TRY(tx.number("SELECT count(*) FROM run WHERE job = ?", {object}));
      return {};
    }));
    return count;
  }
  bool until(const std::function<bool()>& condition, Duration within) {
    return t.world.run_until(condition, within);
  }

  TestStore t;
  std::unique_ptr<os::Workers> workers;
  std::unique_ptr<Jobs> jobs;
  int slow_parts = 0;
  int fail_slow = 0;
  int fail_effect = 0;
};

TEST(Jobs, RunAtTheirTimeAndOnce) {
  Plant plant;
  ASSERT_TRUE(plant.start());
  const JobId soon = plant.schedule({.object = "a"});
  const JobId later = plant.schedule({.object = "b", .run_at = plant.t.world.wall() + hours(1)});
  EXPECT_TRUE(plant.until([&] { return plant.runs("a") == 1; }, milliseconds(100)));
  EXPECT_EQ(plant.get(soon).state, JobState::succeeded);
  EXPECT_EQ(plant.get(soon).attempts, 1U);
  plant.t.world.run_for(hours(1) - seconds(1));
  EXPECT_EQ(plant.get(later).state, JobState::scheduled);
  EXPECT_TRUE(plant.until([&] { return plant.runs("b") == 1; }, seconds(2)));
  plant.t.world.run_for(hours(2));
  EXPECT_EQ(plant.runs("a") + plant.runs("b"), 2);
}

TEST(Jobs, ManyAtOnceAllRun) {
  Plant plant;
  ASSERT_TRUE(plant.start());
  for (int i = 0; i < 50; ++i) plant.schedule({.object = "x"});
  EXPECT_TRUE(plant.until([&] { return plant.runs("x") == 50; }, seconds(1)));
}

TEST(Jobs, AFailedRunLeavesNothingAndIsTriedAgainLaterEachTime) {
  Plant plant;
  ASSERT_TRUE(plant.start());
  plant.fail_effect = 2;
  plant.fail_slow = 1;
  const JobId id = plant.schedule({.object = "a"});
  const WallTime begin = plant.t.world.wall();
  plant.t.world.run_for(seconds(1));
  EXPECT_EQ(plant.runs("a"), 0);
  Job job = plant.get(id);
  EXPECT_EQ(job.state, JobState::scheduled);
  EXPECT_EQ(job.last_code, Code::unavailable);
  EXPECT_EQ(job.last_message, "the other side is away");
  EXPECT_EQ(job.run_at, job.updated_at + seconds(5));
  EXPECT_TRUE(plant.until([&] { return plant.runs("a") == 1; }, minutes(2)));
  EXPECT_GE(plant.t.world.wall() - begin, seconds(5 + 10 + 20));
  job = plant.get(id);
  EXPECT_EQ(job.state, JobState::succeeded);
  EXPECT_EQ(job.attempts, 4U);
  EXPECT_EQ(job.last_code, std::nullopt);
}

TEST(Jobs, AttemptsAndDeadlinesEnd) {
  Plant plant;
  ASSERT_TRUE(plant.start());
  plant.fail_slow = 1'000;
  const JobId twice = plant.schedule({.object = "a", .max_attempts = 2});
  const JobId short_lived = plant.schedule(
      {.object = "b", .deadline = plant.t.world.wall() + seconds(12), .max_attempts = 100});
  const JobId past = plant.schedule({.object = "c", .deadline = plant.t.world.wall() - seconds(1)});
  plant.t.world.run_for(minutes(5));
  EXPECT_EQ(plant.get(twice).state, JobState::failed);
  EXPECT_EQ(plant.get(twice).attempts, 2U);
  EXPECT_EQ(plant.get(short_lived).state, JobState::failed);
  EXPECT_EQ(plant.get(past).state, JobState::failed);
  EXPECT_EQ(plant.get(past).last_code, Code::deadline_exceeded);
  std::vector<std::string> payloads;
  ASSERT_TRUE(plant.t.store().read([&](sql::Tx& tx) -> Status {
    payloads = TRY(tx.list("SELECT payload FROM notice WHERE name = 'job.failed' ORDER BY seq", {},
                           [](sql::Row& row) { return row.text(0); }));
    return {};
  }));
  const std::string last =
      "{\"job_id\":\"" + twice.text() +
      "\",\"kind\":\"work\",\"code\":\"unavailable\",\"attempts\":2,\"final\":true}";
  EXPECT_EQ(std::ranges::count(payloads, last), 1);
}

TEST(Jobs, PeriodicOnesGoOnForEver) {
  Plant plant;
  ASSERT_TRUE(plant.start(minutes(10)));
  plant.t.world.run_for(minutes(61));
  EXPECT_EQ(plant.runs(), 6);
  plant.fail_slow = 3;
  EXPECT_TRUE(plant.until([&] { return plant.fail_slow == 0; }, minutes(20)));
  EXPECT_TRUE(plant.until([&] { return plant.runs() == 7; }, minutes(2)))
      << "sooner again after a failure";
  // A restart makes no second one, and takes a shorter interval at once.
  plant.stop();
  ASSERT_TRUE(plant.start(minutes(1)));
  plant.t.world.run_for(seconds(61));
  EXPECT_EQ(plant.runs(), 8);
  EXPECT_EQ(plant.jobs->list(test_caller(), {.kind = "tick"})->size(), 1U);
}

TEST(Jobs, AKeyMovesTheScheduledOne) {
  Plant plant;
  ASSERT_TRUE(plant.start());
  const WallTime now = plant.t.world.wall();
  const JobId first = plant.schedule({.object = "a", .run_at = now + hours(1), .key = "claim_1"});
  const JobId moved = plant.schedule({.object = "b", .run_at = now + minutes(1), .key = "claim_1"});
  const JobId other = plant.schedule({.object = "c", .run_at = now + minutes(1), .key = "claim_2"});
  EXPECT_EQ(first, moved);
  EXPECT_NE(first, other);
  bool cancelled = false;
  ASSERT_TRUE(plant.t.store().change(test_caller(), "cancel", [&](Change& change) -> Status {
    cancelled = TRY(plant.jobs->cancel(change, "work", "claim_2"));
    EXPECT_FALSE(TRY(plant.jobs->cancel(change, "work", "claim_3")));
    return change.audit("x", "", "");
  }));
  EXPECT_TRUE(cancelled);
  plant.t.world.run_for(hours(2));
  EXPECT_EQ(plant.runs("a"), 0);
  EXPECT_EQ(plant.runs("b"), 1);
  EXPECT_EQ(plant.runs("c"), 0);
  EXPECT_EQ(plant.get(other).state, JobState::cancelled);
}

TEST(Jobs, PeopleListAndRetryThem) {
  Plant plant;
  ASSERT_TRUE(plant.start());
  plant.fail_slow = 1;
  const JobId id = plant.schedule({.object = "a", .max_attempts = 1});
  plant.t.world.run_for(seconds(1));
  EXPECT_EQ(plant.get(id).state, JobState::failed);
  EXPECT_EQ(plant.jobs->list(test_caller(), {.state = JobState::failed})->size(), 1U);
  EXPECT_EQ(plant.jobs->list(test_caller(), {.state = JobState::scheduled})->size(), 0U);
  EXPECT_EQ(plant.jobs->retry(test_caller({Role::viewer}), id).error().permission, "job.retry");
  EXPECT_EQ(plant.jobs->list(test_caller({Role::viewer}), {}).error().permission, "job.read");
  EXPECT_EQ(plant.jobs->find(test_caller(), JobId{}).error().code, Code::not_found);
  const auto again = plant.jobs->retry(test_caller(), id);
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(again->state, JobState::scheduled);
  EXPECT_TRUE(plant.until([&] { return plant.runs("a") == 1; }, milliseconds(100)));
  EXPECT_EQ(plant.jobs->retry(test_caller(), id).error().code, Code::conflict);
  const JobId later = plant.schedule({.object = "b", .run_at = plant.t.world.wall() + days(1)});
  ASSERT_TRUE(plant.jobs->retry(test_caller(), later));
  EXPECT_TRUE(plant.until([&] { return plant.runs("b") == 1; }, milliseconds(100)));
  const auto page = plant.jobs->list(test_caller(), {.limit = 1});
  EXPECT_EQ(plant.jobs->list(test_caller(), {.after = page->front().id.text()})->size(), 1U);
}

TEST(Jobs, ClockJumpsNeitherLoseNorDouble) {
  Plant plant;
  ASSERT_TRUE(plant.start(hours(1)));
  plant.schedule({.object = "a", .run_at = plant.t.world.wall() + hours(3)});
  plant.t.world.jump_wall(hours(4));
  EXPECT_TRUE(plant.until([&] { return plant.runs("a") == 1 && plant.runs() == 1; }, seconds(6)));
  plant.t.world.jump_wall(Duration{} - days(30));
  plant.schedule({.object = "b"});
  EXPECT_TRUE(plant.until([&] { return plant.runs("b") == 1; }, seconds(6)));
  plant.t.world.jump_wall(days(30));
  plant.t.world.run_for(minutes(1));
  EXPECT_EQ(plant.runs("a"), 1);
}

TEST(Jobs, WhatAKilledProcessLeftRunningRunsAgain) {
  Plant plant;
  ASSERT_TRUE(plant.start());
  const JobId id = plant.schedule({.object = "a", .run_at = plant.t.world.wall() + seconds(1)});
  // As a kill inside the handler leaves it.
  ASSERT_TRUE(plant.t.store().record(Caller::system(), "x", [&](Change& change) -> Status {
    TRY(change.tx().exec("UPDATE job SET state='running', lease='dead', lease_until=? WHERE id=?",
                         {change.now() + hours(1), id}));
    return {};
  }));
  plant.t.world.run_for(minutes(1));
  EXPECT_EQ(plant.runs("a"), 0);
  plant.stop();
  plant.t.crash(os::sim::Crash::process);
  ASSERT_TRUE(plant.t.open());
  ASSERT_TRUE(plant.start());
  EXPECT_TRUE(plant.until([&] { return plant.runs("a") == 1; }, seconds(1)));
}

TEST(Jobs, ARunThatLostItsLeaseLeavesNoEffect) {
  Plant plant;
  ASSERT_TRUE(plant.start());
  std::unique_ptr<Jobs> thief;
  const JobId id = plant.schedule({.object = "a", .run_at = plant.t.world.wall() + seconds(1)});
  plant.stop();
  plant.workers = plant.t.system().threads.start_workers("core", 2, 64);
  plant.jobs = std::move(*Jobs::make(plant.t.store(), *plant.workers, plant.t.node.loop(),
                                     plant.t.log, plant.t.metrics));
  ASSERT_TRUE(plant.jobs->handle("work", [&](const Job& job) -> Result<JobEffect> {
    // Another process takes it while the slow part runs.
    EXPECT_TRUE(plant.t.store().record(Caller::system(), "x", [&](Change& change) -> Status {
      TRY(change.tx().exec("UPDATE job SET lease='other' WHERE id=?", {job.id}));
      return {};
    }));
    return plant.work(job);
  }));
  ASSERT_TRUE(plant.jobs->start());
  plant.t.world.run_for(seconds(5));
  EXPECT_EQ(plant.slow_parts, 1);
  EXPECT_EQ(plant.runs("a"), 0);
  EXPECT_EQ(plant.get(id).state, JobState::running);
}

TEST(Jobs, TrimmingTakesFinishedOnesOnly) {
  Plant plant;
  ASSERT_TRUE(plant.start(days(7)));
  plant.schedule({.object = "a"});
  const JobId later = plant.schedule({.object = "b", .run_at = plant.t.world.wall() + days(30)});
  plant.t.world.run_for(hours(2));
  ASSERT_TRUE(plant.jobs->trim(hours(3)));
  EXPECT_EQ(plant.jobs->list(test_caller(), {})->size(), 3U);
  ASSERT_TRUE(plant.jobs->trim(hours(1)));
  EXPECT_EQ(plant.jobs->list(test_caller(), {})->size(), 2U);
  EXPECT_EQ(plant.get(later).state, JobState::scheduled);
}

TEST(Jobs, WrongUseIsRefused) {
  Plant plant;
  ASSERT_TRUE(plant.start());
  const JobHandler nothing = [](const Job&) -> Result<JobEffect> { return JobEffect{}; };
  EXPECT_EQ(plant.jobs->handle("late", nothing).error().code, Code::internal);
  const auto other = std::move(*Jobs::make(plant.t.store(), *plant.workers, plant.t.node.loop(),
                                           plant.t.log, plant.t.metrics));
  EXPECT_TRUE(other->handle("x", nothing));
  EXPECT_EQ(other->handle("x", nothing).error().code, Code::internal);
  EXPECT_EQ(other->every("y", Duration{}, nothing).error().code, Code::internal);
  EXPECT_EQ(plant.t.store()
                .change(test_caller(), "plan",
                        [&](Change& change) -> Status {
                          TRY(plant.jobs->schedule(
                              change, {.kind = "work",
                                       .payload = std::string(kJobPayloadBytesMax + 1, 'x')}));
                          return {};
                        })
                .error()
                .code,
            Code::internal);
}

// The power goes at every operation of the disk while jobs are scheduled, claimed and completed:
// afterwards each acknowledged one runs exactly once in effect.
TEST(JobsCrash, NothingRunsTwiceInEffectOrNever) {
  int cuts = 0;
  for (std::uint64_t extra = 1;; ++extra) {
    Plant plant(extra);
    ASSERT_TRUE(plant.start());
    plant.t.node.disk().crash_at(plant.t.node.disk().operations() + extra);
    std::vector<std::string> acknowledged;
    plant.fail_effect = 1;
    for (const std::string object : {"a", "b"}) {
      const Status done =
          plant.t.store().change(test_caller(), "plan", [&](Change& change) -> Status {
            TRY(plant.jobs->schedule(change,
                                     {.kind = "work", .object = object, .run_at = change.now()}));
            return change.audit(object, "", "{}");
          });
      if (done) acknowledged.push_back(object);
      plant.t.world.run_for(milliseconds(1));
      if (!plant.t.node.up()) break;
      plant.jobs->wake();
    }
    plant.t.world.run_for(seconds(30));
    if (plant.t.node.up()) break;
    ++cuts;
    plant.stop();
    plant.t.crash();
    ASSERT_TRUE(plant.t.open());
    plant.fail_effect = 0;
    ASSERT_TRUE(plant.start());
    plant.t.world.run_for(minutes(1));
    for (const std::string& object : acknowledged)
      EXPECT_EQ(plant.runs(object), 1) << object << " cut at " << extra;
    EXPECT_LE(plant.runs("a"), 1);
    EXPECT_LE(plant.runs("b"), 1);
    EXPECT_TRUE(plant.jobs->list(test_caller(), {.state = JobState::running})->empty());
  }
  EXPECT_GT(cuts, 20);
  std::printf("cut points of jobs: %d\n", cuts);
}

// An I/O error instead of a cut: the process lives on, and so must the job.
TEST(JobsCrash, ErrorsOfTheDiskAreSurvived) {
  for (std::uint64_t extra = 1; extra < 40; ++extra) {
    Plant plant(extra);
    ASSERT_TRUE(plant.start());
    const JobId id = plant.schedule({.object = "a", .run_at = plant.t.world.wall() + seconds(1)});
    const std::uint64_t base = plant.t.node.disk().operations();
    plant.t.node.disk().fail_at(base + extra, extra % 2 == 0 ? Code::disk_full : Code::io_error);
    EXPECT_TRUE(plant.until([&] { return plant.runs("a") == 1; }, minutes(2))) << extra;
    EXPECT_EQ(plant.get(id).state, JobState::succeeded) << extra;
  }
}

}  // namespace
}  // namespace holdfast::core
