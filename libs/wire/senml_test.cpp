#include "libs/wire/senml.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "libs/wire/cbor.hpp"

namespace holdfast::wire {
namespace {

std::vector<SenmlRecord> json_records(std::string_view text) {
  auto records = parse_senml(view_of(text), SenmlFormat::json);
  EXPECT_TRUE(records) << text << ": " << (records ? "" : records.error().text());
  return records ? std::move(*records) : std::vector<SenmlRecord>();
}

std::vector<SenmlRecord> cbor_records(std::string_view hex) {
  const Bytes bytes = from_hex(hex).value();
  auto records = parse_senml(bytes, SenmlFormat::cbor);
  EXPECT_TRUE(records) << hex << ": " << (records ? "" : records.error().text());
  return records ? std::move(*records) : std::vector<SenmlRecord>();
}

// RFC 8428 section 5.1.1.
TEST(Senml, OneRecord) {
  const auto records = json_records(R"([{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","v":23.1}])");
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].name, "urn:dev:ow:10e2073a01080063");
  EXPECT_EQ(records[0].unit, "Cel");
  EXPECT_EQ(records[0].value, SenmlValue{23.1});
  EXPECT_FALSE(records[0].absolute);
  EXPECT_EQ(records[0].time_us, 0);
}

// Section 5.1.2, with base values and times of the past.
TEST(Senml, BaseValuesApplyToWhatFollows) {
  const auto records = json_records(R"([
    {"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":5,
     "n":"voltage","u":"V","v":120.1},
    {"n":"current","t":-5,"v":1.2},
    {"n":"current","t":-4,"v":1.3},
    {"n":"current","v":1.7}])");
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[0].name, "urn:dev:ow:10e2073a0108006:voltage");
  EXPECT_EQ(records[0].unit, "V");
  EXPECT_EQ(records[0].time_us, 1'276'020'076'001'000);
  EXPECT_TRUE(records[0].absolute);
  EXPECT_EQ(records[1].unit, "A");
  EXPECT_EQ(records[1].time_us, 1'276'020'071'001'000);
  EXPECT_EQ(records[2].time_us, 1'276'020'072'001'000);
  EXPECT_EQ(records[3].value, SenmlValue{1.7});
}

TEST(Senml, LaterBaseValuesReplaceEarlierOnes) {
  const auto records = json_records(
      R"([{"bn":"a/","bu":"m","bv":10,"n":"x","v":1},{"bn":"b/","bv":0.5,"n":"y","v":1},
          {"bu":"","n":"z","v":2}])");
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].value, SenmlValue{std::int64_t{11}}) << "whole numbers stay whole";
  EXPECT_EQ(records[1].name, "b/y");
  EXPECT_EQ(records[1].value, SenmlValue{1.5});
  EXPECT_EQ(records[1].unit, "m");
  EXPECT_EQ(records[2].value, SenmlValue{2.5});
  EXPECT_EQ(records[2].unit, "");
}

TEST(Senml, EveryKindOfValue) {
  const auto records = json_records(
      R"([{"n":"a","v":9007199254740993},{"n":"b","v":-0.5},{"n":"c","vs":"text"},
          {"n":"d","vb":false},{"n":"e","vd":"AAH_"},{"n":"f","s":12.5},{"n":"g","v":1,"s":2,"ut":60}])");
  ASSERT_EQ(records.size(), 7u);
  EXPECT_EQ(records[0].value, SenmlValue{std::int64_t{9'007'199'254'740'993}}) << "exact";
  EXPECT_EQ(records[1].value, SenmlValue{-0.5});
  EXPECT_EQ(records[2].value, SenmlValue{std::string("text")});
  EXPECT_EQ(records[3].value, SenmlValue{false});
  EXPECT_EQ(records[4].value, (SenmlValue{Bytes{0, 1, 0xFF}}));
  EXPECT_EQ(records[5].value, SenmlValue{});
  EXPECT_EQ(records[5].sum, 12.5);
  EXPECT_EQ(records[6].sum, 2.0);
  EXPECT_EQ(records[6].update_time_s, 60.0);
}

// Section 4.5.4: a missing part counts as zero.
TEST(Senml, BaseSumAndBaseValueAlone) {
  const auto records = json_records(R"([{"bs":100,"n":"a","s":5},{"n":"b","v":1},
                                        {"bv":7,"n":"c"}])");
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].sum, 105.0);
  EXPECT_EQ(records[1].sum, 100.0);
  EXPECT_EQ(records[2].sum, 100.0);
  EXPECT_EQ(records[2].value, SenmlValue{}) << "it has a sum, so that no value is made up";
  const auto value = json_records(R"([{"bv":7,"n":"c"}])");
  ASSERT_EQ(value.size(), 1u);
  EXPECT_EQ(value[0].value, SenmlValue{std::int64_t{7}});
}

