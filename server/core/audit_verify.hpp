// The check of the audit's rows: chain, payload digests, tree against checkpoints. Private to
// server/core; AuditLog calls it. Rows are read page by page, each in a read of its own, so that a
// long history does not hold the database's log back. Threads: any worker.
#pragma once

#include "server/core/audit_log.hpp"

namespace holdfast::core {

Result<tlog::Verdict> verify_rows(Store& store, const AuditVerify& query,
                                  const std::vector<std::string>& notes,
                                  const std::vector<crypto::PublicKey>& keys);

}  // namespace holdfast::core
