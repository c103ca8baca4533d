// Random values, from a fixed seed, written and read back: JSON, telemetry, SenML, CBOR.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

#include "libs/wire/cbor.hpp"
#include "libs/wire/json_parse.hpp"
#include "libs/wire/senml.hpp"
#include "libs/wire/telemetry.hpp"

namespace holdfast::wire {
namespace {

class RandomValues {
 public:
  explicit RandomValues(std::uint64_t seed) : engine_(seed) {}

  std::size_t below(std::size_t bound) { return engine_() % bound; }
  std::int64_t integer() {
    // Of every magnitude.
    return static_cast<std::int64_t>(engine_()) >> below(64);
  }
  double real() {
    for (;;) {
      const double value =
          below(2) == 0 ? std::bit_cast<double>(engine_()) : static_cast<double>(integer()) / 1000;
      if (std::isfinite(value)) return value;
    }
  }
  std::string text(std::size_t length_max) {
    static constexpr std::string_view kParts[] = {"a",
                                                  "Z",
                                                  "0",
                                                  "\"",
                                                  "\\",
                                                  "\n",
                                                  "\t",
                                                  " ",
                                                  "/",
                                                  "\x01",
                                                  "\xC3\xBC",
                                                  "\xE2\x82\xAC",
                                                  "\xF0\x9F\x98\x80"};
    std::string out;
    for (std::size_t i = below(length_max + 1); i > 0; --i) out += kParts[below(std::size(kParts))];
    return out;
  }
  std::string name() {
    static constexpr std::string_view kLetters = "abcXYZ019_:/.-";
    std::string out(1, kLetters[below(9)]);
    for (std::size_t i = below(20); i > 0; --i) out += kLetters[below(kLetters.size())];
    return out;
  }
  Json json(std::size_t depth) {
    switch (below(depth == 0 ? 6 : 8)) {
      case 0:
        return nullptr;
      case 1:
        return below(2) == 0;
      case 2:
        return integer();
      case 3:
        return static_cast<std::uint64_t>(engine_() | (1ULL << 63));
      case 4:
        return real();
      case 5:
        return Json(text(30));
      case 6: {
        JsonArray array;
        for (std::size_t i = below(6); i > 0; --i) array.push_back(json(depth - 1));
        return array;
      }
      default: {
        JsonObject object;
        for (std::size_t i = below(30); i > 0; --i) object[text(10)] = json(depth - 1);
        return object;
      }
    }
  }
  Value value() {
    switch (below(4)) {
      case 0:
        return below(2) == 0;
      case 1:
        return integer();
      case 2:
        return real();
      default:
        return text(50);
    }
  }

 private:
  std::mt19937_64 engine_;
};

TEST(RoundTrip, Json) {
  RandomValues random(1);
  for (int i = 0; i < 2'000; ++i) {
    const Json value = random.json(4);
    const auto text = json_text(value);
    const auto back = parse_json(text);
    ASSERT_TRUE(back) << text << back.error().text();
    ASSERT_TRUE(*back == value) << text << " became " << json_text(*back);
    ASSERT_EQ(json_text(*back), text);
    ASSERT_TRUE(parse_json(json_pretty(value)).value() == value) << text;
  }
}

// The memory that the caller gives serves the whole value, and the text is not needed any more.
TEST(RoundTrip, JsonInTheCallersMemory) {
  RandomValues random(2);
  for (int i = 0; i < 200; ++i) {
    const Json value = random.json(3);
    boost::json::monotonic_resource memory;
    auto text = json_text(value);
    const auto back = parse_json_into(text, kJsonStrict, &memory);
    std::ranges::fill(text, 'x');
    ASSERT_TRUE(back && *back == value);
    EXPECT_EQ(back->storage().get(), &memory);
  }
}

TEST(RoundTrip, Telemetry) {
  RandomValues random(3);
  for (int i = 0; i < 500; ++i) {
    std::vector<Reading> readings(1 + random.below(4));
    for (auto& reading : readings) {
      if (random.below(2) == 0)
        reading.device_time = WallTime{random.integer() % 1'000'000'000'000};
      std::map<std::string, Value> fields;
      for (std::size_t n = 1 + random.below(10); n > 0; --n) fields[random.name()] = random.value();
      for (auto& [name, value] : fields) reading.fields.push_back({name, std::move(value), {}});
    }
    const auto text = encode_telemetry(readings);
    ASSERT_TRUE(text) << text.error().text();
    const auto back = decode_telemetry(view_of(*text), TelemetryFormat::json);
    ASSERT_TRUE(back) << *text << back.error().text();
    ASSERT_EQ(*back, readings) << *text;
  }
}

SenmlValue random_senml_value(RandomValues& random) {
  switch (random.below(5)) {
    case 0:
      return random.below(2) == 0;
    case 1:
      return random.integer();
    case 2:
      return random.real();
    case 3:
      return random.text(50);
    default:
      return bytes_of(random.text(20));
  }
}

TEST(RoundTrip, Senml) {
  RandomValues random(4);
  for (int i = 0; i < 500; ++i) {
    std::vector<SenmlRecord> records(random.below(8));
    for (auto& record : records) {
      record.name = random.name();
      if (random.below(2) == 0) record.unit = random.text(5);
      record.value = random_senml_value(random);
      if (random.below(3) == 0) record.sum = random.real();
      if (random.below(3) == 0) record.update_time_s = random.real();
      record.absolute = random.below(2) == 0;
      // Either side of 2^28 seconds.
      record.time_us = record.absolute
                           ? 268'435'456'000'000 + random.integer() % 100'000'000'000'000
                           : random.integer() % 268'435'455'000'000;
      if (record.absolute && record.time_us < 268'435'456'000'000)
        record.time_us += 200'000'000'000'000;
    }
    for (const auto format : {SenmlFormat::json, SenmlFormat::cbor}) {
      const auto bytes = encode_senml(records, format);
      ASSERT_TRUE(bytes) << bytes.error().text();
      const auto back = parse_senml(*bytes, format);
      ASSERT_TRUE(back) << back.error().text();
      ASSERT_EQ(*back, records) << i;
    }
  }
}

// Numbers of every size: the shortest head, and the same number again.
TEST(RoundTrip, CborNumbers) {
  RandomValues random(5);
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t whole = random.integer();
    const double real = random.real();
    CborWriter writer;
    writer.integer(whole).real(real).unsigned_integer(static_cast<std::uint64_t>(whole));
    const auto magnitude = static_cast<std::uint64_t>(whole < 0 ? ~whole : whole);
    const std::size_t head = magnitude < 24            ? 1
                             : magnitude < 256         ? 2
                             : magnitude < 65'536      ? 3
                             : magnitude <= 0xFFFFFFFF ? 5
                                                       : 9;
    CborReader first(writer.out());
    ASSERT_EQ(first.integer().value(), whole);
    ASSERT_EQ(first.position(), head) << whole;
    CborReader second(View(writer.out()).subspan(head));
    ASSERT_EQ(std::bit_cast<std::uint64_t>(second.number().value()),
              std::bit_cast<std::uint64_t>(real));
  }
}

}  // namespace
}  // namespace holdfast::wire
