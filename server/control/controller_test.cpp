#include "server/control/controller.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/control/fixture_test.hpp"
#include "server/control/rules.hpp"

namespace holdfast::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using wire::JsonObject;

std::string key_of(CommandId id) {
  return "command:" + id.text();
}

// ---- the life of a command

TEST(Commands, FromTheOrderToTheReply) {
  Plant p;
  const std::int64_t mark = core::last_notice(p.t.store());
  const auto made = p.try_run("reboot", JsonObject{{"delay_s", 5}});
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(made->state, CommandState::queued);
  EXPECT_EQ(made->deadline, made->created_at + seconds(300));
  EXPECT_EQ(made->created_by, core::test_caller().id);

  const auto downs = p.controller->pending(p.pump, 10).value();
  ASSERT_EQ(downs.size(), 1U);
  EXPECT_EQ(downs[0].key, key_of(made->id));
  EXPECT_EQ(downs[0].topic, "command/reboot/" + made->id.text());
  EXPECT_EQ(downs[0].deadline, made->deadline);
  const auto message = wire::parse_json(downs[0].payload, wire::kJsonDevice);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->at_pointer("/payload/delay_s"), wire::Json(5));

  p.settle(seconds(1));
  ASSERT_TRUE(p.controller->sent(p.pump, downs[0].key, p.now()));
  EXPECT_EQ(p.get(made->id).state, CommandState::sent);
  EXPECT_THAT(p.waiting(), ElementsAre(key_of(made->id))) << "sent is not delivered";
  ASSERT_TRUE(p.controller->delivered(p.pump, downs[0].key, p.now()));
  EXPECT_THAT(p.waiting(), IsEmpty());
  ASSERT_TRUE(p.reply(made->id, R"({"status":"ok","result":{"took_s":3}})"));
  const Command after = p.get(made->id);
  EXPECT_EQ(after.state, CommandState::succeeded);
  EXPECT_EQ(after.result, wire::Json(JsonObject{{"took_s", 3}}));
  EXPECT_TRUE(after.error.is_null());
  EXPECT_EQ(after.finished_at, p.now());
  EXPECT_EQ(p.jobs_open(), 0) << "nothing is left to expire";

  const auto notices = core::notices_after(p.t.store(), mark);
  EXPECT_THAT(core::names_of(notices), ElementsAre("command.created", "command.changed",
                                                   "command.changed", "command.changed"));
  EXPECT_EQ(notices[3].payload.at("old_state"), wire::Json("delivered"));
  EXPECT_EQ(notices[3].payload.at("new_state"), wire::Json("succeeded"));
  const auto entries = core::audit_of(p.t.store(), made->id.text());
  ASSERT_EQ(entries.size(), 1U) << "what a device reports is no operator's act";
  EXPECT_EQ(entries[0].action, "run_command");
  EXPECT_THAT(entries[0].after, HasSubstr("delay_s"));
}

TEST(Commands, AFailureIsKeptWithItsError) {
  Plant p;
  const CommandId id = p.run("reboot");
  ASSERT_TRUE(p.reply(id, R"({"status":"failed","error":{"code":"busy","message":"later"}})"));
  const Command after = p.get(id);
  EXPECT_EQ(after.state, CommandState::failed) << "a reply overtakes the acknowledgement";
  EXPECT_EQ(after.error.at_pointer("/code"), wire::Json("busy"));
  ASSERT_TRUE(p.controller->delivered(p.pump, key_of(id), p.now()));
  EXPECT_EQ(p.get(id).state, CommandState::failed) << "and what has ended stays";
}

TEST(Commands, AReplyThatCameTwiceChangesNothingAndIsTold) {
  Plant p;
  const CommandId id = p.run("reboot");
  ASSERT_TRUE(p.reply(id));
  const std::int64_t mark = core::last_notice(p.t.store());
  ASSERT_TRUE(p.reply(id, R"({"status":"failed"})")) << "acknowledged, or it would come for ever";
  EXPECT_EQ(p.get(id).state, CommandState::succeeded);
  EXPECT_EQ(core::last_notice(p.t.store()), mark);
  ASSERT_EQ(p.heard.events.size(), 1U);
  EXPECT_EQ(p.heard.events[0].device, p.pump);
  EXPECT_THAT(p.heard.events[0].message, HasSubstr("after the command had ended"));
}

