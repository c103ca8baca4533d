// The private topic tree of a device (contract/device-protocol.md, section 5). The certificate says
// whose tree it is; a topic names only what is in it, so that no topic reaches another device.
//
// Up: hello, telemetry/<stream>, event/<name>, log, inventory, twin/reported, reply/<id>.
// Down: twin/desired, command/<name>/<id>. Topics are in UTF-8 already; views point into the topic.
// Errors: topic_invalid (too long, empty, wildcards), topic_refused (not in the tree),
// filter_invalid, shared_unsupported. Pure; thread-safe.
#pragma once

#include <string_view>

#include "libs/base/result.hpp"
#include "server/hub/limits.hpp"

namespace holdfast::hub {

enum class Up { hello, telemetry, event, log, inventory, twin_reported, reply };
inline constexpr std::size_t kUpKinds = 7;
std::string_view name_of(Up kind);

struct UpTopic {
  Up kind = Up::hello;
  std::string_view name;  // of telemetry the stream, of event its name, of reply the command's id
  bool operator==(const UpTopic&) const = default;
};

Result<UpTopic> parse_up(std::string_view topic);
// The bytes that a payload of this kind may have.
std::size_t payload_max(Up kind);
// 1 to kNameBytesMax of A-Z a-z 0-9 _ -
bool valid_name(std::string_view name);

// May a device subscribe to this filter? Any well-formed one is granted and matches only what flows
// down; shared subscriptions are not offered.
Status check_filter(std::string_view filter);
// Is there any topic flowing down that the filter matches?
bool matches_something(std::string_view filter);
inline constexpr std::string_view kTwinTopic = "twin/desired";

}  // namespace holdfast::hub
