#include "libs/http/router.hpp"

#include <gtest/gtest.h>

namespace holdfast::http {
namespace {

Router make() {
  Router router;
  const std::vector<Route> routes = {
      {"root", "GET", "/", 0},
      {"list", "GET", "/v1/devices", 0},
      {"facets", "GET", "/v1/devices/facets", 0},
      {"get", "GET", "/v1/devices/{device_id}", 0},
      {"patch", "PATCH", "/v1/devices/{device_id}", 1000},
      {"tag", "PUT", "/v1/devices/{device_id}/tags/{tag}", 10},
  };
  for (const Route& route : routes) EXPECT_TRUE(router.add(route));
  return router;
}

Router::Match find(const Router& router, std::string_view method, std::string_view path) {
  return router.find(method, parse_target(path)->segments);
}

TEST(Router, FindsRoutesAndParameters) {
  const Router router = make();
  EXPECT_EQ(find(router, "GET", "/").route->id, "root");
  EXPECT_EQ(find(router, "GET", "/v1/devices").route->id, "list");
  const auto get = find(router, "GET", "/v1/devices/dev_1");
  EXPECT_EQ(get.route->id, "get");
  EXPECT_EQ(get.params, (Params{{"device_id", "dev_1"}}));
  const auto tag = find(router, "PUT", "/v1/devices/dev_1/tags/a%2Fb");
  EXPECT_EQ(tag.route->id, "tag");
  EXPECT_EQ(tag.params, (Params{{"device_id", "dev_1"}, {"tag", "a/b"}}));
}

TEST(Router, ALiteralBeatsAParameterButGivesWay) {
  const Router router = make();
  EXPECT_EQ(find(router, "GET", "/v1/devices/facets").route->id, "facets");
  // Below "facets" only the parameter leads on.
  const auto tag = find(router, "PUT", "/v1/devices/facets/tags/x");
  ASSERT_TRUE(tag.route);
  EXPECT_EQ(tag.params[0].second, "facets");
}

TEST(Router, HeadGoesWhereGetGoes) {
  EXPECT_EQ(find(make(), "HEAD", "/v1/devices").route->id, "list");
  EXPECT_FALSE(find(make(), "HEAD", "/v1/devices/d/tags/t").route);
}

TEST(Router, RefusesWithTheRightAnswer) {
  const Router router = make();
  Request request;
  request.method = "DELETE";
  request.path = "/v1/devices/d";
  const auto wrong = find(router, "DELETE", request.path);
  EXPECT_EQ(wrong.error, Code::method_not_allowed);
  const Response response = Router::refuse(wrong, request);
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers.get("Allow"), "GET, HEAD, PATCH, OPTIONS");
  const auto options = find(router, "OPTIONS", "/v1/devices/d/tags/t");
  EXPECT_EQ(Router::refuse(options, request).status, 204);
  EXPECT_EQ(Router::refuse(options, request).headers.get("Allow"), "PUT, OPTIONS");
  for (std::string_view path :
       {"/v2", "/v1/devices/", "/v1/devices/d/tags", "/v1//devices", "/V1/devices"}) {
    EXPECT_EQ(Router::refuse(find(router, "GET", path), request).status, 404) << path;
  }
}

TEST(Router, BodyLimitIsTheRoutes) {
  const Router router = make();
  Request request;
  request.method = "PATCH";
  request.segments = {"v1", "devices", "d"};
  EXPECT_EQ(router.body_max(request), 1000U);
  request.method = "GET";
  EXPECT_EQ(router.body_max(request), 0U);
  request.segments = {"nowhere"};
  EXPECT_EQ(router.body_max(request), 0U);
}

TEST(Router, RefusesTemplatesThatCollideOrCannotBeRead) {
  Router router = make();
  EXPECT_EQ(router.add({"again", "GET", "/v1/devices/{other}", 0}).error().code,
            Code::already_exists);
  for (std::string_view path : {"v1", "", "/a//b", "/a/{b", "/a/b}", "/{}"}) {
    EXPECT_EQ(router.add({"bad", "GET", std::string(path), 0}).error().code, Code::invalid_argument)
        << path;
  }
  EXPECT_EQ(router.add({"bad", "G ET", "/z", 0}).error().code, Code::invalid_argument);
}

}  // namespace
}  // namespace holdfast::http
