// The operations of the audit: its entries, and what proves them.
#pragma once

#include "server/core/audit_log.hpp"
#include "server/core/operation.hpp"

namespace holdfast::api {

// `store` and `log` outlive the operations.
Status add_audit_routes(core::Operations& operations, core::Store& store, core::AuditLog& log);

wire::Json audit_entry_json(const core::audit::Entry& entry);
wire::Json checkpoint_json(const core::SignedCheckpoint& checkpoint);
wire::Json verdict_json(const tlog::Verdict& verdict);

}  // namespace holdfast::api
