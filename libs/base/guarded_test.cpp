#include "libs/base/guarded.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace holdfast {
namespace {

TEST(Guarded, GivesItsDataToOneAtATime) {
  Guarded<int> count(0);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        count.with([](int& value) {
          const int before = value;
          std::this_thread::yield();
          value = before + 1;
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count.with([](int value) { return value; }), 4000);
}

TEST(Guarded, ConstructsItsDataAndReturnsReferences) {
  Guarded<std::string> text(3U, 'x');
  std::string& inner = text.with([](std::string& value) -> std::string& { return value; });
  inner += "y";
  const auto& constant = text;
  EXPECT_EQ(constant.with([](const std::string& value) { return value; }), "xxxy");
}

}  // namespace
}  // namespace holdfast
