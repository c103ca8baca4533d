#include "server/store/series/ints.hpp"

#include <gtest/gtest.h>

#include "libs/os/sim/random.hpp"

namespace holdfast::series {
namespace {

using Ints = std::vector<std::int64_t>;

Bytes pack(const Ints& values) {
  Bytes out;
  put_ints(out, values);
  return out;
}

// Packs and unpacks; the size in bytes.
std::size_t round_trip(const Ints& values) {
  const Bytes bytes = pack(values);
  Ints out(values.size());
  ByteReader in(bytes);
  EXPECT_TRUE(take_ints(in, out));
  EXPECT_TRUE(in.done());
  EXPECT_EQ(out, values);
  return bytes.size();
}

TEST(Ints, NothingIsNothing) {
  EXPECT_EQ(round_trip({}), 0U);
}

TEST(Ints, EqualValuesTakeAFewBytes) {
  EXPECT_LE(round_trip({7}), 2U);
  EXPECT_LE(round_trip(Ints(10'000, -1)), 2U);
  EXPECT_LE(round_trip(Ints(10'000, INT64_MIN)), 11U);
}

TEST(Ints, ARegularClockIsNearlyFree) {
  Ints times;
  for (int i = 0; i < 8640; ++i) times.push_back(1'767'225'600'000'000 + i * 10'000'000LL);
  EXPECT_LT(round_trip(times), 250U);
}

TEST(Ints, ACommonDivisorIsTakenOut) {
  Ints bytes;
  os::sim::Random random(1);
  for (int i = 0; i < 1280; ++i)
    bytes.push_back(8'000'000'000 + static_cast<std::int64_t>(random.below(16)) * 4096);
  EXPECT_LT(round_trip(bytes), 1280U * 4 / 8 + 80);
}

TEST(Ints, OutliersOnEitherSideAreExceptions) {
  Ints values;
  os::sim::Random random(2);
  for (int i = 0; i < 1280; ++i)
    values.push_back(1000 + static_cast<std::int64_t>(random.below(8)));
  const std::size_t calm = round_trip(values);
  for (int i = 50; i < 1280; i += 128)
    values[static_cast<std::size_t>(i)] = i % 256 < 128 ? 1'000'000 : -1'000'000;
  EXPECT_LT(round_trip(values), calm + 10 * 9);
}

TEST(Ints, ExtremesComeBack) {
  round_trip({INT64_MIN, INT64_MAX});
  round_trip({INT64_MAX, INT64_MIN, 0, -1, 1});
  round_trip({0, INT64_MIN, 0, INT64_MIN, 0});
  Ints alternating;
  for (int i = 0; i < 300; ++i) alternating.push_back(i % 2 == 0 ? INT64_MIN + i : INT64_MAX - i);
  round_trip(alternating);
}

TEST(Ints, EveryWidthComesBack) {
  os::sim::Random random(3);
  for (unsigned width = 1; width <= 64; ++width) {
    for (const std::size_t count : {2U, 127U, 128U, 129U, 130U, 300U}) {
      Ints values;
      for (std::size_t i = 0; i < count; ++i)
        values.push_back(static_cast<std::int64_t>(random.next() >> (64 - width)));
      round_trip(values);
    }
  }
}

// Walks, counters, steps and noise of random sizes.
TEST(Ints, RandomSequencesComeBack) {
  os::sim::Random random(4);
  for (int round = 0; round < 400; ++round) {
    Ints values(1 + random.below(700));
    const std::uint64_t scale = 1ULL << random.below(63);
    std::uint64_t value = random.next();
    const std::uint64_t style = random.below(4);
    for (std::int64_t& each : values) {
      const std::uint64_t noise = random.below(scale);
      if (style == 0) value += noise;                             // a counter
      if (style == 1) value += noise - scale / 2;                 // a walk
      if (style == 2) value = noise;                              // noise
      if (style == 3 && random.chance(2)) value = random.next();  // steps
      each = static_cast<std::int64_t>(value);
    }
    round_trip(values);
  }
}

TEST(Ints, CutBytesAreCorrupt) {
  Ints values;
  os::sim::Random random(5);
  for (int i = 0; i < 200; ++i) values.push_back(static_cast<std::int64_t>(random.below(1000)));
  values[100] = INT64_MAX;
  const Bytes bytes = pack(values);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    Ints out(values.size());
    ByteReader in(View(bytes).first(length));
    const auto taken = take_ints(in, out);
    ASSERT_FALSE(taken) << length;
    EXPECT_EQ(taken.error().code, Code::corrupt);
  }
}

TEST(Ints, ImpossibleBytesAreCorrupt) {
  const auto refuses = [](const Bytes& bytes, std::size_t count) {
    Ints out(count);
    ByteReader in(bytes);
    return !take_ints(in, out);
  };
  EXPECT_TRUE(refuses({4, 0}, 1)) << "mode";
  EXPECT_TRUE(refuses({1, 0, 1, 65, 0}, 2)) << "width";
  EXPECT_TRUE(refuses({1, 0, 1, 0x81, 0, 1, 0, 9, 1}, 2)) << "exception beyond the end";
  EXPECT_TRUE(refuses({3, 0, 1, 0}, 1)) << "differences of differences of one";
  EXPECT_FALSE(refuses({1, 0, 1, 0x81, 0, 1, 1, 0, 1}, 2)) << "the same, right";
}

TEST(Ints, HaveTheBytesOfTheSpecification) {
  // mode 1, base 10 (zigzag 20), g 5, one mini: width 2, low 0, bits 1|2|3 = 0b111001.
  EXPECT_EQ(to_hex(pack({10, 15, 20, 25, 10})).substr(0, 4), to_hex(Bytes{1, 20}));
  EXPECT_EQ(pack({3}), (Bytes{0, 6}));
}

}  // namespace
}  // namespace holdfast::series
