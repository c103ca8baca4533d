#include "libs/wire/topic.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::wire::mqtt {
namespace {

TEST(Topic, NamesHaveNoWildcardsAndAreNotEmpty) {
  for (const std::string good : {"a", "/", "a/b", "a//b", "/a", "a/", "$SYS/x", "with space"}) {
    EXPECT_TRUE(valid_topic_name(good)) << good;
  }
  for (const std::string bad : {"", "+", "#", "a/+", "a/#", "a+b", "a#"}) {
    EXPECT_FALSE(valid_topic_name(bad)) << bad;
  }
  EXPECT_FALSE(valid_topic_name(std::string_view("a\0b", 3)));
  EXPECT_TRUE(valid_topic_name(std::string(65'535, 'a')));
  EXPECT_FALSE(valid_topic_name(std::string(65'536, 'a')));
}

TEST(Topic, FiltersHoldWildcardsInTheirPlaces) {
  for (const std::string good :
       {"#", "+", "/", "a", "a/#", "+/#", "+/+", "a/+/b", "+/a", "/+", "a/+", "/#", "$share/g/a",
        "$share/g/#", "$share/g//", "$share/g/+/b", "$shared/a", "$SYS/#"}) {
    EXPECT_TRUE(valid_topic_filter(good)) << good;
  }
  for (const std::string bad :
       {"",         "a#",        "#/a",       "a/#/b",      "##",          "a+",         "+a",
        "a/+b",     "a/b+",      "ab/+e",     "++",         "+#",          "$share",     "$share/",
        "$share/g", "$share/g/", "$share//a", "$share/+/a", "$share/g#/a", "$share/g/a#"}) {
    EXPECT_FALSE(valid_topic_filter(bad)) << bad;
  }
  EXPECT_FALSE(valid_topic_filter(std::string_view("a\0", 2)));
  EXPECT_FALSE(valid_topic_filter(std::string(65'536, 'a')));
}

struct MatchCase {
  const char* filter;
  const char* topic;
  bool matches;
};

// Section 4.7.1 and 4.7.2, their examples first.
constexpr MatchCase kMatchCases[] = {
    {"sport/tennis/player1/#", "sport/tennis/player1", true},
    {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
    {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
    {"sport/tennis/player1/#", "sport/tennis/player2", false},
    {"sport/#", "sport", true},
    {"sport/#", "sports", false},
    {"#", "anything", true},
    {"#", "a/b/c", true},
    {"#", "/", true},
    {"sport/tennis/+", "sport/tennis/player1", true},
    {"sport/tennis/+", "sport/tennis/player1/ranking", false},
    {"sport/+", "sport", false},
    {"sport/+", "sport/", true},
    {"+/+", "/finance", true},
    {"/+", "/finance", true},
    {"+", "/finance", false},
    {"+", "finance", true},
    {"#", "$SYS/broker", false},
    {"+/monitor/Clients", "$SYS/monitor/Clients", false},
    {"$SYS/#", "$SYS/monitor/Clients", true},
    {"$SYS/monitor/+", "$SYS/monitor/Clients", true},
    {"$SYS/#", "$SYS", true},
    {"a/b", "a/b", true},
    {"a/b", "A/b", false},
    {"a/b", "a/b/", false},
    {"a/b/", "a/b", false},
    {"a/b", "a", false},
    {"a", "a/b", false},
    {"a//b", "a//b", true},
    {"a/+/b", "a//b", true},
    {"a/+/b", "a/x/y/b", false},
    {"+/b/#", "a/b", true},
    {"+/b/#", "a/c", false},
    {"a/$x", "a/$x", true},
    {"a/+", "a/$x", true},
    {"$share/group/a/+", "a/b", true},
    {"$share/group/#", "a/b", true},
    {"$share/group/#", "$SYS/b", false},
    {"$share/group/a", "$share/group/a", false},
};

TEST(Topic, MatchesAsTheSpecificationSays) {
  for (const auto& one : kMatchCases) {
    EXPECT_EQ(topic_matches(one.filter, one.topic), one.matches) << one.filter << " " << one.topic;
  }
}

TEST(Topic, SharedFiltersComeApart) {
  const auto shared = parse_shared("$share/consumers/telemetry/+/x");
  ASSERT_TRUE(shared);
  EXPECT_EQ(shared->group, "consumers");
  EXPECT_EQ(shared->filter, "telemetry/+/x");
  EXPECT_FALSE(parse_shared("telemetry/+"));
  EXPECT_FALSE(parse_shared("$share/g"));
  EXPECT_FALSE(parse_shared("$share/+/a"));
  EXPECT_TRUE(is_shared("$share/g"));
  EXPECT_FALSE(is_shared("$shared/g/a"));
}

}  // namespace
}  // namespace holdfast::wire::mqtt
