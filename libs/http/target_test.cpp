#include "libs/http/target.hpp"

#include <gtest/gtest.h>

namespace holdfast::http {
namespace {

TEST(Target, TakesPathSegmentsAndQueryApart) {
  const auto target = parse_target("/v1/devices/dev_1/tags/a%2Fb?limit=5&tag=a+b%26c&tag=&x");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/v1/devices/dev_1/tags/a%2Fb");
  EXPECT_EQ(target->segments, (std::vector<std::string>{"v1", "devices", "dev_1", "tags", "a/b"}));
  EXPECT_EQ(target->query, (Params{{"limit", "5"}, {"tag", "a b&c"}, {"tag", ""}, {"x", ""}}));
}

TEST(Target, KnowsRootAndEmptySegments) {
  EXPECT_TRUE(parse_target("/")->segments.empty());
  EXPECT_EQ(parse_target("/?a=b")->query.size(), 1U);
  EXPECT_EQ(parse_target("//a/")->segments, (std::vector<std::string>{"", "a", ""}));
  EXPECT_EQ(parse_target("*")->path, "*");
}

TEST(Target, TakesTheAbsoluteForm) {
  EXPECT_EQ(parse_target("https://host:8443/a/b?c=d")->path, "/a/b");
  EXPECT_EQ(parse_target("http://host")->path, "/");
  EXPECT_EQ(parse_target("https://host?x=1")->query.size(), 1U);
}

TEST(Target, PlusIsASpaceInTheQueryOnly) {
  EXPECT_EQ(parse_target("/a+b?c+d=e+f")->segments[0], "a+b");
  EXPECT_EQ(parse_target("/a+b?c+d=e+f")->query[0],
            (std::pair<std::string, std::string>("c d", "e f")));
}

TEST(Target, RefusesWhatCannotBeMeant) {
  for (std::string_view bad :
       {"", "a/b", "/%", "/%4", "/%zz", "/%00", "/a?b=%0a", "/../etc", "/a/%2e%2e/b", "/a/./b",
        "/%ff", "/%c0%af", "/%ed%a0%80", "/a\x01", "ftp://host/a"}) {
    const auto target = parse_target(bad);
    ASSERT_FALSE(target) << bad;
    EXPECT_EQ(target.error().code, Code::malformed_body) << bad;
  }
}

TEST(Target, TakesUtf8) {
  EXPECT_EQ(parse_target("/caf%C3%A9/%F0%9F%98%80")->segments[0], "caf\xC3\xA9");
}

TEST(Target, IsBounded) {
  EXPECT_TRUE(parse_target("/" + std::string(kTargetMax - 1, 'a')));
  EXPECT_EQ(parse_target("/" + std::string(kTargetMax, 'a')).error().code, Code::uri_too_long);
  std::string many = "/?";
  for (std::size_t i = 0; i < kQueryParamsMax; ++i) many += "a&";
  EXPECT_TRUE(parse_target(many));
  EXPECT_FALSE(parse_target(many + "a"));
}

TEST(Target, EncodesWhatItDecodes) {
  const std::string hard = "a b/c?d&e=f%+\xC3\xA9\"";
  EXPECT_EQ(parse_target("/" + encode_component(hard))->segments[0], hard);
  const Params query{{hard, hard}, {"x", ""}};
  EXPECT_EQ(parse_target(with_query("/p", query))->query, query);
  EXPECT_EQ(with_query("/p?a=1", {{"b", "2"}}), "/p?a=1&b=2");
  EXPECT_EQ(with_query("/p", {}), "/p");
}

}  // namespace
}  // namespace holdfast::http
