#include "server/store/journal/frame.hpp"

#include <gtest/gtest.h>

namespace holdfast::journal {
namespace {

const Bytes kKey(32, 0x11);

SegmentHeader example() {
  SegmentHeader header;
  header.number = 0x0102030405060708ULL;
  header.key = 42;
  header.created = {1'767'225'600'000'000};
  header.previous = 7;
  header.previous_length = 4096;
  return header;
}

TEST(SegmentHeader, ReadsBack) {
  const Bytes bytes = encode_header(example());
  ASSERT_EQ(bytes.size(), kSegmentHeaderBytes);
  EXPECT_EQ(decode_header(bytes).value(), example());
}

TEST(SegmentHeader, HasTheBytesOfTheSpecification) {
  const Bytes bytes = encode_header(example());
  EXPECT_EQ(to_hex(View(bytes).first(48)),
            "48464a524e4c3031"    // HFJRNL01
            "0807060504030201"    // number
            "2a00000000000000"    // key
            "0040204648470600"    // created
            "0700000000000000"    // previous
            "0010000000000000");  // its length, flags
  EXPECT_EQ(load_le<std::uint32_t>(bytes.data() + 60), crc32c(View(bytes).first(60)));
}

TEST(SegmentHeader, EveryFlippedBitIsSeen) {
  const Bytes good = encode_header(example());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(decode_header(bad)) << bit;
  }
}

TEST(SegmentHeader, ShortOrOfAnotherVersionIsCorrupt) {
  Bytes bytes = encode_header(example());
  EXPECT_FALSE(decode_header(View(bytes).first(63)));
  bytes[7] = '2';
  bytes.resize(60);
  store_le(bytes, crc32c(bytes));
  const auto decoded = decode_header(bytes);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Code::corrupt);
}

class FrameTest : public testing::Test {
 protected:
  FrameCipher cipher_ = FrameCipher::make(5, kKey).value();
  Bytes plain_ = bytes_of("what a device said");

  Bytes frame(std::uint32_t offset = 64) {
    Bytes out;
    EXPECT_TRUE(cipher_.seal(offset, {0, 64, 10, 2}, plain_, out));
    return out;
  }
};

TEST_F(FrameTest, SealedFramesOpen) {
  const Bytes bytes = frame();
  EXPECT_EQ(bytes.size() % 8, 0U);
  const auto header = find_frame(bytes);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->length, plain_.size() + 16);
  EXPECT_EQ(header->group, 64U);
  EXPECT_EQ(header->first, 10U);
  EXPECT_EQ(header->count, 2U);
  EXPECT_EQ(header->file_bytes(), bytes.size());
  EXPECT_EQ(cipher_.open(64, *header, bytes).value(), plain_);
}

TEST_F(FrameTest, HidesItsContent) {
  const Bytes bytes = frame();
  EXPECT_EQ(text_of(bytes).find("device"), std::string_view::npos);
}

TEST_F(FrameTest, EveryFlippedBitIsSeen) {
  const Bytes good = frame();
  const std::size_t covered = kFrameHeaderBytes + plain_.size() + 16;
  for (std::size_t bit = 0; bit < covered * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(find_frame(bad)) << bit;
  }
}

TEST_F(FrameTest, AFrameBelongsToItsPlaceSegmentAndKey) {
  const Bytes bytes = frame(64);
  const auto header = find_frame(bytes);
  ASSERT_TRUE(header);
  EXPECT_FALSE(cipher_.open(72, *header, bytes));
  EXPECT_FALSE(FrameCipher::make(6, kKey)->open(64, *header, bytes));
  EXPECT_FALSE(FrameCipher::make(5, Bytes(32, 0x12))->open(64, *header, bytes));
  FrameHeader other = *header;
  other.first = 11;
  EXPECT_FALSE(cipher_.open(64, other, bytes));
}

TEST_F(FrameTest, CutFramesDoNotHold) {
  const Bytes bytes = frame();
  for (std::size_t length = 0; length < kFrameHeaderBytes + plain_.size() + 16; ++length) {
    EXPECT_FALSE(find_frame(View(bytes).first(length))) << length;
  }
  EXPECT_FALSE(find_frame(Bytes(4096, 0)));
}

TEST_F(FrameTest, FramesFollowOneAnother) {
  Bytes all;
  ASSERT_TRUE(cipher_.seal(64, {0, 64, 0, 1}, plain_, all));
  const auto second = static_cast<std::uint32_t>(64 + all.size());
  const std::size_t at = all.size();
  ASSERT_TRUE(cipher_.seal(second, {0, 64, 1, 1}, Bytes(1000, 3), all));
  const auto header = find_frame(View(all).subspan(at));
  ASSERT_TRUE(header);
  EXPECT_EQ(cipher_.open(second, *header, View(all).subspan(at)).value(), Bytes(1000, 3));
}

}  // namespace
}  // namespace holdfast::journal
