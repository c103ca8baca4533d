#include "server/telemetry/live.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/wire/telemetry.hpp"
#include "server/store/journal/fixture_test.hpp"
#include "server/store/series/reading.hpp"

namespace holdfast::telemetry {
namespace {
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LiveReadings : public testing::Test {
 protected:
  void SetUp() override { start(); }
  void TearDown() override { stop(); }
  void start() {
    machine_.options.segment_bytes = 1024 * 1024;  // sealing is not what is tried here
    ASSERT_TRUE(machine_.start());
    workers_ = machine_.node().system().threads.start_workers("w", 1, 1'000);
    live_ = std::make_unique<Live>(*machine_.journal, machine_.node().loop(), *workers_, metrics_);
  }
  void stop() {
    live_.reset();
    workers_.reset();
  }
  void restart() {
    machine_.node().crash();
    stop();
    ASSERT_TRUE(machine_.restart());
    workers_ = machine_.node().system().threads.start_workers("w", 1, 1'000);
    live_ = std::make_unique<Live>(*machine_.journal, machine_.node().loop(), *workers_, metrics_);
  }

  void report(std::uint8_t device, std::string_view json) {
    const auto readings = wire::decode_telemetry(view_of(json), wire::TelemetryFormat::sniff, "");
    ASSERT_TRUE(readings);
    const auto body = series::encode_readings("s", *readings, machine_.world.wall());
    ASSERT_TRUE(body);
    journal::Record record;
    record.kind = journal::Kind::reading;
    record.device[0] = device;
    record.ticks = static_cast<std::uint32_t>(readings->size());
    record.body = *body;
    ASSERT_TRUE(machine_.journal->append(record, nullptr, [](const Status&) {}));
  }
  void run(Duration time) { machine_.world.run_for(time); }
  void listen(bool newest_only, std::string resume = {}) {
    Interest interest;
    interest.readings = true;
    interest.newest_only = newest_only;
    interest.resume = std::move(resume);
    const auto subscribed = live_->subscribe(std::move(interest), [this](const LiveItem& item) {
      ids_.push_back(item.id);
      if (std::holds_alternative<LiveReset>(item.what)) {
        seen_.emplace_back("reset");
      } else {
        const auto& reading = std::get<LiveReading>(item.what);
        seen_.push_back(std::to_string(reading.device[0]) + " " + reading.metric + "=" +
                        wire::value_text(reading.value));
      }
      return stays_;
    });
    ASSERT_TRUE(subscribed);
    run(milliseconds(1));
  }
  std::vector<std::string> take() { return std::exchange(seen_, {}); }

  journal::Machine machine_{1};
  Metrics metrics_;
  std::unique_ptr<os::Workers> workers_;
  std::unique_ptr<Live> live_;
  std::vector<std::string> seen_, ids_;
  bool stays_ = true;
};

TEST_F(LiveReadings, tells_every_reading_in_order) {
  report(1, R"({"a":0})");
  run(seconds(1));
  listen(false);
  report(1, R"({"a":1,"b":true})");
  report(2, R"({"a":2})");
  report(1, R"({"a":3})");
  run(seconds(1));
  EXPECT_THAT(take(), ElementsAre("1 s.a=1", "1 s.b=true", "2 s.a=2", "1 s.a=3"));
}

TEST_F(LiveReadings, of_each_metric_the_newest_at_most_one_a_second) {
  listen(true);
  for (int i = 0; i < 50; ++i) {  // 20 a second, for 2.5 s
    report(1, R"({"fast":)" + std::to_string(i) + "}");
    if (i == 10) report(2, R"({"fast":"another device"})");
    run(milliseconds(50));
  }
  run(seconds(2));
  auto seen = take();
  EXPECT_EQ(std::erase(seen, "2 s.fast=\"another device\""), 1U);
  EXPECT_GE(seen.size(), 3U);
  EXPECT_LE(seen.size(), 4U) << ::testing::PrintToString(seen);
  EXPECT_EQ(seen.back(), "1 s.fast=49") << "the last one is told though nothing followed";
  EXPECT_NE(metrics_.text().find("holdfast_telemetry_live_merged_total 4"), std::string::npos);
}

TEST_F(LiveReadings, a_slow_metric_is_not_held_back) {
  listen(true);
  for (int i = 0; i < 3; ++i) {
    report(1, R"({"slow":)" + std::to_string(i) + "}");
    run(milliseconds(1'600));
    EXPECT_THAT(take(), ElementsAre("1 s.slow=" + std::to_string(i)));
  }
}

TEST_F(LiveReadings, resumes_where_it_was) {
  listen(false);
  report(1, R"({"a":1})");
  run(seconds(1));
  ASSERT_THAT(take(), ElementsAre("1 s.a=1"));
  const std::string last = ids_.back();
  stays_ = false;  // this one goes; what comes meanwhile is for the next
  report(1, R"({"a":2})");
  run(seconds(1));
  take();
  stays_ = true;
  report(1, R"({"a":3})");
  run(seconds(1));
  listen(false, last);
  run(seconds(1));
  EXPECT_THAT(take(), ElementsAre("1 s.a=2", "1 s.a=3"));
}

// A start seals what the journal held: the gap is in the history, not in the journal.
TEST_F(LiveReadings, after_a_restart_says_that_there_is_a_gap) {
  listen(false);
  report(1, R"({"a":1})");
  run(seconds(1));
  ASSERT_THAT(take(), ElementsAre("1 s.a=1"));
  const std::string last = ids_.back();
  report(1, R"({"a":2})");
  run(milliseconds(50));  // durable, not told
  restart();
  listen(false, last);
  run(seconds(1));
  EXPECT_THAT(take(), ElementsAre("reset"));
  report(1, R"({"a":3})");
  run(seconds(1));
  EXPECT_THAT(take(), ElementsAre("1 s.a=3"));
}

TEST_F(LiveReadings, an_id_that_is_not_of_this_journal_is_a_reset) {
  for (const char* id : {"nonsense", "999999999.1"}) {
    listen(false, id);
    EXPECT_THAT(take(), ElementsAre("reset")) << id;
  }
}

TEST_F(LiveReadings, who_wants_no_more_is_forgotten) {
  stays_ = false;
  listen(true);
  report(1, R"({"a":1})");
  run(seconds(3));
  EXPECT_THAT(take(), ElementsAre("1 s.a=1"));
  report(1, R"({"a":2})");
  run(seconds(3));
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_NE(metrics_.text().find("holdfast_telemetry_live_subscribers 0"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::telemetry
