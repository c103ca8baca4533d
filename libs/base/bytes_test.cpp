#include "libs/base/bytes.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace holdfast {
namespace {

std::string decoded(std::string_view text) {
  const auto bytes = from_base64(text);
  return bytes ? string_of(*bytes) : "<" + bytes.error().message + ">";
}

TEST(Hex, GoesBothWays) {
  EXPECT_EQ(to_hex(Bytes{0x00, 0x7F, 0xFF, 0xA5}), "007fffa5");
  EXPECT_EQ(from_hex("007fFFa5").value(), (Bytes{0x00, 0x7F, 0xFF, 0xA5}));
  EXPECT_EQ(to_hex({}), "");
  EXPECT_TRUE(from_hex("").value().empty());
}

TEST(Hex, RefusesWhatIsNone) {
  for (const char* text : {"0", "0g", "g0", "0 ", " 00", "0x"}) {
    EXPECT_EQ(from_hex(text).error().code, Code::invalid_argument) << text;
  }
}

// RFC 4648 section 10.
TEST(Base64, MatchesTheTestVectors) {
  const std::pair<const char*, const char*> rows[] = {{"", ""},
                                                      {"f", "Zg=="},
                                                      {"fo", "Zm8="},
                                                      {"foo", "Zm9v"},
                                                      {"foob", "Zm9vYg=="},
                                                      {"fooba", "Zm9vYmE="},
                                                      {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : rows) {
    EXPECT_EQ(to_base64(view_of(plain)), encoded);
    EXPECT_EQ(decoded(encoded), plain);
  }
}

TEST(Base64, UsesTheRightAlphabet) {
  const Bytes bytes{0xFB, 0xEF, 0xFF};
  EXPECT_EQ(to_base64(bytes), "++//");
  EXPECT_EQ(to_base64url(bytes), "--__");
  EXPECT_EQ(from_base64("++//").value(), bytes);
  EXPECT_EQ(from_base64url("--__").value(), bytes);
  EXPECT_FALSE(from_base64("--__"));
  EXPECT_FALSE(from_base64url("++//"));
  EXPECT_EQ(to_base64url(view_of("f")), "Zg");
  EXPECT_EQ(string_of(from_base64url("Zg").value()), "f");
}

TEST(Base64, AcceptsLineBreaksAndMissingPadding) {
  EXPECT_EQ(decoded("Zm9v\r\nYmFy\n"), "foobar");
  EXPECT_EQ(decoded(" Zm9v\tYg"), "foob");
  EXPECT_EQ(decoded("Zg=\n="), "f");
}

TEST(Base64, RefusesWhatIsNone) {
  for (const char* text : {"Z", "Zm9vZ", "Zg=", "Zg===", "=", "====", "Zm9v=", "Zm8==", "Zg==Zg==",
                           "Z!==", "Zm9v\x80", "Zh==", "Zm9="}) {
    EXPECT_EQ(from_base64(text).error().code, Code::invalid_argument) << text;
  }
}

TEST(Secrets, AreComparedWhole) {
  EXPECT_TRUE(equal_secret({}, {}));
  EXPECT_TRUE(equal_secret(view_of("secret"), view_of("secret")));
  EXPECT_FALSE(equal_secret(view_of("secret"), view_of("secreT")));
  EXPECT_FALSE(equal_secret(view_of("Secret"), view_of("secret")));
  EXPECT_FALSE(equal_secret(view_of("secret"), view_of("secrets")));
}

TEST(Integers, HaveTheirByteOrder) {
  Bytes little;
  store_le<std::uint32_t>(little, 0x01020304);
  EXPECT_EQ(little, (Bytes{4, 3, 2, 1}));
  Bytes big;
  store_be<std::uint32_t>(big, 0x01020304);
  EXPECT_EQ(big, (Bytes{1, 2, 3, 4}));
  EXPECT_EQ(load_le<std::uint32_t>(little.data()), 0x01020304U);
  EXPECT_EQ(load_be<std::uint32_t>(big.data()), 0x01020304U);
  Bytes negative;
  store_le<std::int64_t>(negative, -2);
  EXPECT_EQ(load_le<std::int64_t>(negative.data()), -2);
  Bytes small;
  store_be<std::int16_t>(small, -2);
  EXPECT_EQ(load_be<std::int16_t>(small.data()), -2);
}

TEST(ByteReader, ReadsToTheEndAndNoFurther) {
  const Bytes bytes{1, 0, 2, 3, 0xAC, 0x02};
  ByteReader reader(bytes);
  EXPECT_EQ(reader.le<std::uint16_t>().value(), 1);
  EXPECT_EQ(reader.be<std::uint16_t>().value(), 0x0203);
  EXPECT_EQ(reader.position(), 4U);
  EXPECT_EQ(reader.left(), 2U);
  EXPECT_EQ(reader.le<std::uint32_t>().error().code, Code::corrupt);
  EXPECT_EQ(reader.position(), 4U);  // an error takes nothing
  EXPECT_EQ(reader.varint().value(), 300U);
  EXPECT_TRUE(reader.done());
  EXPECT_EQ(reader.take(1).error().code, Code::corrupt);
  EXPECT_TRUE(reader.take(0).value().empty());
}

TEST(Varint, GoesBothWays) {
  for (const std::uint64_t value :
       {0ULL, 1ULL, 127ULL, 128ULL, 300ULL, 1ULL << 32, 1ULL << 63, ~0ULL}) {
    Bytes bytes;
    put_varint(bytes, value);
    ByteReader reader(bytes);
    EXPECT_EQ(reader.varint().value(), value);
    EXPECT_TRUE(reader.done());
  }
}

TEST(Varint, RefusesMoreThan64Bits) {
  const Bytes eleven(11, 0x80);
  EXPECT_EQ(ByteReader(eleven).varint().error().code, Code::corrupt);
  Bytes overflow(9, 0xFF);
  overflow.push_back(0x02);  // bit 64
  EXPECT_EQ(ByteReader(overflow).varint().error().code, Code::corrupt);
  overflow.back() = 0x01;
  EXPECT_EQ(ByteReader(overflow).varint().value(), ~0ULL);
  const Bytes cut{0x80, 0x80};
  EXPECT_EQ(ByteReader(cut).varint().error().code, Code::corrupt);
}

TEST(Zigzag, KeepsSmallNumbersSmall) {
  EXPECT_EQ(zigzag(0), 0U);
  EXPECT_EQ(zigzag(-1), 1U);
  EXPECT_EQ(zigzag(1), 2U);
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{12345},
        std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_EQ(unzigzag(zigzag(value)), value);
  }
}

// RFC 3720 appendix B.4.
TEST(Crc32c, MatchesTheTestVectors) {
  EXPECT_EQ(crc32c({}), 0U);
  EXPECT_EQ(crc32c(view_of("123456789")), 0xE3069283U);
  EXPECT_EQ(crc32c(Bytes(32, 0)), 0x8A9136AAU);
  EXPECT_EQ(crc32c(Bytes(32, 0xFF)), 0x62A8AB43U);
}

TEST(Crc32c, ContinuesFromASeed) {
  const std::string text = "the quick brown fox jumps over the lazy dog";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const std::uint32_t head = crc32c(view_of(text).first(cut));
    EXPECT_EQ(crc32c(view_of(text).subspan(cut), head), crc32c(view_of(text)));
  }
}

}  // namespace
}  // namespace holdfast
