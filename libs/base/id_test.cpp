#include "libs/base/id.hpp"

#include <gtest/gtest.h>

#include <unordered_set>

namespace holdfast {
namespace {

constexpr std::array<std::uint8_t, 10> kZeros{};
constexpr std::array<std::uint8_t, 10> kRandom{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

TEST(Ulid, IsMillisecondsAndRandomness) {
  const Ulid ulid = make_ulid(WallTime{0x0123456789AB * 1000 + 999}, kRandom);
  EXPECT_EQ(to_hex(ulid), "0123456789ab0102030405060708090a");
  EXPECT_EQ(to_hex(make_ulid(WallTime{-5}, kRandom)).substr(0, 12), "000000000000");
}

// The ULID specification's own example of a time, and its largest value.
TEST(Ulid, HasTheSpecifiedText) {
  EXPECT_EQ(ulid_text(make_ulid(WallTime{1'469'918'176'385'000}, kRandom)).substr(0, 10),
            "01ARYZ6S41");
  Ulid all{};
  all.fill(0xFF);
  EXPECT_EQ(ulid_text(all), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
  EXPECT_EQ(ulid_text(Ulid{}), std::string(26, '0'));
}

TEST(Ulid, ReadsBack) {
  for (int i = 0; i < 128; ++i) {
    Ulid one{};
    one[static_cast<std::size_t>(i) / 8] = static_cast<std::uint8_t>(1 << (i % 8));
    EXPECT_EQ(parse_ulid(ulid_text(one)).value(), one);
  }
}

TEST(Ulid, ForgivesWhatPeopleType) {
  const Ulid ulid = parse_ulid("01ARYZ6S410102030405060708").value();
  EXPECT_EQ(parse_ulid("oiaryz6s4l01o2030405060708").value(), ulid);
}

TEST(Ulid, RefusesWhatIsNone) {
  for (const std::string& text :
       {std::string(), std::string(25, '0'), std::string(27, '0'), "8" + std::string(25, '0'),
        "U" + std::string(25, '0'), std::string(25, '0') + "u", std::string(25, '0') + " "}) {
    EXPECT_EQ(parse_ulid(text).error().code, Code::invalid_argument) << text;
  }
}

TEST(Id, CarriesItsKind) {
  const DeviceId device = DeviceId::make(WallTime{1'469'918'176'385'000}, kRandom);
  EXPECT_TRUE(device.text().starts_with("dev_01ARYZ6S41"));
  EXPECT_EQ(DeviceId::parse(device.text()).value(), device);
  const auto wrong = SiteId::parse(device.text());
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("site_"), std::string::npos);
  EXPECT_FALSE(DeviceId::parse("dev_"));
  EXPECT_FALSE(DeviceId::parse(""));
}

TEST(Id, SortsByCreationInBinaryAndInText) {
  const auto early = DeviceId::make(WallTime{1'000'000}, kRandom);
  const auto late = DeviceId::make(WallTime{2'000'000}, kZeros);
  const auto last = DeviceId::make(WallTime{2'000'000'000'000'000}, kZeros);
  EXPECT_TRUE(early < late && late < last);
  EXPECT_TRUE(early.text() < late.text() && late.text() < last.text());
}

std::array<std::uint8_t, 10> random_of(int i) {
  std::array<std::uint8_t, 10> out{};
  out[0] = static_cast<std::uint8_t>(i);
  out[9] = static_cast<std::uint8_t>(i >> 8);
  return out;
}

TEST(Id, HashesAndCompares) {
  std::unordered_set<DeviceId> set;
  for (int i = 0; i < 1000; ++i) set.insert(DeviceId::make(WallTime{i * 1000}, random_of(i)));
  EXPECT_EQ(set.size(), 1000U);
  EXPECT_TRUE(set.contains(DeviceId::make(WallTime{5000}, random_of(5))));
  EXPECT_TRUE(DeviceId{}.empty());
  EXPECT_FALSE(DeviceId::make(WallTime{1000}, kRandom).empty());
}

}  // namespace
}  // namespace holdfast
