#include "server/app/jobs.hpp"

#include "server/core/idempotency.hpp"

namespace holdfast::app {
namespace {

// A job that only does; what it stores it stores by itself, idempotently.
core::JobHandler doing(std::function<Status()> work) {
  return [work = std::move(work)](const core::Job&) -> Result<core::JobEffect> {
    TRY(work());
    return core::JobEffect{};
  };
}

}  // namespace

Status add_jobs(Parts& parts, const config::Config& config) {
  core::Jobs& jobs = *parts.jobs;
  const Duration keep_jobs = config.duration("retention.jobs");
  const Duration keep_notices = config.duration("retention.notices");
  TRY(jobs.every("people.flush", minutes(1),
                 doing([&people = *parts.people] { return people.flush(); })));
  TRY(jobs.every("audit.checkpoint", core::kCheckpointEvery,
                 doing([&audit = *parts.audit] { return audit.advance(); })));
  TRY(jobs.every("jobs.trim", hours(1),
                 doing([&jobs, keep_jobs] { return jobs.trim(keep_jobs); })));
  TRY(jobs.every("notices.trim", hours(1), doing([&dispatcher = *parts.dispatcher, keep_notices] {
                   return dispatcher.trim(keep_notices);
                 })));
  TRY(jobs.every("idempotency.trim", hours(1), [](const core::Job&) -> Result<core::JobEffect> {
    return core::JobEffect([](core::Change& change) -> Status {
      TRY(core::trim_answers(change.tx(), change.now()));
      return {};
    });
  }));
  TRY(jobs.every("hub.expire_sessions", minutes(10), parts.hub->expire_sessions()));
  TRY(jobs.every("segment.seal", minutes(10), doing([&parts]() -> Status {
                   TRY(parts.journal->roll_old());
                   return parts.series->maintain();
                 })));
  TRY(jobs.every("retention.run", hours(1), doing([&parts]() -> Status {
                   const WallTime now = parts.store->clock().wall();
                   TRY(parts.series->retention_apply(now));
                   TRY(parts.events->retention_apply(now));
                   return {};
                 })));
  return jobs.every("database.maintain", hours(24),
                    doing([&database = *parts.database] { return database.maintain(); }));
}

}  // namespace holdfast::app
