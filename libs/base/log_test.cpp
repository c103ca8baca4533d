#include "libs/base/log.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace holdfast {
namespace {

class LogTest : public ::testing::Test {
 protected:
  Log log(Level least = Level::debug) {
    return Log([this](std::string_view line) { lines_.emplace_back(line); }, least);
  }
  std::vector<std::string> lines_;
};

TEST_F(LogTest, WritesOneLineOfJson) {
  log().warning("disk is \"full\"", {{"path", "/data\n"}, {"device", "dev_1"}});
  ASSERT_EQ(lines_.size(), 1U);
  const std::string& line = lines_[0];
  EXPECT_TRUE(line.starts_with("{\"time\":\"20")) << line;
  EXPECT_TRUE(
      line.ends_with(",\"level\":\"warning\",\"message\":\"disk is \\\"full\\\"\","
                     "\"path\":\"/data\\u000a\",\"device\":\"dev_1\"}\n"))
      << line;
}

TEST_F(LogTest, LeavesOutWhatIsLessThanWanted) {
  const Log quiet = log(Level::warning);
  quiet.debug("a");
  quiet.info("b");
  quiet.warning("c");
  quiet.error("d");
  ASSERT_EQ(lines_.size(), 2U);
  EXPECT_NE(lines_[0].find("\"warning\""), std::string::npos);
  EXPECT_NE(lines_[1].find("\"error\""), std::string::npos);
}

TEST(JsonEscape, EscapesWhatJsonWants) {
  EXPECT_EQ(json_escape("plain / text"), "plain / text");
  EXPECT_EQ(json_escape("\"\\"), "\\\"\\\\");
  EXPECT_EQ(json_escape(std::string_view("\0\x1F\x7F", 3)), "\\u0000\\u001f\\u007f");
}

TEST(JsonEscape, KeepsUtf8AndReplacesTheRest) {
  const std::string good = "\u00E9 \u20AC \U0001F512 \uD7FF \uFFFD \U0010FFFF";
  EXPECT_EQ(json_escape(good), good);
  for (const char* bad :
       {"\x80", "\xC0\x80", "\xC3", "\xC3(", "\xE0\x80\x80", "\xED\xA0\x80", "\xE2\x82",
        "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
    const std::string escaped = json_escape(bad);
    EXPECT_TRUE(escaped.starts_with("\\ufffd")) << escaped;
    for (const char c : escaped) EXPECT_GE(c, ' ');
  }
  EXPECT_EQ(json_escape("a\xFF"
                        "b"),
            "a\\ufffdb");
}

}  // namespace
}  // namespace holdfast