TEST(Commands, RepliesToWhatIsNotTheirsAreRefused) {
  Plant p;
  const CommandId id = p.run("reboot");
  const DeviceId other = p.device("other");
  const View fine = view_of(R"({"status":"ok"})");
  EXPECT_EQ(p.controller->reply(other, id.text(), fine).error().code, Code::topic_refused);
  EXPECT_EQ(p.controller->reply(p.pump, CommandId{}.text(), fine).error().code,
            Code::topic_refused);
  EXPECT_EQ(p.controller->reply(p.pump, "nonsense", fine).error().code, Code::topic_refused);
  EXPECT_EQ(p.reply(id, "{").error().code, Code::payload_malformed);
  EXPECT_EQ(p.reply(id, R"({"status":"perhaps"})").error().code, Code::payload_malformed);
  ASSERT_TRUE(p.controller->sent(other, key_of(id), p.now()));
  EXPECT_EQ(p.get(id).state, CommandState::queued) << "another's progress is none";
}

TEST(Commands, WhatComesBackWhenTheyExpire) {
  Plant p;
  const CommandId short_one = p.run("short", seconds(10));
  const CommandId long_one = p.run("long", seconds(100));
  p.settle(seconds(9));
  EXPECT_EQ(p.get(short_one).state, CommandState::queued);
  p.settle(seconds(2));
  const Command after = p.get(short_one);
  EXPECT_EQ(after.state, CommandState::expired);
  EXPECT_TRUE(after.finished_at);
  EXPECT_EQ(p.get(long_one).state, CommandState::queued);
  EXPECT_THAT(p.waiting(), ElementsAre(key_of(long_one)));
  EXPECT_EQ(core::audit_of(p.t.store(), short_one.text()).back().actor, "system");
  ASSERT_TRUE(p.reply(short_one));
  EXPECT_EQ(p.get(short_one).state, CommandState::expired) << "too late";
  EXPECT_EQ(p.heard.events.size(), 1U);
}

TEST(Commands, ExpireAlsoWhenTheServerWasAway) {
  Plant p;
  const CommandId id = p.run("short", seconds(10));
  p.t.node.crash();
  p.t.world.run_for(minutes(5));
  p.crash();
  p.settle(seconds(2));
  EXPECT_EQ(p.get(id).state, CommandState::expired);
}

TEST(Commands, AreCancelledUntilTheyEnd) {
  Plant p;
  const CommandId id = p.run("reboot");
  ASSERT_TRUE(p.controller->delivered(p.pump, key_of(id), p.now()));
  const auto cancelled = p.controller->cancel(core::test_caller(), id);
  ASSERT_TRUE(cancelled) << cancelled.error().text();
  EXPECT_EQ(cancelled->state, CommandState::cancelled);
  EXPECT_EQ(p.controller->cancel(core::test_caller(), id).error().code, Code::conflict);
  EXPECT_EQ(p.jobs_open(), 0);
  const auto entry = core::audit_of(p.t.store(), id.text()).back();
  EXPECT_EQ(entry.action, "cancel_command");
  EXPECT_THAT(entry.before, HasSubstr("delivered"));
  EXPECT_THAT(entry.after, HasSubstr("cancelled"));
}

TEST(Commands, BoundsAreSaid) {
  Plant p;
  EXPECT_EQ(p.try_run("no spaces").error().pointer, "/name");
  EXPECT_EQ(p.try_run(std::string(65, 'x')).error().code, Code::invalid_argument);
  const auto large =
      p.try_run("x", wire::Json(std::string_view(std::string(kPayloadBytesMax, 'x'))));
  EXPECT_EQ(large.error().code, Code::body_too_large);
  EXPECT_EQ(large.error().pointer, "/payload");
  EXPECT_EQ(p.controller->run(core::test_caller(), DeviceId{}, {"x", {}, seconds(1)}).error().code,
            Code::not_found);
  ASSERT_TRUE(
      p.t.store().change(core::Caller::system(), "test.end", [&](core::Change& change) -> Status {
        return p.registry->set_state(change, p.pump, devices::State::decommissioned, "");
      }));
  EXPECT_EQ(p.try_run("x").error().code, Code::conflict);
  EXPECT_EQ(core::count_rows(p.t.store(), "command"), 0);
  EXPECT_EQ(core::count_rows(p.t.store(), "job"), 0);
}

