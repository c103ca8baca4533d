#include "server/core/nats_bus.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "server/core/testing/nats_server.hpp"

namespace holdfast::core {
namespace {

class NatsBusTest : public testing::Test {
 protected:
  void SetUp() override {
    os_ = std::move(*os::RealSystem::make());
    auto server = NatsServer::start(os_->system());
    ASSERT_TRUE(server) << server.error().text();
    server_ = std::move(*server);
  }
  std::unique_ptr<os::RealSystem> os_;
  std::unique_ptr<NatsServer> server_;
};

TEST_F(NatsBusTest, TwoProcessesHearOneAnother) {
  const auto one = make_nats_bus(server_->url());
  const auto two = make_nats_bus(server_->url());
  ASSERT_TRUE(one && two);
  std::mutex mutex;
  std::condition_variable heard;
  std::string message;
  const auto subscription = (*two)->subscribe("holdfast.notices", [&](std::string_view payload) {
    const std::scoped_lock lock(mutex);
    message = payload;
    heard.notify_all();
  });
  ASSERT_TRUE(subscription);
  ASSERT_TRUE((*one)->publish("holdfast.notices", "wake"));
  std::unique_lock lock(mutex);
  EXPECT_TRUE(heard.wait_for(lock, std::chrono::seconds(10), [&] { return message == "wake"; }));
}

TEST_F(NatsBusTest, AServerThatIsNotThereIsUnavailable) {
  server_->stop();
  EXPECT_EQ(make_nats_bus(server_->url()).error().code, Code::unavailable);
}

TEST_F(NatsBusTest, WhileItIsAwayPublishingFailsAndThenWorksAgain) {
  const auto bus = make_nats_bus(server_->url());
  ASSERT_TRUE(bus);
  ASSERT_TRUE((*bus)->publish("a", "1"));
  server_->stop();
  EXPECT_EQ((*bus)->publish("a", "2").error().code, Code::unavailable);
  ASSERT_TRUE(server_->start_again());
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  bool published = false;
  while (!published && std::chrono::steady_clock::now() < deadline) {
    published = (*bus)->publish("a", "3").has_value();
    if (!published) std::this_thread::yield();
  }
  EXPECT_TRUE(published);
}

}  // namespace
}  // namespace holdfast::core
