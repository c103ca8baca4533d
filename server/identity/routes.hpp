// The operations of claims (contract/openapi.yaml).
#pragma once

#include "libs/os/workers.hpp"
#include "server/core/operation.hpp"
#include "server/identity/registrar.hpp"

namespace holdfast::identity {

// registrar and workers outlive the operations.
// Called by add_routes().
Status add_lifecycle_routes(core::Operations& operations, Registrar& registrar);
Status add_approval_routes(core::Operations& operations, Registrar& registrar);
Status add_routes(core::Operations& operations, Registrar& registrar, os::Workers& workers);
// Those of TPMs and their makers; called by add_routes().
Status add_attest_routes(core::Operations& operations, Attestor& attestor);

}  // namespace holdfast::identity
