#include "libs/wire/cbor.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace holdfast::wire {
namespace {

// An item and all in it, in the diagnostic notation of RFC 8949 section 8, or the error.
class Diagnosis {
 public:
  explicit Diagnosis(View bytes) : reader_(bytes) {}
  std::string text() {
    if (!item()) return error_;
    return reader_.left() == 0 ? out_ : out_ + " and more";
  }

 private:
  bool item() {
    auto next = reader_.next();
    if (!next) {
      error_ = next.error().message;
      return false;
    }
    return show(*next);
  }

  bool show(const CborItem& item) {
    switch (item.kind) {
      case CborKind::unsigned_integer:
        out_ += std::to_string(item.number);
        return true;
      case CborKind::negative_integer:
        out_ += "-1-" + std::to_string(item.number);
        return true;
      case CborKind::bytes:
        out_ += "h'" + to_hex(item.string) + "'";
        return true;
      case CborKind::text:
        out_ += '"' + string_of(item.string) + '"';
        return true;
      case CborKind::array:
        return inside(item, "[", "]");
      case CborKind::map:
        return inside(item, "{", "}");
      case CborKind::bytes_begin:
      case CborKind::text_begin:
        return inside(item, "(", ")");
      case CborKind::tag:
        out_ += std::to_string(item.number) + "!";
        return this->item();
      case CborKind::boolean:
        out_ += item.number == 1 ? "true" : "false";
        return true;
      case CborKind::null:
        out_ += "null";
        return true;
      case CborKind::undefined:
        out_ += "undefined";
        return true;
      case CborKind::simple:
        out_ += "simple(" + std::to_string(item.number) + ")";
        return true;
      case CborKind::floating:
        return real(item.real);
      case CborKind::end:
        error_ = "an end";
        return false;
    }
    return false;
  }

  bool inside(const CborItem& opening, const char* begin, const char* end) {
    out_ += begin;
    if (opening.indefinite) out_ += "_ ";
    for (bool first = true;; first = false) {
      auto element = reader_.element();
      if (!element) {
        error_ = element.error().message;
        return false;
      }
      if (!*element) break;
      if (!first) out_ += ", ";
      if (!show(**element)) return false;
    }
    out_ += end;
    return true;
  }

  bool real(double value) {
    char text[40];
    std::snprintf(text, sizeof text, "%.17g", value);
    out_ += std::isnan(value) ? "NaN" : text;
    return true;
  }

  CborReader reader_;
  std::string out_;
  std::string error_;
};

std::string diagnosis(std::string_view hex) {
  const Bytes bytes = from_hex(hex).value();
  return Diagnosis(bytes).text();
}

struct CborCase {
  const char* hex;
  const char* text;
};

// RFC 8949, appendix A.
constexpr CborCase kExamples[] = {
    {"00", "0"},
    {"17", "23"},
    {"1818", "24"},
    {"1864", "100"},
    {"1903e8", "1000"},
    {"1a000f4240", "1000000"},
    {"1b000000e8d4a51000", "1000000000000"},
    {"1bffffffffffffffff", "18446744073709551615"},
    {"c249010000000000000000", "2!h'010000000000000000'"},
    {"3bffffffffffffffff", "-1-18446744073709551615"},
    {"20", "-1-0"},
    {"3863", "-1-99"},
    {"3903e7", "-1-999"},
    {"f90000", "0"},
    {"f98000", "-0"},
    {"f93c00", "1"},
    {"fb3ff199999999999a", "1.1000000000000001"},
    {"f93e00", "1.5"},
    {"f97bff", "65504"},
    {"fa47c35000", "100000"},
    {"fa7f7fffff", "3.4028234663852886e+38"},
    {"fb7e37e43c8800759c", "1.0000000000000001e+300"},
    {"f90001", "5.9604644775390625e-08"},
    {"f90400", "6.103515625e-05"},
    {"f9c400", "-4"},
    {"fbc010666666666666", "-4.0999999999999996"},
    {"f97c00", "inf"},
    {"f97e00", "NaN"},
    {"f9fc00", "-inf"},
    {"fa7f800000", "inf"},
    {"fb7ff8000000000000", "NaN"},
    {"f4", "false"},
    {"f5", "true"},
    {"f6", "null"},
    {"f7", "undefined"},
    {"f0", "simple(16)"},
    {"f8ff", "simple(255)"},
    {"c11a514b67b0", "1!1363896240"},
    {"d74401020304", "23!h'01020304'"},
    {"40", "h''"},
    {"4401020304", "h'01020304'"},
    {"60", "\"\""},
    {"6449455446", "\"IETF\""},
    {"62c3bc", "\"\xC3\xBC\""},
    {"64f0908591", "\"\xF0\x90\x85\x91\""},
    {"80", "[]"},
    {"83010203", "[1, 2, 3]"},
    {"8301820203820405", "[1, [2, 3], [4, 5]]"},
    {"a0", "{}"},
    {"a201020304", "{1, 2, 3, 4}"},
    {"a26161016162820203", "{\"a\", 1, \"b\", [2, 3]}"},
    {"826161a161626163", "[\"a\", {\"b\", \"c\"}]"},
    {"5f42010243030405ff", "(_ h'0102', h'030405')"},
    {"7f657374726561646d696e67ff", "(_ \"strea\", \"ming\")"},
    {"9fff", "[_ ]"},
    {"9f018202039f0405ffff", "[_ 1, [2, 3], [_ 4, 5]]"},
    {"9f01820203820405ff", "[_ 1, [2, 3], [4, 5]]"},
    {"83018202039f0405ff", "[1, [2, 3], [_ 4, 5]]"},
    {"bf61610161629f0203ffff", "{_ \"a\", 1, \"b\", [_ 2, 3]}"},
    {"bf6346756ef563416d7421ff", "{_ \"Fun\", true, \"Amt\", -1-1}"},
    {"d9d9f7d9d9f780", "55799!55799![]"},
};

TEST(Cbor, ReadsTheExamplesOfTheRfc) {
  for (const auto& one : kExamples) {
    EXPECT_EQ(diagnosis(one.hex), one.text) << one.hex;
  }
}

TEST(Cbor, EveryCutIsAnError) {
  for (const auto& one : kExamples) {
    const Bytes whole = from_hex(one.hex).value();
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const auto text = Diagnosis(View(whole).first(size)).text();
      EXPECT_TRUE(text.starts_with("CBOR: ")) << one.hex << " cut to " << size << ": " << text;
    }
  }
}