TEST(Senml, ARecordOfBaseValuesAloneYieldsNothing) {
  const auto records = json_records(R"([{"bn":"a:","bt":300000000},{"n":"x","v":1}])");
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].name, "a:x");
  EXPECT_EQ(records[0].time_us, 300'000'000'000'000);
  EXPECT_TRUE(json_records("[]").empty());
}

struct TimeCase {
  const char* text;
  std::int64_t us;
  bool absolute;
};

TEST(Senml, TimesFrom2To28AreAbsolute) {
  constexpr TimeCase kCases[] = {
      {R"([{"n":"a","v":1,"t":268435456}])", 268'435'456'000'000, true},
      {R"([{"n":"a","v":1,"t":268435455.5}])", 268'435'455'500'000, false},
      {R"([{"n":"a","v":1,"t":-20.000001}])", -20'000'001, false},
      {R"([{"n":"a","v":1,"bt":268435450,"t":6}])", 268'435'456'000'000, true},
      {R"([{"n":"a","v":1,"bt":1769868131.1}])", 1'769'868'131'100'000, true},
      {R"([{"n":"a","v":1,"t":0.1}])", 100'000, false},
      {R"([{"n":"a","v":1,"t":253402300799}])", 253'402'300'799'000'000, true},
  };
  for (const auto& one : kCases) {
    const auto records = json_records(one.text);
    ASSERT_EQ(records.size(), 1u) << one.text;
    EXPECT_EQ(records[0].time_us, one.us) << one.text;
    EXPECT_EQ(records[0].absolute, one.absolute) << one.text;
  }
}

struct BadSenml {
  const char* text;
  const char* pointer;
};

TEST(Senml, RefusesWithThePlace) {
  constexpr BadSenml kCases[] = {
      {R"({"n":"a","v":1})", ""},
      {R"([1])", "/0"},
      {R"([{"n":"a"}])", "/0"},
      {R"([{"n":"a","v":1},{"n":"b","u":"x"}])", "/1"},
      {R"([{"n":"a","v":1,"vs":"x"}])", "/0"},
      {R"([{"n":"a","vb":true,"vd":"AA"}])", "/0"},
      {R"([{"n":"a","v":"1"}])", "/0/v"},
      {R"([{"n":"a","v":null}])", "/0/v"},
      {R"([{"n":1,"v":1}])", "/0/n"},
      {R"([{"n":"a","vb":1}])", "/0/vb"},
      {R"([{"n":"a","vs":1}])", "/0/vs"},
      {R"([{"n":"a","vd":"!"}])", "/0/vd"},
      {R"([{"n":"a","v":1,"t":"now"}])", "/0/t"},
      {R"([{"n":"a","v":1,"t":1e12}])", "/0/t"},
      {R"([{"n":"a","v":1,"t":253402300800}])", "/0/t"},
      {R"([{"bver":11,"n":"a","v":1}])", "/0/bver"},
      {R"([{"n":"a","v":1,"soft_":1}])", "/0/soft_"},
      {R"([{"n":"a","v":1.7e308,"bv":1.7e308}])", "/0/v"},
      {R"([{"n":"a","s":1.7e308,"bs":1.7e308}])", "/0/s"},
  };
  for (const auto& one : kCases) {
    const auto records = parse_senml(view_of(one.text), SenmlFormat::json);
    ASSERT_FALSE(records) << one.text;
    EXPECT_EQ(records.error().code, Code::payload_malformed) << one.text;
    EXPECT_EQ(records.error().pointer, one.pointer) << one.text << records.error().message;
  }
}

TEST(Senml, IgnoresWhatItDoesNotKnow) {
  const auto records =
      json_records(R"([{"bver":10,"n":"a","v":1,"extra":{"deep":[1,{"x":2}]},"_x":1,"l":"x"}])");
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].value, SenmlValue{std::int64_t{1}});
}

TEST(Senml, KeepsToItsLimits) {
  const auto refused = [](const std::string& text, const SenmlLimits& limits) {
    const auto records = parse_senml(view_of(text), SenmlFormat::json, limits);
    return records ? std::optional<Code>() : records.error().code;
  };
  const std::string two = R"([{"n":"a","v":1},{"n":"b","v":1}])";
  EXPECT_EQ(refused(two, {two.size(), 2, 10, 10}), std::nullopt);
  EXPECT_EQ(refused(two, {two.size() - 1, 2, 10, 10}), Code::payload_too_large);
  EXPECT_EQ(refused(two, {two.size(), 1, 10, 10}), Code::payload_too_large);
  EXPECT_EQ(refused(R"([{"n":"a","vs":"12345"}])", {100, 2, 5, 10}), std::nullopt);
  EXPECT_EQ(refused(R"([{"n":"a","vs":"123456"}])", {100, 2, 5, 10}), Code::payload_malformed);
  EXPECT_EQ(refused(R"([{"n":"a","vd":"AAAAAAAA"}])", {100, 2, 5, 10}), Code::payload_malformed);
  EXPECT_EQ(refused(R"([{"bn":"12345","n":"67890","v":1}])", {100, 2, 5, 10}), std::nullopt);
  EXPECT_EQ(refused(R"([{"bn":"12345","n":"678901","v":1}])", {100, 2, 5, 10}),
            Code::payload_malformed);
  EXPECT_EQ(refused(R"([{"bu":"12345678901","n":"a","v":1}])", {100, 2, 5, 10}),
            Code::payload_malformed);
}

// ---- CBOR

// RFC 8428 section 6, its example: 31 records would be long, these are its first two.
TEST(Senml, CborExample) {
  const auto records = cbor_records(
      "82"
      "a721781b75726e3a6465763a6f773a3130653230373361303130383030363a22fb41d303a15b00106223614120"
      "050067766f6c7461676501615602fb405e066666666666"
      "a3006763757272656e74062402fb3ff3333333333333");
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].name, "urn:dev:ow:10e2073a0108006:voltage");
  EXPECT_EQ(records[0].unit, "V");
  EXPECT_EQ(records[0].value, SenmlValue{120.1});
  EXPECT_EQ(records[0].time_us, 1'276'020'076'001'000);
  EXPECT_EQ(records[1].name, "urn:dev:ow:10e2073a0108006:current");
  EXPECT_EQ(records[1].unit, "A");
  EXPECT_EQ(records[1].value, SenmlValue{1.2});
  EXPECT_EQ(records[1].time_us, 1'276'020'071'001'000);
}

TEST(Senml, CborTakesEveryWayToSayIt) {
  // Indefinite array, map and text; a decimal fraction 27315 * 10^-2; unknown labels of all kinds.
  const auto records = cbor_records(
      "9f"
      "bf007f6161"
      "6162ff"
      "02c4822119"
      "6ab3ff"
      "a4"
      "006163"
      "08420102"
      "1863a10102"
      "6178"
      "83010203"
      "a3"
      "006164"
      "04f5"
      "4101"
      "00"
      "a2"
      "616e6165"
      "6176"
      "05"
      "ff");
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[0].name, "ab");
  EXPECT_EQ(records[0].value, SenmlValue{273.15});
  EXPECT_EQ(records[1].value, (SenmlValue{Bytes{1, 2}}));
  EXPECT_EQ(records[2].value, SenmlValue{true});
  EXPECT_EQ(records[3].name, "e") << "labels as text are taken too";
  EXPECT_EQ(records[3].value, SenmlValue{std::int64_t{5}});
}

