#include "server/store/events/block.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "libs/os/sim/random.hpp"
#include "server/store/events/file.hpp"

namespace holdfast::events {
namespace {

// Rows with what they point into.
struct Sample {
  std::deque<std::string> texts;
  std::vector<Row> rows;

  std::string_view keep(std::string text) { return texts.emplace_back(std::move(text)); }
  std::vector<const Row*> pointers() const {
    std::vector<const Row*> out;
    for (const Row& row : rows) out.push_back(&row);
    return out;
  }
};

std::string some_message(os::sim::Random& random) {
  switch (random.below(7)) {
    case 0:
      return "Failed password for root from 10.0." + std::to_string(random.below(256)) + "." +
             std::to_string(random.below(256)) + " port " + std::to_string(random.below(65536));
    case 1:
      return "job " + std::to_string(random.next()) + " took 0" + std::to_string(random.below(9)) +
             ".5s";
    case 2:
      return std::string(random.below(50), static_cast<char>(random.below(256)));
    case 3:
      return "a \1 b \1 3";
    case 4:
      return "";
    case 5:
      return "ips 1.2.3.4 01.2.3.4 1.2.3.256 1.2.3. v1.2";
    default:
      return "state " + std::to_string(random.below(3)) + "x" + std::to_string(random.below(2));
  }
}

Sample some_rows(std::size_t count, std::uint64_t seed) {
  os::sim::Random random(seed);
  Sample out;
  journal::Cursor at{3, 0};
  std::int64_t us = 1'767'225'600'000'000;
  for (std::size_t i = 0; i < count; ++i) {
    Row row;
    at.record += static_cast<std::uint32_t>(1 + random.below(5));
    if (random.chance(1)) at = {at.segment + 1, 0};
    us += static_cast<std::int64_t>(random.below(1'000'000));
    row.at = at;
    row.received = us;
    row.time = random.chance(50) ? us : us - static_cast<std::int64_t>(random.below(1'000'000'000));
    row.claimed = random.chance(90) ? row.time : 0;
    row.source = static_cast<std::uint8_t>(random.below(3));
    row.severity = static_cast<std::uint8_t>(random.below(6));
    row.device[15] = static_cast<std::uint8_t>(random.below(10));
    if (random.chance(10)) row.subject[3] = 9;
    row.kind = out.keep(random.chance(50) ? "log" : "kind" + std::to_string(random.below(4)));
    row.message = out.keep(some_message(random));
    FieldMap fields;
    if (random.chance(80)) fields["n"] = static_cast<std::int64_t>(random.next());
    if (random.chance(50)) fields["t"] = std::string(row.message);
    if (random.chance(30)) fields["d"] = static_cast<double>(random.below(1000)) / 8;
    if (random.chance(30)) fields["b"] = random.chance(50);
    if (random.chance(10)) fields["z"] = std::monostate{};
    Bytes encoded;
    put_fields(encoded, fields);
    row.fields = out.keep(string_of(encoded));
    out.rows.push_back(row);
  }
  return out;
}

void expect_equal(const Row& a, const Row& b) {
  EXPECT_EQ(a.at, b.at);
  EXPECT_EQ(std::tie(a.received, a.time, a.claimed, a.source, a.severity),
            std::tie(b.received, b.time, b.claimed, b.source, b.severity));
  EXPECT_EQ(std::tie(a.device, a.subject, a.kind, a.message, a.fields),
            std::tie(b.device, b.subject, b.kind, b.message, b.fields));
}

Result<std::unique_ptr<Block>> decoded(const Parts& parts, std::size_t count) {
  auto out = std::make_unique<Block>();
  out->meta = TRY(decode_meta(parts.meta, count));
  out->messages = TRY(take_messages(parts.messages, count, out->arena));
  out->fields = TRY(take_field_columns(parts.fields, count, out->arena));
  out->has_messages = out->has_fields = true;
  return out;
}

TEST(Block, ReadsBack) {
  for (const std::size_t count : {std::size_t{1}, std::size_t{2}, std::size_t{500}, kBlockEvents}) {
    const Sample sample = some_rows(count, count);
    const Parts parts = encode_block(sample.pointers());
    const auto block = decoded(parts, count);
    ASSERT_TRUE(block) << block.error().text();
    for (std::size_t i = 0; i < count; ++i) expect_equal((*block)->row(i), sample.rows[i]);
  }
}

TEST(Block, WhatRepeatsIsStoredOnce) {
  Sample sample = some_rows(2000, 1);
  for (std::size_t i = 0; i < sample.rows.size(); ++i)
    sample.rows[i].message = sample.keep("Failed password for invalid user admin from 10.1.2." +
                                         std::to_string(i % 256) + " port " + std::to_string(i));
  EXPECT_LT(encode_block(sample.pointers()).messages.size(), sample.rows.size() * 4);
}

TEST(Block, EveryCutIsCorrupt) {
  const Sample sample = some_rows(20, 1);
  const Parts parts = encode_block(sample.pointers());
  Arena arena;
  const auto cut = [](View part, auto&& decode) {
    for (std::size_t length = 0; length < part.size(); ++length) {
      const auto result = decode(part.first(length));
      ASSERT_FALSE(result) << length;
      EXPECT_EQ(result.error().code, Code::corrupt);
    }
  };
  cut(parts.meta, [](View part) { return decode_meta(part, 20); });
  cut(parts.messages, [&](View part) { return take_messages(part, 20, arena); });
  cut(parts.fields, [&](View part) { return take_field_columns(part, 20, arena); });
  EXPECT_FALSE(decode_meta(parts.meta, 0));
  EXPECT_FALSE(decode_meta(parts.meta, kBlockEvents + 1));
}

TEST(Rollup, CountsEachEventOnce) {
  const Sample sample = some_rows(3000, 5);
  const Rollup rollup = roll_up(sample.pointers());
  std::map<std::tuple<std::int64_t, std::string, int>, std::uint64_t> want;
  for (const Row& row : sample.rows)
    ++want[{minute_of(row.time), std::string(row.kind), row.severity}];
  ASSERT_EQ(rollup.lines.size(), want.size());
  for (const Rollup::Line& line : rollup.lines)
    EXPECT_EQ(line.count, (want[{line.minute, rollup.kinds[line.kind], line.severity}]));
  EXPECT_EQ(minute_of(-1), -1);
  EXPECT_EQ(minute_of(60'000'000), 1);
}

TEST(Directory, ReadsBackAndEveryCutIsCorrupt) {
  std::vector<Group> groups;
  for (std::uint64_t i = 0; i < 3; ++i) {
    Sample sample = some_rows(300, i);
    for (Row& row : sample.rows) row.at.segment += 100 * i;
    const auto pointers = sample.pointers();
    Group group = describe(pointers);
    group.offset = 1000 * i;
    group.blocks = {describe_block(pointers), describe_block(pointers)};
    group.blocks[1].meta_length = 77;
    group.page_lengths = {5, 6, 7};
    groups.push_back(std::move(group));
  }
  const Bytes bytes = encode_directory(groups);
  const auto back = decode_directory(bytes, 3);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(encode_directory(*back), bytes);
  EXPECT_EQ((*back)[1].rollup.lines, groups[1].rollup.lines);
  EXPECT_EQ((*back)[2].page_offset(1), 2000U + 77 + 5);
  for (std::size_t length = 0; length < bytes.size(); ++length)
    ASSERT_FALSE(decode_directory(View(bytes).first(length), 3)) << length;
  EXPECT_FALSE(decode_directory(bytes, 2)) << "bytes beyond its end";
}

TEST(Filter, FindsAllAndLittleElse) {
  for (const std::size_t blocks : {1U, 2U, 7U, 32U}) {
    os::sim::Random random(blocks);
    FilterBuilder builder;
    std::map<std::uint64_t, BlockMask> want;
    for (std::size_t block = 0; block < blocks; ++block) {
      for (int i = 0; i < 3000; ++i) {
        const std::uint64_t term =
            random.chance(30) ? random.below(300) * 0x9E3779B97F4A7C15ULL : random.next();
        builder.add(term);
        want[term] |= BlockMask{1} << block;
      }
      builder.end_block();
    }
    const auto pages = builder.take_pages();
    ASSERT_FALSE(pages.empty());
    const auto look = [&](std::uint64_t term) {
      return *look_up(pages[page_of(term, pages.size())], term, pages.size(), blocks);
    };
    for (const auto& [term, mask] : want) ASSERT_EQ(look(term) & mask, mask);
    unsigned wrong = 0;
    for (int i = 0; i < 10'000; ++i) wrong += look(random.next()) != 0 ? 1 : 0;
    EXPECT_LT(wrong, 300U) << "1 in 64 is promised";
    EXPECT_GT(wrong, 50U);
  }
  EXPECT_TRUE(FilterBuilder().take_pages().empty());
}

TEST(Filter, CutPagesAreCorrupt) {
  FilterBuilder builder;
  for (std::uint64_t i = 1; i < 100; ++i) builder.add(i * 0x9E3779B97F4A7C15ULL);
  builder.end_block();
  const Bytes page = builder.take_pages()[0];
  std::size_t refused = 0;
  for (std::size_t length = 0; length < page.size(); ++length)
    refused += look_up(View(page).first(length), UINT64_MAX, 1, 1) ? 0 : 1;
  EXPECT_EQ(refused, page.size());
  EXPECT_TRUE(look_up(page, UINT64_MAX, 1, 1));
}

}  // namespace
}  // namespace holdfast::events
