#include "server/identity/rules.hpp"

#include <gtest/gtest.h>

#include "server/identity/attempts.hpp"

namespace holdfast::identity {
namespace {

constexpr WallTime kNow{1'700'000'000'000'000};

TEST(ConnectRules, EveryStateAndPurpose) {
  using devices::State;
  IssuedCertificate certificate;
  certificate.not_after = kNow + days(1);
  const auto code = [&](State state, Purpose purpose) {
    devices::Device device;
    device.state = state;
    const Status answer = may_connect(certificate, device, purpose, kNow);
    return answer ? std::string("fine") : std::string(row_of(answer.error().code).name);
  };
  for (const Purpose purpose : {Purpose::connect, Purpose::renew}) {
    EXPECT_EQ(code(State::active, purpose), "fine");
    EXPECT_EQ(code(State::enrolled, purpose), "fine");
    EXPECT_EQ(code(State::registered, purpose), "device-unknown");
    EXPECT_EQ(code(State::unmanaged, purpose), "device-unknown");
    EXPECT_EQ(code(State::decommissioned, purpose), "device-decommissioned");
  }
  EXPECT_EQ(code(State::quarantined, Purpose::connect), "device-quarantined");
  EXPECT_EQ(code(State::quarantined, Purpose::renew), "fine");
}

TEST(ConnectRules, RevokedComesBeforeExpiredBeforeTheDevice) {
  devices::Device device;
  device.state = devices::State::active;
  device.revoked = true;
  IssuedCertificate certificate;
  certificate.not_after = kNow;
  certificate.state = CertificateState::revoked;
  EXPECT_EQ(may_connect(certificate, device, Purpose::renew, kNow).error().code, Code::certificate_revoked);
  certificate.state = CertificateState::valid;
  EXPECT_EQ(may_connect(certificate, device, Purpose::renew, kNow).error().code, Code::certificate_expired);
  certificate.not_after = kNow + seconds(1);
  EXPECT_EQ(may_connect(certificate, device, Purpose::renew, kNow).error().code, Code::device_revoked);
}

TEST(RenewalTime, LiesInItsWindowAndSpreads) {
  std::array<int, 46> by_day{};
  constexpr int kDevices = 10'000;
  std::uint64_t random = 88172645463325252ULL;
  for (int i = 0; i < kDevices; ++i) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    const Duration after = renewal_time(kNow, random) - kNow;
    ASSERT_GE(after.us, days(40).us);
    ASSERT_LT(after.us, days(85).us);
    ++by_day[static_cast<std::size_t>((after - days(40)).us / days(1).us)];
  }
  for (const int count : by_day) EXPECT_LE(count, 2 * kDevices / 45) << "no day sees more than twice its share";
}

TEST(Attempts, AreCountedByAddressInASlidingMinute) {
  AttemptLimit limit;
  const MonoTime t{0};
  for (std::size_t i = 0; i < kWrongClaimsMax; ++i) {
    EXPECT_TRUE(limit.check("a", t));
    limit.failed("a", t + seconds(static_cast<std::int64_t>(i)));
  }
  EXPECT_EQ(limit.check("a", t + seconds(30)).error().code, Code::rate_limited);
  EXPECT_TRUE(limit.check("b", t + seconds(30)));
  EXPECT_TRUE(limit.check("a", t + seconds(61)));
}

TEST(Attempts, AddressesAreBounded) {
  AttemptLimit limit;
  for (std::size_t i = 0; i < kAddressesMax + 10; ++i) {
    for (std::size_t n = 0; n < (i == 0 ? kWrongClaimsMax : 1); ++n) limit.failed(std::to_string(i), MonoTime{0});
  }
  EXPECT_TRUE(limit.check("0", MonoTime{0})) << "the oldest was forgotten";
}

TEST(ClaimStates, SpentIsForEver) {
  Claim claim;
  claim.expires_at = kNow;
  EXPECT_EQ(claim.state_at(kNow - seconds(1)), ClaimState::open);
  EXPECT_EQ(claim.state_at(kNow), ClaimState::expired);
  claim.revoked = true;
  EXPECT_EQ(claim.state_at(kNow), ClaimState::revoked);
  claim.spent = true;
  EXPECT_EQ(claim.state_at(kNow), ClaimState::spent);
  for (const auto state : {ClaimState::open, ClaimState::spent, ClaimState::expired, ClaimState::revoked}) {
    EXPECT_EQ(claim_state_named(name_of(state)), state);
  }
}

}  // namespace
}  // namespace holdfast::identity
