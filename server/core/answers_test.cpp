#include "server/core/answers.hpp"

#include <gtest/gtest.h>

#include "server/core/operation.hpp"

namespace holdfast::core {
namespace {

TEST(Answers, WhatIsNotThereIsNull) {
  SiteId site;
  site.ulid[15] = 1;
  EXPECT_EQ(id_or_null(std::optional(site)), wire::Json(site.text()));
  EXPECT_TRUE(id_or_null(std::optional<SiteId>()).is_null());
  EXPECT_EQ(time_or_null(WallTime{1'000'000}), wire::Json("1970-01-01T00:00:01Z"));
  EXPECT_TRUE(time_or_null(std::nullopt).is_null());
  EXPECT_EQ(text_or_null("a"), wire::Json("a"));
  EXPECT_TRUE(text_or_null("").is_null());
}

TEST(Answers, AnObjectCarriesItsRevision) {
  const http::Response made = object_response(201, wire::JsonObject{{"id", 1}}, 7, "/v1/sites/x");
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.headers.get("ETag"), "\"7\"");
  EXPECT_EQ(made.headers.get("Location"), "/v1/sites/x");
  EXPECT_EQ(text_of(made.body), R"({"id":1})");
  EXPECT_FALSE(object_response(200, nullptr, 1).headers.get("Location"));
}

std::string text_of_number(int number) {
  return std::to_string(number);
}

TEST(Answers, APageEndsWhereTheListDoes) {
  for (const std::size_t limit : {3U, 4U}) {
    std::vector<int> found{1, 2, 3};
    EXPECT_EQ(end_page(found, limit, text_of_number), "") << limit;
    EXPECT_EQ(found.size(), 3U) << "nothing is lost at the end";
  }
  std::vector<int> found{1, 2, 3};
  EXPECT_EQ(end_page(found, 2, text_of_number), "2") << "the last that the page shows";
  EXPECT_EQ(found, (std::vector<int>{1, 2}));
}

TEST(Answers, ACursorOpensAgain) {
  const http::Response page = page_response({1, 2}, "key\n1", {{"total_estimate", 9}});
  const auto json = wire::parse_json(text_of(page.body));
  ASSERT_TRUE(json);
  const auto& body = json->as_object();
  EXPECT_EQ(body.at("items").as_array().size(), 2U);
  EXPECT_EQ(body.at("total_estimate"), wire::Json(9));
  EXPECT_EQ(read_cursor(std::string(body.at("next_cursor").as_string())), "key\n1");
  EXPECT_EQ(text_of(page_response({}, "").body), R"({"items":[],"next_cursor":null})");
}

}  // namespace
}  // namespace holdfast::core
