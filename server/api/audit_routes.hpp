// The operations of the audit: its entries, and what proves them.
#pragma once

#include "server/core/audit.hpp"
#include "server/core/operation.hpp"

namespace holdfast::api {

Status add_audit_routes(core::Operations& operations, core::Store& store);
wire::Json audit_entry_json(const core::audit::Entry& entry);

}  // namespace holdfast::api
