#include "server/hub/upstream.hpp"

#include <gtest/gtest.h>

#include "libs/os/sim/simulation.hpp"
#include "server/hub/testing/fakes.hpp"
#include "server/hub/testing/session_rig.hpp"

namespace holdfast::hub {
namespace {
using testing::device_number;

class FullWorkers final : public os::Workers {
 public:
  bool post(os::Task) override { return false; }
  void call(os::Task) override {}
};

class UpstreamTest : public ::testing::Test {
 protected:
  std::shared_ptr<Upstream> make(os::Workers& on) {
    return std::make_shared<Upstream>(world.node("server").system().clock, on, devices, control,
                                      telemetry, metrics);
  }
  Status submit(Upstream& to, Up kind, std::string_view name, std::string_view payload) {
    std::optional<Status> answer;
    int answers = 0;
    to.submit({device_number(1), {kind, name}, view_of(payload), {}}, [&](Status status) {
      answer = std::move(status);
      ++answers;
    });
    world.run_for(milliseconds(1));
    EXPECT_EQ(answers, 1);
    return answer.value_or(fail(Code::internal, "never answered"));
  }

  os::sim::Simulation world{1};
  std::unique_ptr<os::Workers> workers =
      world.node("server").system().threads.start_workers("w", 2, 100);
  Metrics metrics;
  testing::FakeDevices devices;
  testing::FakeControl control;
  testing::FakeTelemetry telemetry;
  std::shared_ptr<Upstream> upstream = make(*workers);
};

TEST_F(UpstreamTest, every_kind_has_a_way) {
  control.add(device_number(1), "cmd_1");
  EXPECT_TRUE(submit(*upstream, Up::hello, {}, R"({"version":"x","protocol":1})"));
  EXPECT_TRUE(submit(*upstream, Up::telemetry, "lab", "{}"));
  EXPECT_TRUE(submit(*upstream, Up::event, "door", "{}"));
  EXPECT_TRUE(submit(*upstream, Up::log, {}, "{}"));
  EXPECT_TRUE(submit(*upstream, Up::inventory, {}, "{}"));
  EXPECT_TRUE(submit(*upstream, Up::twin_reported, {}, "{}"));
  EXPECT_TRUE(submit(*upstream, Up::reply, "cmd_1", "{}"));
  EXPECT_EQ(devices.hellos.size() + devices.inventories.size(), 2U);
  EXPECT_EQ(telemetry.stored.size(), 3U);
  EXPECT_EQ(control.reported.size() + control.replies.size(), 2U);
  for (std::size_t i = 0; i < kUpKinds; ++i) {
    const auto row = "holdfast_hub_messages_up_total{kind=\"" +
                     std::string(name_of(static_cast<Up>(i))) + "\"} 1";
    EXPECT_NE(metrics.text().find(row), std::string::npos) << row;
  }
}

TEST_F(UpstreamTest, errors_of_the_domains_come_back) {
  devices.hello_answer = fail(Code::disk_full, "full");
  EXPECT_EQ(submit(*upstream, Up::hello, {}, R"({"version":"x","protocol":1})").error().code,
            Code::disk_full);
  telemetry.answer = fail(Code::quota_exceeded, "metrics");
  EXPECT_EQ(submit(*upstream, Up::telemetry, "lab", "{}").error().code, Code::quota_exceeded);
  EXPECT_TRUE(telemetry.events.empty());
}

TEST_F(UpstreamTest, a_payload_that_does_not_parse_is_kept_up_to_a_bound) {
  const std::string payload(5'000, 'x');
  EXPECT_EQ(submit(*upstream, Up::inventory, {}, payload).error().code, Code::payload_malformed);
  ASSERT_EQ(telemetry.events.size(), 1U);
  const auto& event = telemetry.events[0];
  EXPECT_EQ(event.kind, "payload_malformed");
  EXPECT_EQ(event.device, device_number(1));
  EXPECT_EQ(std::get<std::string>(event.fields.at("topic")), "inventory");
  EXPECT_EQ(std::get<std::int64_t>(event.fields.at("payload_bytes")), 5'000);
  EXPECT_EQ(from_base64(std::get<std::string>(event.fields.at("payload_base64")))->size(), 1'024U);
}

TEST_F(UpstreamTest, entries_in_timelines_are_bounded) {
  for (int i = 0; i < 300; ++i) static_cast<void>(submit(*upstream, Up::hello, {}, "x"));
  EXPECT_LT(telemetry.events.size(), 220U);
  EXPECT_GE(telemetry.events.size(), 200U);
}

TEST_F(UpstreamTest, a_reply_to_nothing_is_refused_and_told) {
  EXPECT_EQ(submit(*upstream, Up::reply, "cmd_9", "{}").error().code, Code::topic_refused);
  ASSERT_EQ(telemetry.events.size(), 1U);
  EXPECT_EQ(telemetry.events[0].kind, "refused");
  EXPECT_EQ(std::get<std::string>(telemetry.events[0].fields.at("topic")), "reply/cmd_9");
}

TEST_F(UpstreamTest, without_workers_nothing_is_taken) {
  FullWorkers full;
  const auto busy = make(full);
  for (const auto kind : {Up::hello, Up::inventory, Up::twin_reported, Up::reply}) {
    EXPECT_TRUE(one_at_a_time(kind));
    EXPECT_EQ(submit(*busy, kind, "x", "{}").error().code, Code::overloaded);
  }
  EXPECT_TRUE(submit(*busy, Up::telemetry, "lab", "{}"));  // needs none
  for (const auto kind : {Up::telemetry, Up::event, Up::log}) EXPECT_FALSE(one_at_a_time(kind));
}

TEST_F(UpstreamTest, work_that_is_under_way_outlives_its_owner) {
  bool answered = false;
  upstream->submit({device_number(1), {Up::twin_reported, {}}, view_of("{}"), {}},
                   [&](const Status& status) {
                     EXPECT_TRUE(status);
                     answered = true;
                   });
  upstream.reset();
  world.run_for(milliseconds(1));
  EXPECT_TRUE(answered);
}

}  // namespace
}  // namespace holdfast::hub
