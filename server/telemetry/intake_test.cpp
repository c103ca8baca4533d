#include "server/telemetry/intake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/telemetry/fixture_test.hpp"

namespace holdfast::telemetry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Delivery packet(std::uint16_t id, bool dup = false) {
  return {77, id, dup, ""};
}

TEST(Intake, AReadingIsStoredBeforeItIsAnswered) {
  Plant p;
  const DeviceId id = p.device();
  const auto sent = p.publish(id, "lab", R"({"temp":20.5,"ok":true,"deep":{"x":"a"}})");
  EXPECT_FALSE(*sent) << "not before it is on disk";
  EXPECT_EQ(p.code_of(sent), kStored);
  p.crash();
  ASSERT_EQ(p.points(id, "lab.temp").size(), 1U);
  EXPECT_EQ(p.points(id, "lab.temp")[0].value, wire::Value(20.5));
  EXPECT_EQ(p.points(id, "lab.ok")[0].value, wire::Value(true));
  EXPECT_EQ(p.points(id, "lab.deep.x")[0].value, wire::Value(std::string("a")));
}

TEST(Intake, AResendIsStoredOnceAndANewPacketTwice) {
  Plant p;
  const DeviceId id = p.device();
  const char* payload = R"({"temp":1})";
  EXPECT_EQ(p.reading(id, "lab", payload, packet(1)), kStored);
  EXPECT_EQ(p.reading(id, "lab", payload, packet(1, true)), kStored) << "acknowledged again";
  EXPECT_EQ(p.points(id, "lab.temp").size(), 1U);
  EXPECT_EQ(p.reading(id, "lab", payload, packet(1)), kStored)
      << "no DUP: a packet id alone says nothing";
  EXPECT_EQ(p.reading(id, "lab", R"({"temp":2})", packet(1, true)), kStored) << "another payload";
  EXPECT_EQ(p.reading(id, "other", payload, packet(1, true)), kStored) << "another topic";
  EXPECT_EQ(p.points(id, "lab.temp").size(), 3U);
  p.crash();
  EXPECT_EQ(p.reading(id, "lab", R"({"temp":2})", packet(1, true)), kStored);
  EXPECT_EQ(p.points(id, "lab.temp").size(), 3U) << "known across a power cut";
}

TEST(Intake, WhatDoesNotParseIsRefusedAndStaysVisible) {
  Plant p;
  const DeviceId id = p.device();
  EXPECT_EQ(p.reading(id, "lab", "{\"temp\":"), Code::payload_malformed);
  Delivery odd;
  odd.content_type = "image/png";
  EXPECT_EQ(p.reading(id, "lab", "{}", odd), Code::payload_malformed);
  EXPECT_EQ(p.reading(id, "lab", R"({"a":{"b":{"c":{"d":{"e":1}}}}})"), Code::payload_malformed)
      << "too deep";
  EXPECT_EQ(p.event(id, "door", "[1]"), Code::payload_malformed);
  EXPECT_EQ(p.log(id, R"({"severity":"info"})"), Code::payload_malformed) << "no message";
  p.settle();
  const auto events = p.happened(id);
  ASSERT_EQ(events.size(), 5U);
  EXPECT_EQ(events[0].kind, "payload_malformed");
  EXPECT_EQ(events[0].severity, events::Severity::warning);
  EXPECT_EQ(events[0].fields.at("topic"), wire::Value(std::string("telemetry/lab")));
  EXPECT_EQ(events[0].fields.at("payload_base64"), wire::Value(to_base64(view_of("{\"temp\":"))));
  EXPECT_EQ(events[3].fields.at("topic"), wire::Value(std::string("event/door")));
  EXPECT_TRUE(p.points(id, "lab.temp").empty());
}

TEST(Intake, AFloodOfRubbishFillsNoJournal) {
  Plant p;
  const DeviceId id = p.device();
  for (int i = 0; i < 200; ++i) EXPECT_EQ(p.reading(id, "lab", "rubbish"), Code::payload_malformed);
  p.settle();
  const std::size_t kept = p.happened(id).size();
  EXPECT_GE(kept, 50U);
  EXPECT_LE(kept, 100U) << "50 a second, whatever comes";
  EXPECT_EQ(p.reading(id, "lab", "rubbish"), Code::payload_malformed);
  p.settle();
  EXPECT_EQ(p.happened(id).size(), kept + 1) << "a second later there is room again";
}

