#include "server/control/rules.hpp"

#include <gtest/gtest.h>

#include "server/control/json.hpp"

namespace holdfast::control {
namespace {

wire::Json json(std::string_view text) {
  return wire::parse_json(text).value();
}

TEST(CommandStates, EveryMoveIsDecided) {
  using enum CommandState;
  const std::map<CommandState, std::vector<CommandState>> allowed{
      {queued, {sent, delivered, succeeded, failed, expired, cancelled}},
      {sent, {delivered, succeeded, failed, expired, cancelled}},
      {delivered, {succeeded, failed, expired, cancelled}},
      {succeeded, {}},
      {failed, {}},
      {expired, {}},
      {cancelled, {}},
  };
  for (const CommandState from : kCommandStates) {
    for (const CommandState to : kCommandStates) {
      const auto& targets = allowed.at(from);
      EXPECT_EQ(may_follow(from, to),
                std::find(targets.begin(), targets.end(), to) != targets.end())
          << name_of(from) << " -> " << name_of(to);
    }
    EXPECT_EQ(has_ended(from), allowed.at(from).empty());
    EXPECT_EQ(command_state_named(name_of(from)), from);
  }
  EXPECT_FALSE(command_state_named("running"));
}

// RFC 7396 appendix A, the whole table.
TEST(MergePatch, AsTheRfcSays) {
  const std::vector<std::array<std::string_view, 3>> rows{
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", R"({})"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
      {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
      {R"({"a":"foo"})", "null", "null"},
      {R"({"a":"foo"})", R"("bar")", R"("bar")"},
      {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
  };
  for (const auto& [target, patch, expected] : rows) {
    EXPECT_EQ(merge_patch(json(target), json(patch)), json(expected)) << target << " + " << patch;
  }
}

TEST(Differences, OnlyWhatIsDesiredCounts) {
  EXPECT_TRUE(differences(json(R"({"a":1})"), json(R"({"a":1,"b":2})")).empty());
  EXPECT_TRUE(differences(json("{}"), json(R"({"b":2})")).empty());
  const auto found = differences(json(R"({"a":{"x":1,"y":2},"l":[1,2],"m/n":true})"),
                                 json(R"({"a":{"x":1,"y":3},"l":[1]})"));
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].pointer, "/a/y");
  EXPECT_EQ(found[0].reported, json("3"));
  EXPECT_EQ(found[1].pointer, "/l");
  EXPECT_EQ(found[1].desired, json("[1,2]"));
  EXPECT_EQ(found[2].pointer, "/m~1n");
  EXPECT_FALSE(found[2].reported);
}

TEST(Differences, TellsTheContract) {
  Twin twin;
  twin.desired = json(R"({"sample_interval_s":10})");
  twin.desired_version = 3;
  EXPECT_EQ(
      diff_json(twin),
      json(
          R"({"in_sync":false,"desired_version":3,"reported_version":0,"changes":[{"pointer":"/sample_interval_s","desired":10}]})"));
  twin.reported = twin.desired;
  EXPECT_EQ(diff_json(twin).at("in_sync"), wire::Json(true));
}

TEST(Twins, HaveBounds) {
  EXPECT_TRUE(check_twin(json("{}"), "x"));
  EXPECT_EQ(check_twin(json("[]"), "a desired state").error().code, Code::invalid_argument);
  wire::Json deep = wire::JsonObject{};
  for (int i = 0; i < 15; ++i) deep = wire::JsonObject{{"d", deep}};
  EXPECT_TRUE(check_twin(deep, "x"));
  deep = wire::JsonObject{{"d", deep}};
  EXPECT_EQ(check_twin(deep, "x").error().code, Code::invalid_argument);
  EXPECT_EQ(check_twin(wire::JsonObject{{"s", std::string(kTwinBytesMax, 'x')}}, "x").error().code,
            Code::body_too_large);
}

TEST(CommandNames, HaveACharset) {
  EXPECT_TRUE(check_command_name("reboot_now-2"));
  for (const std::string& bad : {std::string(), std::string("a b"), std::string("a/b"),
                                 std::string(65, 'a'), std::string("#")}) {
    EXPECT_FALSE(check_command_name(bad)) << bad;
  }
}

TEST(Replies, AsTheProtocolSays) {
  const auto ok = parse_reply(view_of(R"({"status":"ok","result":{"blinked":5}})"));
  ASSERT_TRUE(ok);
  EXPECT_TRUE(ok->ok);
  EXPECT_EQ(ok->result, json(R"({"blinked":5})"));
  EXPECT_TRUE(ok->error.is_null());
  const auto failed = parse_reply(
      view_of(R"({"status":"failed","error":{"code":"no-led","message":"there is no LED"}})"));
  ASSERT_TRUE(failed);
  EXPECT_FALSE(failed->ok);
  EXPECT_EQ(failed->error.at("code"), wire::Json("no-led"));
  const auto mute = parse_reply(view_of(R"({"status":"failed"})"));
  ASSERT_TRUE(mute);
  EXPECT_TRUE(mute->error.is_object()) << "a failure always has a reason";
}

TEST(Replies, WhatDoesNotParseIsSaidSo) {
  for (const std::string_view bad :
       {"", "[]", "{}", R"({"status":"done"})", R"({"status":1})", R"({"status":"ok","error":3})",
        R"({"status":"failed","error":{"code":"x"}})", "\xff"}) {
    const auto refused = parse_reply(view_of(bad));
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, Code::payload_malformed) << bad;
  }
  EXPECT_EQ(parse_reply(view_of(std::string(kPayloadBytesMax + 1, ' '))).error().code,
            Code::payload_too_large);
}

}  // namespace
}  // namespace holdfast::control