// RFC 8949 appendix F, and what else a peer may try.
TEST(Cbor, RefusesWhatIsNotWellFormed) {
  constexpr CborCase kCases[] = {
      {"1c", "a reserved length"},
      {"5d", "a reserved length"},
      {"fe", "a reserved length"},
      {"f800", "a simple value in two bytes"},
      {"f81f", "a simple value in two bytes"},
      {"1f", "a number without length"},
      {"3f", "a number without length"},
      {"df00", "a number without length"},
      {"ff", "an end without a beginning"},
      {"8101ff", "[1] and more"},
      {"81ff", "an end in a counted container"},
      {"a1ff", "more elements than there are bytes"},
      {"a101ff", "an end in a counted container"},
      {"bf01ff", "a key without a value"},
      {"9fc0ff", "an end without a beginning"},
      {"5f00ff", "a chunk of another kind"},
      {"5f6100ff", "a chunk of another kind"},
      {"7f4100ff", "a chunk of another kind"},
      {"5f5f4100ffff", "a chunk of another kind"},
      {"5fc04100ff", "a chunk of another kind"},
      {"61ff", "a text is not valid UTF-8"},
      {"7f61c361bcff", "a text is not valid UTF-8"},
      {"5affffffff00", "a string ends behind the input"},
      {"5bffffffffffffffff", "a string ends behind the input"},
      {"9affffffff00", "more elements than there are bytes"},
      {"9bffffffffffffffff", "more elements than there are bytes"},
      {"bb8000000000000000", "more elements than there are bytes"},
      {"a20102", "more elements than there are bytes"},
  };
  for (const auto& one : kCases) {
    EXPECT_NE(diagnosis(one.hex).find(one.text), std::string::npos) << diagnosis(one.hex);
  }
}

std::string repeated(std::string_view part, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += part;
  return all;
}