TEST(Intake, TooManyMetricsAreRefusedAndTold) {
  Plant p;
  const DeviceId id = p.device();
  EXPECT_EQ(p.reading(id, "lab", R"({"a":1,"b":2,"c":3,"d":4,"e":5})"), kStored);
  EXPECT_EQ(p.reading(id, "lab", R"({"f":6})"), Code::quota_exceeded);
  EXPECT_EQ(p.reading(id, "lab", R"({"a":7})"), kStored) << "those that it has go on";
  p.settle();
  const auto events = p.happened(id);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, "refused");
  EXPECT_EQ(p.points(id, "lab.a").size(), 2U);
  EXPECT_TRUE(p.points(id, "lab.f").empty());
}

TEST(Intake, NothingIsNothingAndIsAnsweredAtOnce) {
  Plant p;
  const auto sent = p.publish(p.device(), "lab", "{}");
  ASSERT_TRUE(*sent);
  EXPECT_TRUE((*sent)->has_value());
}

TEST(Intake, TheFirstReadingIsToldOnceInALife) {
  Plant p;
  const DeviceId id = p.device();
  const std::int64_t mark = core::last_notice(p.t.store());
  EXPECT_EQ(p.reading(id, "lab", R"({"temp":1,"hum":2})"), kStored);
  EXPECT_EQ(p.reading(id, "lab", R"({"temp":2})"), kStored);
  p.settle();
  p.crash();
  EXPECT_EQ(p.reading(id, "lab", R"({"temp":3})"), kStored);
  p.settle();
  const auto notices = core::notices_after(p.t.store(), mark);
  ASSERT_THAT(core::names_of(notices), ElementsAre("device.first_reading"));
  EXPECT_EQ(notices[0].payload.at("device_id"), wire::Json(id.text()));
  EXPECT_EQ(notices[0].payload.at("metric"), wire::Json("lab.temp"));
}

TEST(Intake, AFirstReadingThatCouldNotBeToldIsToldLater) {
  Plant p;
  const DeviceId unknown{};  // no row yet: the notice's row refers to it
  EXPECT_EQ(p.reading(unknown, "lab", R"({"temp":1})"), kStored);
  p.settle();
  EXPECT_EQ(core::count_rows(p.t.store(), "first_reading"), 0);
  ASSERT_TRUE(p.t.store().record(core::Caller::system(), "test.device",
                                 [&](core::Change& change) -> Status {
                                   devices::Device one;
                                   one.id = unknown;
                                   one.created_at = one.updated_at = change.now();
                                   return devices::insert_device(change, one);
                                 }));
  EXPECT_EQ(p.reading(unknown, "lab", R"({"temp":2})"), kStored);
  p.settle();
  EXPECT_EQ(core::count_rows(p.t.store(), "first_reading"), 1);
}

TEST(Intake, EventsKeepTheirNameAndFields) {
  Plant p;
  const DeviceId id = p.device();
  EXPECT_EQ(p.event(id, "door",
                    R"({"message":"open","severity":"warning","fields":{"n":3,"deep":{"a":1}}})"),
            kStored);
  const auto events = p.happened(id);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, "event");
  EXPECT_EQ(events[0].message, "open");
  EXPECT_EQ(events[0].severity, events::Severity::warning);
  EXPECT_EQ(events[0].fields.at("name"), wire::Value(std::string("door")));
  EXPECT_EQ(events[0].fields.at("n"), wire::Value(std::int64_t{3}));
  EXPECT_EQ(events[0].fields.at("deep"), wire::Value(std::string(R"({"a":1})"))) << "as text";
}

TEST(Intake, ManyLogLinesInOneMessageAreStoredOnceTogether) {
  Plant p;
  const DeviceId id = p.device();
  const char* lines =
      R"([{"message":"one"},{"message":"two","severity":"error"},{"message":"three"}])";
  EXPECT_EQ(p.log(id, lines, packet(5)), kStored);
  EXPECT_EQ(p.log(id, lines, packet(5, true)), kStored);
  std::vector<std::string> messages;
  for (const auto& event : p.happened(id)) messages.push_back(event.message);
  EXPECT_THAT(messages, ElementsAre("one", "two", "three"));
  EXPECT_EQ(p.log(id, R"([{"message":"four"},7])"), Code::payload_malformed);
  p.settle();
  EXPECT_EQ(p.happened(id).size(), 4U) << "none of them, and the note that it was refused";
}

