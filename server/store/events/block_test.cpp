#include "server/store/events/block.hpp"

#include <gtest/gtest.h>

#include "libs/os/sim/random.hpp"
#include "server/store/events/file.hpp"

namespace holdfast::events {
namespace {

std::vector<Row> some_rows(std::size_t count, std::uint64_t seed) {
  os::sim::Random random(seed);
  std::vector<Row> rows;
  journal::Cursor at{3, 0};
  std::int64_t us = 1'767'225'600'000'000;
  for (std::size_t i = 0; i < count; ++i) {
    Row row;
    at.record += static_cast<std::uint32_t>(1 + random.below(5));
    if (random.chance(1)) at = {at.segment + 1, 0};
    us += static_cast<std::int64_t>(random.below(1'000'000));
    row.at = at;
    row.event.received = {us};
    row.event.time = {
        random.chance(50) ? us : us - static_cast<std::int64_t>(random.below(1'000'000'000))};
    row.event.claimed = random.chance(90) ? row.event.time : WallTime{0};
    row.event.time_source = static_cast<TimeSource>(random.below(3));
    row.event.severity = static_cast<Severity>(random.below(6));
    row.event.device[15] = static_cast<std::uint8_t>(random.below(10));
    if (random.chance(10)) row.subject[3] = 9;
    row.event.kind = random.chance(50) ? "log" : "kind" + std::to_string(random.below(4));
    row.event.message = std::string(random.below(100), static_cast<char>(random.below(256)));
    put_fields(row.encoded_fields,
               {{"n", static_cast<std::int64_t>(random.next())}, {"t", row.event.message}});
    row.event.id = event_id(row.event.received, row.at);
    rows.push_back(std::move(row));
  }
  return rows;
}

TEST(Block, ReadsBack) {
  for (const std::size_t count : {std::size_t{1}, std::size_t{2}, std::size_t{500}, kBlockEvents}) {
    const auto rows = some_rows(count, count);
    const Parts parts = encode_block(rows);
    const auto meta = decode_meta(parts.meta, count);
    const auto messages = decode_texts(parts.messages, count);
    const auto fields = decode_texts(parts.fields, count);
    ASSERT_TRUE(meta && messages && fields);
    for (std::size_t i = 0; i < count; ++i) {
      const Row back = make_row(*meta, i, (*messages)[i], (*fields)[i]);
      EXPECT_EQ(back.at, rows[i].at);
      EXPECT_EQ(back.event, rows[i].event);
      EXPECT_EQ(back.subject, rows[i].subject);
      EXPECT_EQ(back.encoded_fields, rows[i].encoded_fields);
    }
  }
}

TEST(Block, CutPartsAreCorrupt) {
  const auto rows = some_rows(20, 1);
  const Parts parts = encode_block(rows);
  for (std::size_t length = 0; length < parts.meta.size(); ++length)
    EXPECT_FALSE(decode_meta(View(parts.meta).first(length), 20)) << length;
  for (std::size_t length = 0; length < parts.messages.size(); length += 7)
    EXPECT_FALSE(decode_texts(View(parts.messages).first(length), 20));
  EXPECT_FALSE(decode_meta(parts.meta, 0));
  EXPECT_FALSE(decode_meta(parts.meta, 19));
  EXPECT_FALSE(decode_meta(parts.meta, kBlockEvents + 1));
}

TEST(Block, EventsInDisorderAreCorrupt) {
  auto rows = some_rows(3, 1);
  std::swap(rows[0].at, rows[2].at);
  EXPECT_FALSE(decode_meta(encode_block(rows).meta, 3));
}

TEST(Index, ReadsBackAndSaysWhatIsInTheBlock) {
  const auto rows = some_rows(100, 4);
  IndexEntry entry = describe(rows);
  EXPECT_EQ(entry.count, 100U);
  EXPECT_EQ(entry.first, rows[0].at);
  for (const Row& row : rows) {
    EXPECT_LE(entry.time_min, row.event.time.us);
    EXPECT_GE(entry.time_max, row.event.time.us);
    EXPECT_NE(entry.severities >> static_cast<unsigned>(row.event.severity) & 1, 0);
  }
  entry.offset = 1'000'000;
  entry.meta_length = 10;
  entry.messages_length = 20;
  entry.fields_length = 30;
  const Bytes bytes = encode_index({entry, entry});
  const auto back = decode_index(bytes, 2);
  ASSERT_TRUE(back);
  EXPECT_EQ((*back)[1].offset, 1'000'000U);
  EXPECT_EQ((*back)[1].fields_length, 30U);
  EXPECT_EQ((*back)[1].first, entry.first);
  EXPECT_EQ((*back)[1].received_last, entry.received_last);
  EXPECT_EQ((*back)[1].severities, entry.severities);
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(decode_index(View(bytes).first(length), 2));
  EXPECT_FALSE(decode_index(bytes, 1));
}

TEST(FileName, ReadsBack) {
  const FileName name{10, 0xABC};
  EXPECT_EQ(file_name_text(name), "000000000000000a-0000000000000abc.hfe");
  EXPECT_EQ(parse_file_name(file_name_text(name)), name);
  for (const char* text :
       {"", "x.hfe", "000000000000000a-0000000000000abc.hfc",
        "000000000000000b-000000000000000a.hfe", "0000000000000000-000000000000000a.hfe",
        "000000000000000A-0000000000000ABC.hfe"}) {
    EXPECT_FALSE(parse_file_name(text)) << text;
  }
  EXPECT_TRUE((FileName{1, 9}).covers({2, 9}));
  EXPECT_FALSE((FileName{1, 9}).covers({1, 9}));
  EXPECT_FALSE((FileName{1, 9}).covers({5, 10}));
}

TEST(FileEnds, EveryFlippedBitIsSeen) {
  const Bytes header = encode_file_header({{1, 2}, 3});
  const Bytes trailer = encode_trailer({100, 20, 3, 4});
  EXPECT_EQ(decode_file_header(header)->key, 3U);
  EXPECT_EQ(decode_trailer(trailer)->events, 4U);
  for (std::size_t bit = 0; bit < header.size() * 8; ++bit) {
    Bytes bad = header;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(decode_file_header(bad)) << bit;
  }
  for (std::size_t bit = 0; bit < trailer.size() * 8; ++bit) {
    Bytes bad = trailer;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(decode_trailer(bad)) << bit;
  }
}

}  // namespace
}  // namespace holdfast::events
