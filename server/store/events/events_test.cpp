#include "server/store/events/events.hpp"

#include <gtest/gtest.h>

#include "server/store/events/body.hpp"

namespace holdfast::events {
namespace {

constexpr WallTime kNow{1'767'225'600'123'456};

NewEvent example() {
  NewEvent event;
  event.kind = "door";
  event.severity = Severity::warning;
  event.message = "Door opened by Ada";
  event.fields = {
      {"b", true},  {"c", false}, {"d", 0.5}, {"i", std::int64_t{-7}}, {"n", std::monostate{}},
      {"t", "text"}};
  return event;
}

journal::Stored stored(View body) {
  journal::Stored record;
  record.at = {3, 9};
  record.kind = journal::Kind::event;
  record.device[0] = 5;
  record.time = kNow;
  record.body = body;
  return record;
}

TEST(Event, ReadsBack) {
  const auto body = encode_event(example(), kNow);
  ASSERT_TRUE(body);
  const auto event = decode_event(stored(*body));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, "door");
  EXPECT_EQ(event->severity, Severity::warning);
  EXPECT_EQ(event->message, "Door opened by Ada");
  EXPECT_EQ(event->fields, example().fields);
  EXPECT_EQ(event->time, kNow);
  EXPECT_EQ(event->time_source, TimeSource::server);
  EXPECT_EQ(event->device[0], 5);
}

TEST(Event, TimesFollowTheContract) {
  NewEvent event = example();
  event.device_time = kNow - hours(1);
  auto back = decode_event(stored(*encode_event(event, kNow)));
  EXPECT_EQ(back->time, kNow - hours(1));
  EXPECT_EQ(back->received, kNow);
  EXPECT_EQ(back->time_source, TimeSource::device);
  event.device_time = WallTime{0};
  back = decode_event(stored(*encode_event(event, kNow)));
  EXPECT_EQ(back->time, kNow);
  EXPECT_EQ(back->claimed, WallTime{0});
  EXPECT_EQ(back->time_source, TimeSource::uncertain);
}

TEST(Event, IdsSortByArrivalAndDiffer) {
  const Ulid first = event_id(kNow, {3, 9});
  EXPECT_LT(first, event_id(kNow + microseconds(1), {3, 9}));
  EXPECT_LT(first, event_id(kNow, {3, 10}));
  EXPECT_LT(first, event_id(kNow, {4, 0}));
  EXPECT_LT(event_id(kNow, {4, 0}), event_id(kNow + milliseconds(1), {3, 0}));
  EXPECT_EQ(to_hex(first),
            "019b76daa87b"  // milliseconds
            "7200"          // microseconds in it
            "00000003"      // segment
            "00000009");
}

TEST(Event, LongMessagesAreCutWithAMarkBetweenCharacters) {
  NewEvent event = example();
  for (int i = 0; i < 5000; ++i) event.message += "\xC3\xA4";
  const auto back = decode_event(stored(*encode_event(event, kNow)));
  ASSERT_TRUE(back);
  EXPECT_LE(back->message.size(), kMessageBytesMax);
  EXPECT_TRUE(back->message.ends_with(" [cut]"));
  EXPECT_NE(static_cast<unsigned char>(back->message[back->message.size() - 7]), 0xC3);
}

TEST(Event, TooManyFieldsAreKeptAsText) {
  NewEvent event = example();
  event.fields.clear();
  for (int i = 100; i < 400; ++i) event.fields["field" + std::to_string(i)] = std::int64_t{i};
  const auto back = decode_event(stored(*encode_event(event, kNow)));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->fields.size(), kFieldsMax);
  EXPECT_NE(std::get<std::string>(back->fields.at("overflow")).find("field399=399"),
            std::string::npos);
}

TEST(Event, LargeFieldsAreBounded) {
  NewEvent event = example();
  event.fields = {
      {"a", std::string(200'000, 'x')}, {"b", "small"}, {std::string(300, 'n'), "long name"}};
  const auto body = encode_event(event, kNow);
  ASSERT_TRUE(body);
  EXPECT_LT(body->size(), kFieldBytesMax + kMessageBytesMax);
  const auto back = decode_event(stored(*body));
  ASSERT_TRUE(back);
  EXPECT_EQ(std::get<std::string>(back->fields.at("b")), "small");
  EXPECT_TRUE(back->fields.contains("overflow"));
}

TEST(Event, AKindIsNeeded) {
  NewEvent event = example();
  event.kind.clear();
  EXPECT_FALSE(encode_event(event, kNow));
  event.kind = std::string(65, 'k');
  EXPECT_FALSE(encode_event(event, kNow));
}

TEST(Event, EveryCutIsCorrupt) {
  const auto body = encode_event(example(), kNow);
  for (std::size_t length = 0; length < body->size(); ++length) {
    const auto event = decode_event(stored(View(*body).first(length)));
    ASSERT_FALSE(event) << length;
    EXPECT_EQ(event.error().code, Code::corrupt);
  }
  Bytes longer = *body;
  longer.push_back(0);
  EXPECT_FALSE(decode_event(stored(longer)));
}

TEST(Event, AReadingIsNoEvent) {
  const auto body = encode_event(example(), kNow);
  journal::Stored record = stored(*body);
  record.kind = journal::Kind::reading;
  EXPECT_FALSE(decode_event(record));
}

class MatchTest : public testing::Test {
 protected:
  Event event_ = decode_event(stored(*encode_event(example(), kNow))).value();
  bool matches(const std::function<void(Query&)>& set) {
    Query query;
    set(query);
    return Events::matches(query, event_);
  }
};

TEST_F(MatchTest, EachFilterCounts) {
  EXPECT_TRUE(matches([](Query&) {}));
  EXPECT_TRUE(matches([&](Query& query) { query.device = event_.device; }));
  EXPECT_FALSE(matches([](Query& query) { query.device = Ulid{}; }));
  EXPECT_FALSE(
      matches([](Query& query) { query.device_filter = [](const Ulid&) { return false; }; }));
  EXPECT_TRUE(matches([](Query& query) { query.from = kNow; }));
  EXPECT_FALSE(matches([](Query& query) { query.to = kNow; }));
}

TEST_F(MatchTest, TheLanguageSeesAllOfAnEvent) {
  for (const char* text : {"ADA", "opened ada", "door", "text", "t:text", "i=-7", "d<0.6", "true",
                           "n:null", "severity:warning", "kind=door", "b:true"}) {
    EXPECT_TRUE(matches([&](Query& query) { query.filter = *query::parse(text); })) << text;
  }
  for (const char* text : {"bob", "ada bob", "d:0.6", "absent:*", "severity>warning"}) {
    EXPECT_FALSE(matches([&](Query& query) { query.filter = *query::parse(text); })) << text;
  }
}

}  // namespace
}  // namespace holdfast::events
