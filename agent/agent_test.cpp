#include "agent/agent.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "agent/testing/lab.hpp"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Lab;
using testing::must;
using ::testing::Not;
using ::testing::SizeIs;
using wire::mqtt::Reason;

std::string member_of(const std::string& payload, std::string_view key) {
  const auto json = wire::parse_json(payload);
  if (!json || !json->is_object() || !json->get_object().contains(key)) return "";
  return wire::json_text(json->get_object().at(key));
}

TEST(AgentTest, RefusesToRunUnjoined) {
  Lab lab;
  const auto booted = lab.boot();
  ASSERT_FALSE(booted);
  EXPECT_THAT(booted.error().message, HasSubstr("holdfast-agent join"));
  EXPECT_FALSE(os::exists(lab.node.system().files, Lab::kState)) << "looking made a folder";
}

TEST(AgentTest, SaysHelloFirstThenInventoryAndTheFirstSampleAtOnce) {
  Lab lab;
  lab.join_and_boot();
  ASSERT_TRUE(lab.within(seconds(2), [&] { return lab.server.count("telemetry/load") == 1; }))
      << "the first sample must not wait for the interval";
  ASSERT_TRUE(lab.within(seconds(2), [&] { return lab.server.count("inventory") == 1; }));
  EXPECT_EQ(lab.server.messages.front().topic, "hello");
  EXPECT_EQ(member_of(lab.server.messages.front().payload, "version"), "\"holdfast-agent 1.2.3\"");
  EXPECT_EQ(lab.server.count("twin/reported"), 1u);
  EXPECT_THAT(lab.server.of("inventory").front().payload,
              Not(HasSubstr(lab.probe->facts_.machine_id)));
}

TEST(AgentTest, SamplesAtTheInterval) {
  Lab lab;
  lab.join_and_boot();
  ASSERT_TRUE(lab.online());
  lab.simulation.run_for(seconds(100));
  const auto samples = lab.server.of("telemetry/cpu");
  EXPECT_GE(samples.size(), 10u);
  EXPECT_LE(samples.size(), 11u);
  EXPECT_EQ(member_of(samples.back().payload, "usage_percent"), "30.0");
  EXPECT_EQ(lab.server.count("inventory"), 1u) << "an unchanged inventory is not sent again";
  EXPECT_EQ(lab.agent->waiting(), 0u);
}

TEST(AgentTest, SendsAChangedInventory) {
  Lab lab;
  lab.join_and_boot();
  ASSERT_TRUE(lab.within(seconds(5), [&] { return lab.server.count("inventory") == 1; }));
  lab.probe->facts_.kernel = "6.2";
  ASSERT_TRUE(lab.within(minutes(11), [&] { return lab.server.count("inventory") == 2; }));
  EXPECT_THAT(lab.server.of("inventory").back().payload, HasSubstr("6.2"));
}

TEST(AgentTest, WhatWasSampledDuringACutArrivesOnceAndInOrder) {
  Lab lab;
  lab.join_and_boot();
  ASSERT_TRUE(lab.online());
  lab.simulation.links().isolate(lab.node);
  lab.simulation.run_for(minutes(30));
  const auto before = lab.server.count("telemetry/load");
  EXPECT_GT(lab.agent->waiting(), 100u);
  lab.simulation.links().heal_all();
  ASSERT_TRUE(
      lab.within(minutes(20), [&] { return lab.agent->online() && lab.agent->waiting() == 0; }));
  const auto samples = lab.server.of("telemetry/load");
  EXPECT_GE(samples.size(), before + 170);
  std::vector<std::string> times;
  for (const auto& each : samples) times.push_back(member_of(each.payload, "time"));
  EXPECT_THAT(std::set<std::string>(times.begin(), times.end()), SizeIs(times.size()))
      << "a reading was stored twice";
}

TEST(AgentTest, MessagesWithoutAcknowledgementAreSentAgainAsRepeats) {
  Lab lab;
  lab.join_and_boot();
  lab.server.acknowledge = false;
  ASSERT_TRUE(lab.within(seconds(15), [&] { return lab.server.messages.size() >= 8; }));
  EXPECT_THAT(lab.server.messages, SizeIs(8)) << "the server's Receive Maximum is 8";
  lab.server.acknowledge = true;
  lab.simulation.links().reset_connections(lab.node, lab.server.node());
  ASSERT_TRUE(lab.within(minutes(2), [&] { return lab.agent->waiting() == 0; }));
  EXPECT_TRUE(std::ranges::any_of(lab.server.messages, &testing::Received::dup));
  EXPECT_EQ(lab.server.count("inventory"), 1u) << "the repeat is known by DUP and packet id";
}

