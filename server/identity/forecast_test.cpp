#include <gtest/gtest.h>

#include "server/identity/fixture_test.hpp"

namespace holdfast::identity {
namespace {

TEST(Forecast, CountsTheNewestOfEachDeviceInService) {
  Fixture f;
  ASSERT_TRUE(f.open());
  const auto first = f.enrol(f.claim().secret, new_csr().csr).value();
  const auto gone = f.enrol(f.claim().secret, new_csr().csr).value();
  const DeviceId id = f.registrar->admit(gone, Purpose::connect)->device;
  f.t.world.jump_wall(days(10));
  const auto renewed = f.registrar->renew(first, new_csr().csr, "192.0.2.7:1");
  ASSERT_TRUE(renewed) << renewed.error().text();
  ASSERT_TRUE(f.registrar->decommissions().decommission(core::test_caller(), id, {.reason = "scrapped"}));
  const auto sum = [](const Forecast& all, std::int64_t ForecastDay::*what) {
    std::int64_t out = 0;
    for (const ForecastDay& day : all.days) out += day.*what;
    return out;
  };
  const Forecast now = f.registrar->forecast(core::test_caller()).value();
  EXPECT_EQ(now.days.size(), static_cast<std::size_t>(kForecastDays));
  EXPECT_EQ(sum(now, &ForecastDay::expire), 1) << "not the old one, and not of the device that is gone";
  EXPECT_EQ(sum(now, &ForecastDay::renew), 1);
  EXPECT_EQ(now.days[90].expire, 1);
  EXPECT_EQ(now.late, 0);
  f.t.world.jump_wall(days(87));
  EXPECT_EQ(f.registrar->forecast(core::test_caller())->late, 1) << "all renewals are due by day 85";
  f.t.world.jump_wall(days(4));
  const Forecast late = f.registrar->forecast(core::test_caller()).value();
  EXPECT_EQ(late.expired, 1);
  EXPECT_EQ(late.late, 0) << "what has ended is not late any more";
}

}  // namespace
}  // namespace holdfast::identity
