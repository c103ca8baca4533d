// The contract of the bus port: the same tests on every adapter.
#include "server/core/bus.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "server/core/testing/bus_cases.hpp"

namespace holdfast::core {
namespace {

// Collects messages and waits for a number of them.
class Inbox {
 public:
  Bus::Callback callback() {
    return [this](std::string_view payload) {
      const std::scoped_lock lock(mutex_);
      messages_.emplace_back(payload);
      more_.notify_all();
    };
  }
  std::vector<std::string> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    more_.wait_for(lock, std::chrono::seconds(10), [&] { return messages_.size() >= count; });
    return messages_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable more_;
  std::vector<std::string> messages_;
};

using Messages = std::vector<std::string>;

class BusTest : public testing::TestWithParam<BusCase> {
 protected:
  void SetUp() override {
    os_ = std::move(*os::RealSystem::make());
    auto opened = GetParam().open(os_->system());
    ASSERT_TRUE(opened) << opened.error().text();
    holder_ = std::move(*opened);
  }
  Bus& bus() { return holder_->bus(); }

  std::unique_ptr<os::RealSystem> os_;
  std::unique_ptr<BusHolder> holder_;
};

TEST_P(BusTest, EverySubscriberOfASubjectHearsEachMessageInOrder) {
  Inbox one;
  Inbox two;
  Inbox other;
  const auto first = bus().subscribe("holdfast.notices", one.callback());
  const auto second = bus().subscribe("holdfast.notices", two.callback());
  const auto third = bus().subscribe("holdfast.other", other.callback());
  ASSERT_TRUE(first && second && third);
  const std::string binary("\0\xFF zero", 7);
  ASSERT_TRUE(bus().publish("holdfast.notices", "1"));
  ASSERT_TRUE(bus().publish("holdfast.notices", binary));
  ASSERT_TRUE(bus().publish("holdfast.other", "x"));
  ASSERT_TRUE(bus().publish("holdfast.notices", ""));
  EXPECT_EQ(one.wait_for(3), (Messages{"1", binary, ""}));
  EXPECT_EQ(two.wait_for(3), (Messages{"1", binary, ""}));
  EXPECT_EQ(other.wait_for(1), Messages{"x"});
}

TEST_P(BusTest, WhoLeavesHearsNothingMore) {
  Inbox gone;
  Inbox stays;
  auto leaving = bus().subscribe("a.b", gone.callback());
  const auto staying = bus().subscribe("a.b", stays.callback());
  ASSERT_TRUE(bus().publish("a.b", "1"));
  EXPECT_EQ(gone.wait_for(1), Messages{"1"});
  leaving->reset();
  ASSERT_TRUE(bus().publish("a.b", "2"));
  EXPECT_EQ(stays.wait_for(2), (Messages{"1", "2"}));
  EXPECT_EQ(gone.wait_for(1), Messages{"1"});
}

TEST_P(BusTest, ACallbackMayPublish) {
  Inbox answers;
  const auto answer = bus().subscribe("pong", answers.callback());
  const auto relay = bus().subscribe("ping", [&](std::string_view payload) {
    EXPECT_TRUE(bus().publish("pong", std::string(payload) + "!"));
  });
  ASSERT_TRUE(bus().publish("ping", "hi"));
  EXPECT_EQ(answers.wait_for(1), Messages{"hi!"});
}

TEST_P(BusTest, BoundsAreHeld) {
  Inbox inbox;
  const auto subscription = bus().subscribe("big", inbox.callback());
  EXPECT_TRUE(bus().publish("big", std::string(kBusPayloadBytesMax, 'x')));
  EXPECT_EQ(inbox.wait_for(1)[0].size(), kBusPayloadBytesMax);
  EXPECT_EQ(bus().publish("big", std::string(kBusPayloadBytesMax + 1, 'x')).error().code,
            Code::body_too_large);
  for (const std::string_view wrong : {"", "a b", "a.*", "a.>", "\xFF"}) {
    EXPECT_EQ(bus().publish(wrong, "x").error().code, Code::invalid_argument);
    EXPECT_EQ(bus().subscribe(wrong, inbox.callback()).error().code, Code::invalid_argument);
  }
}

TEST_P(BusTest, ManyThreadsMayPublish) {
  Inbox inbox;
  const auto subscription = bus().subscribe("many", inbox.callback());
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 50; ++n) EXPECT_TRUE(bus().publish("many", "x"));
      });
    }
  }
  EXPECT_EQ(inbox.wait_for(200).size(), 200U);
}

INSTANTIATE_TEST_SUITE_P(Adapters, BusTest, testing::ValuesIn(bus_cases()),
                         [](const auto& adapter) { return adapter.param.name; });

}  // namespace
}  // namespace holdfast::core
