#include "server/store/series/column.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "libs/os/sim/random.hpp"

namespace holdfast::series {
namespace {

class ColumnTest : public testing::Test {
 protected:
  Compressor compressor_;
  os::sim::Random random_{1};

  static void push(Column& column, double value) {
    column.push(4, std::bit_cast<std::uint64_t>(value));
  }
  static void push(Column& column, std::int64_t value) {
    column.push(3, static_cast<std::uint64_t>(value));
  }

  // Encodes and decodes; the size of the encoded block.
  std::size_t round_trip(const Column& column, std::size_t rows) {
    const Bytes block = encode_column(column, rows, compressor_);
    const auto back = decode_column(block, rows, column.size());
    EXPECT_TRUE(back);
    if (!back) return 0;
    EXPECT_EQ(back->kinds, column.kinds);
    for (std::size_t i = 0; i < column.size(); ++i) {
      EXPECT_EQ(back->row(i), column.row(i)) << i;
      if (is_number(column.kinds[i])) {
        EXPECT_EQ(back->bits[i], column.bits[i]) << i;
      } else {
        EXPECT_EQ(back->value(i), column.value(i)) << i;
      }
    }
    return block.size();
  }
  std::size_t round_trip(const Column& column) { return round_trip(column, column.size()); }
};

TEST_F(ColumnTest, ConstantsTakeAFewBytes) {
  Column doubles;
  Column integers;
  Column texts;
  Column booleans;
  for (int i = 0; i < 8640; ++i) {
    push(doubles, std::numeric_limits<double>::quiet_NaN());
    push(integers, std::int64_t{INT64_MIN});
    texts.push(5, 0, "on");
    booleans.push(2, 0);
  }
  EXPECT_LT(round_trip(doubles), 16U);
  EXPECT_LT(round_trip(integers), 20U);
  EXPECT_LT(round_trip(texts), 16U);
  EXPECT_EQ(compressor_.pack(encode_column(booleans, booleans.size(), compressor_)).size() < 40,
            true);
  round_trip(booleans);
}

TEST_F(ColumnTest, DecimalsBecomeIntegers) {
  Column column;
  for (int i = 0; i < 8640; ++i)
    push(column, static_cast<double>(2000 + static_cast<int>(random_.below(100))) / 100.0);
  EXPECT_LT(round_trip(column), 8640U * 7 / 8 + 300);
}

TEST_F(ColumnTest, AFewOddOnesDoNotSpoilDecimals) {
  Column column;
  for (int i = 0; i < 8640; ++i) {
    push(column, i % 400 == 7 ? 1.0 / 3.0 : static_cast<double>(random_.below(1000)) / 10.0);
  }
  EXPECT_LT(round_trip(column), 8640U * 2);
}

TEST_F(ColumnTest, HostileNumbersComeBackBitByBit) {
  const std::vector<double> hostile = {0.0,
                                       -0.0,
                                       1.0,
                                       -1.0,
                                       0.1,
                                       1e-300,
                                       5e-324,
                                       1e308,
                                       -1e308,
                                       1.7976931348623157e308,
                                       std::numeric_limits<double>::infinity(),
                                       -std::numeric_limits<double>::infinity(),
                                       std::numeric_limits<double>::quiet_NaN(),
                                       std::bit_cast<double>(0x7FF0000000000001ULL),
                                       std::bit_cast<double>(0xFFFFFFFFFFFFFFFFULL),
                                       9007199254740992.0,
                                       9007199254740994.0,
                                       -9007199254740992.0,
                                       0.1 + 0.2,
                                       1e10,
                                       1e22,
                                       123456789.123456789};
  for (const double one : hostile) {
    for (const double other : hostile) {
      Column column;
      for (int i = 0; i < 5; ++i) push(column, i % 2 == 0 ? one : other);
      round_trip(column);
    }
  }
  Column all;
  for (const double value : hostile) push(all, value);
  round_trip(all);
}

TEST_F(ColumnTest, IntegersAreExactAndStayIntegers) {
  Column column;
  for (const std::int64_t value :
       {INT64_MAX, INT64_MIN, std::int64_t{0}, std::int64_t{-1}, (std::int64_t{1} << 53) + 1}) {
    push(column, value);
  }
  round_trip(column);
}

TEST_F(ColumnTest, WholeNumbersAmongDoublesAreToldByTheirWholeness) {
  Column column;
  for (int i = 0; i < 1000; ++i) {
    if (i % 10 == 0) {
      push(column, std::int64_t{i});
    } else {
      push(column, i + 0.5);
    }
  }
  const std::size_t by_wholeness = round_trip(column);
  Column doubles;
  for (int i = 0; i < 1000; ++i) push(doubles, i % 10 == 0 ? i : i + 0.5);
  EXPECT_EQ(by_wholeness, round_trip(doubles)) << "no price for the integers";
}

TEST_F(ColumnTest, MixedNumbersThatWholenessCannotTellComeBack) {
  Column column;
  push(column, std::int64_t{5});
  push(column, 5.0);  // a whole double
  push(column, -0.0);
  push(column, std::int64_t{0});
  push(column, std::int64_t{INT64_MAX});
  push(column, std::numeric_limits<double>::infinity());
  round_trip(column);
}

TEST_F(ColumnTest, AllKindsMixedComeBack) {
  Column column;
  for (int i = 0; i < 500; ++i) {
    switch (random_.below(5)) {
      case 0:
        push(column, static_cast<double>(i) / 7);
        break;
      case 1:
        push(column, std::int64_t{i});
        break;
      case 2:
        column.push(5, 0, "text " + std::to_string(i % 3));
        break;
      default:
        column.push(static_cast<std::uint8_t>(1 + random_.below(2)), 0);
    }
  }
  round_trip(column);
}

TEST_F(ColumnTest, TextsComeBackFromDictionaryAndPlain) {
  Column few;
  Column many;
  for (int i = 0; i < 3000; ++i) {
    few.push(5, 0, i % 3 == 0 ? "running" : i % 3 == 1 ? "" : std::string("st\0pped", 7));
    many.push(5, 0, "line " + std::to_string(i));
  }
  EXPECT_LT(round_trip(few), 1000U);
  round_trip(many);
}

TEST_F(ColumnTest, MissingValuesComeBack) {
  for (const std::size_t rows :
       {std::size_t{1}, std::size_t{9}, std::size_t{1000}, kGroupRowsMax}) {
    for (const std::uint64_t percent : {1U, 5U, 50U, 99U}) {
      Column column;
      for (std::uint32_t row = 0; row < rows; ++row) {
        if (random_.below(100) >= percent && !(row + 1 == rows && column.size() == 0)) continue;
        column.rows.push_back(row);
        push(column, static_cast<std::int64_t>(row));
      }
      if (column.rows.size() == rows) column.rows.clear();
      round_trip(column, rows);
    }
  }
}

TEST_F(ColumnTest, FewValuesInManyRowsAreCheap) {
  Column column;
  for (std::uint32_t row = 5; row < kGroupRowsMax; row += 100) {
    column.rows.push_back(row);
    push(column, std::int64_t{1});
  }
  EXPECT_LT(round_trip(column, kGroupRowsMax), 60U);
}

TEST_F(ColumnTest, RandomColumnsComeBack) {
  for (int round = 0; round < 200; ++round) {
    Column column;
    const std::uint64_t style = random_.below(6);
    const std::size_t count = 1 + random_.below(600);
    double walk = static_cast<double>(random_.below(100));
    for (std::size_t i = 0; i < count; ++i) {
      walk += (static_cast<double>(random_.below(2001)) - 1000) / 1000;
      if (style == 0) push(column, std::bit_cast<double>(random_.next()));
      if (style == 1) push(column, walk);
      if (style == 2) push(column, std::round(walk * 100) / 100);
      if (style == 3) push(column, static_cast<std::int64_t>(random_.next()));
      if (style == 4 && random_.chance(50)) push(column, static_cast<std::int64_t>(i));
      if (style == 4 && column.size() <= i) push(column, walk);
      if (style == 5)
        column.push(5, 0,
                    std::string(random_.below(20), static_cast<char>('a' + random_.below(3))));
    }
    round_trip(column);
  }
}

TEST_F(ColumnTest, CutBlocksAreCorrupt) {
  Column column;
  for (int i = 0; i < 40; ++i) {
    if (i % 2 == 0) {
      push(column, i / 3.0);
    } else {
      column.push(5, 0, "text " + std::to_string(i));
    }
  }
  const Bytes block = encode_column(column, column.size(), compressor_);
  for (std::size_t length = 0; length < block.size(); ++length) {
    EXPECT_FALSE(decode_column(View(block).first(length), column.size(), column.size())) << length;
  }
  Bytes longer = block;
  longer.push_back(0);
  EXPECT_FALSE(decode_column(longer, column.size(), column.size()));
  EXPECT_FALSE(decode_column(block, column.size(), column.size() - 1));
  EXPECT_FALSE(decode_column(block, 0, 0));
}

TEST(Times, ComeBack) {
  os::sim::Random random(2);
  for (int round = 0; round < 100; ++round) {
    Times times;
    std::int64_t at = static_cast<std::int64_t>(random.next() >> 8);
    const std::size_t rows = 1 + random.below(500);
    for (std::size_t i = 0; i < rows; ++i) {
      at += static_cast<std::int64_t>(random.below(2'000'000));
      const auto source = static_cast<TimeSource>(round % 3 == 0 ? random.below(3) : 1);
      times.push(at, round % 2 == 0 ? at : at + static_cast<std::int64_t>(random.below(1000)),
                 source);
    }
    const Bytes block = encode_times(times);
    EXPECT_EQ(decode_times(block, rows).value(), times);
    EXPECT_EQ(decode_time(block, rows).value(), times.time);
    for (std::size_t length = 0; length < block.size(); length += 3)
      EXPECT_FALSE(decode_times(View(block).first(length), rows));
  }
}

TEST(Times, ExtremesComeBack) {
  Times times;
  times.push(INT64_MIN, INT64_MAX, TimeSource::uncertain);
  times.push(INT64_MAX, INT64_MIN, TimeSource::server);
  EXPECT_EQ(decode_times(encode_times(times), 2).value(), times);
}

TEST(Times, OtherIsWhatTheSourceSays) {
  EXPECT_EQ(other_of({TimeSource::server, {5}, {3}, {5}}), 3);
  EXPECT_EQ(other_of({TimeSource::device, {5}, {12'345'678}, {5}}), 12'345'000);
  EXPECT_EQ(other_of({TimeSource::device, {5}, {-1}, {5}}), -1000);
  EXPECT_EQ(other_of({TimeSource::uncertain, {5}, {5}, {-77}}), -77);
}

TEST(Compressor, PacksWhatPaysAndLeavesTheRest) {
  Compressor compressor;
  const Bytes same(5000, 7);
  const Bytes packed = compressor.pack(same);
  EXPECT_LT(packed.size(), 100U);
  EXPECT_EQ(compressor.unpack(packed, 5000).value(), same);
  EXPECT_FALSE(compressor.unpack(packed, 4999)) << "larger than allowed";
  const Bytes small{1, 2, 3};
  EXPECT_EQ(compressor.pack(small), (Bytes{0, 1, 2, 3}));
  EXPECT_EQ(compressor.unpack(compressor.pack(small), 3).value(), small);
  EXPECT_FALSE(compressor.unpack({}, 10));
  EXPECT_FALSE(compressor.unpack(Bytes{9, 1}, 10));
  for (std::size_t length = 0; length < packed.size(); ++length) {
    EXPECT_FALSE(compressor.unpack(View(packed).first(length), 5000)) << length;
  }
}

}  // namespace
}  // namespace holdfast::series
