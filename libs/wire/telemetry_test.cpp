#include "libs/wire/telemetry.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "libs/wire/senml.hpp"

namespace holdfast::wire {
namespace {

std::vector<Reading> decoded(std::string_view text,
                             TelemetryFormat format = TelemetryFormat::sniff) {
  auto readings = decode_telemetry(view_of(text), format, "dev_X");
  EXPECT_TRUE(readings) << text << ": " << (readings ? "" : readings.error().text());
  return readings ? std::move(*readings) : std::vector<Reading>();
}

// "time|offset name=value[unit] ..." of each reading, one a line.
std::string shown(const std::vector<Reading>& readings) {
  std::string out;
  for (const auto& reading : readings) {
    if (reading.device_time) out += to_rfc3339(*reading.device_time);
    if (reading.offset.us != 0) out += to_text(reading.offset);
    out += "|";
    for (const auto& field : reading.fields) {
      out += " " + field.name + "=" + value_text(field.value);
      if (!field.unit.empty()) out += "[" + field.unit + "]";
    }
    out += "\n";
  }
  return out;
}

struct TelemetryCase {
  const char* payload;
  const char* readings;
};

// contract/device-protocol.md 7.1 and 7.2, rule by rule.
TEST(Telemetry, ReadsWhatTheProtocolSays) {
  constexpr TelemetryCase kCases[] = {
      {R"({"temp":20.5,"door":{"open":true}})", "| temp=20.5 door.open=true\n"},
      {R"([{"time":1769868131.25,"temp":20.5},{"time":"2026-01-31T14:02:21.25Z","temp":20.6}])",
       "2026-01-31T14:02:11.25Z| temp=20.5\n2026-01-31T14:02:21.25Z| temp=20.6\n"},
      {R"({"disk":{"root":{"used":0.5}}})", "| disk.root.used=0.5\n"},
      {R"({"a":{"b":{"c":{"d":1}}}})", "| a.b.c.d=1\n"},
      {R"({"a.b":1,"c":{"d.e":2}})", "| a.b=1 c.d.e=2\n"},
      {R"({"a.b":1,"x":0,"a":{"b":2}})", "| x=0 a.b=2\n"},
      {R"({"a":{"b":2},"a.b":1,"a":{"b":3}})", "| a.b=1\n"},
      {R"({"a":1,"a":"two"})", "| a=\"two\"\n"},
      {R"({"a":null,"b":{"c":null}})", ""},
      {R"({"a":null,"b":1})", "| b=1\n"},
      {"{}", ""},
      {"[]", ""},
      {"[{},{}]", ""},
      {R"({"time":1769868131})", ""},
      {R"({"time":null,"a":1})", "| a=1\n"},
      {R"({"in":{"time":5}})", "| in.time=5\n"},
      {"42", "| value=42\n"},
      {"-0.5", "| value=-0.5\n"},
      {R"("on")", "| value=\"on\"\n"},
      {"true", "| value=true\n"},
      {R"({"n":9223372036854775807,"u":9223372036854775808})",
       "| n=9223372036854775807 u=9223372036854775808.0\n"},
      {R"({"0a_:/.-Z":1})", "| 0a_:/.-Z=1\n"},
      {R"({"s":"\u00fc"})", "| s=\"\xC3\xBC\"\n"},
      {R"({"time":"1970-01-01T00:00:10Z","a":1})", "1970-01-01T00:00:10Z| a=1\n"},
      // SenML, found by its first record.
      {R"([{"bn":"boiler:","bt":1769868131,"n":"temp","u":"Cel","v":61.2},{"n":"burner","vb":true}])",
       "2026-01-31T14:02:11Z| boiler:temp=61.2[Cel] boiler:burner=true\n"},
      {R"([{"bn":"dev_X:","n":"temp","v":1},{"n":"","v":2},{"bn":"dev_X/","n":"a","vs":"x"}])",
       "| temp=1 value=2 a=\"x\"\n"},
      {R"([{"n":"dev_Xyz","v":1},{"n":"dev_X","v":2}])", "| dev_Xyz=1 dev_X=2\n"},
      {R"([{"n":"p","v":1,"s":2.5,"u":"W"},{"n":"d","vd":"AAH_"}])",
       "| p=1[W] p.sum=2.5 d=\"AAH_\"\n"},
      {R"([{"n":"a","t":-5,"v":1},{"n":"b","t":-5,"v":2},{"n":"c","v":3},{"n":"d","t":-5,"v":4}])",
       "-5s| a=1 b=2\n| c=3\n-5s| d=4\n"},
      {R"([{"n":"a","v":1},{"n":"b","v":2},{"n":"a","v":3}])", "| b=2 a=3\n"},
      {R"([{"n":"a","v":1,"t":268435456},{"n":"a","v":1,"t":268435455}])",
       "1978-07-04T21:24:16Z| a=1\n3106d21h24m15s| a=1\n"},
  };
  for (const auto& one : kCases)
    EXPECT_EQ(shown(decoded(one.payload)), one.readings) << one.payload;
}

TEST(Telemetry, ContentTypeDecides) {
  using enum TelemetryFormat;
  EXPECT_EQ(format_of(""), sniff);
  EXPECT_EQ(format_of("application/octet-stream"), sniff);
  EXPECT_EQ(format_of("application/json"), json);
  EXPECT_EQ(format_of("Application/JSON; charset=utf-8"), json);
  EXPECT_EQ(format_of(" application/senml+json "), senml_json);
  EXPECT_EQ(format_of("application/senml+cbor"), senml_cbor);
  EXPECT_FALSE(format_of("text/plain"));
  EXPECT_FALSE(format_of("application/cbor"));

  const std::string_view pack = R"([{"n":"a","v":1}])";
  EXPECT_EQ(shown(decoded(pack)), "| a=1\n");
  EXPECT_EQ(shown(decoded(pack, senml_json)), "| a=1\n");
  EXPECT_EQ(shown(decoded(pack, json)), "| n=\"a\" v=1\n");
  EXPECT_EQ(shown(decoded(R"([{"v":1}])", senml_json)), "| value=1\n");
  EXPECT_EQ(shown(decoded(R"([{"v":1}])")), "| v=1\n") << "without a name it is plain JSON";
  EXPECT_EQ(shown(decoded(R"([{"n":1}])")), "| n=1\n") << "a name is a string";
}

TEST(Telemetry, CborIsFoundByItsFirstByte) {
  const SenmlRecord record{"temp", "Cel", 20.5, {}, true, 1'769'868'131'250'000, {}};
  const auto bytes = encode_senml({record}, SenmlFormat::cbor).value();
  const auto readings = decode_telemetry(bytes).value();
  EXPECT_EQ(shown(readings), "2026-01-31T14:02:11.25Z| temp=20.5[Cel]\n");
  EXPECT_FALSE(decode_telemetry(bytes, TelemetryFormat::json));
  const Bytes indefinite = from_hex("9fa20061610201ff").value();
  EXPECT_EQ(shown(decode_telemetry(indefinite).value()), "| a=1\n");
}

struct BadTelemetry {
  std::string payload;
  const char* pointer;
  const char* says;
};

TEST(Telemetry, RefusesTheWholeMessageAndNamesTheMember) {
  const std::string long_name(129, 'a');
  const std::string long_pointer = "/" + long_name;
  const std::string long_text(4'097, 'x');
  const BadTelemetry kCases[] = {
      {"", "", "ends early"},
      {"nonsense", "", "is not expected here"},
      {"null", "", "must hold a value"},
      {R"({"a":[1,2]})", "/a", "must be a number, a string"},
      {R"({"a":{"b":[]}})", "/a/b", "must be a number, a string"},
      {R"({"a":{"b":{"c":{"d":{"e":1}}}}})", "/a/b/c/d/e", "deeper than 4 levels"},
      {R"({"":1})", "", "no field name"},
      {R"({"_a":1})", "/_a", "no field name"},
      {R"({"a b":1})", "/a b", "no field name"},
      {R"({"a":{".":1,"\u00fc":2}})", "/a/\xC3\xBC", "no field name"},
      {"{\"" + long_name + "\":1}", long_pointer.c_str(), "no field name"},
      {"{\"a\":\"" + long_text + "\"}", "/a", "longer than 4096 bytes"},
      {R"({"time":"yesterday","a":1})", "/time", "RFC 3339"},
      {R"({"time":true,"a":1})", "/time", "RFC 3339"},
      {R"({"time":1e13,"a":1})", "/time", "RFC 3339"},
      {R"([{"a":1},{"time":"x"}])", "/1/time", "RFC 3339"},
      {R"([{"a":1},2])", "/1", "must be an object"},
      {R"([[{"a":1}]])", "/0", "must be an object"},
      {R"([{"a":1},null])", "/1", "must be an object"},
      {R"([{"n":"a","v":1},{"n":"b b","v":1}])", "/1/n", "no field name"},
      {R"([{"n":"a","v":1},{"n":"b"}])", "/1", "neither value nor sum"},
      {R"([{"n":"a","v":1,"x_":1}])", "/0/x_", "must not be ignored"},
  };
  for (const auto& one : kCases) {
    const auto readings = decode_telemetry(view_of(one.payload));
    ASSERT_FALSE(readings) << one.payload;
    EXPECT_EQ(readings.error().code, Code::payload_malformed) << one.payload;
    EXPECT_NE(readings.error().message.find(one.says), std::string::npos)
        << readings.error().message;
    EXPECT_EQ(readings.error().pointer, one.pointer) << one.payload;
  }
}

TEST(Telemetry, KeepsToItsLimits) {
  const TelemetryLimits limits{100, 3, 8};
  const auto refused = [&limits](std::string_view text) {
    const auto readings = decode_telemetry(view_of(text), TelemetryFormat::sniff, "", limits);
    return readings ? std::optional<Code>() : readings.error().code;
  };
  EXPECT_EQ(refused(R"({"a":1,"b":2,"c":3})"), std::nullopt);
  EXPECT_EQ(refused(R"({"a":1,"b":2,"c":3,"d":4})"), Code::payload_too_large);
  EXPECT_EQ(refused(R"([{"a":1,"b":2},{"a":1,"b":2}])"), Code::payload_too_large);
  EXPECT_EQ(refused(R"([{"n":"a","v":1,"s":1},{"n":"b","v":1,"s":1}])"), Code::payload_too_large);
  EXPECT_EQ(refused("\"" + std::string(8, 'x') + "\""), std::nullopt);
  EXPECT_EQ(refused("\"" + std::string(9, 'x') + "\""), Code::payload_malformed);
  EXPECT_EQ(refused(R"([{"n":"a","vd":"AAAAAAAA"}])"), std::nullopt) << "8 characters of base64";
  EXPECT_EQ(refused(R"([{"n":"a","vd":"AAAAAAAAAA"}])"), Code::payload_malformed);
  EXPECT_EQ(refused("{\"a\":1" + std::string(100, ' ') + "}"), Code::payload_too_large);
}

TEST(Telemetry, ALargeBatchIsTakenWhole) {
  std::string text = "[";
  for (int i = 0; i < 2'000; ++i) {
    text += (i == 0 ? "" : ",") + std::string("{\"time\":") + std::to_string(1'769'868'131 + i) +
            ",\"a\":" + std::to_string(i) + ",\"b\":" + std::to_string(i) + ".5}";
  }
  const auto readings = decoded(text + "]");
  ASSERT_EQ(readings.size(), 2'000u);
  EXPECT_EQ(readings[1'999].device_time->us, (1'769'868'131LL + 1'999) * 1'000'000);
  EXPECT_EQ(readings[1'999].fields[1].value, Value{1999.5});
}

TEST(Telemetry, FieldNamesHaveARule) {
  const std::vector<std::string> good = {"a", "0", "A.b", "a_:/.-", std::string(128, 'x')};
  for (const auto& name : good) EXPECT_TRUE(valid_field_name(name)) << name;
  const std::vector<std::string> bad = {
      "", "_", ".a", "-a", "a b", "a\n", "a#", "\xC3\xBC", std::string(129, 'x')};
  for (const auto& name : bad) EXPECT_FALSE(valid_field_name(name)) << name;
}

TEST(Telemetry, WrittenReadingsComeBack) {
  const Reading timed{WallTime{1'769'868'131'250'001},
                      {},
                      {{"a.b", Value{20.5}, ""},
                       {"count", Value{std::int64_t{3}}, ""},
                       {"on", Value{true}, ""},
                       {"text", Value{std::string("x\"y")}, ""}}};
  const Reading untimed{{}, {}, {{"whole", Value{20.0}, ""}}};
  for (const auto& readings :
       {std::vector{timed}, std::vector{untimed}, std::vector{timed, untimed}}) {
    const auto text = encode_telemetry(readings);
    ASSERT_TRUE(text) << text.error().text();
    EXPECT_EQ(decoded(*text), readings) << *text;
  }
  EXPECT_EQ(encode_telemetry({untimed}).value(), R"({"whole":20.0})");
  EXPECT_EQ(encode_telemetry({}).value(), "[]");
}

TEST(Telemetry, WritesNothingThatWouldNotComeBack) {
  for (const Field& field : {Field{"time", Value{1.0}, ""}, Field{"a b", Value{1.0}, ""},
                             Field{"a", Value{}, ""}, Field{"a", Value{std::nan("")}, ""}}) {
    const auto text = encode_telemetry({Reading{{}, {}, {field}}});
    ASSERT_FALSE(text) << *text;
    EXPECT_EQ(text.error().code, Code::invalid_argument);
  }
}

// ---- logs and events

TEST(LogEntry, OneOrMany) {
  const auto one = decode_log(view_of(R"({"message":"door opened","severity":"warning",
      "time":"2026-01-31T14:02:11Z","fields":{"door":3,"deep":{"x":[1]}},"unknown":1})"));
  ASSERT_TRUE(one) << one.error().text();
  ASSERT_EQ(one->size(), 1u);
  EXPECT_EQ(one->front().message, "door opened");
  EXPECT_EQ(one->front().severity, Severity::warning);
  EXPECT_EQ(one->front().device_time, WallTime{1'769'868'131'000'000});
  EXPECT_EQ(json_text(one->front().fields), R"({"door":3,"deep":{"x":[1]}})");

  const auto many =
      decode_log(view_of(R"([{"message":"a"},{"message":"b","severity":"odd","time":5}])"));
  ASSERT_TRUE(many);
  ASSERT_EQ(many->size(), 2u);
  EXPECT_EQ((*many)[0].severity, Severity::info);
  EXPECT_FALSE((*many)[0].device_time);
  EXPECT_EQ((*many)[1].severity, Severity::info) << "an unknown severity counts as info";
  EXPECT_EQ((*many)[1].device_time, WallTime{5'000'000});
}

TEST(LogEntry, EventsHaveTheirNameAsMessage) {
  const auto event = decode_event(view_of("{}"), "door-opened");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->message, "door-opened");
  EXPECT_EQ(decode_event(view_of(R"({"message":"m"})"), "n")->message, "m");
  EXPECT_FALSE(decode_event(view_of("[{}]"), "n")) << "one object";
}

TEST(LogEntry, RefusesWithThePlace) {
  const std::string long_message = "{\"message\":\"" + std::string(8'193, 'x') + "\"}";
  const BadTelemetry kCases[] = {
      {"{}", "/message", "is missing"},
      {R"({"message":null})", "/message", "is missing"},
      {R"({"message":1})", "/message", "must be a string"},
      {long_message, "/message", "longer than 8192"},
      {R"({"message":"a","severity":1})", "/severity", "must be a string"},
      {R"({"message":"a","time":"x"})", "/time", "RFC 3339"},
      {R"({"message":"a","fields":[]})", "/fields", "must be an object"},
      {R"([{"message":"a"},{"message":"b","time":true}])", "/1/time", "RFC 3339"},
      {R"([{"message":"a"},3])", "/1", "must be an object"},
      {"[]", "", "is empty"},
      {"3", "", "must be an object"},
      {"{", "", "ends early"},
  };
  for (const auto& one : kCases) {
    const auto entries = decode_log(view_of(one.payload));
    ASSERT_FALSE(entries) << one.payload;
    EXPECT_EQ(entries.error().code, Code::payload_malformed) << one.payload;
    EXPECT_EQ(entries.error().pointer, one.pointer) << one.payload;
    EXPECT_NE(entries.error().message.find(one.says), std::string::npos) << entries.error().message;
  }
}

TEST(LogEntry, AtMostAThousandInOneMessage) {
  const auto batch = [](int count) {
    std::string text = "[";
    for (int i = 0; i < count; ++i) text += R"({"message":"a"},)";
    text.back() = ']';
    return decode_log(view_of(text));
  };
  EXPECT_EQ(batch(1'000).value().size(), 1'000u);
  ASSERT_FALSE(batch(1'001));
  EXPECT_EQ(batch(1'001).error().code, Code::payload_too_large);
}

TEST(LogEntry, WrittenOnesComeBack) {
  const LogEntry full{"m", Severity::critical, WallTime{1'769'868'131'250'000}, {{"a", 1}}};
  const LogEntry bare{"m", Severity::info, {}, {}};
  for (const auto& entry : {full, bare}) {
    const auto back = decode_log(view_of(encode_log(entry)));
    ASSERT_TRUE(back);
    EXPECT_TRUE(back->front() == entry) << encode_log(entry);
  }
  EXPECT_FALSE(full == bare);
}

TEST(LogEntry, SeveritiesHaveNames) {
  for (const auto severity : {Severity::debug, Severity::info, Severity::notice, Severity::warning,
                              Severity::error, Severity::critical}) {
    EXPECT_EQ(severity_named(name_of(severity)), severity);
  }
  EXPECT_FALSE(severity_named("fatal"));
}

}  // namespace
}  // namespace holdfast::wire
