// contract/device-protocol.md is what devices are built by: its examples must be what this code
// reads.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "libs/wire/telemetry.hpp"

namespace holdfast::wire {
namespace {

// The ```json blocks below a heading that starts with `section`, up to the next heading; one
// example a line, or an array over several.
std::vector<std::string> examples_of(std::string_view section) {
  std::ostringstream text;
  text << std::ifstream("contract/device-protocol.md").rdbuf();
  std::istringstream lines(text.str());
  std::vector<std::string> examples;
  bool inside = false, block = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#")) {
      const auto title = line.substr(line.find_first_not_of('#') + 1);
      inside = title.starts_with(section);
    } else if (line.starts_with("```")) {
      block = inside && line == "```json";
    } else if (block && line.starts_with(" ") && !examples.empty()) {
      examples.back() += line;
    } else if (block) {
      examples.push_back(line);
    }
  }
  EXPECT_FALSE(examples.empty()) << "no example under \"" << section << "\"";
  return examples;
}

TEST(DeviceProtocol, ItsTelemetryIsRead) {
  const auto json = examples_of("7.1");
  ASSERT_EQ(json.size(), 2u);
  const auto one = decode_telemetry(view_of(json[0]));
  ASSERT_TRUE(one) << one.error().text();
  ASSERT_EQ(one->size(), 1u);
  EXPECT_EQ(one->front().fields,
            (std::vector<Field>{{"temp", Value{20.5}, ""}, {"door.open", Value{true}, ""}}));
  const auto batch = decode_telemetry(view_of(json[1]));
  ASSERT_TRUE(batch) << batch.error().text();
  ASSERT_EQ(batch->size(), 2u);
  EXPECT_EQ((*batch)[1].device_time->us - (*batch)[0].device_time->us, 10'000'000);

  const auto senml = decode_telemetry(view_of(examples_of("7.2").at(0)));
  ASSERT_TRUE(senml) << senml.error().text();
  ASSERT_EQ(senml->size(), 1u);
  EXPECT_EQ(senml->front().fields, (std::vector<Field>{{"boiler:temp", Value{61.2}, "Cel"},
                                                       {"boiler:burner", Value{true}, ""}}));
}

TEST(DeviceProtocol, ItsEventIsRead) {
  const auto event = decode_event(view_of(examples_of("6.2").at(0)), "door");
  ASSERT_TRUE(event) << event.error().text();
  EXPECT_EQ(event->message, "door opened");
  EXPECT_EQ(event->severity, Severity::warning);
  EXPECT_EQ(to_rfc3339(*event->device_time), "2026-01-31T14:02:11Z");
  EXPECT_EQ(json_text(event->fields), R"({"door":3})");
}

TEST(DeviceProtocol, ItsOtherPayloadsAreJson) {
  for (const std::string_view section : {"6.1", "6.4", "6.6", "6.7", "6.8"}) {
    for (const auto& example : examples_of(section)) {
      const auto value = parse_json(example, kJsonDevice);
      EXPECT_TRUE(value && value->is_object()) << example;
      EXPECT_TRUE(parse_json(example)) << example << ": the strict reader takes it too";
    }
  }
}

// ---- times of devices (section 6)

struct DeviceTimeCase {
  const char* json;
  std::optional<std::int64_t> us;
};

TEST(DeviceProtocol, TimesAreTextOrSeconds) {
  constexpr DeviceTimeCase kCases[] = {
      {"0", 0},
      {"1", 1'000'000},
      {"-1", -1'000'000},
      {"1769868131", 1'769'868'131'000'000},
      {"1769868131.25", 1'769'868'131'250'000},
      {"1769868131.1", 1'769'868'131'100'000},
      {"1769868131.000001", 1'769'868'131'000'001},
      {"0.0000004", 0},
      {"0.0000006", 1},
      {"-0.5", -500'000},
      {"253402300799", 253'402'300'799'000'000},
      {"253402300800", std::nullopt},
      {"253402300799.5", std::nullopt},
      {"-62135596800", -62'135'596'800'000'000},
      {"-62135596801", std::nullopt},
      {"9223372036854775807", std::nullopt},
      {"18446744073709551615", std::nullopt},
      {"1e300", std::nullopt},
      {"\"2026-01-31T14:02:11Z\"", 1'769'868'131'000'000},
      {"\"2026-01-31T15:02:11.5+01:00\"", 1'769'868'131'500'000},
      {"\"2026-01-31\"", std::nullopt},
      {"\"1769868131\"", std::nullopt},
      {"\"\"", std::nullopt},
      {"null", std::nullopt},
      {"true", std::nullopt},
      {"[]", std::nullopt},
      {"{}", std::nullopt},
  };
  for (const auto& one : kCases) {
    const auto time = device_time_of(parse_json(one.json).value(), "/x/time");
    EXPECT_EQ(time.has_value(), one.us.has_value()) << one.json;
    if (time) {
      EXPECT_EQ(time->us, one.us) << one.json;
      continue;
    }
    EXPECT_EQ(time.error().code, Code::payload_malformed);
    EXPECT_EQ(time.error().pointer, "/x/time");
  }
}

}  // namespace
}  // namespace holdfast::wire