// What is stored must be readable: by the server, and by the device inside its message.
TEST(Commands, TheDeepestPayloadCanBeReadByAll) {
  Plant p;
  wire::Json deep = 7;
  for (std::size_t i = 0; i < kDownDepthMax; ++i) deep = wire::JsonArray{deep};
  const auto made = p.try_run("x", deep);
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(p.get(made->id).payload, deep);
  const auto down = p.controller->find_down(p.pump, key_of(made->id)).value();
  EXPECT_TRUE(wire::parse_json(down->payload, wire::kJsonDevice));
  const auto deeper = p.try_run("x", wire::JsonArray{deep});
  EXPECT_EQ(deeper.error().code, Code::invalid_argument);
  EXPECT_EQ(deeper.error().pointer, "/payload");
  EXPECT_TRUE(p.controller->commands(core::test_caller(), {})) << "one never hides the others";
}

TEST(Commands, WaitInOrderAndNoMoreThanAsked) {
  Plant p;
  std::vector<std::string> keys;
  for (int i = 0; i < 5; ++i) {
    keys.push_back(key_of(p.run("c" + std::to_string(i))));
    p.settle(milliseconds(2));
  }
  EXPECT_EQ(p.waiting(), keys) << "oldest first";
  keys.resize(3);
  EXPECT_EQ(p.waiting(3), keys);
  EXPECT_THAT(p.waiting(0), IsEmpty());
  ASSERT_TRUE(p.controller->set_desired(core::test_caller(), p.pump, JsonObject{{"a", 1}}, true,
                                        any_version()));
  EXPECT_THAT(p.waiting(2), ElementsAre("twin:1", keys[0])) << "the twin first, in the same bound";
  EXPECT_THAT(p.waiting(1), ElementsAre("twin:1"));
  EXPECT_THAT(p.waiting(0), IsEmpty());
}

TEST(Commands, FindDownGivesOnlyWhatStillWaits) {
  Plant p;
  const CommandId id = p.run("reboot", seconds(10));
  EXPECT_TRUE(p.controller->find_down(p.pump, key_of(id)).value());
  EXPECT_FALSE(p.controller->find_down(p.device("other"), key_of(id)).value());
  EXPECT_FALSE(p.controller->find_down(p.pump, "command:nonsense").value());
  EXPECT_FALSE(p.controller->find_down(p.pump, "").value());
  ASSERT_TRUE(p.reply(id));
  EXPECT_FALSE(p.controller->find_down(p.pump, key_of(id)).value());
  const CommandId late = p.run("late", seconds(10));
  p.t.world.jump_wall(seconds(11));
  EXPECT_FALSE(p.controller->find_down(p.pump, key_of(late)).value()) << "past its deadline";
}

TEST(Commands, PeopleReachTheirSitesOnly) {
  Plant p;
  const SiteId mine = p.site("mine");
  const DeviceId here = p.device("here", mine);
  const auto caller = core::test_caller({core::Role::technician}, std::vector{mine});
  const auto viewer = core::test_caller({core::Role::viewer}, std::vector{mine});
  const CommandId there = p.run("x");
  const auto made = p.controller->run(caller, here, {"y", {}, seconds(60)});
  ASSERT_TRUE(made);
  EXPECT_EQ(p.controller->run(viewer, here, {"y", {}, seconds(60)}).error().code, Code::forbidden);
  EXPECT_EQ(p.controller->cancel(viewer, made->id).error().code, Code::forbidden);
  EXPECT_TRUE(p.controller->command(viewer, made->id));
  for (const CommandId& id : {there, CommandId{}}) {
    EXPECT_EQ(p.controller->command(caller, id).error().code, Code::forbidden);
    EXPECT_EQ(p.controller->cancel(caller, id).error().code, Code::forbidden);
  }
  EXPECT_EQ(p.controller->run(caller, p.pump, {"y", {}, seconds(60)}).error().code,
            Code::forbidden);
  const auto listed = p.controller->commands(caller, {});
  ASSERT_EQ(listed->size(), 1U);
  EXPECT_EQ(listed->front().id, made->id);
  EXPECT_EQ(p.controller->twin(caller, "twin.read", p.pump).error().code, Code::forbidden);
}

// ---- who waits

