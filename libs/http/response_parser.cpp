#include "libs/http/response_parser.hpp"

#include <algorithm>

namespace holdfast::http {
namespace {

std::unexpected<Error> not_http(std::string_view what) {
  return fail(Code::protocol_error,
              "The server's answer is not proper HTTP/1.1: " + std::string(what) + ".");
}

bool digit(char c) {
  return c >= '0' && c <= '9';
}

// All digits, no sign, at most 18 of them, so that it cannot overflow.
std::optional<std::uint64_t> decimal(std::string_view text) {
  if (text.empty() || text.size() > 18 || !std::ranges::all_of(text, digit)) return std::nullopt;
  std::uint64_t out = 0;
  for (char c : text) out = out * 10 + static_cast<std::uint64_t>(c - '0');
  return out;
}

std::string_view without_space(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
}

}  // namespace

Result<std::size_t> ResponseParser::feed(View bytes, const BodyFn& body) {
  std::size_t taken = 0;
  while (taken < bytes.size() && state_ != State::done) {
    started_ = true;
    taken += TRY(step(bytes.subspan(taken), body));
  }
  return taken;
}

Result<std::size_t> ResponseParser::step(View bytes, const BodyFn& body) {
  switch (state_) {
    case State::head:
      return take_head(bytes);
    case State::length: {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
      TRY(body(bytes.first(size)));
      left_ -= size;
      if (left_ == 0) state_ = State::done;
      return size;
    }
    case State::chunked: {
      const std::size_t size = TRY(chunks_.feed(bytes, body));
      if (chunks_.done()) state_ = State::done;
      return size;
    }
    case State::until_close:
      TRY(body(bytes));
      return bytes.size();
    case State::done:
      break;
  }
  return 0;
}

// The header ends with an empty line; it is read when it is whole.
Result<std::size_t> ResponseParser::take_head(View bytes) {
  const std::string_view text = text_of(bytes);
  const std::size_t end = text.find('\n');
  const std::size_t took = end == std::string_view::npos ? text.size() : end + 1;
  if (buffer_.size() + took > kHeaderMax) {
    return fail(Code::header_too_large, "The header of the server's answer is longer than 32 KiB.");
  }
  buffer_ += text.substr(0, took);
  if (buffer_.ends_with("\n\n") || buffer_.ends_with("\n\r\n")) TRY(parse_head());
  return took;
}

Status ResponseParser::parse_head() {
  const std::string text = std::move(buffer_);
  buffer_.clear();
  head_ = {};
  std::string_view rest = text;
  bool first = true;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (has_control(line)) return not_http("a control character in the header");
    if (line.empty()) break;
    if (first) {
      TRY(status_line(line));
    } else {
      TRY(header_line(line));
    }
    first = false;
  }
  if (first) return not_http("no status line");
  if (head_.status >= 100 && head_.status < 200) {
    if (head_.status == 101) return not_http("an upgrade that was not asked for");
    if (++interim_ > kInterimMax) return not_http("too many interim answers");
    return {};
  }
  return framing();
}

// "HTTP/1.1 200 OK"; the reason may be empty, and its space missing.
Status ResponseParser::status_line(std::string_view line) {
  if (line.size() < 12 || !line.starts_with("HTTP/1.") || !digit(line[7]) || line[8] != ' ') {
    return not_http("no status line");
  }
  http11_ = line[7] != '0';
  const auto status = decimal(line.substr(9, 3));
  if (!status || *status < 100 || *status > 599 || (line.size() > 12 && line[12] != ' ')) {
    return not_http("no status");
  }
  head_.status = static_cast<int>(*status);
  return {};
}

Status ResponseParser::header_line(std::string_view line) {
  if (head_.headers.size() == kHeaderCountMax) {
    return fail(Code::header_too_large, "The server's answer has more than 128 headers.");
  }
  const std::size_t colon = line.find(':');
  // A folded line starts with a space and is refused with it (RFC 9112, section 5.2).
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return not_http("a header line without a name");
  }
  head_.headers.add(line.substr(0, colon), without_space(line.substr(colon + 1)));
  return {};
}

// RFC 9112 section 6.3, in its order. Two framings at once are refused: who believes which one
// decides where the next answer starts.
Status ResponseParser::framing() {
  const Headers& headers = head_.headers;
  head_.keep_alive =
      http11_ ? !headers.lists("Connection", "close") : headers.lists("Connection", "keep-alive");
  std::optional<std::uint64_t> length;
  for (const Header& header : headers) {
    if (!same_name(header.name, "Content-Length")) continue;
    const auto value = decimal(header.value);
    if (!value || (length && *length != *value)) return not_http("a wrong Content-Length");
    length = value;
  }
  const bool coded = headers.has("Transfer-Encoding");
  if (coded && (length || !http11_ || !same_name(*headers.get("Transfer-Encoding"), "chunked"))) {
    return not_http("a Transfer-Encoding that we do not know");
  }
  if (to_head_ || head_.status == 204 || head_.status == 304) {
    state_ = State::done;
  } else if (coded) {
    state_ = State::chunked;
  } else if (length) {
    head_.content_length = length;
    left_ = *length;
    state_ = left_ == 0 ? State::done : State::length;
  } else {
    head_.keep_alive = false;
    state_ = State::until_close;
  }
  return {};
}

Status ResponseParser::end() {
  if (state_ == State::until_close) state_ = State::done;
  if (state_ == State::done) return {};
  return fail(Code::closed, started_ ? "The server closed the connection inside an answer."
                                     : "The server closed the connection without an answer.");
}

}  // namespace holdfast::http