TEST(Senml, CborRefuses) {
  for (const char* hex : {
           "a0",                  // no array
           "8101",                // no map
           "81a1006161",          // no value
           "81a200616102f97e00",  // NaN
           "81a200616102f97c00",  // infinite
           "81a20061610261"
           "31",                // v as text
           "81a20061610402",    // vb as number
           "81a2006161086131",  // vd as text
           "81a30061610201"
           "62785f"
           "01",  // x_ must be understood
           "81a200616102c4822000"
           "00",                            // bytes behind
           "81a200616102c483010203",        // three parts
           "81a200616102c4821903e81903e8",  // 1000e1000
           "81a3006161020120"
           "0b",          // bver 11
           "81a2006161",  // cut
           "8000",        // bytes behind
       }) {
    const Bytes bytes = from_hex(hex).value();
    const auto records = parse_senml(bytes, SenmlFormat::cbor);
    ASSERT_FALSE(records) << hex;
    EXPECT_EQ(records.error().code, Code::payload_malformed) << hex;
  }
  CborWriter many;
  many.array(3);
  for (int i = 0; i < 3; ++i) many.map(2).integer(0).text("a").integer(2).integer(i);
  EXPECT_TRUE(parse_senml(many.out(), SenmlFormat::cbor, {1'000, 3, 10, 10}));
  const auto refused = parse_senml(many.out(), SenmlFormat::cbor, {1'000, 2, 10, 10});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::payload_too_large);
}

// ---- writing

std::vector<SenmlRecord> sample_records() {
  SenmlRecord temperature{"temp", "Cel", 20.5, {}, true, 1'769'868'131'250'000, {}};
  SenmlRecord count{"count", "", std::int64_t{-7}, 12.0, false, 0, {}};
  SenmlRecord state{"state", "", std::string("on"), {}, false, -5'000'000, 60.0};
  SenmlRecord flag{"flag", "", true, {}, true, 1'769'868'131'000'000, {}};
  SenmlRecord raw{"raw", "", Bytes{0, 255}, {}, false, 0, {}};
  SenmlRecord sum{"sum", "Wh", {}, 0.1, false, 0, {}};
  return {temperature, count, state, flag, raw, sum};
}

TEST(Senml, WritesWhatItReads) {
  for (const auto format : {SenmlFormat::json, SenmlFormat::cbor}) {
    const auto bytes = encode_senml(sample_records(), format);
    ASSERT_TRUE(bytes) << bytes.error().text();
    const auto records = parse_senml(*bytes, format);
    ASSERT_TRUE(records) << records.error().text();
    EXPECT_EQ(*records, sample_records());
  }
  EXPECT_EQ(text_of(encode_senml({sample_records()[0]}, SenmlFormat::json).value()),
            R"([{"n":"temp","u":"Cel","v":20.5,"t":1769868131.25}])");
  EXPECT_EQ(to_hex(encode_senml({sample_records()[1]}, SenmlFormat::cbor).value()),
            "81a30065636f756e74022605f94a00");
}

TEST(Senml, DoesNotWriteWhatCannotBeSaid) {
  const SenmlRecord nameless{"", "", 1.0, {}, false, 0, {}};
  const SenmlRecord empty{"a", "", {}, {}, false, 0, {}};
  const SenmlRecord infinite{"a", "", HUGE_VAL, {}, false, 0, {}};
  const SenmlRecord odd_sum{"a", "", 1.0, HUGE_VAL, false, 0, {}};
  for (const auto& record : {nameless, empty, infinite, odd_sum}) {
    const auto bytes = encode_senml({record}, SenmlFormat::cbor);
    ASSERT_FALSE(bytes);
    EXPECT_EQ(bytes.error().code, Code::invalid_argument);
  }
}

}  // namespace
}  // namespace holdfast::wire
