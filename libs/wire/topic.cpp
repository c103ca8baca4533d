#include "libs/wire/topic.hpp"

namespace holdfast::wire::mqtt {
namespace {

constexpr std::string_view kShare = "$share/";

bool valid_plain_filter(std::string_view filter) {
  if (filter.empty() || filter.size() > kTopicBytesMax) return false;
  if (filter.find('\0') != std::string_view::npos) return false;
  for (std::size_t i = 0; i < filter.size(); ++i) {
    if (filter[i] != '+' && filter[i] != '#') continue;
    const bool starts_level = i == 0 || filter[i - 1] == '/';
    const bool last = i + 1 == filter.size();
    const bool ends_level = last || (filter[i] == '+' && filter[i + 1] == '/');
    if (!starts_level || !ends_level) return false;
  }
  return true;
}

// The text up to the next '/', which is dropped from `rest`; `more` says whether there was one.
std::string_view take_level(std::string_view& rest, bool& more) {
  const auto slash = rest.find('/');
  more = slash != std::string_view::npos;
  const auto level = rest.substr(0, slash);
  rest = more ? rest.substr(slash + 1) : std::string_view{};
  return level;
}

}  // namespace

bool valid_topic_name(std::string_view topic) {
  return !topic.empty() && topic.size() <= kTopicBytesMax &&
         topic.find_first_of(std::string_view("+#\0", 3)) == std::string_view::npos;
}

bool is_shared(std::string_view filter) {
  return filter.starts_with(kShare);
}

std::optional<SharedFilter> parse_shared(std::string_view filter) {
  if (!is_shared(filter)) return std::nullopt;
  const auto rest = filter.substr(kShare.size());
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos || slash == 0) return std::nullopt;
  const SharedFilter shared{rest.substr(0, slash), rest.substr(slash + 1)};
  if (shared.group.find_first_of("+#") != std::string_view::npos) return std::nullopt;
  if (!valid_plain_filter(shared.filter)) return std::nullopt;
  return shared;
}

bool valid_topic_filter(std::string_view filter) {
  if (is_shared(filter)) return filter.size() <= kTopicBytesMax && parse_shared(filter).has_value();
  return filter != "$share" && valid_plain_filter(filter);
}

bool topic_matches(std::string_view filter, std::string_view topic) {
  if (const auto shared = parse_shared(filter)) filter = shared->filter;
  if (!topic.empty() && topic.front() == '$' && (filter.front() == '+' || filter.front() == '#')) {
    return false;
  }
  bool filter_more = true;
  bool topic_more = true;
  while (filter_more && topic_more) {
    const auto wanted = take_level(filter, filter_more);
    if (wanted == "#") return true;
    const auto level = take_level(topic, topic_more);
    if (wanted != "+" && wanted != level) return false;
  }
  if (filter_more && !topic_more) return filter == "#";  // `a/#` matches `a`
  return !filter_more && !topic_more;
}

}  // namespace holdfast::wire::mqtt
