// Rows of jobs. Private to server/core; the scheduler is jobs.cpp.
// Threads: where the Tx runs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/core/jobs.hpp"
#include "server/store/sql/sql.hpp"

namespace holdfast::core {

Result<std::optional<Job>> find_job(sql::Tx& tx, JobId id);
Result<std::vector<Job>> list_jobs(sql::Tx& tx, const JobQuery& query);
Result<std::optional<Job>> find_periodic_job(sql::Tx& tx, std::string_view kind);
Result<std::vector<Job>> due_jobs(sql::Tx& tx, const std::vector<std::string>& kinds, WallTime now,
                                  std::size_t limit);
// When the next of these kinds is due.
Result<std::optional<WallTime>> next_due(sql::Tx& tx, const std::vector<std::string>& kinds);

Status insert_job(sql::Tx& tx, const Job& job, std::string_view key);
// Moves the scheduled job of this kind and key; nullopt: there is none.
Result<std::optional<JobId>> move_scheduled(sql::Tx& tx, const NewJob& job, WallTime now);
// Takes a scheduled job for `lease`; false: someone else was faster.
Result<bool> claim_job(sql::Tx& tx, JobId id, std::string_view lease, WallTime now,
                       WallTime lease_until);
// Is it still running under this lease?
Result<bool> holds_job(sql::Tx& tx, JobId id, std::string_view lease);
// Back to scheduled. If another of its kind and key is scheduled by now, that one does the work and
// this one is cancelled.
Status reschedule_job(sql::Tx& tx, const Job& job, WallTime now);
Status finish_job(sql::Tx& tx, const Job& job,
                  WallTime now);  // state, last_code, last_message as given
// Running jobs whose lease is over, or all of them.
Result<std::vector<Job>> abandoned_jobs(sql::Tx& tx, WallTime now, bool all);
Status extend_leases(sql::Tx& tx, std::string_view lease, WallTime until);
Result<std::int64_t> trim_jobs(sql::Tx& tx, WallTime before);

}  // namespace holdfast::core
