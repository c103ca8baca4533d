#include "server/api/console_files.hpp"

#include <gtest/gtest.h>

#include "libs/os/sim/simulation.hpp"

namespace holdfast::api {
namespace {

class ConsoleFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    put("/console/index.html", "<!doctype html>");
    put("/console/index.html.br", "index in br");
    put("/console/assets/app-1a2b.js", "code");
    put("/console/assets/app-1a2b.js.br", "code in br");
    put("/console/assets/app-1a2b.js.gz", "code in gz");
    put("/console/favicon.svg", "<svg/>");
    put("/console/lonely.gz", "an archive of its own");
    auto loaded = ConsoleFiles::load(files, "/console");
    ASSERT_TRUE(loaded) << loaded.error().text();
    console = std::move(*loaded);
  }
  void put(const std::string& path, std::string_view content) {
    ASSERT_TRUE(files.make_folder(os::folder_of(path)));
    ASSERT_TRUE(os::replace_file(files, path, view_of(content)));
  }
  std::optional<http::Response> get(std::string_view target, http::Headers headers = {},
                                    std::string method = "GET") {
    http::Request request;
    request.method = std::move(method);
    const auto parsed = http::parse_target(target);
    EXPECT_TRUE(parsed) << target;
    request.path = parsed->path;
    request.segments = parsed->segments;
    request.headers = std::move(headers);
    return console.answer(request);
  }
  static std::string body(const std::optional<http::Response>& response) {
    return response && response->shared_body ? string_of(*response->shared_body) : "(none)";
  }
  os::sim::Simulation world{3};
  os::System system = world.node("server").system();
  os::Files& files = system.files;
  ConsoleFiles console;
};

TEST_F(ConsoleFilesTest, ServesFilesWithPolicyAndType) {
  const auto page = get("/");
  ASSERT_TRUE(page);
  EXPECT_EQ(body(page), "<!doctype html>");
  EXPECT_EQ(page->headers.get("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(page->headers.get("Cache-Control"), "no-cache");
  EXPECT_EQ(page->headers.get("Content-Security-Policy"), kConsolePolicy);
  EXPECT_EQ(get("/favicon.svg")->headers.get("Content-Type"), "image/svg+xml");
  EXPECT_EQ(body(get("/lonely.gz")), "an archive of its own");
  EXPECT_EQ(body(get("/", {}, "HEAD")), "<!doctype html>");
}

TEST_F(ConsoleFilesTest, AssetsAreKeptForAYear) {
  const auto asset = get("/assets/app-1a2b.js");
  EXPECT_EQ(body(asset), "code");
  EXPECT_EQ(asset->headers.get("Cache-Control"), "public, max-age=31536000, immutable");
}

TEST_F(ConsoleFilesTest, CompressedFormsAreNegotiated) {
  const auto brotli = get("/assets/app-1a2b.js", {{"Accept-Encoding", "gzip, br"}});
  EXPECT_EQ(body(brotli), "code in br");
  EXPECT_EQ(brotli->headers.get("Content-Encoding"), "br");
  EXPECT_EQ(brotli->headers.get("Vary"), "Accept-Encoding");
  EXPECT_EQ(brotli->headers.get("Content-Type"), "text/javascript; charset=utf-8");
  const auto gzip = get("/assets/app-1a2b.js", {{"Accept-Encoding", "gzip"}});
  EXPECT_EQ(body(gzip), "code in gz");
  EXPECT_EQ(body(get("/", {{"Accept-Encoding", "gzip"}})), "<!doctype html>");
  EXPECT_NE(brotli->headers.get("ETag"), gzip->headers.get("ETag"));
  EXPECT_FALSE(get("/assets/app-1a2b.js.br")) << "not a file of its own";
}

TEST_F(ConsoleFilesTest, WhatTheBrowserHasIsNotSentAgain) {
  const auto first = get("/favicon.svg");
  const auto again =
      get("/favicon.svg", {{"If-None-Match", std::string(*first->headers.get("ETag"))}});
  EXPECT_EQ(again->status, 304);
  EXPECT_FALSE(again->shared_body);
  EXPECT_EQ(again->headers.get("ETag"), first->headers.get("ETag"));
}

TEST_F(ConsoleFilesTest, PagesOfTheRouterAreTheIndex) {
  for (std::string_view target : {"/devices", "/devices/dev_1?tab=x", "/setup"}) {
    EXPECT_EQ(body(get(target)), "<!doctype html>") << target;
  }
  for (std::string_view target : {"/missing.js", "/assets/old", "/v1/nothing", "/problems/x/y",
                                  "/metrics/x", "//a", "/a%2Fb"}) {
    EXPECT_FALSE(get(target)) << target;
  }
  EXPECT_FALSE(get("/devices", {}, "POST"));
}

TEST_F(ConsoleFilesTest, AFolderWithoutAConsoleIsAnError) {
  EXPECT_EQ(ConsoleFiles::load(files, "/nowhere").error().code, Code::not_found);
  put("/other/readme.txt", "x");
  EXPECT_EQ(ConsoleFiles::load(files, "/other").error().code, Code::not_found);
  console = {};
  EXPECT_FALSE(get("/"));
}

}  // namespace
}  // namespace holdfast::api
