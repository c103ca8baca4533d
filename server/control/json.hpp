// Commands and twins as the contract's JSON. Pure.
#pragma once

#include "server/control/rules.hpp"

namespace holdfast::control {

wire::Json command_json(const Command& command);
wire::Json twin_json(const Twin& twin);
wire::Json diff_json(const Twin& twin);
std::string audit_text(const Command& command);

}  // namespace holdfast::control