TEST(Intake, WhatTheServerSaysItselfIsAnEvent) {
  Plant p;
  const DeviceId id = p.device();
  p.intake->record({id, "connect", "notice", "connected", {{"address", std::string("192.0.2.7")}}});
  p.intake->record({std::nullopt, "authentication_failed", "no such word", "who?", {}});
  p.settle();
  ASSERT_EQ(p.happened(id).size(), 1U);
  EXPECT_EQ(p.happened(id)[0].kind, "connect");
  const auto own = p.happened(DeviceId{});
  ASSERT_EQ(own.size(), 1U);
  EXPECT_EQ(own[0].severity, events::Severity::info) << "an unknown severity is the mildest";
}

TEST(Intake, ANoticeIsMirroredOnceHoweverOftenItIsTold) {
  Plant p;
  const DeviceId id = p.device();
  const ServerEvent event{id, "quarantine", "warning", "quarantined: odd", {}};
  const auto tell = [&](std::int64_t seq) {
    auto sent = std::make_shared<std::optional<Status>>();
    p.intake->record_once(event, seq, Plant::into(sent));
    return p.code_of(sent);
  };
  EXPECT_EQ(tell(1), kStored);
  EXPECT_EQ(tell(1), kStored);
  EXPECT_EQ(tell(2), kStored);
  EXPECT_EQ(p.happened(id).size(), 2U);
  p.crash();
  EXPECT_EQ(tell(1), kStored);
  EXPECT_EQ(tell(2), kStored);
  EXPECT_EQ(p.happened(id).size(), 2U);
}

