// Live tails of events: the query language, resuming, and the count of what was too much to tell.
#include "server/telemetry/live.hpp"

#include <gtest/gtest.h>

#include "libs/os/sim/simulation.hpp"
#include "server/store/journal/memory_keys.hpp"

namespace holdfast::telemetry {
namespace {

class LiveTest : public testing::Test {
 protected:
  void SetUp() override {
    journal_ =
        journal::Journal::open(node().system(), keys_, Log([](std::string_view) {}), metrics_,
                               {.folder = "/data/journal",
                                .segment_bytes = 64 * 1024,
                                .fill_bytes = 4096,
                                .headroom_bytes = 4096})
            .value();
    ASSERT_TRUE(journal_->start());
    workers_ = node().system().threads.start_workers("live", 1, 64);
    loop_ = node().system().threads.start_loop("live");
    live_ = std::make_unique<Live>(*journal_, *loop_, *workers_, metrics_);
  }
  void TearDown() override {
    live_.reset();
    loop_.reset();
    workers_.reset();
    journal_.reset();
  }
  os::sim::Node& node() { return world_.node("server"); }

  void append(const std::string& message) {
    events::NewEvent event;
    event.kind = "log";
    event.message = message;
    const auto body = events::encode_event(event, node().system().clock.wall());
    journal::Record record;
    record.kind = journal::Kind::event;
    record.body = *body;
    ASSERT_TRUE(journal_->append(record, nullptr, [](const Status&) {}));
  }
  void follow(const std::string& text, std::size_t events_max = SIZE_MAX, std::string resume = {}) {
    Interest interest;
    interest.events = events::Query{};
    interest.events->filter = query::parse(text).value();
    interest.events_max = events_max;
    interest.resume = std::move(resume);
    ASSERT_TRUE(live_->subscribe(std::move(interest), [this](const LiveItem& item) {
      last_id_ = item.id;
      if (const auto* event = std::get_if<events::Event>(&item.what))
        told_.push_back(event->message);
      if (const auto* dropped = std::get_if<LiveDropped>(&item.what)) dropped_ += dropped->count;
      return true;
    }));
    settle();
  }
  void settle() { world_.run_for(seconds(2)); }

  os::sim::Simulation world_{3};
  journal::MemoryKeys keys_{node().system().entropy};
  Metrics metrics_;
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<os::Workers> workers_;
  std::unique_ptr<os::Loop> loop_;
  std::unique_ptr<Live> live_;
  std::vector<std::string> told_;
  std::string last_id_;
  std::uint64_t dropped_ = 0;
};

TEST_F(LiveTest, ATailSpeaksTheQueryLanguage) {
  follow("door NOT closed");
  append("door opened");
  append("door closed");
  append("window opened");
  settle();
  EXPECT_EQ(told_, std::vector<std::string>{"door opened"});
}

TEST_F(LiveTest, WhatIsTooMuchIsCountedAndNotTold) {
  follow("", 10);
  for (int i = 0; i < 35; ++i) append("m" + std::to_string(i));
  settle();
  EXPECT_GE(told_.size(), 10U);
  EXPECT_GT(dropped_, 0U);
  EXPECT_EQ(told_.size() + dropped_, 35U) << "each is told or counted";
  EXPECT_NE(
      metrics_.text().find("holdfast_telemetry_live_dropped_total " + std::to_string(dropped_)),
      std::string::npos);
}

TEST_F(LiveTest, ItGoesOnWhereItWas) {
  follow("");
  append("one");
  settle();
  const std::string id = last_id_;
  append("two");
  settle();
  told_.clear();
  follow("", SIZE_MAX, id);
  EXPECT_EQ(told_, std::vector<std::string>{"two"});
}

}  // namespace
}  // namespace holdfast::telemetry
