// The durable scheduler (decision 16): everything that happens later. A job has a kind, a time to
// run, perhaps an interval, attempts with back-off, and a deadline. Its effect and its completion
// are one transaction, so a kill at any moment neither loses a job nor runs it twice in effect.
//
// Threads: handle() and every() before start(); schedule() inside a change; handlers on a worker.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/log.hpp"
#include "libs/base/metrics.hpp"
#include "server/core/change.hpp"

namespace holdfast::core {

inline constexpr std::size_t kJobPayloadBytesMax = 64 * 1024;
inline constexpr unsigned kJobsRunningMax = 4;
inline constexpr Duration kJobLease = minutes(10);

enum class JobState : std::uint8_t { scheduled, running, succeeded, failed, cancelled };
std::string_view name_of(JobState state);
std::optional<JobState> job_state_named(std::string_view name);

struct Job {
  JobId id;
  std::string kind;     // "claim.expire", "certificate.renew"
  std::string object;   // id of what it is about; may be empty
  std::string payload;  // JSON text
  JobState state = JobState::scheduled;
  WallTime run_at;
  std::optional<Duration> interval;  // runs again and again
  unsigned attempts = 0;             // of this run
  unsigned max_attempts = 10;
  std::optional<WallTime> deadline;  // past it, the job fails without another run
  std::optional<Code> last_code;
  std::string last_message;
  WallTime created_at, updated_at;
};

struct NewJob {
  std::string kind{};
  std::string object{};
  std::string payload{};
  WallTime run_at{};
  std::optional<WallTime> deadline{};
  unsigned max_attempts = 10;
  // With a key, a scheduled job of the same kind and key is moved to `run_at` instead of doubled.
  std::string key{};
};

// What a run changes in stored state: called inside the transaction that completes the job. Empty:
// nothing to store.
using JobEffect = std::function<Status(Change&)>;
// Does the slow part outside of a transaction (it may be repeated after a kill: make it idempotent)
// and answers the effect.
using JobHandler = std::function<Result<JobEffect>(const Job&)>;

struct JobQuery {
  std::optional<JobState> state{};
  std::string kind{};
  std::string after{};  // id of the last job of the page before
  std::size_t limit = 100;
};

class Jobs {
 public:
  // `workers` run handlers; all outlive the scheduler.
  static Result<std::unique_ptr<Jobs>> make(Store& store, os::Workers& workers, os::Loop& loop,
                                            const Log& log, Metrics& metrics);
  virtual ~Jobs() = default;

  virtual Status handle(std::string kind, JobHandler handler) = 0;
  // A job that runs each `interval`, made at start if it is missing.
  virtual Status every(std::string kind, Duration interval, JobHandler handler) = 0;
  virtual Status start() = 0;  // also takes back jobs that a killed process left running
  virtual void stop() = 0;

  virtual Result<JobId> schedule(Change& change, const NewJob& job) = 0;
  // Scheduled jobs of this kind and key; answers whether there was one.
  virtual Result<bool> cancel(Change& change, std::string_view kind, std::string_view key) = 0;
  // From any thread: a change scheduled something; look at the times again.
  virtual void wake() = 0;

  virtual Result<std::vector<Job>> list(const Caller& caller,
                                        const JobQuery& query) = 0;  // job.read
  virtual Result<Job> find(const Caller& caller, JobId id) = 0;
  virtual Result<Job> retry(const Caller& caller,
                            JobId id) = 0;  // job.retry; conflict if running or done
  // Removes finished jobs older than `keep`.
  virtual Status trim(Duration keep) = 0;
};

}  // namespace holdfast::core
