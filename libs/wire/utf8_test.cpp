#include "libs/wire/utf8.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::wire {
namespace {

struct Utf8Case {
  std::string text;
  bool utf8, mqtt_text, mqtt_name;
  const char* why;
};

const Utf8Case kUtf8Cases[] = {
    {"", true, true, true, "empty"},
    {"plain ascii, longer than eight bytes", true, true, true, "ASCII"},
    {"\x7E", true, true, true, "the last printable"},
    {std::string("a\0b", 3), true, false, false, "U+0000"},
    {"a\x01z", true, true, false, "a control character"},
    {"a\x1F", true, true, false, "the last of the first block"},
    {"a\x7F", true, true, false, "DEL"},
    {"a\xC2\x80", true, true, false, "U+0080, a control character"},
    {"a\xC2\x9F", true, true, false, "U+009F"},
    {"a\xC2\xA0", true, true, true, "U+00A0"},
    {"\xC3\xBC\xC3\xA9", true, true, true, "two bytes each"},
    {"\xE2\x82\xAC", true, true, true, "the euro, three bytes"},
    {"A\xF0\xAA\x9B\x94", true, true, true, "U+2A6D4, section 1.5.4 of MQTT"},
    {"\xF4\x8F\xBF\xBD", true, true, true, "U+10FFFD, the highest character"},
    {"\xEF\xBB\xBFx", true, true, true, "U+FEFF is kept [MQTT-1.5.4-3]"},
    {"\xEF\xBF\xBE", true, true, false, "U+FFFE, a non-character"},
    {"\xEF\xBF\xBF", true, true, false, "U+FFFF"},
    {"\xEF\xB7\x90", true, true, false, "U+FDD0"},
    {"\xEF\xB7\xAF", true, true, false, "U+FDEF"},
    {"\xEF\xB7\xB0", true, true, true, "U+FDF0"},
    {"\xF0\x9F\xBF\xBE", true, true, false, "U+1FFFE"},
    {"\xC0\x80", false, false, false, "overlong U+0000"},
    {"\xC1\xBF", false, false, false, "overlong two bytes"},
    {"\xE0\x9F\xBF", false, false, false, "overlong three bytes"},
    {"\xF0\x8F\xBF\xBF", false, false, false, "overlong four bytes"},
    {"\xED\xA0\x80", false, false, false, "U+D800, a surrogate"},
    {"\xED\xBF\xBF", false, false, false, "U+DFFF, a surrogate"},
    {"\xED\x9F\xBF", true, true, true, "U+D7FF, before them"},
    {"\xEE\x80\x80", true, true, true, "U+E000, behind them"},
    {"\xF4\x90\x80\x80", false, false, false, "above U+10FFFF"},
    {"\xF5\x80\x80\x80", false, false, false, "no such lead byte"},
    {"\xFF", false, false, false, "no such byte"},
    {"\x80", false, false, false, "a continuation alone"},
    {"a\xC3", false, false, false, "cut after one of two"},
    {"a\xE2\x82", false, false, false, "cut after two of three"},
    {"a\xF0\xAA\x9B", false, false, false, "cut after three of four"},
    {"\xC3(", false, false, false, "the second is no continuation"},
    {"\xE2\x82(", false, false, false, "the third is no continuation"},
};

TEST(Utf8, JudgesEachCase) {
  for (const auto& one : kUtf8Cases) {
    EXPECT_EQ(valid_utf8(one.text), one.utf8) << one.why;
    EXPECT_EQ(valid_mqtt_text(one.text), one.mqtt_text) << one.why;
    EXPECT_EQ(valid_mqtt_name(one.text), one.mqtt_name) << one.why;
  }
}

// The fast path takes eight bytes at a time: a fault must show at every distance from its edges.
TEST(Utf8, FindsAFaultAtEveryPlace) {
  for (std::size_t length = 1; length <= 40; ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      std::string text(length, 'x');
      EXPECT_TRUE(valid_utf8(text));
      text[at] = '\xFE';
      EXPECT_FALSE(valid_utf8(text)) << at << " of " << length;
      EXPECT_FALSE(valid_mqtt_name(text)) << at << " of " << length;
    }
  }
}

}  // namespace
}  // namespace holdfast::wire
