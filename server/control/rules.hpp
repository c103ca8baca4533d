// Pure decisions of control: what a command may become, how twins merge and differ, what a reply
// says. No clock, no I/O.
#pragma once

#include <vector>

#include "server/control/model.hpp"

namespace holdfast::control {

inline constexpr std::size_t kTwinBytesMax = 65'536;
inline constexpr std::size_t kTwinDepthMax = 16;
// What goes down to a device stands inside a message, which is one level of the 16 that devices
// read.
inline constexpr std::size_t kDownDepthMax = 15;
inline constexpr std::size_t kPayloadBytesMax = 65'536;
inline constexpr std::size_t kCommandNameMax = 64;
inline constexpr std::int64_t kDeadlineSecondsMax = 604'800;

bool may_follow(CommandState from, CommandState to);
bool has_ended(CommandState state);

// 1 to 64 of A-Z a-z 0-9 _ -
Status check_command_name(std::string_view name);

// JSON merge patch (RFC 7396).
wire::Json merge_patch(const wire::Json& target, const wire::Json& patch);
// An object within the bounds of a twin document.
Status check_twin(const wire::Json& document, std::string_view what,
                  std::size_t depth_max = kTwinDepthMax);
// What a command carries: any JSON that a device can read.
Status check_payload(const wire::Json& payload);
// What is desired and not so reported, by pointer (RFC 6901); objects are entered, arrays compared
// whole. What is reported beyond that is no difference.
std::vector<Difference> differences(const wire::Json& desired, const wire::Json& reported);

// Payload of reply/<id> (device-protocol.md 6.8). Code::payload_malformed.
Result<Reply> parse_reply(View payload);

}  // namespace holdfast::control
