#include "libs/http/conditional.hpp"

#include <gtest/gtest.h>

#include "libs/http/accept.hpp"

namespace holdfast::http {
namespace {

Request with(std::string_view name, std::string_view value) {
  Request request;
  request.headers.add(name, value);
  return request;
}

TEST(Conditional, IfMatchIsRequiredAndMustBeTheRevision) {
  EXPECT_EQ(require_match(Request{}, 7).error().code, Code::precondition_required);
  EXPECT_EQ(require_if_match(Request{}).error().code, Code::precondition_required);
  EXPECT_TRUE(require_if_match(with("if-match", "anything")));
  EXPECT_TRUE(require_match(with("If-Match", etag(7)), 7));
  EXPECT_TRUE(require_match(with("If-Match", "*"), 7));
  EXPECT_TRUE(require_match(with("If-Match", "\"1\", \"7\""), 7));
  for (std::string_view old : {"\"6\"", "7", "W/\"7\"", "\"77\"", ""}) {
    EXPECT_EQ(require_match(with("If-Match", old), 7).error().code, Code::precondition_failed)
        << old;
  }
}

TEST(Conditional, TheWantedRevisionIsRead) {
  EXPECT_EQ(wanted_revision(Request{}).error().code, Code::precondition_required);
  EXPECT_EQ(wanted_revision(with("If-Match", "\"7\"")).value(), 7);
  EXPECT_EQ(wanted_revision(with("If-Match", "*")).value(), std::nullopt);
  for (std::string_view bad :
       {"7", "\"\"", "\"x\"", "W/\"7\"", "\"7\", \"8\"", "\"-7\"", "\"99999999999999999999\""}) {
    EXPECT_EQ(wanted_revision(with("If-Match", bad)).error().code, Code::precondition_failed)
        << bad;
  }
}

TEST(Conditional, IfNoneMatchComparesWeakly) {
  EXPECT_FALSE(none_match_hits(Request{}, "\"a\""));
  EXPECT_TRUE(none_match_hits(with("If-None-Match", "W/\"a\""), "\"a\""));
  EXPECT_TRUE(none_match_hits(with("If-None-Match", "\"b\" , \"a\""), "W/\"a\""));
  EXPECT_TRUE(none_match_hits(with("If-None-Match", "*"), "\"a\""));
  EXPECT_FALSE(none_match_hits(with("If-None-Match", "\"b\""), "\"a\""));
}

TEST(Accept, TakesTheBestOffer) {
  EXPECT_EQ(choose("", {"text/html", "text/markdown"}), "text/html");
  EXPECT_EQ(choose("*/*", {"text/html", "text/markdown"}), "text/html");
  EXPECT_EQ(choose("text/markdown", {"text/html", "text/markdown"}), "text/markdown");
  EXPECT_EQ(choose("text/html;q=0.5, TEXT/Markdown", {"text/html", "text/markdown"}),
            "text/markdown");
  EXPECT_EQ(choose("text/*;q=0.3, application/json", {"text/html", "application/json"}),
            "application/json");
  EXPECT_EQ(choose("text/html;q=0, */*", {"text/html", "text/plain"}), "text/plain");
  EXPECT_FALSE(choose("image/png", {"text/html"}));
  EXPECT_FALSE(choose("text/html;q=0", {"text/html"}));
  EXPECT_EQ(choose("text/html;level=1;q=0.001", {"text/html"}), "text/html");
}

TEST(Accept, Encodings) {
  EXPECT_TRUE(accepts_encoding("gzip, deflate, br", "br"));
  EXPECT_FALSE(accepts_encoding("gzip, br;q=0", "br"));
  EXPECT_TRUE(accepts_encoding("*", "br"));
  EXPECT_FALSE(accepts_encoding("*;q=0.0", "br"));
  EXPECT_FALSE(accepts_encoding("", "br"));
}

}  // namespace
}  // namespace holdfast::http
