#include "libs/http/message.hpp"

#include <gtest/gtest.h>

#include "libs/http/client.hpp"

namespace holdfast::http {
namespace {

ClientResponse as_client(const Response& response) {
  return {response.status, response.headers, response.body};
}

TEST(Message, FindsQueryParametersAndPathParameters) {
  Request request;
  request.query = {{"tag", "a"}, {"limit", "5"}, {"tag", "b"}};
  request.params = {{"device_id", "dev_1"}};
  EXPECT_EQ(request.query_value("tag"), "a");
  EXPECT_EQ(request.query_values("tag"), (std::vector<std::string_view>{"a", "b"}));
  EXPECT_FALSE(request.query_value("Tag"));
  EXPECT_EQ(request.param("device_id"), "dev_1");
  EXPECT_EQ(request.param("site_id"), "");
}

TEST(Message, MediaTypeLeavesParametersOut) {
  Request request;
  EXPECT_EQ(request.media_type(), "");
  request.headers.set("content-type", "Application/JSON ; charset=utf-8");
  EXPECT_EQ(request.media_type(), "application/json");
}

TEST(Message, AProblemSaysWhatWhyAndMend) {
  Error error{Code::forbidden, "not at \"this\" site", {"renaming"}, "device.write", {}};
  const Response response = problem(error, {"/v1/devices/x", "req_1", {}});
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.headers.get("Content-Type"), "application/problem+json");
  const auto read = problem_of(as_client(response));
  ASSERT_TRUE(read) << text_of(response.body);
  EXPECT_EQ(read->code, "forbidden");
  EXPECT_EQ(read->detail, "renaming: not at \"this\" site");
  EXPECT_EQ(read->permission, "device.write");
  EXPECT_EQ(read->request_id, "req_1");
  EXPECT_FALSE(read->title.empty());
  EXPECT_FALSE(read->mend.empty());
  EXPECT_FALSE(read->retry_after_s);
  EXPECT_TRUE(text_of(response.body).contains("\"type\":\"/problems/forbidden\""));
  EXPECT_TRUE(text_of(response.body).contains("\"instance\":\"/v1/devices/x\""));
}

TEST(Message, AProblemPointsAtTheMember) {
  Error error{Code::invalid_argument, "too long", {}, {}, "/name"};
  const Response response = problem(error, {"/", "req_1", {}});
  EXPECT_TRUE(text_of(response.body)
                  .contains("\"errors\":[{\"pointer\":\"/name\",\"code\":\"invalid-argument\","
                            "\"message\":\"too long\"}]"))
      << text_of(response.body);
}

TEST(Message, AnInternalProblemKeepsItsDetailInside) {
  const Response response =
      problem(Error{Code::internal, "cannot open /var/lib/secret", {}, {}, {}}, {"/", "req_1", {}});
  EXPECT_EQ(response.status, 500);
  EXPECT_FALSE(text_of(response.body).contains("secret"));
  EXPECT_TRUE(text_of(response.body).contains("req_1"));
}

TEST(Message, RetryAndChallengeAreHeadersToo) {
  const Response later = problem(Error{Code::rate_limited, "", {}, {}, {}}, {"/", "req_1", 30});
  EXPECT_EQ(later.headers.get("Retry-After"), "30");
  EXPECT_EQ(problem_of(as_client(later))->retry_after_s, 30.0);
  const Response who = problem(Error{Code::unauthenticated, "", {}, {}, {}}, {"/", "req_1", {}});
  EXPECT_EQ(who.headers.get("WWW-Authenticate"), "Bearer realm=\"holdfast\"");
}

TEST(Message, EveryCodeSurvivesTheWayToAClient) {
  for (const CodeRow& row : kCodeTable) {
    const Response response = problem(Error{row.code, "because", {}, {}, {}}, {"/a", "req_1", {}});
    EXPECT_EQ(response.status, row.http_status);
    EXPECT_FALSE(reason_phrase(response.status).empty()) << response.status;
    const bool later = response.status == 429 || response.status == 503;
    EXPECT_EQ(response.headers.has("Retry-After"), later) << row.name;
    EXPECT_EQ(text_of(response.body).contains("\"retry_after_s\":5"), later) << row.name;
    EXPECT_EQ(error_of(as_client(response)).code, row.code) << row.name;
  }
}

TEST(Message, AnErrorWithoutAProblemTakesItsStatus) {
  EXPECT_EQ(error_of({404, {}, bytes_of("<html>")}).code, Code::not_found);
  EXPECT_EQ(error_of({502, {}, {}}).code, Code::internal);
  EXPECT_EQ(error_of({418, {}, {}}).code, Code::invalid_argument);
  EXPECT_EQ(error_of({503, {}, bytes_of("{\"code\":\"future-code\",\"title\":\"New\"}")}).code,
            Code::unavailable);
  EXPECT_EQ(error_of({503, {}, bytes_of("{\"code\":\"future-code\",\"title\":\"New\"}")}).message,
            "New");
  EXPECT_FALSE(problem_of({200, {}, bytes_of("{\"code\":\"forbidden\"}")}));
}

TEST(Message, ReadsAddressesOfServers) {
  EXPECT_EQ(parse_url("https://localhost:8443/v1")->server, (os::Endpoint{"localhost", 8443}));
  EXPECT_EQ(parse_url("https://localhost:8443/v1")->path, "/v1");
  EXPECT_EQ(parse_url("https://example.org")->server, (os::Endpoint{"example.org", 443}));
  EXPECT_EQ(parse_url("https://[::1]")->server, (os::Endpoint{"::1", 443}));
  EXPECT_EQ(parse_url("https://[::1]:9/x")->server, (os::Endpoint{"::1", 9}));
  for (std::string_view bad : {"http://a", "a:443", "https://", "https://:443", "https://u@h",
                               "https://h:0", "https://h:x"}) {
    EXPECT_FALSE(parse_url(bad)) << bad;
  }
}

}  // namespace
}  // namespace holdfast::http
