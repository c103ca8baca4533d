// The operations of twins and commands (contract/openapi.yaml).
#pragma once

#include "libs/os/loop.hpp"
#include "server/control/controller.hpp"
#include "server/core/operation.hpp"

namespace holdfast::control {

// controller and loop outlive the operations; waits for a command's end time out on `loop`, and
// their answers are made on `workers`.
Status add_routes(core::Operations& operations, Controller& controller, os::Loop& loop,
                  os::Workers& workers);

}  // namespace holdfast::control
