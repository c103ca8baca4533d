// What `holdfast-agent status` says, from the state folder alone; the agent may run meanwhile.
// Errors: those of os::Files, corrupt. Pure but for reading.
#pragma once

#include <string>

#include "libs/os/system.hpp"

namespace holdfast::agent {

Result<std::string> status_text(os::System system, const std::string& folder);

}  // namespace holdfast::agent
