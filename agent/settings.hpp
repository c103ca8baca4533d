// The agent's settings (agent.toml in the state folder, HOLDFAST_AGENT_..., --flags), by the same
// rules as the server's: libs/config. Values; thread-safe.
#pragma once

#include "libs/config/config.hpp"

namespace holdfast::agent {

config::Schema agent_settings();
inline constexpr std::string_view kEnvironmentPrefix = "HOLDFAST_AGENT_";

}  // namespace holdfast::agent
