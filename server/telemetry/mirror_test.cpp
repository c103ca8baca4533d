#include "server/telemetry/mirror.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>

#include "server/telemetry/units.hpp"

namespace holdfast::telemetry {
namespace {

using ::testing::HasSubstr;

struct Declared {
  std::string name;
  bool for_telemetry = false;
  std::map<std::string, std::string> payload;  // member to type
};

// contract/notices.yaml has one notice a line.
std::vector<Declared> declared() {
  std::vector<Declared> out;
  std::ifstream file("contract/notices.yaml");
  const std::regex row(
      R"(- \{name: ([a-z_.]+), .*subscribers: \[([a-z_, ]*)\], payload: \{(.*)\}\})");
  const std::regex member(R"(([a-z_]+): '?([a-z0-9?\[\]]+))");
  for (std::string line; std::getline(file, line);) {
    std::smatch found;
    if (!std::regex_search(line, found, row)) continue;
    Declared one;
    one.name = found[1];
    one.for_telemetry = found[2].str().find("telemetry") != std::string::npos;
    const std::string members = found[3];
    for (std::sregex_iterator at(members.begin(), members.end(), member), end; at != end; ++at) {
      one.payload[(*at)[1]] = (*at)[2];
    }
    out.push_back(std::move(one));
  }
  return out;
}

wire::Json value_of(const std::string& type) {
  if (type.starts_with("id")) return wire::Json(DeviceId{}.text());
  if (type.starts_with("bool")) return true;
  if (type.starts_with("u") || type.starts_with("time")) return 7;
  if (type.starts_with("string[]")) return wire::JsonArray{"name"};
  return "word";
}

core::Notice notice_of(const Declared& declared_one) {
  wire::JsonObject payload;
  for (const auto& [name, type] : declared_one.payload) payload[name] = value_of(type);
  core::Notice notice;
  notice.seq = 1;
  notice.name = declared_one.name;
  notice.payload = wire::json_text(payload);
  notice.actor = "usr_X";
  notice.audit_seq = 9;
  return notice;
}

TEST(Mirror, EveryNoticeOfTheContractHasItsEventOrNone) {
  const auto all = declared();
  ASSERT_GT(all.size(), 30U) << "contract/notices.yaml is read from the repository's root";
  std::set<std::string> silent;
  for (const Declared& one : all) {
    const auto event = event_of(notice_of(one));
    ASSERT_TRUE(event) << one.name << ": " << event.error().text();
    if (!*event) {
      if (one.for_telemetry && one.payload.contains("device_id")) silent.insert(one.name);
      continue;
    }
    EXPECT_TRUE(one.for_telemetry) << one.name << " does not name telemetry as its subscriber";
    EXPECT_EQ((*event)->device, DeviceId{}) << one.name;
    EXPECT_FALSE((*event)->message.empty());
    EXPECT_TRUE(wire::severity_named((*event)->severity)) << one.name;
    EXPECT_FALSE((*event)->fields.contains("device_id")) << "the event says so itself";
    EXPECT_EQ((*event)->fields.at("actor"), wire::Value(std::string("usr_X")));
    EXPECT_EQ((*event)->fields.at("audit_seq"), wire::Value(std::int64_t{9}));
    if ((*event)->message.ends_with(": ") || (*event)->message.ends_with(" ")) {
      ADD_FAILURE() << one.name << " ends without the word that it promises: " << (*event)->message;
    }
  }
  // Their story is told by others: enrolled, quarantined, connected.
  silent.erase("device.created");
  silent.erase("device.state_changed");
  EXPECT_EQ(silent, std::set<std::string>{}) << "declared for telemetry, and told nowhere";
}

TEST(Mirror, SentencesEndWithWhatHappened) {
  core::Notice notice;
  notice.name = "device.quarantined";
  notice.payload =
      R"({"device_id":")" + DeviceId{}.text() + R"(","revision":3,"reason":"it scans"})";
  const auto event = event_of(notice);
  ASSERT_TRUE(event && *event);
  EXPECT_EQ((*event)->message, "quarantined: it scans");
  EXPECT_EQ((*event)->severity, "warning");
  EXPECT_FALSE((*event)->fields.contains("revision"));
  notice.name = "twin.desired_changed";
  notice.payload = R"({"device_id":")" + DeviceId{}.text() + R"(","desired_version":12})";
  EXPECT_EQ((*event_of(notice))->message, "desired state is now version 12");
}

TEST(Mirror, WhatIsDamagedIsAnError) {
  core::Notice notice;
  notice.name = "device.revoked";
  for (const char* payload : {"", "{", "[]", "{}", R"({"device_id":7})", R"({"device_id":"x"})"}) {
    notice.payload = payload;
    EXPECT_FALSE(event_of(notice)) << payload;
  }
  notice.name = "no.such";
  EXPECT_TRUE(event_of(notice).has_value());
}

// ---- units

TEST(UnitsTest, AreReadOnceAndOfTheRightType) {
  int reads = 0;
  TypeId pump;
  pump.ulid[15] = 1;
  Units units([&](TypeId id) -> Result<wire::Json> {
    ++reads;
    if (id != pump) return fail(Code::not_found, "no such type");
    return wire::parse_json(R"([{"stream":"lab","field":"temp","unit":"Cel"},)"
                            R"({"stream":"lab","field":"*","unit":"V"},)"
                            R"({"stream":"bare","field":"x"},7,{"stream":"bad"}])");
  });
  EXPECT_EQ(units.unit_of(std::nullopt, "lab.temp"), std::nullopt);
  EXPECT_EQ(reads, 0);
  EXPECT_EQ(units.unit_of(pump, "lab.temp"), "Cel");
  EXPECT_EQ(units.unit_of(pump, "lab.other"), "V") << "the stream's own";
  EXPECT_EQ(units.unit_of(pump, "bare.x"), std::nullopt);
  EXPECT_EQ(units.unit_of(pump, "else.temp"), std::nullopt);
  EXPECT_EQ(reads, 1);
}

TEST(UnitsTest, AFailureIsNotRemembered) {
  bool broken = true;
  Units units([&](TypeId) -> Result<wire::Json> {
    if (broken) return fail(Code::unavailable, "not now");
    return wire::parse_json(R"([{"stream":"lab","field":"temp","unit":"Cel"}])");
  });
  EXPECT_EQ(units.unit_of(TypeId{}, "lab.temp"), std::nullopt);
  broken = false;
  EXPECT_EQ(units.unit_of(TypeId{}, "lab.temp"), "Cel");
}

}  // namespace
}  // namespace holdfast::telemetry
