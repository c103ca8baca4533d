// The check of the audit's rows: chain, payload digests, tree against checkpoints. Private to
// server/core; AuditLog calls it. Threads: where the Tx runs.
#pragma once

#include "server/core/audit_log.hpp"

namespace holdfast::core {

Result<tlog::Verdict> verify_rows(sql::Tx& tx, const seal::Sealer& sealer, const AuditVerify& query,
                                  const std::vector<std::string>& notes,
                                  const std::vector<crypto::PublicKey>& keys);

}  // namespace holdfast::core
