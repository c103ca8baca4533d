#include "server/store/series/reading.hpp"

#include <gtest/gtest.h>

namespace holdfast::series {
namespace {

constexpr WallTime kNow{1'767'225'600'000'000};

wire::Reading sample(std::vector<std::pair<std::string, Value>> fields,
                     std::optional<WallTime> at = std::nullopt) {
  wire::Reading out;
  out.device_time = at;
  for (auto& [name, value] : fields) out.fields.push_back({name, value, {}});
  return out;
}

// What a visitor saw, as text.
struct Seen : ReadingVisitor {
  std::vector<std::string> lines;
  std::vector<std::string> names;
  std::string stream;
  void group(const Group& group) override {
    names.clear();
    stream = string_of(group.stream);
    for (const std::string_view name : field_names(group.names)) names.emplace_back(name);
    lines.push_back("group " + std::to_string(group.retention) + " " + stream);
  }
  void sample(const Sample& sample, const std::vector<Cell>& cells) override {
    std::string line = std::string(name_of(sample.source)) + " " +
                       std::to_string(sample.time.us - kNow.us) + " " +
                       std::to_string(sample.received.us - kNow.us) + " " +
                       std::to_string(sample.claimed.us - kNow.us);
    ASSERT_EQ(cells.size(), names.size());
    for (std::size_t i = 0; i < cells.size(); ++i)
      line += " " + names[i] + "=" + wire::value_text(value_of(cells[i]));
    lines.push_back(line);
  }
};

std::vector<std::string> seen(View body, WallTime time = kNow) {
  Seen visitor;
  EXPECT_TRUE(visit_readings(body, time, visitor));
  return visitor.lines;
}

TEST(Readings, EveryKindOfValueReadsBack) {
  const auto body = encode_readings("lab",
                                    {sample({{"b", true},
                                             {"c", false},
                                             {"d", std::int64_t{INT64_MIN}},
                                             {"e", -0.5},
                                             {"f", "x"},
                                             {"g", ""}})},
                                    kNow, 3);
  ASSERT_TRUE(body);
  EXPECT_EQ(seen(*body),
            (std::vector<std::string>{
                "group 3 lab",
                "server 0 0 0 b=true c=false d=-9223372036854775808 e=-0.5 f=\"x\" g=\"\""}));
}

TEST(Readings, NullsAreLeftOut) {
  const auto body = encode_readings("lab", {sample({{"a", std::monostate{}}, {"b", true}})}, kNow);
  EXPECT_EQ(seen(*body).at(1), "server 0 0 0 b=true");
}

TEST(Readings, TimesFollowTheContract) {
  const WallTime server{kNow.us + 100};
  const auto body =
      encode_readings("s",
                      {sample({{"a", true}}), sample({{"a", true}}, kNow + seconds(-9)),
                       sample({{"a", true}}, WallTime{0}), sample({{"a", true}}, kNow + minutes(6)),
                       sample({{"a", true}}, kNow + minutes(5))},
                      kNow);
  EXPECT_EQ(seen(*body, server),
            (std::vector<std::string>{
                "group 0 s", "server 100 100 100 a=true", "device -9000000 101 -9000000 a=true",
                "uncertain 102 102 " + std::to_string(-kNow.us) + " a=true",
                "uncertain 103 103 360000000 a=true", "device 300000000 104 300000000 a=true"}));
}

TEST(Readings, AnOffsetMovesATimeWithoutDeviceTime) {
  auto reading = sample({{"a", true}});
  reading.offset = seconds(-2);
  const auto body = encode_readings("s", {reading}, kNow);
  EXPECT_EQ(seen(*body).at(1), "server -2000000 0 -2000000 a=true");
}

TEST(Readings, DeviceTimesAreJudged) {
  EXPECT_EQ(judge(std::nullopt, kNow), TimeSource::server);
  EXPECT_EQ(judge(kDeviceTimeMin, kNow), TimeSource::device);
  EXPECT_EQ(judge(kDeviceTimeMin - microseconds(1), kNow), TimeSource::uncertain);
  EXPECT_EQ(judge(kNow + kDeviceTimeAheadMax, kNow), TimeSource::device);
  EXPECT_EQ(judge(kNow + kDeviceTimeAheadMax + microseconds(1), kNow), TimeSource::uncertain);
}

TEST(Readings, EqualFieldsShareAGroup) {
  const auto body = encode_readings(
      "s",
      {sample({{"a", true}}), sample({{"a", false}}), sample({{"b", true}}), sample({{"a", true}})},
      kNow);
  const auto lines = seen(*body);
  EXPECT_EQ(lines.size(), 7U);
  EXPECT_EQ(std::ranges::count(lines, "group 0 s"), 3);
}

TEST(Readings, WhatDoesNotFitIsRefused) {
  const auto refused = [](std::string_view stream, std::vector<wire::Reading> readings) {
    const auto body = encode_readings(stream, readings, kNow);
    return !body && body.error().code == Code::invalid_argument;
  };
  const auto good = sample({{"a", true}});
  EXPECT_FALSE(refused("s", {good}));
  EXPECT_TRUE(refused("", {good}));
  EXPECT_TRUE(refused("a.b", {good}));
  EXPECT_TRUE(refused(std::string(65, 's'), {good}));
  EXPECT_TRUE(refused("s", {}));
  EXPECT_TRUE(refused("s", std::vector<wire::Reading>(10'001, good)));
  EXPECT_TRUE(refused("s", {sample({{"", true}})}));
  EXPECT_TRUE(refused("s", {sample({{std::string(129, 'x'), true}})}));
  EXPECT_TRUE(refused("s", {sample({{"a", std::string(4097, 'x')}})}));
}

TEST(Readings, EveryCutIsRefused) {
  const auto body =
      encode_readings("lab",
                      {sample({{"temp", 20.5}, {"n", std::int64_t{300}}, {"t", "text"}}),
                       sample({{"other", true}})},
                      kNow);
  std::size_t whole = 0;
  for (std::size_t length = 0; length < body->size(); ++length) {
    Seen visitor;
    whole += visit_readings(View(*body).first(length), kNow, visitor) ? 1 : 0;
  }
  EXPECT_EQ(whole, 2U) << "after the stream, and between the groups";
}

TEST(Readings, HostileBytesAreRefused) {
  Seen visitor;
  EXPECT_FALSE(visit_readings(Bytes{0, 0}, kNow, visitor)) << "no stream";
  EXPECT_FALSE(visit_readings(Bytes{0, 1, 's', 2, 1, 'a', 1, 3, 0, 1}, kNow, visitor)) << "source";
  EXPECT_FALSE(visit_readings(Bytes{0, 1, 's', 2, 1, 'a', 1, 0, 0, 6}, kNow, visitor)) << "kind";
  EXPECT_FALSE(visit_readings(Bytes{0, 1, 's', 1, 0, 1, 0, 0}, kNow, visitor)) << "empty name";
  EXPECT_FALSE(visit_readings(Bytes{0, 1, 's', 0, 0xFF, 0xFF, 0x7F}, kNow, visitor))
      << "too many samples";
  EXPECT_TRUE(visit_readings(Bytes{0, 1, 's', 2, 1, 'a', 1, 0, 0, 1}, kNow, visitor))
      << "the same, right";
}

}  // namespace
}  // namespace holdfast::series
