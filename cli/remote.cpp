#include "cli/remote.hpp"

#include <algorithm>

namespace holdfast::cli {
namespace {

constexpr std::size_t kAnswerMax = 64 * 1024 * 1024;  // bytes
constexpr Duration kSilence = seconds(40);            // the server's heartbeat comes each 15 s
constexpr Duration kPauseFirst = milliseconds(250);
constexpr Duration kPauseMost = seconds(15);
constexpr unsigned kReconnectsMax = 20;  // in a row, without an event between

bool worth_another_try(const Error& error) {
  switch (error.code) {
    case Code::closed:
    case Code::deadline_exceeded:
    case Code::unavailable:
    case Code::unreachable:
    case Code::overloaded:
      return true;
    default:
      return false;
  }
}

}  // namespace

http::ClientRequest Remote::make(std::string_view method, std::string_view path) {
  http::ClientRequest request;
  request.method = method;
  request.target = path;
  request.body_max = kAnswerMax;
  request.headers.set("Accept", "application/json, application/problem+json");
  if (!target_.token.empty()) {
    request.headers.set("Authorization", "Bearer " + target_.token);
  } else if (!target_.cookie.empty()) {
    request.headers.set("Cookie", "__Host-holdfast=" + target_.cookie);
    request.headers.set("X-Holdfast-CSRF", "1");
  }
  if (method == "POST") request.headers.set("Idempotency-Key", to_hex(entropy_.bytes(16)));
  return request;
}

Result<Reply> Remote::finish(Result<http::ClientResponse> response) {
  problem_.reset();
  if (!response) {
    Error error = std::move(response.error());
    // Of a connection this means that nobody answers there.
    if (error.code == Code::unavailable) error.code = Code::unreachable;
    return std::unexpected(std::move(error));
  }
  if (response->status >= 400) {
    problem_ = http::problem_of(*response);
    return std::unexpected(http::error_of(*response));
  }
  Reply reply{response->status, std::move(response->headers), nullptr, string_of(response->body)};
  if (!reply.text.empty() &&
      reply.headers.get("Content-Type").value_or("").starts_with("application/json")) {
    wire::JsonLimits limits;
    limits.bytes_max = kAnswerMax;
    reply.json =
        TRY(with_context(wire::parse_json(reply.text, limits), "reading the server's answer"));
  }
  return reply;
}

Result<Reply> Remote::raw(http::ClientRequest request, Duration limit) {
  http::ClientRequest whole = make(request.method, request.target);
  for (const http::Header& header : request.headers) whole.headers.set(header.name, header.value);
  whole.body = std::move(request.body);
  whole.on_head = std::move(request.on_head);
  whole.on_body = std::move(request.on_body);
  whole.silence_limit = request.silence_limit;
  return finish(line_->send(std::move(whole), limit));
}

Result<Reply> Remote::get(std::string_view path, const http::Params& query) {
  return finish(line_->send(make("GET", http::with_query(path, query)), limit_));
}

Result<Reply> Remote::send(std::string_view method, std::string_view path, const wire::Json& body,
                           const http::Headers& headers) {
  http::ClientRequest request = make(method, path);
  for (const http::Header& header : headers) request.headers.set(header.name, header.value);
  if (!body.is_null()) {
    request.headers.set("Content-Type",
                        method == "PATCH" ? "application/merge-patch+json" : "application/json");
    request.body = bytes_of(wire::json_text(body));
  }
  return finish(line_->send(std::move(request), limit_));
}

Result<Reply> Remote::change(std::string_view method, std::string_view path,
                             const wire::Json& body) {
  const Reply now = TRY(get(path));
  return send(method, path, body, {{"If-Match", now.etag()}});
}

Result<wire::Json> Remote::items(std::string_view path, http::Params query, const ItemFn& item,
                                 std::string_view member) {
  const bool one_page =
      std::ranges::any_of(query, [](const auto& pair) { return pair.first == "limit"; });
  if (!one_page) query.emplace_back("limit", member == "points" ? "50000" : "500");
  while (true) {
    const Reply page = TRY(get(path, query));
    const auto& object = *TRY(wire::as_object(page.json));
    for (const wire::Json& one : *TRY(wire::get_array(object, member))) {
      if (!item(one)) return wire::Json(nullptr);
    }
    const auto next = TRY(wire::find_string(object, "next_cursor"));
    if (!next || one_page) return next ? wire::Json(*next) : wire::Json(nullptr);
    std::erase_if(query, [](const auto& pair) { return pair.first == "cursor"; });
    query.emplace_back("cursor", *next);
  }
}

Status Remote::follow(std::string_view path, const http::Params& query, const EventFn& event) {
  std::string last_id;
  bool ended = false;
  for (unsigned failures = 0; failures < kReconnectsMax; ++failures) {
    http::ClientRequest request;
    request.target = http::with_query(path, query);
    request.headers.set("Accept", "text/event-stream");
    if (!last_id.empty()) request.headers.set("Last-Event-ID", last_id);
    request.silence_limit = kSilence;
    http::EventParser parser;
    request.on_body = [&](View piece) -> Status {
      TRY(parser.feed(piece, [&](const http::Event& one) {
        failures = 0;
        if (!ended && !event(one)) ended = true;
      }));
      if (ended) return fail(Code::cancelled, "enough");
      return {};
    };
    const auto reply = raw(std::move(request), http::kNoLimit);
    if (!parser.last_id().empty()) last_id = parser.last_id();
    if (ended) return {};
    const bool again = reply || worth_another_try(reply.error());
    if (!again || failures + 1 == kReconnectsMax) {
      if (reply) break;
      return std::unexpected(reply.error());
    }
    // Full jitter: many clients of a restarted server do not come back in one moment.
    const std::int64_t most = std::min(kPauseMost.us, kPauseFirst.us << std::min(failures, 20U));
    line_->pause(microseconds(
        static_cast<std::int64_t>(entropy_.below(static_cast<std::uint64_t>(most) + 1))));
  }
  return fail(Code::unavailable, "The server ends the stream again and again.");
}

}  // namespace holdfast::cli
