// Who a request says it comes from, and whether a browser was tricked into sending it. Pure;
// thread-safe. What the secrets are worth is core::People's to say.
//
// A browser sends the session cookie by itself, so each request but GET and HEAD that relies on it
// must carry X-Holdfast-CSRF: 1, which a foreign page cannot set, and come from our own origin.
#pragma once

#include <string>
#include <string_view>

#include "libs/base/time.hpp"
#include "libs/http/message.hpp"

namespace holdfast::api {

enum class Means { none, bearer, session };

struct Credentials {
  Means means = Means::none;
  std::string secret;
};

// The token of Authorization, else the session cookie, else none. unauthenticated: Authorization of
// another scheme, so that a typing error is not taken for the cookie's user.
Result<Credentials> credentials_of(const http::Request& request);

// csrf, unless this request may change something by these means.
Status check_intent(const http::Request& request, Means means);

// Values of Set-Cookie.
std::string session_cookie(std::string_view secret, Duration life);
std::string ended_cookie();

}  // namespace holdfast::api