TEST(Waiters, HearOfTheEndOnceItIsCommitted) {
  Plant p;
  const CommandId id = p.run("reboot");
  int heard = 0;
  ASSERT_TRUE(p.controller->when_ended(id, [&] {
    ++heard;
    EXPECT_EQ(p.get(id).state, CommandState::succeeded);
  }));
  ASSERT_TRUE(p.controller->delivered(p.pump, key_of(id), p.now()));
  p.settle();
  EXPECT_EQ(heard, 0) << "delivered is no end";
  ASSERT_TRUE(p.reply(id));
  p.settle();
  EXPECT_EQ(heard, 1);
  ASSERT_TRUE(p.controller->when_ended(id, [&] { ++heard; }));
  EXPECT_EQ(heard, 2) << "at once: it has ended";
  ASSERT_TRUE(p.controller->when_ended(CommandId{}, [&] { ++heard; }));
  EXPECT_EQ(heard, 3) << "nor does anyone wait for what is not there";
}

TEST(Waiters, AreBoundedAndForgotten) {
  Plant p;
  const CommandId id = p.run("reboot");
  int heard = 0;
  std::vector<std::uint64_t> numbers;
  for (std::size_t i = 0; i < kWaitersMax; ++i) {
    numbers.push_back(p.controller->when_ended(id, [&] { ++heard; }).value());
  }
  EXPECT_EQ(p.controller->when_ended(id, [] {}).error().code, Code::overloaded);
  for (std::size_t i = 1; i < numbers.size(); ++i) p.controller->forget(numbers[i]);
  EXPECT_TRUE(p.controller->when_ended(id, [&] { ++heard; }));
  ASSERT_TRUE(p.controller->cancel(core::test_caller(), id));
  p.settle();
  EXPECT_EQ(heard, 2);
}

// ---- twins

TEST(Twins, AreSetMergedAndReported) {
  Plant p;
  const auto caller = core::test_caller();
  const auto first = p.controller->set_desired(
      caller, p.pump, JsonObject{{"rate", 5}, {"mode", JsonObject{{"a", 1}, {"b", 2}}}}, true,
      any_version());
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_EQ(first->desired_version, 1);
  const auto merged = p.controller->set_desired(
      caller, p.pump,
      JsonObject{{"rate", nullptr}, {"mode", JsonObject{{"b", 3}}}, {"new", wire::JsonArray{1}}},
      false, any_version());
  ASSERT_TRUE(merged);
  EXPECT_EQ(wire::json_text(merged->desired), R"({"mode":{"a":1,"b":3},"new":[1]})");
  EXPECT_EQ(merged->desired_version, 2);
  const auto replaced =
      p.controller->set_desired(caller, p.pump, JsonObject{}, true, any_version());
  EXPECT_EQ(wire::json_text(replaced->desired), "{}");
  const auto entries = core::audit_of(p.t.store(), p.pump.text());
  ASSERT_EQ(entries.size(), 4U);
  EXPECT_EQ(entries[2].action, "update_desired");
  EXPECT_THAT(entries[2].before, HasSubstr("\"rate\":5"));
  EXPECT_THAT(entries[2].after, ::testing::Not(HasSubstr("rate")));

  ASSERT_TRUE(p.controller->twin_reported(p.pump, view_of(R"({"rate":5})")));
  ASSERT_TRUE(p.controller->twin_reported(p.pump, view_of(R"({"rate":5})")));
  const Twin twin = p.controller->twin(caller, "twin.read", p.pump).value();
  EXPECT_EQ(twin.reported_version, 1) << "the same again is no news";
  EXPECT_EQ(twin.desired_version, 3);
  const auto view = p.controller->twin(p.pump).value();
  EXPECT_EQ(view.version, 3);
  EXPECT_EQ(text_of(view.reported), R"({"rate":5})");
  p.crash();
  EXPECT_EQ(p.controller->twin(caller, "twin.read", p.pump)->reported, twin.reported);
}

TEST(Twins, OnlyTheNewestVersionGoesDown) {
  Plant p;
  EXPECT_THAT(p.waiting(), IsEmpty()) << "nothing was ever desired";
  EXPECT_FALSE(p.controller->find_down(p.pump, "twin:0").value());
  for (int i = 1; i <= 2; ++i) {
    ASSERT_TRUE(p.controller->set_desired(core::test_caller(), p.pump, JsonObject{{"v", i}}, true,
                                          any_version()));
  }
  EXPECT_THAT(p.waiting(), ElementsAre("twin:2"));
  EXPECT_FALSE(p.controller->find_down(p.pump, "twin:1").value());
  const auto down = p.controller->find_down(p.pump, "twin:2").value();
  ASSERT_TRUE(down);
  EXPECT_EQ(down->topic, "twin/desired");
  EXPECT_EQ(text_of(down->payload), R"({"version":2,"desired":{"v":2}})");
  EXPECT_FALSE(down->deadline);
  EXPECT_TRUE(p.controller->delivered(p.pump, "twin:2", p.now())) << "the session's own matter";
}

