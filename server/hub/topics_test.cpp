#include "server/hub/topics.hpp"

#include <gtest/gtest.h>

#include "libs/wire/topic.hpp"

namespace holdfast::hub {
namespace {

const std::string kLongest(kNameBytesMax, 'a');
const std::string kTooLong(kNameBytesMax + 1, 'a');

Code code_of(std::string_view topic) {
  const auto parsed = parse_up(topic);
  return parsed ? Code::internal : parsed.error().code;
}

TEST(Topics, every_branch_of_the_tree_is_parsed) {
  struct Case {
    std::string_view topic;
    Up kind;
    std::string_view name;
  };
  const std::string long_stream = "telemetry/" + kLongest;
  const Case cases[] = {
      {"hello", Up::hello, ""},
      {"telemetry/lab", Up::telemetry, "lab"},
      {"telemetry/A-z_0", Up::telemetry, "A-z_0"},
      {long_stream, Up::telemetry, kLongest},
      {"event/door", Up::event, "door"},
      {"log", Up::log, ""},
      {"inventory", Up::inventory, ""},
      {"twin/reported", Up::twin_reported, ""},
      {"reply/cmd_01J9Z3K5M70000000000000000", Up::reply, "cmd_01J9Z3K5M70000000000000000"},
  };
  for (const auto& each : cases) {
    const auto parsed = parse_up(each.topic);
    ASSERT_TRUE(parsed) << each.topic << ": " << parsed.error().text();
    EXPECT_EQ(*parsed, (UpTopic{each.kind, each.name})) << each.topic;
  }
}

TEST(Topics, what_is_not_in_the_tree_is_refused) {
  const std::string too_long = "event/" + kTooLong;
  for (const std::string_view topic : {"Hello",
                                       "hello/",
                                       "hello/x",
                                       "/hello",
                                       "telemetry",
                                       "telemetry/",
                                       "telemetry/a/b",
                                       "telemetry/a b",
                                       "telemetry/caf\xC3\xA9",
                                       "telemetry/a.b",
                                       "event",
                                       "event/",
                                       "event/a/b",
                                       "log/",
                                       "logs",
                                       "inventory/x",
                                       "twin",
                                       "twin/",
                                       "twin/reported/x",
                                       "reply",
                                       "reply/",
                                       "reply/a/b",
                                       "devices/dev_1/telemetry/lab",
                                       "$SYS/broker",
                                       "x"}) {
    EXPECT_EQ(code_of(topic), Code::topic_refused) << topic;
  }
  EXPECT_EQ(code_of(too_long), Code::topic_refused);
}

TEST(Topics, a_refusal_says_why) {
  EXPECT_NE(parse_up("child/c1/telemetry/lab").error().message.find("gateway"), std::string::npos);
  EXPECT_NE(parse_up("twin/desired").error().message.find("flows down"), std::string::npos);
  EXPECT_NE(parse_up("command/blink/cmd_1").error().message.find("flows down"), std::string::npos);
  EXPECT_NE(parse_up("telemetry/a/b").error().message.find("1 to 64"), std::string::npos);
  EXPECT_NE(parse_up("elsewhere").error().message.find("telemetry/<stream>"), std::string::npos);
}

TEST(Topics, what_is_no_topic_is_invalid) {
  for (const std::string_view topic : {"", "telemetry/#", "telemetry/+", "#", "+", "event/a+"}) {
    EXPECT_EQ(code_of(topic), Code::topic_invalid) << topic;
  }
  EXPECT_EQ(code_of(std::string(kTopicBytesMax + 1, 'x')), Code::topic_invalid);
  EXPECT_EQ(code_of(std::string(kTopicBytesMax, 'x')), Code::topic_refused);
}

TEST(Topics, names) {
  for (const char c : std::string("AZaz09_-")) EXPECT_TRUE(valid_name(std::string(1, c))) << c;
  for (int c = 0; c < 256; ++c) {
    const bool allowed = std::isalnum(c) != 0 || c == '_' || c == '-';
    EXPECT_EQ(valid_name(std::string("a") + static_cast<char>(c)), allowed && c < 128) << c;
  }
  EXPECT_FALSE(valid_name(""));
  EXPECT_TRUE(valid_name(kLongest));
  EXPECT_FALSE(valid_name(kTooLong));
}

TEST(Topics, every_kind_has_a_name_and_a_bound) {
  for (std::size_t i = 0; i < kUpKinds; ++i) {
    const auto kind = static_cast<Up>(i);
    EXPECT_NE(name_of(kind), "unknown");
    EXPECT_GE(payload_max(kind), 65'536U);
    EXPECT_LT(payload_max(kind), kPacketBytesMax);
  }
  EXPECT_EQ(payload_max(Up::twin_reported), kTwinBytesMax);
  EXPECT_EQ(payload_max(Up::reply), kReplyBytesMax);
}

TEST(Filters, any_well_formed_one_is_granted) {
  for (const std::string_view filter :
       {"#", "+", "+/+", "twin/desired", "command/#", "command/+/+", "command/blink/+",
        "telemetry/lab", "a/b/c/d", "/", "$SYS/#", "devices/other/#"}) {
    EXPECT_TRUE(check_filter(filter)) << filter;
  }
}

TEST(Filters, malformed_and_shared_ones_are_not) {
  for (const std::string_view filter : {"", "#/a", "a/#/b", "a#", "a+/b", "a/b+"}) {
    ASSERT_FALSE(check_filter(filter)) << filter;
    EXPECT_EQ(check_filter(filter).error().code, Code::filter_invalid) << filter;
  }
  EXPECT_EQ(check_filter("$share/g/command/#").error().code, Code::shared_unsupported);
  EXPECT_EQ(check_filter("$share/").error().code, Code::shared_unsupported);
  EXPECT_EQ(check_filter(std::string(kTopicBytesMax + 1, 'x')).error().code, Code::filter_invalid);
}

TEST(Filters, which_can_match_something) {
  for (const std::string_view filter :
       {"#", "twin/desired", "twin/+", "twin/#", "+/desired", "+/+", "+/#", "command/#",
        "command/+/+", "command/+/#", "command/blink/+", "command/blink/#", "command/blink/cmd_1",
        "+/blink/cmd_1", "+/+/+", "twin/desired/#", "command/blink/cmd_1/#"}) {
    EXPECT_TRUE(matches_something(filter)) << filter;
  }
  for (const std::string_view filter :
       {"+", "hello", "telemetry/lab", "telemetry/#", "twin/reported", "twin/desired/x", "command",
        "command/blink", "command/+", "command/a b/+", "command/blink/+/x", "+/+/+/+", "$SYS/#",
        "log", "Command/#", "a/b/c/d/#"}) {
    EXPECT_FALSE(matches_something(filter)) << filter;
  }
}

// The shortcut agrees with matching itself, on every filter of up to four levels of these words.
TEST(Filters, matching_something_is_what_matching_says) {
  const std::vector<std::string> words = {"+",     "#",     "twin", "desired", "command",
                                          "blink", "cmd_1", "",     "a b"};
  const std::vector<std::string> down = {"twin/desired",          "command/blink/cmd_1",
                                         "command/command/cmd_1", "command/twin/cmd_1",
                                         "command/desired/cmd_1", "command/cmd_1/cmd_1",
                                         "command/blink/blink",   "command/blink/twin",
                                         "command/blink/desired", "command/blink/command"};
  std::vector<std::string> filters = words;
  for (std::size_t first = 0, level = 1; level < 4; ++level) {
    const std::size_t end = filters.size();
    for (std::size_t i = first; i < end; ++i) {
      for (const auto& word : words) filters.push_back(filters[i] + "/" + word);
    }
    first = end;
  }
  std::size_t checked = 0;
  for (const auto& filter : filters) {
    if (!wire::mqtt::valid_topic_filter(filter)) continue;
    bool any = false;
    for (const auto& topic : down) any = any || wire::mqtt::topic_matches(filter, topic);
    // Names that are words here stand for all names; a filter of two such words is no
    // counterexample.
    if (any) {
      EXPECT_TRUE(matches_something(filter)) << filter;
    }
    if (!matches_something(filter)) {
      EXPECT_FALSE(any) << filter;
    }
    ++checked;
  }
  EXPECT_GT(checked, 2'000U);
}

}  // namespace
}  // namespace holdfast::hub
