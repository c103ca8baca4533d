#include "libs/http/target.hpp"

#include <algorithm>

namespace holdfast::http {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto byte = static_cast<unsigned char>(text[at++]);
    if (byte < 0x80) continue;
    const int more = byte >= 0xC2 && byte <= 0xDF   ? 1
                     : byte >= 0xE0 && byte <= 0xEF ? 2
                     : byte >= 0xF0 && byte <= 0xF4 ? 3
                                                    : 0;
    if (more == 0 || text.size() - at < static_cast<std::size_t>(more)) return false;
    const auto second = static_cast<unsigned char>(text[at]);
    if ((byte == 0xE0 && second < 0xA0) || (byte == 0xED && second > 0x9F) ||
        (byte == 0xF0 && second < 0x90) || (byte == 0xF4 && second > 0x8F)) {
      return false;
    }
    for (int i = 0; i < more; ++i) {
      if ((static_cast<unsigned char>(text[at++]) & 0xC0) != 0x80) return false;
    }
  }
  return true;
}

std::unexpected<Error> bad_target(std::string_view what) {
  return fail(Code::malformed_body, "The request's address " + std::string(what) + ".");
}

Result<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (c == '%') {
      if (text.size() - at < 3) return bad_target("ends inside a percent code");
      const int first = hex_value(text[at + 1]);
      const int second = hex_value(text[at + 2]);
      if (first < 0 || second < 0) return bad_target("has a percent code that is not hexadecimal");
      c = static_cast<char>(first * 16 + second);
      at += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      return bad_target("holds a control character");
    }
    out += c;
  }
  if (!is_utf8(out)) return bad_target("is not UTF-8");
  return out;
}

// "https://host:port/path" -> "/path": a server must take the absolute form (RFC 9112, 3.2.2).
std::string_view without_origin(std::string_view text) {
  for (std::string_view scheme : {"https://", "http://"}) {
    if (text.starts_with(scheme)) {
      const std::size_t slash = text.find_first_of("/?", scheme.size());
      return slash == std::string_view::npos ? "/" : text.substr(slash);
    }
  }
  return text;
}

Status read_segments(std::string_view path, std::vector<std::string>& segments) {
  if (path == "/" || path == "*") return {};
  std::string_view rest = path.substr(1);
  while (true) {
    const std::size_t slash = rest.find('/');
    std::string segment = TRY(decode(rest.substr(0, slash), false));
    if (segment == "." || segment == "..") return bad_target("has a dot segment");
    segments.push_back(std::move(segment));
    if (slash == std::string_view::npos) return {};
    rest.remove_prefix(slash + 1);
  }
}

Status read_query(std::string_view text, Params& query) {
  while (!text.empty()) {
    const std::size_t amp = text.find('&');
    const std::string_view pair = text.substr(0, amp);
    if (!pair.empty()) {
      if (query.size() == kQueryParamsMax) return bad_target("has too many parameters");
      const std::size_t equals = pair.find('=');
      std::string name = TRY(decode(pair.substr(0, equals), true));
      std::string value;
      if (equals != std::string_view::npos) value = TRY(decode(pair.substr(equals + 1), true));
      query.emplace_back(std::move(name), std::move(value));
    }
    if (amp == std::string_view::npos) break;
    text.remove_prefix(amp + 1);
  }
  return {};
}

}  // namespace

Result<Target> parse_target(std::string_view text) {
  if (text.size() > kTargetMax) {
    return fail(Code::uri_too_long, "The request's address is longer than 12 KiB.");
  }
  text = without_origin(text);
  text =
      text.substr(0, text.find('#'));  // a fragment has no place here; clients that send it exist
  const std::size_t question = text.find('?');
  Target out;
  out.path = text.substr(0, question);
  if (out.path.empty() && question == 0) out.path = "/";
  if (out.path != "*" && !out.path.starts_with('/')) {
    return bad_target("does not start with a slash");
  }
  TRY(read_segments(out.path, out.segments));
  if (question != std::string_view::npos) TRY(read_query(text.substr(question + 1), out.query));
  return out;
}

std::string encode_component(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       std::string_view("-._~").contains(c);
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

std::string with_query(std::string_view path, const Params& query) {
  std::string out(path);
  char separator = path.contains('?') ? '&' : '?';
  for (const auto& [name, value] : query) {
    out += separator;
    out += encode_component(name);
    out += '=';
    out += encode_component(value);
    separator = '&';
  }
  return out;
}

}  // namespace holdfast::http
