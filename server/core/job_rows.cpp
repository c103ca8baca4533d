#include "server/core/job_rows.hpp"

#include <algorithm>
#include <array>

namespace holdfast::core {

namespace {

constexpr std::array<std::string_view, 5> kJobStates{"scheduled", "running", "succeeded", "failed",
                                                     "cancelled"};
constexpr std::string_view kJobColumns =
    "id, kind, object, payload, state, run_at, interval_us, attempts, max_attempts, deadline, "
    "last_code, last_message,"
    " created_at, updated_at";

Job read_job(sql::Row& row) {
  Job job;
  job.id = row.id<JobId>(0);
  job.kind = row.text(1);
  job.object = row.text(2);
  job.payload = row.text(3);
  const auto state = job_state_named(row.text(4));
  if (!state) row.damaged("a job is in no known state");
  job.state = state.value_or(JobState::failed);
  job.run_at = row.time(5);
  if (const auto interval = row.maybe_integer(6)) job.interval = Duration{*interval};
  job.attempts = static_cast<unsigned>(row.integer(7));
  job.max_attempts = static_cast<unsigned>(row.integer(8));
  job.deadline = row.maybe_time(9);
  if (const auto code = row.maybe_text(10))
    job.last_code = code_named(*code).value_or(Code::internal);
  job.last_message = row.maybe_text(11).value_or("");
  job.created_at = row.time(12);
  job.updated_at = row.time(13);
  return job;
}

Result<std::vector<Job>> select_jobs(sql::Tx& tx, const std::string& rest,
                                     const sql::Params& params) {
  return tx.list("SELECT " + std::string(kJobColumns) + " FROM job " + rest, params, read_job);
}

Result<std::optional<Job>> select_job(sql::Tx& tx, const std::string& rest,
                                      const sql::Params& params) {
  return tx.one("SELECT " + std::string(kJobColumns) + " FROM job " + rest, params, read_job);
}

sql::Param code_param(const std::optional<Code>& code) {
  return code ? sql::Param(row_of(*code).name) : sql::Param(nullptr);
}

}  // namespace

std::string_view name_of(JobState state) {
  return kJobStates[static_cast<std::size_t>(state)];
}

std::optional<JobState> job_state_named(std::string_view name) {
  const auto* at = std::ranges::find(kJobStates, name);
  if (at == kJobStates.end()) return std::nullopt;
  return static_cast<JobState>(at - kJobStates.begin());
}

Result<std::optional<Job>> find_job(sql::Tx& tx, JobId id) {
  return select_job(tx, "WHERE id = ?", {id});
}

Result<std::optional<Job>> find_periodic_job(sql::Tx& tx, std::string_view kind) {
  return select_job(tx, "WHERE kind = ? AND interval_us IS NOT NULL", {kind});
}

Result<std::vector<Job>> list_jobs(sql::Tx& tx, const JobQuery& query) {
  std::string where = "WHERE TRUE";
  sql::Params params;
  if (query.state) {
    where += " AND state = ?";
    params.emplace_back(name_of(*query.state));
  }
  if (!query.kind.empty()) {
    where += " AND kind = ?";
    params.emplace_back(query.kind);
  }
  if (!query.after.empty()) {
    where += " AND id < ?";
    params.emplace_back(TRY(JobId::parse(query.after)));
  }
  params.emplace_back(static_cast<std::uint64_t>(query.limit));
  return select_jobs(tx, where + " ORDER BY id DESC LIMIT ?", params);
}

Result<std::vector<Job>> due_jobs(sql::Tx& tx, const std::vector<std::string>& kinds, WallTime now,
                                  std::size_t limit) {
  if (kinds.empty()) return std::vector<Job>{};
  sql::Params params{now};
  params.insert(params.end(), kinds.begin(), kinds.end());
  params.emplace_back(static_cast<std::uint64_t>(limit));
  return select_jobs(tx,
                     "WHERE state = 'scheduled' AND run_at <= ? AND kind IN (" +
                         sql::placeholders(kinds.size()) + ") ORDER BY run_at, id LIMIT ?",
                     params);
}

Result<std::optional<WallTime>> next_due(sql::Tx& tx, const std::vector<std::string>& kinds) {
  if (kinds.empty()) return std::optional<WallTime>{};
  const auto earliest =
      TRY(tx.one("SELECT min(run_at) FROM job WHERE state = 'scheduled' AND kind IN (" +
                     sql::placeholders(kinds.size()) + ")",
                 {kinds.begin(), kinds.end()}, [](sql::Row& row) { return row.maybe_time(0); }));
  return earliest ? *earliest : std::nullopt;
}

Status insert_job(sql::Tx& tx, const Job& job, std::string_view key) {
  TRY(tx.exec(
      "INSERT INTO job (id, kind, object, job_key, payload, state, run_at, interval_us, attempts,"
      " max_attempts, deadline, created_at, updated_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
      {job.id, job.kind, job.object, key.empty() ? sql::Param(nullptr) : sql::Param(key),
       job.payload, name_of(job.state), job.run_at, job.interval, job.attempts, job.max_attempts,
       job.deadline, job.created_at, job.updated_at}));
  return {};
}

Result<std::optional<JobId>> move_scheduled(sql::Tx& tx, const NewJob& job, WallTime now) {
  return tx.one(
      "UPDATE job SET run_at = ?, object = ?, payload = ?, deadline = ?, max_attempts = ?, "
      "attempts = 0,"
      " updated_at = ? WHERE kind = ? AND job_key = ? AND state = 'scheduled' RETURNING id",
      {job.run_at, job.object, job.payload, job.deadline, job.max_attempts, now, job.kind, job.key},
      [](sql::Row& row) { return row.id<JobId>(0); });
}

Result<bool> claim_job(sql::Tx& tx, JobId id, std::string_view lease, WallTime now,
                       WallTime lease_until) {
  const auto claimed =
      TRY(tx.exec("UPDATE job SET state = 'running', lease = ?, lease_until = ?,"
                  " attempts = attempts + 1, updated_at = ? WHERE id = ? AND state = 'scheduled'",
                  {lease, lease_until, now, id}));
  return claimed == 1;
}

Result<bool> holds_job(sql::Tx& tx, JobId id, std::string_view lease) {
  const std::int64_t held = TRY(tx.number(
      "SELECT count(*) FROM job WHERE id = ? AND state = 'running' AND lease = ?", {id, lease}));
  return held == 1;
}

Status reschedule_job(sql::Tx& tx, const Job& job, WallTime now) {
  const std::int64_t newer = TRY(tx.number(
      "SELECT count(*) FROM job AS mine JOIN job AS other ON other.kind = mine.kind AND"
      " other.job_key = mine.job_key AND other.state = 'scheduled' AND other.id <> mine.id"
      " WHERE mine.id = ?",
      {job.id}));
  TRY(
      tx.exec("UPDATE job SET state = ?, run_at = ?, attempts = ?, lease = NULL, lease_until = "
              "NULL, last_code = ?,"
              " last_message = ?, updated_at = ? WHERE id = ?",
              {newer > 0 ? "cancelled" : "scheduled", job.run_at, job.attempts,
               code_param(job.last_code), job.last_message, now, job.id}));
  return {};
}

Status finish_job(sql::Tx& tx, const Job& job, WallTime now) {
  TRY(tx.exec(
      "UPDATE job SET state = ?, attempts = ?, lease = NULL, lease_until = NULL, last_code = ?,"
      " last_message = ?, updated_at = ? WHERE id = ?",
      {name_of(job.state), job.attempts, code_param(job.last_code), job.last_message, now,
       job.id}));
  return {};
}

Result<std::vector<Job>> abandoned_jobs(sql::Tx& tx, WallTime now, bool all) {
  return select_jobs(tx, "WHERE state = 'running' AND (lease_until <= ? OR ?) ORDER BY id",
                     {now, all});
}

Status extend_leases(sql::Tx& tx, std::string_view lease, WallTime until) {
  TRY(tx.exec("UPDATE job SET lease_until = ? WHERE state = 'running' AND lease = ?",
              {until, lease}));
  return {};
}

Result<std::int64_t> trim_jobs(sql::Tx& tx, WallTime before) {
  return tx.exec(
      "DELETE FROM job WHERE state IN ('succeeded', 'failed', 'cancelled') AND updated_at < ?",
      {before});
}

}  // namespace holdfast::core
