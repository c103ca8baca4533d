// The operations of retention and erasure (contract/openapi.yaml). Both outlive the operations.
#pragma once

#include "server/core/operation.hpp"
#include "server/telemetry/keeping.hpp"

namespace holdfast::telemetry {

Status add_keeping_routes(core::Operations& operations, Keeping& keeping);

}  // namespace holdfast::telemetry