TEST(AgentTest, ASessionThatTheServerForgotGetsThemAsNewMessages) {
  Lab lab;
  lab.join_and_boot();
  lab.server.acknowledge = false;
  ASSERT_TRUE(lab.within(seconds(15), [&] { return lab.server.messages.size() == 8; }));
  lab.server.acknowledge = true;
  lab.server.forget_sessions = true;
  lab.simulation.links().reset_connections(lab.node, lab.server.node());
  ASSERT_TRUE(lab.within(minutes(2), [&] { return lab.agent->waiting() == 0; }));
  EXPECT_FALSE(std::ranges::any_of(lab.server.messages, &testing::Received::dup));
}

TEST(AgentTest, KeepsWhatTheServerCannotStoreNowAndDropsWhatItNeverWill) {
  Lab lab;
  lab.join_and_boot();
  lab.server.publish_reason = Reason::quota_exceeded;
  ASSERT_TRUE(lab.within(minutes(1), [&] { return lab.agent->waiting() > 10; }));
  const std::size_t sent = lab.server.messages.size();
  lab.simulation.run_for(seconds(60));
  EXPECT_LT(lab.server.messages.size(), sent + 80) << "it must be patient, not loop";
  lab.server.publish_reason = Reason::success;
  ASSERT_TRUE(lab.within(minutes(1), [&] { return lab.agent->waiting() == 0; }));

  lab.server.publish_reason = Reason::payload_format_invalid;
  const auto refused = lab.agent->counters().refused;
  ASSERT_TRUE(lab.within(minutes(1), [&] { return lab.agent->counters().refused > refused; }));
  lab.simulation.run_for(seconds(5));
  EXPECT_EQ(lab.agent->waiting(), 0u);
}

TEST(AgentTest, AQuarantinedDeviceComesBackSlowlyAndIsReleased) {
  Lab lab;
  lab.server.connect_reason = Reason::not_authorized;
  lab.join_and_boot();
  lab.simulation.run_for(hours(1));
  EXPECT_GE(lab.server.connects, 12);
  EXPECT_LE(lab.server.connects, 60) << "at least a minute apart";
  EXPECT_TRUE(lab.logged("does not let this device in"));
  lab.server.connect_reason = Reason::success;
  EXPECT_TRUE(lab.online(minutes(6)));
}

TEST(AgentTest, ALiveDeviceThatIsQuarantinedWaits) {
  Lab lab;
  lab.join_and_boot();
  ASSERT_TRUE(lab.online());
  const int before = lab.server.connects;
  lab.server.close_all(Reason::not_authorized);
  lab.simulation.run_for(seconds(59));
  EXPECT_EQ(lab.server.connects, before);
  EXPECT_TRUE(lab.online(minutes(6)));
}

TEST(AgentTest, SaysGoodbye) {
  Lab lab;
  lab.join_and_boot();
  ASSERT_TRUE(lab.online());
  bool done = false;
  lab.agent->stop([&] { done = true; });
  EXPECT_TRUE(lab.within(seconds(2), [&] { return done; }));
  EXPECT_TRUE(lab.within(seconds(1), [&] { return lab.server.disconnects == 1; }));
}

TEST(AgentTest, StopsWithoutAServer) {
  Lab lab;
  lab.join_and_boot();
  lab.simulation.links().isolate(lab.node);
  lab.simulation.run_for(seconds(40));
  bool done = false;
  lab.agent->stop([&] { done = true; });
  EXPECT_TRUE(lab.within(seconds(3), [&] { return done; }));
}

// ---- commands

