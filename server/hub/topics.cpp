#include "server/hub/topics.hpp"

#include <algorithm>
#include <array>

#include "libs/wire/topic.hpp"

namespace holdfast::hub {
namespace {

struct Branch {
  std::string_view prefix;  // a whole topic, or one that a name follows
  Up kind;
  bool named;
};

constexpr std::array<Branch, kUpKinds> kBranches{{
    {"hello", Up::hello, false},
    {"telemetry/", Up::telemetry, true},
    {"event/", Up::event, true},
    {"log", Up::log, false},
    {"inventory", Up::inventory, false},
    {"twin/reported", Up::twin_reported, false},
    {"reply/", Up::reply, true},
}};

constexpr std::size_t kLevelsMax = 3;  // of what flows down

std::string shown(std::string_view topic) {
  return "\"" + std::string(topic.substr(0, 128)) + "\"";
}

Error refused(std::string_view topic, std::string_view why) {
  return {Code::topic_refused, shown(topic) + " " + std::string(why), {}, {}, {}};
}

bool matches_level(std::string_view filter, bool (*fits)(std::string_view)) {
  return filter == "+" || fits(filter);
}

bool is_command(std::string_view level) {
  return level == "command";
}

}  // namespace

std::string_view name_of(Up kind) {
  switch (kind) {
    case Up::hello:
      return "hello";
    case Up::telemetry:
      return "telemetry";
    case Up::event:
      return "event";
    case Up::log:
      return "log";
    case Up::inventory:
      return "inventory";
    case Up::twin_reported:
      return "twin_reported";
    case Up::reply:
      return "reply";
  }
  return "unknown";
}

bool valid_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax && std::ranges::all_of(name, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

Result<UpTopic> parse_up(std::string_view topic) {
  if (topic.size() > kTopicBytesMax) {
    return fail(Code::topic_invalid, "the topic is longer than 512 bytes: " + shown(topic));
  }
  if (!wire::mqtt::valid_topic_name(topic)) {
    return fail(Code::topic_invalid, "not a topic to publish to: " + shown(topic));
  }
  for (const Branch& branch : kBranches) {
    if (!branch.named) {
      if (topic == branch.prefix) return UpTopic{branch.kind, {}};
      continue;
    }
    if (!topic.starts_with(branch.prefix)) continue;
    const auto name = topic.substr(branch.prefix.size());
    if (valid_name(name)) return UpTopic{branch.kind, name};
    return std::unexpected(
        refused(topic, "needs one name of 1 to 64 of A-Z a-z 0-9 _ - at its end"));
  }
  if (topic.starts_with("child/")) {
    return std::unexpected(
        refused(topic, "is for gateways, which speak for a child; this is none"));
  }
  if (matches_something(topic)) {
    return std::unexpected(refused(topic, "flows down to the device; subscribe to it"));
  }
  return std::unexpected(refused(
      topic,
      "is not in the device's tree: hello, telemetry/<stream>, event/<name>, log, inventory, "
      "twin/reported, reply/<id>"));
}

std::size_t payload_max(Up kind) {
  switch (kind) {
    case Up::twin_reported:
      return kTwinBytesMax;
    case Up::reply:
      return kReplyBytesMax;
    default:
      return kPayloadBytesMax;
  }
}

Status check_filter(std::string_view filter) {
  if (filter.size() > kTopicBytesMax) {
    return fail(Code::filter_invalid, "the filter is longer than 512 bytes: " + shown(filter));
  }
  if (wire::mqtt::is_shared(filter)) {
    return fail(Code::shared_unsupported, "shared subscriptions are not offered: " + shown(filter));
  }
  if (!wire::mqtt::valid_topic_filter(filter)) {
    return fail(Code::filter_invalid, "not a topic filter: " + shown(filter));
  }
  return {};
}

bool matches_something(std::string_view filter) {
  if (wire::mqtt::topic_matches(filter, kTwinTopic)) return true;
  std::array<std::string_view, kLevelsMax> levels;
  std::size_t count = 0;
  for (std::string_view rest = filter;;) {
    const auto slash = rest.find('/');
    const auto level = rest.substr(0, slash);
    if (level == "#") {  // matches what is left, however deep
      while (count < kLevelsMax) levels[count++] = "+";
      break;
    }
    if (count == kLevelsMax) return false;
    levels[count++] = level;
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  return count == kLevelsMax && matches_level(levels[0], is_command) &&
         matches_level(levels[1], valid_name) && matches_level(levels[2], valid_name);
}

}  // namespace holdfast::hub
