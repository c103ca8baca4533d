#include <gtest/gtest.h>

#include "server/hub/testing/session_rig.hpp"

namespace holdfast::hub {
namespace {
using namespace testing;
using mqtt::PropertyId;
using mqtt::Reason;

Reason suback_of(Rig& rig) {
  const auto suback = rig.sent_one<mqtt::Suback>();
  EXPECT_EQ(suback.packet_id, 77);
  return suback.reasons.size() == 1 ? suback.reasons.front() : Reason::unspecified_error;
}

TEST(Subscribe, is_granted_at_qos_0_and_1) {
  Rig rig;
  rig.go_quiet(connect_5());
  rig.subscribe("command/#", 0);
  EXPECT_EQ(suback_of(rig), Reason::success);
  rig.subscribe("command/#", 1);
  EXPECT_EQ(suback_of(rig), Reason::granted_qos_1);
  rig.subscribe("command/#", 2);
  EXPECT_EQ(suback_of(rig), Reason::granted_qos_1);
}

TEST(Subscribe, anything_well_formed_is_granted) {
  for (const auto* filter : {"#", "+", "telemetry/lab", "devices/other/#", "$SYS/#"}) {
    Rig rig;
    rig.go_quiet(connect_5());
    rig.subscribe(filter);
    EXPECT_EQ(suback_of(rig), Reason::granted_qos_1) << filter;
  }
}

TEST(Subscribe, refusals) {
  Rig rig;
  rig.go_quiet(connect_5());
  rig.subscribe("a/#/b");
  EXPECT_EQ(suback_of(rig), Reason::topic_filter_invalid);
  rig.subscribe("$share/g/command/#");
  EXPECT_EQ(suback_of(rig), Reason::shared_not_supported);
  EXPECT_EQ(rig.count<Record>(), 2U);
  EXPECT_EQ(rig.count<SaveGranted>(), 0U);
  Rig old;
  old.go_quiet(connect_3());
  old.subscribe("$share/g/command/#");
  EXPECT_EQ(old.raw(), (Bytes{0x90, 3, 0, 77, 0x80}));
}

TEST(Subscribe, each_filter_has_its_own_answer) {
  Rig rig;
  rig.go_quiet(connect_5());
  mqtt::Subscribe subscribe;
  subscribe.packet_id = 5;
  subscribe.subscriptions = {{"command/#", 1, false, false, 0},
                             {"a/#/b", 1, false, false, 0},
                             {"twin/desired", 0, false, false, 0}};
  rig.packet(subscribe);
  EXPECT_EQ(
      rig.sent_one<mqtt::Suback>().reasons,
      (std::vector<Reason>{Reason::granted_qos_1, Reason::topic_filter_invalid, Reason::success}));
}

TEST(Subscribe, there_is_a_bound) {
  Rig rig;
  rig.go_quiet(connect_5());
  for (std::size_t i = 0; i < kSubscriptionsMax; ++i) {
    rig.subscribe("x/" + std::to_string(i));
    EXPECT_EQ(suback_of(rig), Reason::granted_qos_1);
  }
  rig.subscribe("one/more");
  EXPECT_EQ(suback_of(rig), Reason::quota_exceeded);
  rig.subscribe("x/0", 0);  // replacing is no more
  EXPECT_EQ(suback_of(rig), Reason::success);
}

TEST(Subscribe, what_ends_the_connection) {
  Rig id;
  id.go_quiet(connect_5());
  mqtt::Subscribe subscribe;
  subscribe.packet_id = 5;
  subscribe.subscriptions = {{"command/#", 1, false, false, 0}};
  subscribe.properties.set(PropertyId::subscription_id, 3);
  id.packet(subscribe);
  EXPECT_EQ(id.sent_one<mqtt::Disconnect>().reason, Reason::subscription_id_not_supported);
  Rig local;
  local.go_quiet(connect_5());
  subscribe.properties = {};
  subscribe.subscriptions = {{"$share/g/command/#", 1, true, false, 0}};
  local.packet(subscribe);
  EXPECT_EQ(local.raw(), (Bytes{0xE0, 1, 0x82}));  // the short form
}

TEST(Subscribe, of_a_kept_session_is_acknowledged_when_stored) {
  Rig rig;
  rig.go_quiet(connect_5({.clean = false, .expiry_s = 60}));
  rig.subscribe("command/#");
  const auto save = rig.took<SaveGranted>();
  ASSERT_TRUE(save);
  EXPECT_EQ(save->granted, (std::vector<Granted>{{"command/#", 1}}));
  EXPECT_TRUE(rig.sent().empty());
  EXPECT_EQ(rig.count<Fetch>(), 0U);
  rig.saved();
  EXPECT_EQ(suback_of(rig), Reason::granted_qos_1);
  EXPECT_EQ(rig.count<Fetch>(), 1U);
}

TEST(Subscribe, answers_come_in_order) {
  Rig rig;
  rig.go_quiet(connect_5({.clean = false, .expiry_s = 60}));
  rig.subscribe("command/#");
  mqtt::Unsubscribe unsubscribe;
  unsubscribe.packet_id = 78;
  unsubscribe.filters = {"command/#", "never"};
  rig.packet(unsubscribe);
  EXPECT_EQ(rig.count<SaveGranted>(), 2U);
  rig.saved();
  EXPECT_EQ(suback_of(rig), Reason::granted_qos_1);
  rig.saved();
  const auto unsuback = rig.sent_one<mqtt::Unsuback>();
  EXPECT_EQ(unsuback.packet_id, 78);
  EXPECT_EQ(unsuback.reasons,
            (std::vector<Reason>{Reason::success, Reason::no_subscription_existed}));
}

TEST(Subscribe, too_many_that_wait_are_read_later) {
  Rig rig;
  rig.go_quiet(connect_5({.clean = false, .expiry_s = 60}));
  int sent = 0;
  while (rig.session.wants_input()) rig.subscribe("x/" + std::to_string(sent++));
  EXPECT_EQ(sent, 8);
  rig.saved();
  EXPECT_TRUE(rig.session.wants_input());
}

TEST(Subscribe, a_store_that_fails_ends_the_connection) {
  Rig rig;
  rig.go_quiet(connect_5({.clean = false, .expiry_s = 60}));
  rig.subscribe("command/#");
  rig.saved(fail(Code::disk_full, "full"));
  EXPECT_EQ(rig.sent_one<mqtt::Disconnect>().reason, Reason::quota_exceeded);
  EXPECT_EQ(rig.took<Close>()->code, Code::disk_full);
}

TEST(Unsubscribe, of_nothing_is_answered_at_once) {
  Rig rig;
  rig.go_quiet(connect_5({.clean = false, .expiry_s = 60}));
  mqtt::Unsubscribe unsubscribe;
  unsubscribe.packet_id = 1;
  unsubscribe.filters = {"command/#"};
  rig.packet(unsubscribe);
  EXPECT_EQ(rig.sent_one<mqtt::Unsuback>().reasons,
            (std::vector<Reason>{Reason::no_subscription_existed}));
  EXPECT_EQ(rig.count<SaveGranted>(), 0U);
}

TEST(Unsubscribe, ends_the_flow) {
  Rig rig;
  rig.go_quiet(connect_5());
  rig.subscribe("command/#");
  rig.took<Fetch>();
  rig.fetched({});
  mqtt::Unsubscribe unsubscribe;
  unsubscribe.packet_id = 1;
  unsubscribe.filters = {"command/#"};
  rig.packet(unsubscribe);
  rig.wake();
  EXPECT_EQ(rig.count<Fetch>(), 0U);
}

TEST(Subscribe, the_twin_is_asked_for_as_retain_handling_says) {
  struct Case {
    std::uint8_t retain_handling;
    bool existed;
    bool twin;
  };
  for (const Case& each : {Case{0, false, true}, Case{0, true, true}, Case{1, false, true},
                           Case{1, true, false}, Case{2, false, false}, Case{2, true, false}}) {
    Rig rig;
    rig.go_quiet(connect_5());
    if (each.existed) {
      rig.subscribe("twin/desired");
      rig.took<Fetch>();
      rig.fetched({});
    }
    rig.actions.clear();
    rig.subscribe("twin/desired", 1, each.retain_handling);
    const auto fetch = rig.took<Fetch>();
    ASSERT_TRUE(fetch);
    EXPECT_EQ(fetch->twin, each.twin) << int{each.retain_handling} << each.existed;
  }
  Rig commands;
  commands.go_quiet(connect_5());
  commands.subscribe("command/#");
  EXPECT_FALSE(commands.took<Fetch>()->twin);
}

}  // namespace
}  // namespace holdfast::hub
