#include "server/core/operation.hpp"

#include <charconv>

#include "generated/api/operations.hpp"

namespace holdfast::core {
namespace {

Result<std::optional<WallTime>> time_of(const Call& call, std::string_view name) {
  const auto text = call.query(name);
  if (!text) return std::nullopt;
  auto time = from_rfc3339(*text);
  if (!time) return std::unexpected(bad_parameter(name, time.error().message));
  return *time;
}

bool in_contract(std::string_view operation_id) {
  for (const auto& row : api::kOperationTable) {
    if (row.id == operation_id) return true;
  }
  return false;
}

}  // namespace

Error bad_parameter(std::string_view name, std::string_view why) {
  return Error{Code::invalid_argument,
               "query parameter \"" + std::string(name) + "\": " + std::string(why),
               {},
               {},
               "?" + std::string(name)};
}

Result<Page> page_of(const Call& call, std::size_t limit_default, std::size_t limit_max) {
  Page page;
  page.limit = limit_default;
  if (const auto text = call.query("limit")) {
    const auto [end, error] =
        std::from_chars(text->data(), text->data() + text->size(), page.limit);
    if (error != std::errc{} || end != text->data() + text->size() || page.limit == 0 ||
        page.limit > limit_max) {
      return std::unexpected(
          bad_parameter("limit", "give a number from 1 to " + std::to_string(limit_max)));
    }
  }
  if (const auto cursor = call.query("cursor"); cursor && !cursor->empty())
    page.cursor = TRY(read_cursor(*cursor));
  return page;
}

Result<Span> span_of(const Call& call) {
  Span span;
  span.from = TRY(time_of(call, "from"));
  span.to = TRY(time_of(call, "to"));
  if (const auto since = call.query("since")) {
    if (span.from) return std::unexpected(bad_parameter("since", "give since or from, not both"));
    if (const auto duration = parse_duration(*since)) {
      span.from = call.now - *duration;
    } else {
      span.from = TRY(time_of(call, "since"));
    }
  }
  if (span.from && span.to && *span.to < *span.from) {
    return std::unexpected(bad_parameter("to", "it lies before from"));
  }
  return span;
}

std::string make_cursor(std::string_view key) {
  return to_base64url(view_of("v1|" + std::string(key)));
}

Result<std::string> read_cursor(std::string_view cursor) {
  const auto bytes = from_base64url(cursor);
  if (!bytes || !text_of(*bytes).starts_with("v1|")) {
    return std::unexpected(
        bad_parameter("cursor", "pass next_cursor of the page before, unchanged"));
  }
  return std::string(text_of(*bytes).substr(3));
}

Status Operations::add(std::string_view operation_id, Handler handler, FollowHandler follow) {
  if (!in_contract(operation_id))
    return fail(Code::internal, "no operation " + std::string(operation_id));
  const bool added =
      entries_
          .try_emplace(std::string(operation_id), Entry{std::move(handler), {}, std::move(follow)})
          .second;
  if (!added) return fail(Code::internal, "operation added twice: " + std::string(operation_id));
  return {};
}

Status Operations::add_stream(std::string_view operation_id, StreamHandler handler) {
  if (!in_contract(operation_id))
    return fail(Code::internal, "no operation " + std::string(operation_id));
  const bool added =
      entries_.try_emplace(std::string(operation_id), Entry{{}, std::move(handler), {}}).second;
  if (!added) return fail(Code::internal, "operation added twice: " + std::string(operation_id));
  return {};
}

const Operations::Entry* Operations::find(std::string_view operation_id) const {
  const auto at = entries_.find(operation_id);
  return at == entries_.end() ? nullptr : &at->second;
}

std::vector<std::string_view> Operations::missing() const {
  std::vector<std::string_view> out;
  for (const auto& row : api::kOperationTable) {
    if (find(row.id) == nullptr) out.push_back(row.id);
  }
  return out;
}

}  // namespace holdfast::core
