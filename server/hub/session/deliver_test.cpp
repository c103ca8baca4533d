#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/hub/testing/session_rig.hpp"

namespace holdfast::hub {
namespace {
using namespace testing;
using mqtt::PropertyId;
using mqtt::Reason;
using ::testing::ElementsAre;

// Live, subscribed, and nothing waiting.
void go_listening(Rig& rig, const Options5& options = {}, const std::string& filter = "#",
                  std::uint8_t qos = 1) {
  rig.go_quiet(connect_5(options));
  rig.subscribe(filter, qos);
  if (options.expiry_s > 0) rig.saved();
  ASSERT_TRUE(rig.took<Fetch>());
  rig.fetched({});
  rig.sent();
  rig.actions.clear();
}

// Wakes the session, and gives it these.
void offer(Rig& rig, std::vector<control::Down> pending) {
  rig.wake();
  ASSERT_TRUE(rig.took<Fetch>());
  Fetched fetched;
  fetched.pending = std::move(pending);
  rig.fetched(std::move(fetched));
}

std::vector<std::string> topics(Rig& rig) {
  std::vector<std::string> all;
  for (const auto& packet : rig.sent()) {
    if (const auto* publish = std::get_if<mqtt::Publish>(&packet)) all.push_back(publish->topic);
  }
  return all;
}

std::vector<control::Down> commands(int first, int count) {
  std::vector<control::Down> all;
  for (int i = 0; i < count; ++i) all.push_back(command("cmd_" + std::to_string(first + i)));
  return all;
}

TEST(Deliver, a_command_is_noted_then_sent_then_settled) {
  Rig rig;
  go_listening(rig, {.clean = false, .expiry_s = 60});
  offer(rig, {command("cmd_1")});
  const auto prepare = rig.took<Prepare>();
  ASSERT_TRUE(prepare);
  EXPECT_THAT(prepare->keys, ElementsAre("command:cmd_1"));
  EXPECT_EQ(prepare->rows, (std::vector<InFlight>{{1, "command:cmd_1"}}));
  EXPECT_TRUE(rig.sent().empty());
  rig.prepared();
  const auto publish = rig.sent_one<mqtt::Publish>();
  EXPECT_EQ(publish.topic, "command/blink/cmd_1");
  EXPECT_EQ(publish.qos, 1);
  EXPECT_EQ(publish.packet_id, 1);
  EXPECT_FALSE(publish.dup);
  EXPECT_FALSE(publish.retain);
  rig.puback(1);
  const auto settle = rig.took<Settle>();
  ASSERT_TRUE(settle);
  EXPECT_EQ(settle->key, "command:cmd_1");
  EXPECT_TRUE(settle->delivered);
  EXPECT_EQ(rig.session.in_flight(), 0U);
}

TEST(Deliver, what_flies_or_is_settled_is_not_sent_again) {
  Rig rig;
  go_listening(rig);
  offer(rig, {command("cmd_1"), twin(3)});
  rig.prepared();
  EXPECT_EQ(topics(rig).size(), 2U);
  offer(rig, {command("cmd_1"), twin(3)});
  EXPECT_EQ(rig.count<Prepare>(), 1U);
  rig.actions.clear();
  rig.puback(1);
  rig.puback(2);
  rig.actions.clear();
  offer(rig, {command("cmd_1"), twin(3)});
  EXPECT_EQ(rig.count<Prepare>(), 0U);
  offer(rig, {twin(4)});
  EXPECT_EQ(rig.count<Prepare>(), 1U);
}

TEST(Deliver, only_what_a_subscription_matches) {
  Rig rig;
  go_listening(rig, {}, "command/blink/+");
  offer(rig,
        {twin(1), {"command:x", "command/reboot/cmd_9", bytes_of("{}"), {}}, command("cmd_1")});
  rig.prepared();
  EXPECT_THAT(topics(rig), ElementsAre("command/blink/cmd_1"));
}

TEST(Deliver, overlapping_subscriptions_give_one_copy_at_the_highest_qos) {
  Rig rig;
  go_listening(rig, {}, "#", 0);
  rig.subscribe("command/#", 1);
  rig.took<Fetch>();
  rig.fetched({});
  rig.sent();
  offer(rig, {command("cmd_1"), twin(1)});
  rig.prepared();
  const auto packets = rig.sent();
  ASSERT_EQ(packets.size(), 2U);
  EXPECT_EQ(std::get<mqtt::Publish>(packets[0]).qos, 1);
  EXPECT_EQ(std::get<mqtt::Publish>(packets[1]).qos, 0);
}

TEST(Deliver, at_qos_0_once) {
  Rig rig;
  go_listening(rig, {}, "#", 0);
  offer(rig, {command("cmd_1")});
  const auto prepare = rig.took<Prepare>();
  EXPECT_TRUE(prepare->rows.empty());
  EXPECT_THAT(prepare->keys, ElementsAre("command:cmd_1"));
  rig.prepared();
  EXPECT_EQ(rig.sent_one<mqtt::Publish>().packet_id, 0);
  offer(rig, {command("cmd_1")});
  EXPECT_EQ(rig.count<Prepare>(), 0U);
  EXPECT_EQ(rig.session.in_flight(), 0U);
}

TEST(Deliver, the_window_is_the_smaller_of_both_sides) {
  for (const auto& [asked, window] :
       {std::pair<std::uint16_t, std::size_t>{0, 16}, {3, 3}, {40, 16}}) {
    Rig rig;
    go_listening(rig, {.receive_max = asked});
    offer(rig, commands(1, 20));
    rig.prepared();
    EXPECT_EQ(topics(rig).size(), window);
    EXPECT_EQ(rig.session.in_flight(), window);
    EXPECT_EQ(rig.count<Fetch>(), 0U);
    rig.puback(1);
    EXPECT_EQ(rig.count<Fetch>(), 1U);  // room again, and there was more
  }
}

TEST(Deliver, packet_ids_go_round_and_avoid_those_in_flight) {
  Kept kept;
  kept.tag = 1;
  kept.in_flight = {{1, "command:old"}, {65'534, "command:older"}};
  Rig rig;
  rig.go_quiet(connect_5({.clean = false, .expiry_s = 60}), kept);
  rig.subscribe("#");
  rig.saved();
  rig.actions.clear();
  Fetched fetched;
  fetched.resolved = {{"command:old", command("old")}, {"command:older", command("older")}};
  rig.fetched(std::move(fetched));
  rig.took<Fetch>();
  Fetched more;
  more.pending = commands(1, 3);
  rig.fetched(std::move(more));
  const auto rows = rig.took<Prepare>()->rows;
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].packet_id, 65'535);
  EXPECT_EQ(rows[1].packet_id, 2);  // not 0, which is none, and not 1, which flies
  EXPECT_EQ(rows[2].packet_id, 3);
}

TEST(Deliver, resends_with_dup_in_order_before_anything_new) {
  Kept kept;
  kept.tag = 7;
  kept.granted = {{"#", 1}};
  kept.in_flight = {{5, "command:cmd_1"}, {6, "twin:3"}, {9, "command:cmd_2"}};
  Rig rig;
  rig.go_live(connect_5({.clean = false, .expiry_s = 60}), kept);
  const auto fetch = rig.took<Fetch>();
  ASSERT_TRUE(fetch);
  EXPECT_THAT(fetch->resolve, ElementsAre("command:cmd_1", "twin:3", "command:cmd_2"));
  Fetched fetched;
  fetched.resolved = {{"command:cmd_1", command("cmd_1")},
                      {"twin:3", std::nullopt},
                      {"command:cmd_2", command("cmd_2")}};
  fetched.pending = {command("cmd_1"), command("cmd_2"), command("cmd_3")};
  rig.fetched(std::move(fetched));
  rig.prepared();
  std::vector<std::pair<std::uint16_t, bool>> sent;
  for (const auto& packet : rig.sent()) {
    if (const auto* publish = std::get_if<mqtt::Publish>(&packet))
      sent.emplace_back(publish->packet_id, publish->dup);
  }
  EXPECT_THAT(sent,
              ElementsAre(std::pair{std::uint16_t{5}, true}, std::pair{std::uint16_t{9}, true},
                          std::pair{std::uint16_t{10}, false}));
  EXPECT_THAT(rig.took<Forget>()->keys, ElementsAre("twin:3"));  // withdrawn meanwhile
  rig.puback(6);
  EXPECT_EQ(rig.session.take_tally().acks_unknown, 1U);
}

TEST(Deliver, a_full_window_of_resends_leaves_the_rest_for_later) {
  Kept kept;
  kept.tag = 7;
  kept.granted = {{"#", 1}};
  Fetched fetched;
  for (std::uint16_t i = 1; i <= 3; ++i) {
    kept.in_flight.push_back({i, "command:cmd_" + std::to_string(i)});
    fetched.resolved.emplace_back(kept.in_flight.back().key, command("cmd_" + std::to_string(i)));
  }
  kept.settled = {"twin:1"};
  Rig rig;
  rig.go_live(connect_5({.clean = false, .expiry_s = 60, .receive_max = 3}), kept);
  const auto first = rig.took<Fetch>();
  EXPECT_EQ(first->limit, 0U);
  rig.fetched(std::move(fetched));
  EXPECT_EQ(topics(rig).size(), 3U);
  EXPECT_EQ(rig.count<Forget>(), 0U);  // nothing was listed, so nothing is known to be gone
  rig.puback(1);
  const auto second = rig.took<Fetch>();
  ASSERT_TRUE(second);
  EXPECT_GT(second->limit, 0U);
}

TEST(Deliver, a_settled_key_survives_reconnection) {
  Kept kept;
  kept.tag = 7;
  kept.granted = {{"#", 1}};
  kept.settled = {"twin:3"};
  Rig rig;
  rig.go_quiet(connect_5({.clean = false, .expiry_s = 60}), kept);
  Fetched fetched;
  fetched.pending = {twin(3)};
  rig.fetched(std::move(fetched));
  EXPECT_EQ(rig.count<Prepare>(), 0U);
  EXPECT_TRUE(rig.sent().empty());
}

TEST(Deliver, but_a_subscription_asks_for_the_twin_again) {
  Kept kept;
  kept.tag = 7;
  kept.granted = {{"#", 1}};
  kept.settled = {"twin:3"};
  Rig rig;
  rig.go_quiet(connect_5({.clean = false, .expiry_s = 60}), kept);
  rig.fetched({});
  rig.actions.clear();
  rig.subscribe("twin/desired");
  rig.saved();
  ASSERT_TRUE(rig.took<Fetch>()->twin);
  Fetched fetched;
  fetched.twin = twin(3);
  fetched.pending = {twin(3), command("cmd_1")};
  rig.fetched(std::move(fetched));
  rig.prepared();
  EXPECT_THAT(topics(rig), ElementsAre("twin/desired", "command/blink/cmd_1"));
}

TEST(Deliver, what_is_no_longer_offered_is_forgotten) {
  Rig rig;
  go_listening(rig, {.clean = false, .expiry_s = 60});
  offer(rig, {twin(3)});
  rig.prepared();
  rig.puback(1);
  rig.actions.clear();
  offer(rig, {twin(4)});
  EXPECT_THAT(rig.took<Forget>()->keys, ElementsAre("twin:3"));
}

TEST(Deliver, past_its_deadline_nothing_is_sent) {
  Rig rig;
  go_listening(rig);
  offer(rig, {command("cmd_1", rig.now.wall), command("cmd_2", rig.now.wall + seconds(90))});
  rig.prepared();
  const auto publish = rig.sent_one<mqtt::Publish>();
  EXPECT_EQ(publish.topic, "command/blink/cmd_2");
  EXPECT_EQ(publish.properties.number(PropertyId::message_expiry), 90U);
  EXPECT_EQ(rig.session.take_tally().down_expired, 1U);
  Kept kept;
  kept.tag = 7;
  kept.in_flight = {{5, "command:cmd_1"}};
  Rig late;
  late.go_quiet(connect_5({.clean = false, .expiry_s = 60}), kept);
  Fetched fetched;
  fetched.resolved = {{"command:cmd_1", command("cmd_1", late.now.wall - seconds(1))}};
  late.fetched(std::move(fetched));
  EXPECT_TRUE(late.sent().empty());
  EXPECT_EQ(late.session.in_flight(), 0U);
  EXPECT_EQ(late.count<Forget>(), 1U);
}

TEST(Deliver, a_3_1_1_client_gets_no_properties) {
  Rig rig;
  rig.go_quiet(connect_3());
  rig.subscribe("#");
  rig.took<Fetch>();
  Fetched fetched;
  fetched.pending = {command("cmd_1", rig.now.wall + seconds(90))};
  rig.fetched(std::move(fetched));
  rig.sent();
  rig.prepared();
  EXPECT_TRUE(rig.sent_one<mqtt::Publish>().properties.empty());
}

TEST(Deliver, what_is_too_large_for_the_client_gives_its_slot_back) {
  Rig rig;
  go_listening(rig, {.receive_max = 1, .packet_max = 64});
  auto large = command("cmd_1");
  large.payload = Bytes(100, 'x');
  offer(rig, {large, command("c2")});
  rig.prepared();
  EXPECT_TRUE(rig.sent().empty());
  const auto settle = rig.took<Settle>();
  ASSERT_TRUE(settle);
  EXPECT_FALSE(settle->delivered);
  EXPECT_EQ(rig.count<Record>(), 1U);
  ASSERT_TRUE(rig.took<Fetch>());
  Fetched fetched;
  fetched.pending = {large, command("c2")};
  rig.fetched(std::move(fetched));
  rig.prepared();
  EXPECT_THAT(topics(rig), ElementsAre("command/blink/c2"));
}

TEST(Deliver, withdrawn_while_it_was_prepared) {
  Rig rig;
  go_listening(rig);
  offer(rig, commands(1, 2));
  rig.prepared(Prepared{{"command:cmd_1"}});
  EXPECT_THAT(topics(rig), ElementsAre("command/blink/cmd_2"));
  EXPECT_EQ(rig.session.in_flight(), 1U);
  EXPECT_THAT(rig.took<Forget>()->keys, ElementsAre("command:cmd_1"));
}

TEST(Deliver, a_store_that_fails_is_tried_again) {
  Rig rig;
  go_listening(rig);
  offer(rig, commands(1, 1));
  rig.prepared(fail(Code::disk_full, "full"));
  EXPECT_TRUE(rig.sent().empty());
  EXPECT_EQ(rig.session.in_flight(), 0U);
  EXPECT_EQ(rig.count<Fetch>(), 0U);
  EXPECT_EQ(rig.session.deadline(), rig.now.mono + seconds(5));
  rig.pass(seconds(5));
  rig.time();
  ASSERT_EQ(rig.count<Fetch>(), 1U);
  rig.actions.clear();
  rig.fetch_fails();
  rig.pass(seconds(5));
  rig.time();
  ASSERT_EQ(rig.count<Fetch>(), 1U);
  Fetched fetched;
  fetched.pending = commands(1, 1);
  rig.fetched(std::move(fetched));
  rig.prepared();
  EXPECT_EQ(topics(rig).size(), 1U);
}

TEST(Deliver, one_question_at_a_time) {
  Rig rig;
  go_listening(rig);
  rig.wake();
  rig.wake();
  EXPECT_EQ(rig.count<Fetch>(), 1U);
  rig.actions.clear();
  rig.fetched({});
  EXPECT_EQ(rig.count<Fetch>(), 1U);  // what came meanwhile is looked at
  rig.actions.clear();
  rig.fetched({});
  EXPECT_EQ(rig.count<Fetch>(), 0U);
}

TEST(Deliver, what_a_session_wants_is_found_behind_what_it_does_not) {
  Rig rig;
  go_listening(rig, {}, "twin/desired");
  std::vector<control::Down> all = commands(1, 100);
  all.push_back(twin(1));
  rig.wake();
  for (int round = 0; round < 6; ++round) {
    const auto fetch = rig.took<Fetch>();
    if (!fetch) break;
    Fetched fetched;
    fetched.pending.assign(
        all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(fetch->limit, all.size())));
    rig.fetched(std::move(fetched));
  }
  rig.prepared();
  EXPECT_THAT(topics(rig), ElementsAre("twin/desired"));
  EXPECT_EQ(rig.count<Fetch>(), 0U);
}

TEST(Deliver, looking_ends_at_a_bound) {
  Rig rig;
  go_listening(rig, {}, "twin/desired");
  rig.wake();
  int rounds = 0;
  while (const auto fetch = rig.took<Fetch>()) {
    Fetched fetched;
    fetched.pending = commands(1, static_cast<int>(fetch->limit));
    rig.fetched(std::move(fetched));
    ASSERT_LE(fetch->limit, kDownFetchMax);
    ASSERT_LT(++rounds, 10);
  }
  EXPECT_EQ(rounds, 6);  // 32, 64, ... 1024
}

TEST(Deliver, a_client_that_refuses_is_not_asked_again) {
  Rig rig;
  go_listening(rig);
  offer(rig, commands(1, 1));
  rig.prepared();
  rig.puback(1, Reason::quota_exceeded);
  EXPECT_FALSE(rig.took<Settle>()->delivered);
  EXPECT_EQ(rig.count<Record>(), 1U);
  offer(rig, commands(1, 1));
  EXPECT_EQ(rig.count<Prepare>(), 1U);  // that of before
}

TEST(Deliver, nothing_is_asked_for_while_the_client_takes_nothing) {
  Rig rig;
  go_listening(rig);
  rig.blocked(true);
  EXPECT_FALSE(rig.session.wants_input());
  rig.wake();
  EXPECT_EQ(rig.count<Fetch>(), 0U);
  rig.blocked(false);
  EXPECT_EQ(rig.count<Fetch>(), 1U);
  EXPECT_TRUE(rig.session.wants_input());
}

TEST(Deliver, remembered_keys_are_bounded) {
  Kept kept;
  kept.tag = 7;
  kept.granted = {{"#", 1}};
  for (std::size_t i = 0; i < kDownSettledMax; ++i)
    kept.settled.push_back("command:" + std::to_string(i));
  Rig rig;
  rig.go_live(connect_5({.clean = false, .expiry_s = 60}), kept);
  const auto fetch = rig.took<Fetch>();
  Fetched fetched;  // as many as were asked for: others may lie behind, so no key can be forgotten
  fetched.pending = commands(0, static_cast<int>(fetch->limit));
  for (std::size_t i = 0; i < fetch->limit; ++i)
    fetched.pending[i].key = "command:" + std::to_string(i);
  fetched.pending.back().key = "command:new";
  rig.fetched(std::move(fetched));
  EXPECT_EQ(rig.count<Forget>(), 0U);
  rig.prepared();
  rig.puback(1);
  EXPECT_THAT(rig.took<Forget>()->keys, ElementsAre("command:0"));
  EXPECT_EQ(rig.session.take_tally().settled_dropped, 1U);
}

}  // namespace
}  // namespace holdfast::hub
