// The operations of jobs (contract/openapi.yaml).
#pragma once

#include "server/core/jobs.hpp"
#include "server/core/operation.hpp"

namespace holdfast::api {

// `jobs` outlives the operations.
Status add_job_routes(core::Operations& operations, core::Jobs& jobs);

}  // namespace holdfast::api