TEST(AgentTest, CarriesOutItsCommands) {
  Lab lab;
  lab.join_and_boot();
  ASSERT_TRUE(lab.online());
  const auto id = lab.server.send("command/ping/cmd_1", R"({"payload":{"n":5}})");
  lab.server.send("command/log-level/cmd_2", R"({"payload":{"level":"debug"}})");
  lab.server.send("command/blink/cmd_3", R"({"payload":null})");
  lab.server.send("command/log-level/cmd_4", R"({"payload":{"level":"loud"}})");
  lab.server.send("command/ping/cmd_5", "no json");
  lab.server.send("command/ping/cmd_6", R"({"deadline":"2025-12-31T00:00:00Z"})");
  ASSERT_TRUE(lab.within(seconds(5), [&] { return lab.server.count("reply/cmd_6") == 1; }));
  EXPECT_TRUE(lab.server.was_acknowledged(id));
  EXPECT_THAT(lab.server.of("reply/cmd_1").front().payload, HasSubstr(R"("echo":{"n":5})"));
  EXPECT_THAT(lab.server.of("reply/cmd_2").front().payload, HasSubstr(R"("status":"ok")"));
  EXPECT_EQ(lab.agent->settings().log_level, Level::debug);
  EXPECT_THAT(lab.server.of("reply/cmd_3").front().payload, HasSubstr("unknown-command"));
  EXPECT_THAT(lab.server.of("reply/cmd_4").front().payload, HasSubstr("invalid-argument"));
  EXPECT_THAT(lab.server.of("reply/cmd_5").front().payload, HasSubstr("malformed"));
  EXPECT_THAT(lab.server.of("reply/cmd_6").front().payload, HasSubstr("deadline-passed"));
}

TEST(AgentTest, ReportTakesASampleNow) {
  Lab lab;
  lab.options.settings.sample_interval = hours(1);
  lab.join_and_boot();
  ASSERT_TRUE(lab.within(seconds(5), [&] { return lab.server.count("telemetry/load") == 1; }));
  lab.simulation.run_for(seconds(5));
  lab.server.send("command/report/cmd_1", R"({"payload":null})");
  EXPECT_TRUE(lab.within(seconds(2), [&] { return lab.server.count("telemetry/load") == 2; }));
}

TEST(AgentTest, ACommandThatComesTwiceRunsOnceAlsoAcrossARestart) {
  Lab lab;
  lab.join_and_boot();
  ASSERT_TRUE(lab.online());
  lab.server.send("command/ping/cmd_1", R"({"payload":1})");
  lab.server.send("command/ping/cmd_1", R"({"payload":1})", true);
  ASSERT_TRUE(lab.within(seconds(5), [&] { return lab.server.count("reply/cmd_1") >= 1; }));
  EXPECT_EQ(lab.agent->counters().commands_run, 1u);
  const std::string reply = lab.server.of("reply/cmd_1").front().payload;

  lab.node.crash();
  lab.shut();
  lab.node.restart();
  must(lab.boot());
  ASSERT_TRUE(lab.online());
  lab.server.send("command/ping/cmd_1", R"({"payload":1})", true);
  ASSERT_TRUE(lab.within(seconds(5), [&] { return lab.server.count("reply/cmd_1") >= 2; }));
  EXPECT_EQ(lab.agent->counters().commands_run, 0u);
  EXPECT_EQ(lab.server.of("reply/cmd_1").back().payload, reply);
}

TEST(AgentTest, ACommandIsNotAcknowledgedBeforeItIsWrittenDown) {
  Lab lab;
  lab.join_and_boot();
  ASSERT_TRUE(lab.online());
  lab.simulation.run_for(seconds(5));
  auto& disk = lab.node.disk();
  disk.fail_at(disk.operations() + 1);
  const auto id = lab.server.send("command/ping/cmd_1", R"({"payload":1})");
  lab.simulation.run_for(seconds(1));
  EXPECT_FALSE(lab.server.was_acknowledged(id));
  EXPECT_EQ(lab.agent->counters().commands_run, 0u);
}

// ---- twin