TEST(Intake, AFullDiskIsSaidAndForgottenWhenThereIsRoom) {
  Plant p;
  const DeviceId id = p.device();
  auto& disk = p.t.node.disk();
  for (std::uint64_t i = 1; i < 5'000; ++i) disk.fail_at(disk.operations() + i, Code::disk_full);
  const auto sent = p.publish(id, "lab", R"({"temp":1})");
  p.settle(seconds(3));
  EXPECT_FALSE(*sent && (*sent)->has_value()) << "what is not on disk is not acknowledged";
  disk.plan_no_faults();
  p.settle(seconds(30));
  EXPECT_EQ(p.reading(id, "lab", R"({"temp":2})"), kStored);
}

// ---- live readings

struct Tail {
  std::vector<std::string> readings;  // "lab.temp=1"
  std::vector<std::string> resets;
  std::string last_id;
  std::size_t stays = SIZE_MAX;  // items until it ends
  Live::Sink sink() {
    return [this](const LiveItem& item) {
      last_id = item.id;
      if (const auto* one = std::get_if<LiveReading>(&item.what)) {
        readings.push_back(one->metric + "=" + wire::value_text(one->value));
      } else if (const auto* reset = std::get_if<LiveReset>(&item.what)) {
        resets.push_back(reset->reason);
      }
      return readings.size() < stays;
    };
  }
};
Interest all_readings(std::string resume = {}) {
  Interest interest;
  interest.readings = true;
  interest.resume = std::move(resume);
  return interest;
}

TEST(LiveOfIntake, ComeInOrderAndOnlyThoseWanted) {
  Plant p;
  const DeviceId mine = p.device();
  const DeviceId other = p.device();
  Tail all;
  Tail some;
  ASSERT_TRUE(p.live->subscribe(all_readings(), all.sink()));
  Interest narrow = all_readings();
  narrow.metrics = {"lab.temp"};
  narrow.devices = [&](const Ulid& device) { return device == mine.ulid; };
  ASSERT_TRUE(p.live->subscribe(std::move(narrow), some.sink()));
  p.reading(mine, "lab", R"({"temp":1,"hum":5})");
  p.reading(other, "lab", R"({"temp":2})");
  p.reading(mine, "lab", R"({"temp":3})");
  p.settle();
  EXPECT_THAT(all.readings, ElementsAre("lab.temp=1", "lab.hum=5", "lab.temp=2", "lab.temp=3"));
  EXPECT_THAT(some.readings, ElementsAre("lab.temp=1", "lab.temp=3"));
}

TEST(LiveOfIntake, ANewestOnlyPageHearsEachMetricOnceATurn) {
  Plant p;
  const DeviceId id = p.device();
  Tail tail;
  Interest interest = all_readings();
  interest.newest_only = true;
  ASSERT_TRUE(p.live->subscribe(std::move(interest), tail.sink()));
  p.settle();
  for (int i = 1; i <= 20; ++i) {
    p.publish(id, "lab",
              R"({"temp":)" + std::to_string(i) + R"(,"hum":)" + std::to_string(i) + "}");
  }
  p.settle();
  ASSERT_FALSE(tail.readings.empty());
  EXPECT_LE(tail.readings.size(), 4U) << "twenty came in one turn or two";
  EXPECT_THAT(tail.readings, ::testing::Contains("lab.temp=20"));
  EXPECT_THAT(tail.readings, ::testing::Contains("lab.hum=20"));
}

TEST(LiveOfIntake, ResumeMissesNothingAndRepeatsNothing) {
  Plant p;
  const DeviceId id = p.device();
  Tail first;
  const auto number = p.live->subscribe(all_readings(), first.sink());
  ASSERT_TRUE(number);
  p.reading(id, "lab", R"({"temp":1})");
  p.settle();
  p.live->unsubscribe(*number);
  p.reading(id, "lab", R"({"temp":2})");
  p.reading(id, "lab", R"({"temp":3})");
  Tail second;
  ASSERT_TRUE(p.live->subscribe(all_readings(first.last_id), second.sink()));
  p.settle();
  EXPECT_THAT(second.readings, ElementsAre("lab.temp=2", "lab.temp=3"));
  EXPECT_TRUE(second.resets.empty());
  // After a restart the older segment may be sealed away: then that is said, never passed over.
  p.crash();
  p.reading(id, "lab", R"({"temp":4})");
  Tail third;
  ASSERT_TRUE(p.live->subscribe(all_readings(first.last_id), third.sink()));
  p.settle();
  ASSERT_FALSE(third.readings.empty());
  EXPECT_EQ(third.readings.back(), "lab.temp=4");
  EXPECT_TRUE(third.readings.size() == 3U || third.resets.size() == 1U);
}

TEST(LiveOfIntake, AnIdOfAnotherLifeIsReset) {
  Plant p;
  for (const char* strange : {"nonsense", "99999999-1"}) {
    Tail tail;
    ASSERT_TRUE(p.live->subscribe(all_readings(strange), tail.sink()));
    p.settle();
    EXPECT_EQ(tail.resets.size(), 1U) << strange;
  }
}

TEST(LiveOfIntake, OneThatEndsHoldsUpNobody) {
  Plant p;
  const DeviceId id = p.device();
  Tail tired;
  tired.stays = 1;
  Tail eager;
  ASSERT_TRUE(p.live->subscribe(all_readings(), tired.sink()));
  ASSERT_TRUE(p.live->subscribe(all_readings(), eager.sink()));
  for (int i = 1; i <= 3; ++i) {
    p.reading(id, "lab", R"({"temp":)" + std::to_string(i) + "}");
    p.settle();
  }
  EXPECT_EQ(tired.readings.size(), 1U) << "told no more after it said so";
  EXPECT_EQ(eager.readings.size(), 3U);
}

TEST(LiveOfIntake, AreBounded) {
  Plant p;
  std::vector<std::uint64_t> numbers;
  for (std::size_t i = 0; i < kSubscribersMax; ++i) {
    numbers.push_back(
        p.live->subscribe(all_readings(), [](const LiveItem&) { return true; }).value());
  }
  const auto refused = p.live->subscribe(all_readings(), [](const LiveItem&) { return true; });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::overloaded);
  p.live->unsubscribe(numbers[7]);
  EXPECT_TRUE(p.live->subscribe(all_readings(), [](const LiveItem&) { return true; }));
}

}  // namespace
}  // namespace holdfast::telemetry