TEST(Cbor, DepthIsBounded) {
  EXPECT_EQ(diagnosis(repeated("81", 15) + "80"), repeated("[", 16) + repeated("]", 16));
  EXPECT_NE(diagnosis(repeated("81", 16) + "80").find("too deep"), std::string::npos);
  EXPECT_NE(diagnosis(repeated("9f", 17)).find("too deep"), std::string::npos);
  EXPECT_NE(diagnosis(repeated("81", 16) + "5fff").find("too deep"), std::string::npos);
  EXPECT_NE(diagnosis(repeated("c0", 5'000)).find("ends early"), std::string::npos);
}

TEST(Cbor, ConveniencesWantTheirKind) {
  const Bytes bytes = from_hex(
                          "88"
                          "01"
                          "20"
                          "f93e00"
                          "7f616161628001"
                          "f5"
                          "4101"
                          "5f41014102ff"
                          "a0")
                          .value();
  CborReader wrong_reader(bytes);
  ASSERT_TRUE(wrong_reader.array());
  EXPECT_EQ(wrong_reader.integer().value(), 1);
  EXPECT_EQ(wrong_reader.integer().value(), -1);
  EXPECT_EQ(wrong_reader.number().value(), 1.5);
  EXPECT_FALSE(wrong_reader.text()) << "a chunk of another kind";

  const Bytes good = from_hex(
                         "87"
                         "1864"
                         "20"
                         "7f61616162ff"
                         "f5"
                         "4101"
                         "5f41014102ff"
                         "a0")
                         .value();
  CborReader reader(good);
  EXPECT_EQ(reader.array().value().number, 7u);
  EXPECT_EQ(reader.number().value(), 100.0);
  EXPECT_EQ(reader.number().value(), -1.0);
  EXPECT_EQ(reader.text().value(), "ab");
  EXPECT_TRUE(reader.boolean().value());
  EXPECT_EQ(reader.byte_string().value(), Bytes{1});
  EXPECT_EQ(reader.byte_string().value(), (Bytes{1, 2}));
  EXPECT_FALSE(reader.done());
  EXPECT_TRUE(reader.map());
  EXPECT_FALSE(reader.element().value()) << "end of the map";
  EXPECT_FALSE(reader.element().value()) << "end of the array";
  EXPECT_TRUE(reader.done());
  EXPECT_FALSE(reader.next()) << "there is nothing more";
}

TEST(Cbor, ConveniencesRefuseOtherKinds) {
  const Bytes text = from_hex("6161").value();
  EXPECT_FALSE(CborReader(text).integer());
  EXPECT_FALSE(CborReader(text).number());
  EXPECT_FALSE(CborReader(text).boolean());
  EXPECT_FALSE(CborReader(text).byte_string());
  EXPECT_FALSE(CborReader(text).array());
  EXPECT_FALSE(CborReader(text).map());
  const Bytes number = from_hex("1bffffffffffffffff").value();
  EXPECT_FALSE(CborReader(number).text());
  EXPECT_FALSE(CborReader(number).integer()) << "does not fit 64 bits with a sign";
  EXPECT_EQ(CborReader(number).number().value(), 18446744073709551616.0);
  const Bytes least = from_hex("3b7fffffffffffffff").value();
  EXPECT_EQ(CborReader(least).integer().value(), INT64_MIN);
}

TEST(Cbor, SkipsWholeItems) {
  for (const auto& one : kExamples) {
    const Bytes bytes = from_hex("82" + std::string(one.hex) + "01").value();
    CborReader reader(bytes);
    ASSERT_TRUE(reader.array());
    ASSERT_TRUE(reader.skip()) << one.hex;
    EXPECT_EQ(reader.integer().value(), 1) << one.hex;
    EXPECT_FALSE(reader.element().value());
    EXPECT_TRUE(reader.done());
  }
  const Bytes empty = from_hex("80").value();
  CborReader reader(empty);
  ASSERT_TRUE(reader.array());
  EXPECT_FALSE(reader.skip()) << "an end is no item";
}

// ---- writing

std::string number_hex(double value) {
  CborWriter writer;
  writer.real(value);
  return to_hex(writer.out());
}

TEST(Cbor, WritesTheShortestFloat) {
  const std::pair<double, const char*> kCases[] = {
      {0.0, "f90000"},
      {-0.0, "f98000"},
      {1.0, "f93c00"},
      {1.5, "f93e00"},
      {65504.0, "f97bff"},
      {65505.0, "fa477fe100"},
      {65536.0, "fa47800000"},
      {100000.0, "fa47c35000"},
      {3.4028234663852886e+38, "fa7f7fffff"},
      {1.1, "fb3ff199999999999a"},
      {1e300, "fb7e37e43c8800759c"},
      {5.960464477539063e-8, "f90001"},
      {6.097555160522461e-5, "f903ff"},
      {0.00006103515625, "f90400"},
      {2.9802322387695312e-8, "fa33000000"},
      {HUGE_VAL, "f97c00"},
      {-HUGE_VAL, "f9fc00"},
      {std::nan(""), "f97e00"},
  };
  for (const auto& [value, hex] : kCases) EXPECT_EQ(number_hex(value), hex) << value;
}

// Every half is written as itself and read as itself.
TEST(Cbor, EveryHalfGoesBothWays) {
  for (std::uint32_t half = 0; half <= 0xFFFF; ++half) {
    Bytes bytes = {0xF9};
    store_be(bytes, static_cast<std::uint16_t>(half));
    const double value = CborReader(bytes).number().value();
    if (std::isnan(value)) continue;
    CborWriter writer;
    writer.real(value);
    ASSERT_EQ(to_hex(writer.out()), to_hex(bytes));
  }
}

TEST(Cbor, WritesShortestHeads) {
  CborWriter writer;
  writer.array(7).unsigned_integer(23).unsigned_integer(24).integer(-1).integer(-25).integer(
      INT64_MIN);
  writer.map(1).text("a").bytes(Bytes{1}).tag(55'799).boolean(false);
  EXPECT_EQ(to_hex(writer.out()),
            "87"
            "17"
            "1818"
            "20"
            "3818"
            "3b7fffffffffffffff"
            "a1"
            "6161"
            "4101"
            "d9d9f7f4");
  CborWriter more;
  more.null().boolean(true).unsigned_integer(256).unsigned_integer(65'536).unsigned_integer(1ULL
                                                                                            << 32);
  EXPECT_EQ(to_hex(more.take()),
            "f6"
            "f5"
            "190100"
            "1a00010000"
            "1b0000000100000000");
}

}  // namespace
}  // namespace holdfast::wire
