// MQTT topic names and filters (MQTT 5.0 section 4.7, 4.8.2). Text is checked for its structure
// only; the decoder has checked the UTF-8. Pure; thread-safe.
#pragma once

#include <optional>
#include <string_view>

namespace holdfast::wire::mqtt {

inline constexpr std::size_t kTopicBytesMax = 65'535;

// Not empty, no wildcards, no U+0000, at most kTopicBytesMax bytes.
bool valid_topic_name(std::string_view topic);

// `+` alone in its level, `#` alone in the last; a $share filter has a group without wildcards and
// a valid filter behind it.
bool valid_topic_filter(std::string_view filter);

// Both valid. `#` matches the parent level too; wildcards at the first level never match a topic
// that starts with `$`. A $share filter matches as the filter behind its group.
bool topic_matches(std::string_view filter, std::string_view topic);

struct SharedFilter {
  std::string_view group;
  std::string_view filter;
};
// Of "$share/group/filter"; nullopt for any other filter, and for a malformed shared one.
std::optional<SharedFilter> parse_shared(std::string_view filter);
// Starts with "$share/": well formed or not.
bool is_shared(std::string_view filter);

}  // namespace holdfast::wire::mqtt