TEST(AgentTest, AppliesTheDesiredStateReportsItAndKeepsIt) {
  Lab lab;
  lab.join_and_boot();
  ASSERT_TRUE(lab.online());
  lab.server.send("twin/desired",
                  R"({"version":7,"desired":{"sample_interval_s":2,"mode":"eco"}})");
  ASSERT_TRUE(lab.within(seconds(5), [&] { return lab.server.count("twin/reported") == 2; }));
  EXPECT_THAT(lab.server.of("twin/reported").back().payload,
              HasSubstr(R"("sample_interval_s":2,"log_level":"info","desired_version":7)"));
  EXPECT_THAT(lab.server.of("twin/reported").back().payload, HasSubstr(R"("refused":{"mode":)"));
  const auto before = lab.server.count("telemetry/load");
  lab.simulation.run_for(seconds(20));
  EXPECT_NEAR(static_cast<double>(lab.server.count("telemetry/load") - before), 10, 1);

  lab.server.send("twin/desired", R"({"version":6,"desired":{"sample_interval_s":1}})");
  lab.simulation.run_for(seconds(1));
  EXPECT_EQ(lab.agent->settings().sample_interval, seconds(2)) << "an older version is ignored";

  lab.node.crash();
  lab.shut();
  lab.node.restart();
  must(lab.boot());
  EXPECT_EQ(lab.agent->settings().sample_interval, seconds(2));
}

// ---- certificates

// Months pass in these: with little traffic.
void calm(Lab& lab) {
  lab.options.settings.sample_interval = hours(12);
  lab.options.inventory_interval = days(1);
  lab.options.keep_alive_s = 1200;
}

// Looks every hour only: the identity is a file.
bool within_days(Lab& lab, int limit, const std::function<bool()>& condition) {
  for (int i = 0; i < limit * 24; ++i) {
    if (condition()) return true;
    lab.simulation.run_for(hours(1));
  }
  return condition();
}

TEST(AgentTest, RenewsWithANewKeyAndDropsTheOldOneWhenTheNewOneWorked) {
  Lab lab;
  calm(lab);
  lab.join_and_boot();
  ASSERT_TRUE(lab.online());
  const auto old = *lab.identity();
  ASSERT_TRUE(within_days(lab, 86, [&] {
    return lab.server.csrs.size() == 2 && lab.identity()->current != old.current;
  }));
  const WallTime now = lab.simulation.wall();
  EXPECT_GE(now, lab.server.pki().now() + days(40));
  EXPECT_FALSE(lab.identity()->next);
  EXPECT_TRUE(lab.online());
  EXPECT_NE(lab.server.certificates_seen.front(), lab.server.certificates_seen.back());
  EXPECT_GT(lab.identity()->renew_at, now + days(39));
  const auto keys = must(lab.node.system().files.list(std::string(Lab::kState) + "/keys"));
  EXPECT_THAT(keys, SizeIs(1));
}

TEST(AgentTest, ALostRenewalIsAskedForAgainWithTheSameRequest) {
  Lab lab;
  calm(lab);
  lab.join_and_boot();
  ASSERT_TRUE(lab.online());
  lab.server.lost_certificates = 2;
  const auto old = *lab.identity();
  ASSERT_TRUE(within_days(lab, 86, [&] { return lab.identity()->current != old.current; }));
  EXPECT_THAT(lab.server.csrs, SizeIs(2)) << "one to join, one to renew";
}

TEST(AgentTest, WhenTheRenewedCertificateIsRefusedTheOldOneGoesOn) {
  Lab lab;
  calm(lab);
  lab.join_and_boot();
  ASSERT_TRUE(lab.online());
  const auto old = *lab.identity();
  ASSERT_TRUE(lab.within(days(86), [&] { return lab.server.csrs.size() == 2; }));
  lab.server.connect_reason = Reason::not_authorized;
  const std::size_t seen = lab.server.certificates_seen.size();
  ASSERT_TRUE(
      lab.within(hours(1), [&] { return lab.server.certificates_seen.size() >= seen + 3; }));
  EXPECT_EQ(lab.identity()->current, old.current);
  const std::set<std::string> used(lab.server.certificates_seen.begin() + static_cast<long>(seen),
                                   lab.server.certificates_seen.end());
  EXPECT_THAT(used, SizeIs(2)) << "the two take turns";
  lab.server.connect_reason = Reason::success;
  EXPECT_TRUE(lab.online());
}

// ---- clocks

