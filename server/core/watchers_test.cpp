#include "server/core/watchers.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::core {
namespace {

TEST(Watchers, HearOfTheirObjectOnly) {
  Watchers<int> watchers(10);
  std::string heard;
  ASSERT_TRUE(watchers.add(1, [&] { heard += "a"; }));
  ASSERT_TRUE(watchers.add(2, [&] { heard += "b"; }));
  ASSERT_TRUE(watchers.add(1, [&] { heard += "c"; }));
  watchers.tell(1);
  EXPECT_EQ(heard, "ac") << "in the order in which they came";
  watchers.tell(1);
  EXPECT_EQ(heard, "acac");
  watchers.tell(3);
  EXPECT_EQ(heard, "acac");
}

TEST(Watchers, TheLastNewsComeOnce) {
  Watchers<int> watchers(10);
  int heard = 0;
  ASSERT_TRUE(watchers.add(1, [&] { ++heard; }));
  ASSERT_TRUE(watchers.add(2, [&] { ++heard; }));
  watchers.tell_last(1);
  watchers.tell_last(1);
  EXPECT_EQ(heard, 1);
  EXPECT_EQ(watchers.size(), 1U);
}

TEST(Watchers, WhoIsForgottenHearsNothing) {
  Watchers<int> watchers(10);
  int heard = 0;
  const auto number = watchers.add(1, [&] { ++heard; });
  ASSERT_TRUE(number);
  watchers.forget(*number);
  watchers.forget(*number);
  watchers.tell(1);
  EXPECT_EQ(heard, 0);
}

TEST(Watchers, BeyondTheBoundNobodyIsLetIn) {
  Watchers<int> watchers(2);
  const auto first = watchers.add(1, [] {});
  ASSERT_TRUE(first);
  ASSERT_TRUE(watchers.add(1, [] {}));
  EXPECT_FALSE(watchers.add(1, [] {}));
  watchers.forget(*first);
  EXPECT_TRUE(watchers.add(1, [] {})) << "there is room again";
}

TEST(Watchers, MayChangeTheListWhileTheyAreTold) {
  Watchers<int> watchers(10);
  int heard = 0;
  ASSERT_TRUE(watchers.add(1, [&] {
    ++heard;
    ASSERT_TRUE(watchers.add(1, [&] { ++heard; }));
  }));
  watchers.tell(1);
  EXPECT_EQ(heard, 1) << "who came meanwhile hears of the next";
  watchers.tell_last(1);
  EXPECT_EQ(heard, 3);
}

}  // namespace
}  // namespace holdfast::core
