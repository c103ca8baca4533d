#include "server/hub/down.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/hub/testing/fakes.hpp"
#include "server/hub/testing/session_rig.hpp"

namespace holdfast::hub {
namespace {
using testing::device_number;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DownTest : public ::testing::Test {
 protected:
  void SetUp() override {
    control.add(device, "cmd_1");
    control.add(device, "cmd_2");
    control.set_twin(device, 3);
  }
  DeviceId device = device_number(1);
  WallTime now{1'767'225'600'000'000};
  testing::FakeControl control;
};

TEST_F(DownTest, resolves_in_order_and_says_what_is_gone) {
  control.commands[device][0].state = "cancelled";
  const auto fetched =
      fetch(control, device, {{"command:cmd_2", "command:cmd_1", "twin:2", "twin:3"}, 0, false});
  ASSERT_TRUE(fetched);
  ASSERT_EQ(fetched->resolved.size(), 4U);
  EXPECT_EQ(fetched->resolved[0].first, "command:cmd_2");
  EXPECT_TRUE(fetched->resolved[0].second);
  EXPECT_FALSE(fetched->resolved[1].second);
  EXPECT_FALSE(fetched->resolved[2].second);
  EXPECT_TRUE(fetched->resolved[3].second);
  EXPECT_THAT(fetched->pending, IsEmpty());  // none was asked for
}

TEST_F(DownTest, asks_for_as_many_as_wanted) {
  const auto fetched = fetch(control, device, {{}, 2, false});
  ASSERT_TRUE(fetched);
  EXPECT_EQ(fetched->pending.size(), 2U);
  EXPECT_FALSE(fetched->twin);
}

TEST_F(DownTest, the_twin_if_there_is_one) {
  EXPECT_EQ(fetch(control, device, {{}, 1, true})->twin->key, "twin:3");
  EXPECT_FALSE(fetch(control, device_number(2), {{}, 1, true})->twin);
}

TEST_F(DownTest, what_was_withdrawn_is_not_sent) {
  control.commands[device][1].state = "cancelled";
  const auto prepared =
      tell_sent(control, device, {"command:cmd_1", "command:cmd_2", "twin:2", "command:none"}, now);
  ASSERT_TRUE(prepared);
  EXPECT_THAT(prepared->dropped, ElementsAre("command:cmd_2", "twin:2", "command:none"));
  EXPECT_EQ(control.commands[device][0].state, "sent");
}

TEST_F(DownTest, a_failure_sends_nothing) {
  control.fails = true;
  EXPECT_EQ(tell_sent(control, device, {"command:cmd_1"}, now).error().code, Code::io_error);
  EXPECT_FALSE(fetch(control, device, {{}, 5, false}));
}

}  // namespace
}  // namespace holdfast::hub
