#include "server/api/credentials.hpp"

namespace holdfast::api {
namespace {

constexpr std::string_view kCookieName = "__Host-holdfast";
// __Host- makes browsers insist on Secure, on Path=/ and on no Domain (RFC 6265bis, 4.1.3.2).
constexpr std::string_view kCookieRules = "; Path=/; Secure; HttpOnly; SameSite=Strict";

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::string_view cookie_of(const http::Request& request) {
  for (const http::Header& header : request.headers) {
    if (!http::same_name(header.name, "Cookie")) continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const std::size_t semicolon = rest.find(';');
      const std::string_view pair = trimmed(rest.substr(0, semicolon));
      if (pair.starts_with(kCookieName) && pair.substr(kCookieName.size()).starts_with('=')) {
        return pair.substr(kCookieName.size() + 1);
      }
      if (semicolon == std::string_view::npos) break;
      rest.remove_prefix(semicolon + 1);
    }
  }
  return {};
}

std::unexpected<Error> not_ours(std::string_view why) {
  return fail(Code::csrf, "This request relies on a session cookie, but " + std::string(why) + ".");
}

}  // namespace

Result<Credentials> credentials_of(const http::Request& request) {
  if (const auto header = request.header("Authorization")) {
    static constexpr std::string_view kScheme = "Bearer ";
    if (header->size() <= kScheme.size() ||
        !http::same_name(header->substr(0, kScheme.size()), kScheme)) {
      return fail(Code::unauthenticated, "Authorization must be `Bearer <token>`.");
    }
    return Credentials{Means::bearer, std::string(trimmed(header->substr(kScheme.size())))};
  }
  if (const auto cookie = cookie_of(request); !cookie.empty()) {
    return Credentials{Means::session, std::string(cookie)};
  }
  return Credentials{};
}

Status check_intent(const http::Request& request, Means means) {
  if (means == Means::bearer || request.method == "GET" || request.method == "HEAD") return {};
  // Sign-in itself has no cookie yet, but must not be done from a foreign page either.
  if (const auto origin = request.header("Origin")) {
    const std::string own = "https://" + std::string(request.header("Host").value_or(""));
    if (!http::same_name(*origin, own)) return not_ours("it comes from another origin");
  }
  if (const auto site = request.header("Sec-Fetch-Site");
      site && *site != "same-origin" && *site != "none") {
    return not_ours("it comes from another site");
  }
  if (means == Means::session && request.header("X-Holdfast-CSRF") != "1") {
    return not_ours("it lacks the header X-Holdfast-CSRF: 1");
  }
  return {};
}

std::string session_cookie(std::string_view secret, Duration life) {
  std::string out(kCookieName);
  out += '=';
  out += secret;
  out += kCookieRules;
  out += "; Max-Age=" + std::to_string(life.us / 1'000'000);
  return out;
}

std::string ended_cookie() {
  return std::string(kCookieName) + "=" + std::string(kCookieRules) + "; Max-Age=0";
}

}  // namespace holdfast::api