TEST(AgentTest, AClockAt1970JoinsConnectsAndTellsTheTimeOnceItIsSet) {
  Lab lab;
  const Duration off = lab.simulation.wall() - WallTime{};
  lab.node.jump_wall(Duration{} - off);
  lab.join_and_boot();
  ASSERT_TRUE(lab.within(seconds(5), [&] { return lab.server.count("telemetry/load") == 1; }));
  EXPECT_THAT(member_of(lab.server.of("telemetry/load").front().payload, "time"),
              HasSubstr("1970"));
  lab.simulation.links().isolate(lab.node);
  lab.simulation.run_for(minutes(5));
  lab.node.jump_wall(off);
  const WallTime healed = lab.simulation.wall();
  lab.simulation.links().heal_all();
  const auto before = lab.server.count("telemetry/load");
  ASSERT_TRUE(
      lab.within(minutes(20), [&] { return lab.server.count("telemetry/load") > before + 20; }));
  const std::string time = member_of(lab.server.of("telemetry/load")[before + 20].payload, "time");
  const auto told = must(from_rfc3339(time.substr(1, time.size() - 2)));
  EXPECT_LT(told, healed) << "taken before the clock was set";
  EXPECT_GT(told, healed - minutes(6));
}

// Not set for months: no battery, no NTP. It lives by the server's time, renews in its window and
// marks its readings with days that are true.
TEST(AgentTest, AClockThatIsNeverSetRenewsByTheServersTime) {
  Lab lab;
  calm(lab);
  lab.node.jump_wall(WallTime{} - lab.simulation.wall());
  lab.join_and_boot();
  ASSERT_TRUE(lab.online());
  const WallTime joined = lab.simulation.wall();
  const auto old = *lab.identity();
  ASSERT_TRUE(lab.within(minutes(1), [&] { return lab.logged("the server's time is used"); }));
  ASSERT_TRUE(within_days(lab, 86, [&] {
    return lab.server.csrs.size() == 2 && lab.identity()->current != old.current;
  }));
  EXPECT_GE(lab.simulation.wall(), joined + days(40) - minutes(10));
  EXPECT_LT(lab.node.system().clock.wall(), WallTime{} + days(90)) << "the clock was set";
  EXPECT_TRUE(lab.within(hours(1), [&] { return lab.agent->online(); }));
  const auto before = lab.server.count("telemetry/load");
  ASSERT_TRUE(lab.within(hours(13), [&] { return lab.server.count("telemetry/load") > before; }));
  const std::string time = member_of(lab.server.of("telemetry/load").back().payload, "time");
  const auto told = must(from_rfc3339(time.substr(1, time.size() - 2)));
  EXPECT_GT(told, lab.simulation.wall() - minutes(1));
  EXPECT_LE(told, lab.simulation.wall() + minutes(1));
}

// ---- it holds

TEST(AgentTest, ABrokenDiskDoesNotSilenceAConnectedDevice) {
  Lab lab;
  lab.join_and_boot();
  ASSERT_TRUE(lab.online());
  lab.simulation.run_for(seconds(5));
  lab.node.disk().set_capacity(lab.node.disk().used());
  const auto before = lab.server.count("telemetry/load");
  EXPECT_TRUE(
      lab.within(minutes(5), [&] { return lab.server.count("telemetry/load") > before + 5; }));
}

// Power goes at every disk operation of a busy minute: the agent comes back, and what the server
// acknowledged is never told twice.
TEST(AgentTest, SurvivesAPowerCutAtEveryDiskOperation) {
  std::uint64_t first = 0, last = 0;
  const auto scenario = [](Lab& lab) {
    lab.server.send("command/ping/cmd_1", R"({"payload":1})");
    lab.server.send("twin/desired", R"({"version":1,"desired":{"sample_interval_s":5}})");
    lab.simulation.run_for(seconds(12));
  };
  {
    Lab lab(7);
    lab.join_and_boot();
    ASSERT_TRUE(lab.online());
    first = lab.node.disk().operations();
    scenario(lab);
    last = lab.node.disk().operations();
  }
  ASSERT_GT(last, first + 20);
  for (std::uint64_t at = first + 1; at <= last; ++at) {
    SCOPED_TRACE("operation " + std::to_string(at));
    Lab lab(7);
    lab.join_and_boot();
    ASSERT_TRUE(lab.online());
    lab.node.disk().crash_at(at);
    scenario(lab);
    if (lab.node.up()) lab.node.crash();
    lab.shut();
    lab.node.restart();
    const auto booted = lab.boot();
    ASSERT_TRUE(booted) << booted.error().text();
    ASSERT_TRUE(lab.online());
    lab.server.send("command/ping/cmd_1", R"({"payload":1})", true);
    ASSERT_TRUE(lab.within(minutes(1), [&] {
      return lab.server.count("reply/cmd_1") > 0 && lab.agent->waiting() == 0;
    }));
    EXPECT_LE(lab.agent->spool_counters().readings_dropped, 0u);
  }
}

