#include "libs/http/conditional.hpp"

#include <charconv>

namespace holdfast::http {
namespace {

// Calls `use` for each entity tag of a list, with its W/ and quotes; true if one of them hits.
template <class F>
bool any_tag(std::string_view list, F&& use) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view tag = list.substr(0, comma);
    while (tag.starts_with(' ')) tag.remove_prefix(1);
    while (tag.ends_with(' ')) tag.remove_suffix(1);
    if (tag == "*" || use(tag)) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

std::string_view opaque(std::string_view tag) {
  if (tag.starts_with("W/")) tag.remove_prefix(2);
  return tag;
}

}  // namespace

std::string etag(std::uint64_t revision) {
  return '"' + std::to_string(revision) + '"';
}

Status require_if_match(const Request& request) {
  if (request.headers.has("If-Match")) return {};
  return fail(Code::precondition_required,
              "Send If-Match with the ETag of the object that you read, or `*`.");
}

Status require_match(const Request& request, std::uint64_t revision) {
  TRY(require_if_match(request));
  const std::string current = etag(revision);
  for (const Header& header : request.headers) {
    if (!same_name(header.name, "If-Match")) continue;
    if (any_tag(header.value, [&](std::string_view tag) { return tag == current; })) return {};
  }
  return fail(Code::precondition_failed,
              "The object is at revision " + std::to_string(revision) + " by now.");
}

Result<std::optional<std::int64_t>> wanted_revision(const Request& request) {
  TRY(require_if_match(request));
  const std::string_view text = *request.header("If-Match");
  if (text == "*") return std::nullopt;
  std::int64_t revision = 0;
  if (text.size() > 2 && text.starts_with('"') && text.ends_with('"')) {
    const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size() - 1, revision);
    if (error == std::errc{} && end == text.data() + text.size() - 1 && revision > 0) return revision;
  }
  return fail(Code::precondition_failed, "If-Match is no ETag of this object.");
}

bool none_match_hits(const Request& request, std::string_view tag) {
  for (const Header& header : request.headers) {
    if (!same_name(header.name, "If-None-Match")) continue;
    if (any_tag(header.value, [&](std::string_view given) { return opaque(given) == opaque(tag); }))
      return true;
  }
  return false;
}

}  // namespace holdfast::http
