#include "libs/http/sse.hpp"

#include <gtest/gtest.h>

namespace holdfast::http {
namespace {

std::vector<Event> parse_events(std::string_view text, std::size_t piece = SIZE_MAX) {
  EventParser parser;
  std::vector<Event> out;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, piece);
    EXPECT_TRUE(parser.feed(view_of(part), [&](Event event) { out.push_back(std::move(event)); }));
    text.remove_prefix(part.size());
  }
  return out;
}

TEST(Sse, WritesWhatItReads) {
  const std::vector<Event> events = {
      {"1", "device", "{\"a\":1}"}, {"2", "", "two\nlines\n"}, {"3", "reset", ""}};
  std::string text;
  for (const Event& event : events) text += format_event(event) + std::string(kHeartbeat);
  EXPECT_EQ(parse_events(text), events);
  EXPECT_EQ(parse_events(text, 1), events);
}

TEST(Sse, FormsAreThoseOfTheStandard) {
  EXPECT_EQ(format_event({"7", "device", "a\nb\r\nc"}),
            "id: 7\nevent: device\ndata: a\ndata: b\ndata: c\n\n");
}

TEST(Sse, ReadsEveryLineEnding) {
  for (std::string_view end : {"\n", "\r\n", "\r"}) {
    const std::string e(end);
    const auto events = parse_events(
        "\xEF\xBB\xBF"
        "id:5" +
        e + "data:  x" + e + "data" + e + e + "data: y" + e + e);
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0], (Event{"5", "", " x\n"}));
    EXPECT_EQ(events[1], (Event{"5", "", "y"}));
  }
}

TEST(Sse, EventsWithoutDataAreNone) {
  EventParser parser;
  int count = 0;
  ASSERT_TRUE(
      parser.feed(view_of("id: 9\nevent: x\n\n: comment\nretry: 5\n\n"), [&](Event) { ++count; }));
  EXPECT_EQ(count, 0);
  EXPECT_EQ(parser.last_id(), "9");
  ASSERT_TRUE(parser.feed(view_of(std::string_view("id: a\0b\ndata: z\n\n", 17)), [&](Event event) {
    ++count;
    EXPECT_EQ(event, (Event{"9", "", "z"}));
  }));
  EXPECT_EQ(count, 1);
}

TEST(Sse, AnIdAloneIsNoEvent) {
  EventParser parser;
  EXPECT_EQ(format_event({"7", "", ""}), "id: 7\n\n");
  ASSERT_TRUE(parser.feed(view_of(format_event({"7", "", ""})), [](Event) { FAIL(); }));
  EXPECT_EQ(parser.last_id(), "7");
}

TEST(Sse, AnIdCannotBreakOut) {
  EXPECT_EQ(format_event({"1\ndata: x", "a\r\nid: 9", "d"}),
            "id: 1data: x\nevent: aid: 9\ndata: d\n\n");
}

TEST(Sse, IsBounded) {
  EventParser parser;
  const std::string line = "data: " + std::string(EventParser::kEventMax, 'x');
  const auto result = parser.feed(view_of(line), [](Event) {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::payload_too_large);
}

}  // namespace
}  // namespace holdfast::http