// Power goes at every disk operation of a renewal: whatever is on disk afterwards, the device has a
// key and a certificate that the server knows, comes back with them, and renews in the end.
TEST(AgentTest, SurvivesAPowerCutAtEveryDiskOperationOfARenewal) {
  const auto ready = [](Lab& lab) {
    calm(lab);
    lab.server.lifetime = days(6);  // sooner there
    lab.join_and_boot();
    return lab.online();
  };
  const auto renewed = [](Lab& lab, const Bytes& old) {
    const auto identity = lab.identity();
    return identity && identity->current.certificate_der != old && !identity->next &&
           lab.agent->online();
  };
  std::uint64_t first = 0, last = 0;
  {
    Lab lab(9);
    ASSERT_TRUE(ready(lab));
    const auto due = lab.identity()->renew_at - seconds(1);
    while (lab.simulation.wall() < due) {
      lab.simulation.run_for(std::min(days(1), due - lab.simulation.wall()));
    }
    first = lab.node.disk().operations();
    const Bytes old = lab.identity()->current.certificate_der;
    ASSERT_TRUE(lab.within(hours(2), [&] { return renewed(lab, old); }));
    last = lab.node.disk().operations();
  }
  ASSERT_GT(last, first + 10);
  for (std::uint64_t at = first + 1; at <= last; ++at) {
    SCOPED_TRACE("operation " + std::to_string(at));
    Lab lab(9);
    ASSERT_TRUE(ready(lab));
    const Bytes joined_with = lab.identity()->current.certificate_der;
    lab.node.disk().crash_at(at);
    ASSERT_TRUE(within_days(lab, 90, [&] { return !lab.node.up(); }));
    lab.shut();
    lab.node.restart();
    const auto booted = lab.boot();
    ASSERT_TRUE(booted) << booted.error().text();
    ASSERT_TRUE(lab.online()) << "the device is stranded";
    ASSERT_TRUE(lab.within(hours(3), [&] { return renewed(lab, joined_with); }));
    const auto keys = must(lab.node.system().files.list(std::string(Lab::kState) + "/keys"));
    EXPECT_THAT(keys, SizeIs(1)) << "a key is left over";
  }
}

// Twenty seeds of bad weather: cuts, resets, crashes and slow disks; afterwards everything that is
// waiting arrives, and a seed replays.
TEST(AgentTest, BadWeather) {
  const auto storm = [](std::uint64_t seed) {
    Lab lab(seed);
    lab.join_and_boot();
    for (int i = 0; i < 12; ++i) {
      lab.simulation.run_for(
          seconds(5 + static_cast<std::int64_t>(lab.simulation.random().below(40))));
      switch (lab.simulation.random().below(5)) {
        case 0:
          lab.simulation.links().isolate(lab.node);
          break;
        case 1:
          lab.simulation.links().heal_all();
          break;
        case 2:
          lab.simulation.links().reset_connections(lab.node, lab.server.node());
          break;
        case 3:
          lab.simulation.links().forget_connections(lab.node, lab.server.node());
          break;
        default:
          lab.node.crash(lab.simulation.random().below(2) == 0 ? os::sim::Crash::power
                                                               : os::sim::Crash::process);
          lab.shut();
          lab.node.restart();
          must(lab.boot());
      }
    }
    lab.simulation.links().heal_all();
    EXPECT_TRUE(
        lab.within(hours(1), [&] { return lab.agent->online() && lab.agent->waiting() == 0; }))
        << "seed " << seed;
    return lab.simulation.trace_hash();
  };
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto hash = storm(seed);
    if (seed % 10 != 0) continue;
    EXPECT_EQ(storm(seed), hash) << "seed " << seed << " does not replay";
  }
}

}  // namespace
}  // namespace holdfast::agent
