#include "libs/http/headers.hpp"

#include <gtest/gtest.h>

namespace holdfast::http {
namespace {

TEST(Headers, FindsNamesWithoutCase) {
  Headers headers{{"content-TYPE", "text/plain"}};
  EXPECT_EQ(headers.get("Content-Type"), "text/plain");
  EXPECT_FALSE(headers.get("Content-Typ"));
  headers.set("CONTENT-type", "application/json");
  EXPECT_EQ(headers.size(), 1U);
  EXPECT_EQ(headers.get("content-type"), "application/json");
}

TEST(Headers, AddKeepsSetReplaces) {
  Headers headers;
  headers.add("Accept", "a");
  headers.add("accept", "b");
  EXPECT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers.get("Accept"), "a");
  headers.remove("ACCEPT");
  EXPECT_EQ(headers.size(), 0U);
}

TEST(Headers, ListsItemsOfAllHeadersOfAName) {
  const Headers headers{{"Connection", "keep-alive , Foo"}, {"connection", "close"}};
  EXPECT_TRUE(headers.lists("Connection", "foo"));
  EXPECT_TRUE(headers.lists("Connection", "Keep-Alive"));
  EXPECT_TRUE(headers.lists("Connection", "close"));
  EXPECT_FALSE(headers.lists("Connection", "clo"));
  EXPECT_FALSE(headers.lists("Connection", ""));
}

TEST(Headers, AreWrittenInCanonicalCase) {
  std::string out;
  write_headers({{"content-length", "5"}, {"ETAG", "\"7\""}, {"www-authenticate", "Basic"}}, out);
  EXPECT_EQ(out, "Content-Length: 5\r\nETag: \"7\"\r\nWWW-Authenticate: Basic\r\n");
}

TEST(Headers, AValueCannotAddAHeader) {
  std::string out;
  write_headers({{"X-Name", "a\r\nSet-Cookie: b"}}, out);
  EXPECT_EQ(out, "X-Name: a  Set-Cookie: b\r\n");
}

TEST(Headers, Tokens) {
  EXPECT_TRUE(is_token("Content-Type"));
  EXPECT_TRUE(is_token("!#$%&'*+-.^_`|~09azAZ"));
  for (std::string_view bad : {"", "a b", "a:", "a\t", "\xc3\xa4", "a(", "a/b"}) {
    EXPECT_FALSE(is_token(bad)) << bad;
  }
}

}  // namespace
}  // namespace holdfast::http
