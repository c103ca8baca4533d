#include "server/api/credentials.hpp"

#include <gtest/gtest.h>

namespace holdfast::api {
namespace {

http::Request with(http::Headers headers, std::string method = "POST") {
  http::Request request;
  request.method = std::move(method);
  request.headers = std::move(headers);
  return request;
}

TEST(Credentials, BearerBeatsCookie) {
  const auto found =
      credentials_of(with({{"authorization", "bearer  hft_x "}, {"Cookie", "__Host-holdfast=c"}}));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->means, Means::bearer);
  EXPECT_EQ(found->secret, "hft_x");
}

TEST(Credentials, OtherSchemesAreRefused) {
  for (std::string_view value : {"Basic abc", "Bearer", "Bearer ", "hft_x", ""}) {
    const auto found = credentials_of(
        with({{"Authorization", std::string(value)}, {"Cookie", "__Host-holdfast=c"}}));
    ASSERT_FALSE(found) << value;
    EXPECT_EQ(found.error().code, Code::unauthenticated);
  }
}

TEST(Credentials, FindsTheCookieAmongOthers) {
  EXPECT_EQ(credentials_of(with({{"Cookie", "a=b; __Host-holdfast=secret; c=d"}}))->secret,
            "secret");
  EXPECT_EQ(credentials_of(with({{"Cookie", "a=b"}, {"cookie", "__Host-holdfast=s"}}))->secret,
            "s");
  for (std::string_view none :
       {"x__Host-holdfast=s", "__Host-holdfastx=s", "__Host-holdfast", "__Host-holdfast="}) {
    EXPECT_EQ(credentials_of(with({{"Cookie", std::string(none)}}))->means, Means::none) << none;
  }
}

TEST(Credentials, ACookieAloneChangesNothing) {
  EXPECT_EQ(check_intent(with({}), Means::session).error().code, Code::csrf);
  EXPECT_EQ(check_intent(with({{"X-Holdfast-CSRF", "0"}}), Means::session).error().code,
            Code::csrf);
  EXPECT_TRUE(check_intent(with({{"X-Holdfast-CSRF", "1"}}), Means::session));
  EXPECT_TRUE(check_intent(with({}, "GET"), Means::session));
  EXPECT_TRUE(check_intent(with({}, "HEAD"), Means::session));
  EXPECT_FALSE(check_intent(with({}, "DELETE"), Means::session));
}

TEST(Credentials, ForeignPagesChangeNothing) {
  const http::Header csrf{"X-Holdfast-CSRF", "1"};
  const http::Header host{"Host", "hold.example:8443"};
  EXPECT_TRUE(
      check_intent(with({csrf, host, {"Origin", "https://hold.example:8443"}}), Means::session));
  for (std::string_view origin :
       {"https://evil.example", "http://hold.example:8443", "https://hold.example", "null",
        "https://hold.example:8443.evil"}) {
    EXPECT_EQ(check_intent(with({csrf, host, {"Origin", std::string(origin)}}), Means::session)
                  .error()
                  .code,
              Code::csrf)
        << origin;
    EXPECT_FALSE(check_intent(with({host, {"Origin", std::string(origin)}}), Means::none))
        << "nor signs anyone in";
  }
  EXPECT_FALSE(check_intent(with({csrf, host, {"Sec-Fetch-Site", "cross-site"}}), Means::session));
  EXPECT_FALSE(check_intent(with({csrf, host, {"Sec-Fetch-Site", "same-site"}}), Means::session));
  EXPECT_TRUE(check_intent(with({host, {"Origin", "https://evil.example"}}), Means::bearer))
      << "a page cannot know a token";
}

TEST(Credentials, CookiesAreBoundToThisHost) {
  EXPECT_EQ(session_cookie("abc", hours(1)),
            "__Host-holdfast=abc; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=3600");
  EXPECT_EQ(ended_cookie(),
            "__Host-holdfast=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
}

}  // namespace
}  // namespace holdfast::api