TEST(Twins, HaveBoundsBothWays) {
  Plant p;
  const auto desire = [&](const wire::Json& document, bool replace = true) {
    const auto set =
        p.controller->set_desired(core::test_caller(), p.pump, document, replace, any_version());
    return set ? Code::internal : set.error().code;
  };
  EXPECT_EQ(desire(wire::JsonArray{}), Code::invalid_argument);
  EXPECT_EQ(desire(7, false), Code::invalid_argument);
  EXPECT_EQ(desire(JsonObject{{"x", std::string(kTwinBytesMax, 'x')}}), Code::body_too_large);
  wire::Json deep = JsonObject{};
  for (std::size_t i = 1; i < kDownDepthMax; ++i) deep = JsonObject{{"d", deep}};
  EXPECT_EQ(desire(deep), Code::internal);
  EXPECT_TRUE(wire::parse_json(p.controller->find_down(p.pump, "twin:1").value()->payload,
                               wire::kJsonDevice))
      << "the deepest that is taken can be read by a device";
  EXPECT_EQ(desire(JsonObject{{"d", deep}}), Code::invalid_argument);
  // Two merges that are small alone.
  const std::string half(kTwinBytesMax / 2, 'x');
  EXPECT_EQ(desire(JsonObject{{"a", half}}), Code::internal);
  EXPECT_EQ(desire(JsonObject{{"b", half}}, false), Code::body_too_large);

  const auto reported = [&](std::string_view payload) {
    const Status done = p.controller->twin_reported(p.pump, view_of(payload));
    return done ? Code::internal : done.error().code;
  };
  EXPECT_EQ(reported("{"), Code::payload_malformed);
  EXPECT_EQ(reported("[]"), Code::payload_malformed);
  EXPECT_EQ(reported(std::string(kTwinBytesMax + 1, ' ')), Code::payload_too_large);
  EXPECT_EQ(p.controller->twin(p.pump)->version, 2);
}

// ---- power cuts

// At every disk operation of order and reply: state, job, notices and entry agree, and what was
// acknowledged is there.
TEST(ControlCrash, OrderAndReplyAreWholeAtEveryCut) {
  int cuts = 0;
  for (std::uint64_t extra = 1;; ++extra) {
    Plant p(extra);
    auto& disk = p.t.node.disk();
    const std::int64_t mark = core::last_notice(p.t.store());
    disk.crash_at(disk.operations() + extra);
    const auto made = p.try_run("reboot");
    const bool replied = made && p.reply(made->id).has_value();
    if (p.t.node.up()) break;
    ++cuts;
    p.crash();
    const auto all = p.controller->commands(core::test_caller(), {}).value();
    const std::size_t notices = core::notices_after(p.t.store(), mark).size();
    ASSERT_LE(all.size(), 1U);
    if (made) {
      ASSERT_EQ(all.size(), 1U) << extra;
    }
    if (replied) {
      EXPECT_EQ(all[0].state, CommandState::succeeded) << extra;
    }
    if (all.empty()) {
      EXPECT_EQ(notices, 0U) << extra;
      EXPECT_EQ(core::count_rows(p.t.store(), "job"), 0) << extra;
      continue;
    }
    const bool ended = has_ended(all[0].state);
    EXPECT_EQ(notices, ended ? 2U : 1U) << extra;
    EXPECT_EQ(p.jobs_open(), ended ? 0 : 1) << extra;
    EXPECT_EQ(core::audit_of(p.t.store(), all[0].id.text()).size(), 1U) << extra;
    EXPECT_TRUE(p.reply(all[0].id)) << "the device sends again, until it is acknowledged";
    EXPECT_EQ(p.get(all[0].id).state, CommandState::succeeded) << extra;
  }
  EXPECT_GT(cuts, 5);
}

}  // namespace
}  // namespace holdfast::control
