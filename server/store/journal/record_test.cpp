#include "server/store/journal/record.hpp"

#include <gtest/gtest.h>

namespace holdfast::journal {
namespace {

Ulid ulid_of(std::uint8_t last) {
  Ulid out{};
  out[0] = 1;
  out[15] = last;
  return out;
}

std::vector<Stored> decode(View plain, Cursor first = {7, 3}) {
  std::vector<Stored> out;
  EXPECT_TRUE(for_each_record(plain, first, [&](const Stored& record) {
    out.push_back(record);
    return true;
  }));
  return out;
}

TEST(Cursor, TextReadsBack) {
  const Cursor cursor{18, 4'294'967'295U};
  EXPECT_EQ(cursor_text(cursor), "18-4294967295");
  EXPECT_EQ(parse_cursor(cursor_text(cursor)).value(), cursor);
}

TEST(Cursor, OtherTextIsRefused) {
  for (const char* text :
       {"", "-", "1", "1-", "-1", "a-1", "1-b", "1-2 ", " 1-2", "1-4294967296", "1-2-3"}) {
    const auto parsed = parse_cursor(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Code::invalid_argument);
  }
}

TEST(Cursor, OrdersBySegmentThenRecord) {
  EXPECT_LT((Cursor{1, 900}), (Cursor{2, 0}));
  EXPECT_LT((Cursor{2, 0}), (Cursor{2, 1}));
}

TEST(PayloadHash, DependsOnTopicAndPayloadAndTheirBorder) {
  const auto hash = [](std::string_view topic, std::string_view payload) {
    return payload_hash(topic, view_of(payload));
  };
  EXPECT_EQ(hash("telemetry/a", "{}"), hash("telemetry/a", "{}"));
  EXPECT_NE(hash("telemetry/a", "{}"), hash("telemetry/b", "{}"));
  EXPECT_NE(hash("telemetry/a", "{}"), hash("telemetry/a", "{ }"));
  EXPECT_NE(hash("ab", "c"), hash("a", "bc"));
  EXPECT_NE(hash("", std::string_view("\0", 1)), hash("", std::string_view("\0\0", 2)));
  EXPECT_LT(hash("telemetry/a", "{}"), 1ULL << 48);
}

TEST(Records, AllFieldsReadBack) {
  RecordWriter writer;
  const Bytes body = bytes_of("twenty");
  Record full;
  full.kind = Kind::event;
  full.device = ulid_of(1);
  full.subject = ulid_of(2);
  full.ticks = 300;
  full.delivery = {
      .session = 0xFEDCBA9876543210ULL, .packet = 65535, .hash = (1ULL << 48) - 1, .dup = true};
  full.body = body;
  writer.add(full, {1'000'000});
  Record bare;
  writer.add(bare, {1'000'300});
  ASSERT_EQ(writer.count(), 2U);

  const Bytes plain = writer.take();
  const auto records = decode(plain);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].at, (Cursor{7, 3}));
  EXPECT_EQ(records[0].kind, Kind::event);
  EXPECT_EQ(records[0].device, ulid_of(1));
  EXPECT_EQ(records[0].subject, ulid_of(2));
  EXPECT_EQ(records[0].ticks, 300U);
  EXPECT_EQ(records[0].time.us, 1'000'000);
  EXPECT_EQ(records[0].delivery.session, 0xFEDCBA9876543210ULL);
  EXPECT_EQ(records[0].delivery.packet, 65535);
  EXPECT_EQ(records[0].delivery.hash, (1ULL << 48) - 1);
  EXPECT_EQ(string_of(records[0].body), "twenty");
  EXPECT_EQ(records[1].at, (Cursor{7, 4}));
  EXPECT_EQ(records[1].time.us, 1'000'300);
  EXPECT_EQ(records[1].device, Ulid{});
  EXPECT_EQ(records[1].ticks, 1U);
  EXPECT_TRUE(records[1].body.empty());
}

TEST(Records, ASubjectThatIsTheDeviceIsNotWrittenTwice) {
  Record record;
  record.device = ulid_of(1);
  RecordWriter alone;
  alone.add(record, {5});
  record.subject = record.device;
  RecordWriter same;
  same.add(record, {5});
  EXPECT_EQ(alone.take(), same.take());
}

TEST(Records, TimesThatStepBackReadBack) {
  RecordWriter writer;
  for (const std::int64_t us :
       {std::int64_t{5'000'000'000}, std::int64_t{-7}, std::int64_t{INT64_MAX}, std::int64_t{0}}) {
    writer.add({}, {us});
  }
  std::vector<std::int64_t> times;
  const Bytes plain = writer.take();
  for (const Stored& record : decode(plain)) times.push_back(record.time.us);
  EXPECT_EQ(times, (std::vector<std::int64_t>{5'000'000'000, -7, INT64_MAX, 0}));
}

TEST(Records, TakeStartsAnew) {
  RecordWriter writer;
  writer.add({}, {10});
  EXPECT_FALSE(writer.take().empty());
  EXPECT_EQ(writer.count(), 0U);
  EXPECT_TRUE(writer.take().empty());
  writer.add({}, {20});
  const Bytes plain = writer.take();
  EXPECT_EQ(decode(plain).at(0).time.us, 20);
}

TEST(Records, TheReaderMayStop) {
  RecordWriter writer;
  for (int i = 0; i < 5; ++i) writer.add({}, {i});
  const Bytes plain = writer.take();
  int seen = 0;
  EXPECT_TRUE(for_each_record(plain, {1, 0}, [&](const Stored&) { return ++seen < 2; }));
  EXPECT_EQ(seen, 2);
}

TEST(Records, EveryCutIsCorruptOrShorter) {
  RecordWriter writer;
  const Bytes body(200, 0x5A);
  Record record;
  record.device = ulid_of(9);
  record.body = body;
  writer.add(record, {1});
  writer.add(record, {2});
  const Bytes plain = writer.take();
  for (std::size_t length = 0; length < plain.size(); ++length) {
    std::size_t count = 0;
    const auto read = for_each_record(View(plain).first(length), {1, 0},
                                      [&](const Stored&) { return ++count != 0; });
    EXPECT_LT(count, 2U) << length;
    if (!read) {
      EXPECT_EQ(read.error().code, Code::corrupt);
    }
  }
}

TEST(Records, ImpossibleLengthsAndTicksAreCorrupt) {
  Bytes plain;
  store_le(plain, std::int64_t{0});
  plain.insert(plain.end(), {1, 0, 0});  // a reading without anything
  Bytes huge = plain;
  put_varint(huge, kBodyBytesMax + 1);
  huge.resize(huge.size() + kBodyBytesMax + 1);
  EXPECT_FALSE(for_each_record(huge, {}, [](const Stored&) { return true; }));

  for (const std::uint64_t ticks : {std::uint64_t{0}, std::uint64_t{kTicksMax} + 1, UINT64_MAX}) {
    Bytes bad;
    store_le(bad, std::int64_t{0});
    bad.insert(bad.end(), {1, 8, 0});
    put_varint(bad, ticks);
    put_varint(bad, 0);
    EXPECT_FALSE(for_each_record(bad, {}, [](const Stored&) { return true; })) << ticks;
  }
}

TEST(Records, UnknownKindsArePassedOn) {
  RecordWriter writer;
  Record record;
  record.kind = static_cast<Kind>(200);
  writer.add(record, {1});
  const Bytes plain = writer.take();
  EXPECT_EQ(static_cast<int>(decode(plain).at(0).kind), 200);
}

}  // namespace
}  // namespace holdfast::journal
