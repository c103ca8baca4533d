#include "libs/crypto/der.hpp"

#include <gtest/gtest.h>

namespace holdfast::crypto::der {
namespace {

Bytes hex(std::string_view text) {
  return *from_hex(text);
}

Result<Element> first(const Bytes& bytes) {
  return Reader(bytes).next();
}

TEST(DerReader, ReadsNestedElements) {
  const Bytes bytes = hex("300602010504010a");
  Reader outer(bytes);
  Reader inner = *outer.enter(kSequence, "outer");
  EXPECT_TRUE(outer.end("outer"));
  EXPECT_EQ(*unsigned_integer(*inner.take(kInteger, "number")), 5U);
  EXPECT_EQ(inner.peek(), kOctetString);
  EXPECT_EQ(to_hex(*inner.take(kOctetString, "octets")), "0a");
  EXPECT_TRUE(inner.done());
  EXPECT_EQ(inner.peek(), 0);
}

TEST(DerReader, SaysWhatItExpected) {
  const Bytes bytes = hex("020105");
  Reader reader(bytes);
  const Error error = reader.take(kSequence, "certificate").error();
  EXPECT_EQ(error.code, Code::invalid_argument);
  EXPECT_NE(error.message.find("certificate"), std::string::npos);
  EXPECT_TRUE(reader.take(kInteger, "number"));  // a wrong guess consumes nothing
}

TEST(DerReader, TakesTheShortestLengthOnly) {
  EXPECT_TRUE(first(hex("0400")));
  EXPECT_FALSE(first(hex("04")));
  EXPECT_FALSE(first(hex("0402ff")));      // too short
  EXPECT_FALSE(first(hex("048101ff")));    // 1 in long form
  EXPECT_FALSE(first(hex("0480ff0000")));  // indefinite
  EXPECT_FALSE(first(hex("04850000000001ff")));
  EXPECT_FALSE(first(hex("1f8101ff")));  // a long tag
  Bytes longer = hex("048180");
  longer.resize(3 + 128);
  EXPECT_EQ(first(longer)->content.size(), 128U);
  Bytes padded = hex("04820080");
  padded.resize(4 + 128);
  EXPECT_FALSE(first(padded));
}

TEST(DerReader, RefusesWhatFollows) {
  const Bytes bytes = hex("02010500");
  Reader reader(bytes);
  ASSERT_TRUE(reader.next());
  EXPECT_FALSE(reader.end("number"));
}

TEST(DerValues, Booleans) {
  EXPECT_TRUE(*boolean(hex("ff")));
  EXPECT_FALSE(*boolean(hex("00")));
  EXPECT_FALSE(boolean(hex("01")));
  EXPECT_FALSE(boolean(hex("")));
}

TEST(DerValues, Integers) {
  EXPECT_FALSE(integer(hex("")));
  EXPECT_FALSE(integer(hex("0001")));
  EXPECT_FALSE(integer(hex("ff80")));
  EXPECT_TRUE(integer(hex("0080")));
  EXPECT_TRUE(integer(hex("ff7f")));
  EXPECT_EQ(*unsigned_integer(hex("00ffffffffffffffff")), UINT64_MAX);
  EXPECT_FALSE(unsigned_integer(hex("01ffffffffffffffff")));
  EXPECT_FALSE(unsigned_integer(hex("80")));
  for (const std::uint64_t value : {0ULL, 1ULL, 127ULL, 128ULL, 255ULL, 256ULL, 1ULL << 63}) {
    const Bytes written = put_integer(value);
    EXPECT_EQ(*unsigned_integer(first(written)->content), value);
  }
  EXPECT_EQ(to_hex(put_unsigned(hex("0000ff"))), "020200ff");
  EXPECT_EQ(to_hex(put_unsigned({})), "020100");
}

TEST(DerValues, ObjectIdentifiers) {
  for (const char* text : {"1.2.840.113549.1.1.11", "2.5.29.15", "0.9.2342.19200300.100.1.25",
                           "2.999.3", "1.3.6.1.4.1.311.21.20", "2.100000.1"}) {
    ASSERT_TRUE(is_oid(text)) << text;
    const Bytes written = put_oid(text);
    EXPECT_EQ(*oid_text(first(written)->content), text);
  }
  EXPECT_EQ(to_hex(put_oid("1.2.840.10045.2.1")), "06072a8648ce3d0201");
  for (const char* text : {"", "1", "3.1", "1.40", "1..2", "1.2.", "01.2", "1.02", "a.b", "1.-2"}) {
    EXPECT_FALSE(is_oid(text)) << text;
  }
  EXPECT_FALSE(oid_text(hex("")));
  EXPECT_FALSE(oid_text(hex("2a86")));                    // ends inside an arc
  EXPECT_FALSE(oid_text(hex("2a8001")));                  // padded arc
  EXPECT_FALSE(oid_text(hex("2affffffffffffffffff7f")));  // an arc beyond all use
}

TEST(DerValues, Times) {
  const auto read = [](std::uint8_t tag, std::string_view text) {
    const Bytes written = wrap(tag, view_of(text));
    return time(*first(written));
  };
  EXPECT_EQ(to_rfc3339(*read(kUtcTime, "260131140211Z")), "2026-01-31T14:02:11Z");
  EXPECT_EQ(to_rfc3339(*read(kUtcTime, "500101000000Z")), "1950-01-01T00:00:00Z");
  EXPECT_EQ(to_rfc3339(*read(kUtcTime, "491231235959Z")), "2049-12-31T23:59:59Z");
  EXPECT_EQ(to_rfc3339(*read(kGeneralizedTime, "99991231235959Z")), "9999-12-31T23:59:59Z");
  for (const char* bad : {"2601311402Z", "260131140211", "260131140211+0100", "260231140211Z",
                          "261301140211Z", "260131240211Z", "26013114021aZ", ""}) {
    EXPECT_FALSE(read(kUtcTime, bad)) << bad;
  }
  EXPECT_FALSE(read(kGeneralizedTime, "20260131140211.5Z"));
  EXPECT_FALSE(read(kUtf8String, "260131140211Z"));
  for (const char* text : {"2026-01-31T14:02:11Z", "1950-01-01T00:00:00Z", "2049-12-31T23:59:59Z",
                           "2050-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1969-12-31T23:59:59Z",
                           "2000-02-29T12:00:00Z"}) {
    const Bytes written = put_time(*from_rfc3339(text));
    EXPECT_EQ(to_rfc3339(*time(*first(written))), text);
    EXPECT_EQ(first(written)->tag, std::string_view(text) < "2050" ? kUtcTime : kGeneralizedTime);
  }
}

TEST(DerValues, Strings) {
  const auto read = [](std::uint8_t tag, Bytes bytes) {
    const Bytes written = wrap(tag, bytes);
    return text(*first(written));
  };
  EXPECT_EQ(*read(kUtf8String, bytes_of("Gr\xC3\xBC\xC3\x9F\x65")), "Gr\xC3\xBC\xC3\x9F\x65");
  EXPECT_EQ(*read(kTeletexString, bytes_of("Gr\xFC\xDF\x65")), "Gr\xC3\xBC\xC3\x9F\x65");
  EXPECT_EQ(*read(kBmpString, hex("004100fc20ac")), "A\xC3\xBC\xE2\x82\xAC");
  EXPECT_EQ(*read(kUniversalString, hex("0001f600")), "\xF0\x9F\x98\x80");
  EXPECT_EQ(*read(kPrintableString, bytes_of("Acme")), "Acme");
  EXPECT_EQ(*read(kUtf8String, bytes_of("\xF0\x9F\x98\x80")), "\xF0\x9F\x98\x80");
  EXPECT_FALSE(read(kPrintableString, bytes_of("Gr\xFC")));
  EXPECT_FALSE(read(kUtf8String, Bytes{'a', 0, 'b'}));  // the NUL trick
  EXPECT_FALSE(read(kUtf8String, bytes_of("a\nb")));
  EXPECT_FALSE(read(kUtf8String, hex("c0af")));      // overlong
  EXPECT_FALSE(read(kUtf8String, hex("eda080")));    // a surrogate
  EXPECT_FALSE(read(kUtf8String, hex("f4908080")));  // beyond Unicode
  EXPECT_FALSE(read(kUtf8String, hex("e282")));      // cut
  EXPECT_FALSE(read(kBmpString, hex("0041ff")));     // half a character
  EXPECT_FALSE(read(kOctetString, bytes_of("x")));
}

TEST(DerValues, BitStringsOfWholeBytes) {
  EXPECT_EQ(to_hex(*bit_string(hex("00aabb"))), "aabb");
  EXPECT_FALSE(bit_string(hex("01aa")));
  EXPECT_FALSE(bit_string(hex("")));
  EXPECT_EQ(to_hex(put_bit_string(hex("aa"))), "030200aa");
}

TEST(DerWriter, LengthsOfAllSizes) {
  for (const std::size_t size : {0U, 127U, 128U, 255U, 256U, 65'535U, 65'536U}) {
    const Bytes content(size, 1);
    const Bytes written = wrap(kOctetString, content);
    const auto element = first(written);
    ASSERT_TRUE(element) << size;
    EXPECT_EQ(element->content.size(), size);
    EXPECT_EQ(element->whole.size(), written.size());
  }
}

}  // namespace
}  // namespace holdfast::crypto::der
