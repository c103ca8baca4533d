// Pure decisions of the registry: which state may follow which, what a name and a tag may be. No
// clock, no I/O.
#pragma once

#include <string_view>

#include "server/devices/model.hpp"

namespace holdfast::devices {

inline constexpr std::size_t kReasonBytesMax = 500;

// registered -> enrolled -> active; quarantined from anywhere alive and back; decommissioned is
// final.
bool may_follow(State from, State to);
// Code::conflict with what would be allowed.
Status require_move(State from, State to);
// The state that a release leads to: active if it ever connected, else enrolled.
State after_release(bool ever_connected);

// The nearest allowed name: control characters out, cut at kNameBytesMax (at a character's start).
std::string suggested_name(std::string_view wanted, std::string_view fallback);
Status check_reason(std::string_view reason);

}  // namespace holdfast::devices
