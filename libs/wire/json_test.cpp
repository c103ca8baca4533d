#include "libs/wire/json.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace holdfast::wire {
namespace {

Json parsed(std::string_view text, const JsonLimits& limits = kJsonStrict) {
  auto value = parse_json(text, limits);
  EXPECT_TRUE(value) << text << ": " << (value ? "" : value.error().text());
  return value ? std::move(*value) : Json();
}

TEST(Json, ReadsEveryKindAndWritesItBack) {
  for (const std::string text : {"null",
                                 "true",
                                 "false",
                                 "0",
                                 "-1",
                                 "9223372036854775807",
                                 "-9223372036854775808",
                                 "18446744073709551615",
                                 "20.5",
                                 "-0.125",
                                 "1e+300",
                                 "5e-324",
                                 "1.7976931348623157e+308",
                                 "\"\"",
                                 "\"a b\"",
                                 R"("q\"\\")",
                                 "[]",
                                 "{}",
                                 "[1,[2,[]],{}]",
                                 R"({"b":1,"a":{"x":[null,true]},"":"empty name"})",
                                 "\"\xC3\xBC\""}) {
    EXPECT_EQ(json_text(parsed(text)), text);
  }
}

TEST(Json, NumbersKeepTheirKind) {
  EXPECT_TRUE(parsed("9223372036854775807").is_int64());
  EXPECT_TRUE(parsed("9223372036854775808").is_uint64());
  EXPECT_TRUE(parsed("18446744073709551616").is_double());
  EXPECT_TRUE(parsed("20.0").is_double());
  EXPECT_EQ(json_text(parsed("20.0")), "20.0") << "a double stays one";
  EXPECT_EQ(json_text(parsed("2e1")), "20.0");
  EXPECT_EQ(json_text(Json(1e21)), "1e+21");
}

// The nearest double, also where Boost 1.81 alone misses it by one unit.
TEST(Json, DoublesAreTheNearestAndShortest) {
  for (const double wanted :
       {0.1, 1.0 / 3, 100.1, 123456.789, 1769868131.25, 2.2250738585072014e-308, 4.35, 0.000035,
        0.30000000000000004, 17976931348623157e292, 9007199254740993.5, 6.02214076e23}) {
    const auto value = parsed(json_text(Json(wanted)));
    ASSERT_TRUE(value.is_double());
    EXPECT_EQ(value.get_double(), wanted) << json_text(Json(wanted));
  }
  EXPECT_EQ(parsed("0.1000000000000000055511151231257827021181583404541015625").get_double(), 0.1);
  EXPECT_EQ(parsed("1e-400").get_double(), 0.0);
  EXPECT_TRUE(std::signbit(parsed("-1e-400").get_double()));
  EXPECT_EQ(json_text(Json(std::nan(""))), "null");
  EXPECT_EQ(json_text(Json(HUGE_VAL)), "null");
}

TEST(Json, StringsAreUnescapedAndEscaped) {
  EXPECT_EQ(parsed(R"("\u00fc\ud83d\ude00\n\/\t")").get_string(), "\xC3\xBC\xF0\x9F\x98\x80\n/\t");
  EXPECT_EQ(json_text(Json("a\n\x01\x7F")), R"("a\u000a\u0001\u007f")");
  EXPECT_EQ(parsed(json_text(Json("a\n\x01"))).get_string(), "a\n\x01");
  // Longer than any piece that the parser hands over.
  const std::string text = std::string(5'000, 'a') + "\\n" + std::string(5'000, 'b');
  EXPECT_EQ(parsed("\"" + text + "\"").get_string().size(), 10'001u);
  EXPECT_EQ(parsed("{\"" + text + "\":1}").get_object().begin()->key().size(), 10'001u);
}

struct BadJson {
  std::string text;
  const char* says;
};

TEST(Json, SaysWhereAndWhy) {
  const BadJson kCases[] = {
      {"", "ends early (line 1, column 1)"},
      {"{", "ends early (line 1, column 2)"},
      {"{\"a\":1,\n \"b\" 2}", "'2' is not expected here (line 2, column 6)"},
      {"{\"a\":1,}", "'}' is not expected here (line 1, column 8)"},
      {"[1 2]", "'2' is not expected here (line 1, column 4)"},
      {"{'a':1}", "''' is not expected here (line 1, column 2)"},
      {"1 2", "text behind the value (line 1, column 3)"},
      {"{}\n\n x", "text behind the value (line 3, column 2)"},
      {"nul", "ends early"},
      {"NaN", "'N' is not expected here"},
      {"Infinity", "'I' is not expected here"},
      {"01", "line 1"},
      {"1.", "ends early"},
      {"+1", "'+' is not expected here"},
      {"\"a", "ends early"},
      {"\"a\nb\"", "this is not JSON (line 1, column 3)"},
      {"\"\\x\"", "is not expected here"},
      {R"("\ud800\u0041")", "half a surrogate pair"},
      {R"("\ud800")", "is not expected here"},
      {R"("\udc00")", "half a surrogate pair"},
      {R"("\u00g0")", "escape is not complete"},
      {"\"\xFF\"", "this is not JSON (line 1, column 2)"},
      {"\"\xED\xA0\x80\"", "this is not JSON"},
      {"1e999", "does not fit a double (line 1"},
      {"-1e99999999999", "does not fit a double (line 1"},
      {"[1] // no", "text behind"},
      {"{\"a\":1,\"b\":2,\n\"a\":3}", "the member \"a\" stands twice (line 2"},
      {R"({"x":{"\u0061":1,"a":2}})", "the member \"a\" stands twice"},
  };
  for (const auto& one : kCases) {
    const auto value = parse_json(one.text);
    ASSERT_FALSE(value) << one.text;
    EXPECT_EQ(value.error().code, Code::malformed_body) << one.text;
    EXPECT_NE(value.error().message.find(one.says), std::string::npos)
        << one.text << ": " << value.error().message;
  }
}

TEST(Json, LastOfTwoMembersCountsForDevices) {
  const auto value = parsed(R"({"a":1,"b":{"c":[1]},"a":"x","b":null,"d":1})", kJsonDevice);
  EXPECT_EQ(json_text(value), R"({"a":"x","b":null,"d":1})");
  EXPECT_EQ(json_text(parsed(R"({"a":{"x":1},"a":{"y":2}})", kJsonDevice)), R"({"a":{"y":2}})");
}

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

TEST(Json, DepthAndSizeAreBounded) {
  EXPECT_TRUE(parse_json(nested(32)));
  const auto deep = parse_json(nested(33));
  ASSERT_FALSE(deep);
  EXPECT_NE(deep.error().message.find("too deep"), std::string::npos);
  EXPECT_TRUE(parse_json(nested(16), kJsonDevice));
  EXPECT_FALSE(parse_json(nested(17), kJsonDevice));
  EXPECT_FALSE(parse_json(nested(500'000)));

  const JsonLimits tight{4, 32, Duplicates::refuse};
  EXPECT_TRUE(parse_json("1234", tight));
  const auto large = parse_json("12345", tight);
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, Code::body_too_large);
  EXPECT_EQ(as_payload(large.error()).code, Code::payload_too_large);
  EXPECT_EQ(as_payload(deep.error()).code, Code::payload_malformed);
}

TEST(Json, LargeObjectsAndArrays) {
  std::string text = "{";
  for (int i = 0; i < 2'000; ++i)
    text += "\"key" + std::to_string(i) + "\":[" + std::to_string(i) + "],";
  text.back() = '}';
  const auto value = parsed(text);
  EXPECT_EQ(value.get_object().size(), 2'000u);
  EXPECT_EQ(json_text(value), text);
}

TEST(Json, PrettyIsForPeople) {
  EXPECT_EQ(
      json_pretty(parsed(R"({"a":[1,{"b":2}],"c":{},"d":[]})")),
      "{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    }\n  ],\n  \"c\": {},\n  \"d\": []\n}");
}

TEST(Json, ValuesGoBothWays) {
  const Value kValues[] = {Value{},          Value{true}, Value{std::int64_t{-5}},
                           Value{INT64_MAX}, Value{20.5}, Value{std::string("x\"y")}};
  for (const auto& value : kValues) {
    const auto back = to_value(parsed(value_text(value)));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, value) << value_text(value);
  }
  EXPECT_EQ(to_value(parsed("18446744073709551615")).value(), Value{18446744073709551616.0});
  EXPECT_FALSE(to_value(parsed("[]")));
  EXPECT_FALSE(to_value(parsed("{}")));
}

// ---- members

const Json& subject() {
  static const Json value = parsed(
      R"({"name":"boiler","count":3,"big":18446744073709551615,"rate":0.5,"on":true,"none":null,
          "tags":["a"],"site":{"id":"x"},"a/b~c":1})");
  return value;
}
const JsonObject& subject_object() {
  return subject().get_object();
}

TEST(JsonMembers, AreReadByType) {
  const auto& object = subject_object();
  EXPECT_EQ(get_string(object, "name").value(), "boiler");
  EXPECT_EQ(get_int(object, "count").value(), 3);
  EXPECT_EQ(get_double(object, "rate").value(), 0.5);
  EXPECT_EQ(get_double(object, "count").value(), 3.0);
  EXPECT_EQ(get_double(object, "big").value(), 18446744073709551616.0);
  EXPECT_EQ(get_bool(object, "on").value(), true);
  EXPECT_EQ(get_array(object, "tags").value()->size(), 1u);
  EXPECT_EQ(get_string(*get_object(object, "site").value(), "id", "/site").value(), "x");
}

TEST(JsonMembers, AbsentAndNullAreTheSame) {
  const auto& object = subject_object();
  for (const std::string_view key : {"none", "absent"}) {
    EXPECT_FALSE(find_string(object, key).value());
    EXPECT_FALSE(find_bool(object, key).value());
    EXPECT_FALSE(find_int(object, key).value());
    EXPECT_FALSE(find_double(object, key).value());
    EXPECT_EQ(find_object(object, key).value(), nullptr);
    EXPECT_EQ(find_array(object, key).value(), nullptr);
    const auto wanted = get_string(object, key, "/at");
    ASSERT_FALSE(wanted);
    EXPECT_EQ(wanted.error().code, Code::invalid_argument);
    EXPECT_EQ(wanted.error().pointer, "/at/" + std::string(key));
    EXPECT_NE(wanted.error().message.find("is missing"), std::string::npos);
    EXPECT_FALSE(get_object(object, key));
    EXPECT_FALSE(get_array(object, key));
    EXPECT_FALSE(get_int(object, key));
  }
  EXPECT_EQ(find_string(object, "name").value(), "boiler");
}

template <class T>
void expect_fault(const Result<T>& result, std::string_view pointer, std::string_view says) {
  ASSERT_FALSE(result) << says;
  EXPECT_EQ(result.error().pointer, pointer);
  EXPECT_NE(result.error().message.find(says), std::string::npos) << result.error().message;
}

TEST(JsonMembers, OtherTypesAreFaultsWithPointers) {
  const auto& object = subject_object();
  expect_fault(get_string(object, "count"), "/count", "must be a string");
  expect_fault(get_int(object, "name"), "/name", "must be a whole number");
  expect_fault(get_int(object, "rate", "/x"), "/x/rate", "must be a whole number");
  expect_fault(get_int(object, "big"), "/big", "must be between");
  expect_fault(get_int(object, "count", "", 4, 9), "/count", "must be between 4 and 9");
  expect_fault(get_int(object, "count", "", 0, 2), "/count", "must be between 0 and 2");
  expect_fault(get_double(object, "on"), "/on", "must be a number");
  expect_fault(get_bool(object, "count"), "/count", "must be true or false");
  expect_fault(get_object(object, "tags"), "/tags", "must be an object");
  expect_fault(get_array(object, "site"), "/site", "must be an array");
  expect_fault(find_string(object, "a/b~c"), "/a~1b~0c", "must be a string");
  expect_fault(as_object(subject_object().at("tags"), "/t"), "/t", "must be an object");
  expect_fault(as_array(subject(), ""), "", "the value must be an array");
}

TEST(JsonMembers, UnknownOnesAreNamedWithTheNearest) {
  const auto object = parsed(R"({"name":1,"sevrity":2})").get_object();
  EXPECT_TRUE(only_members(object, {"name", "severity", "sevrity"}));
  const auto status = only_members(object, {"name", "severity"}, "/x");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::unknown_field);
  EXPECT_EQ(status.error().pointer, "/x/sevrity");
  EXPECT_NE(status.error().message.find("did you mean \"severity\"?"), std::string::npos);
  const auto far = only_members(object, {"name", "completely_other"});
  ASSERT_FALSE(far);
  EXPECT_EQ(far.error().message.find("did you mean"), std::string::npos);
  EXPECT_FALSE(only_members(object, {}));
}

TEST(JsonMembers, PointersAreEscaped) {
  EXPECT_EQ(pointer_to("", "a"), "/a");
  EXPECT_EQ(pointer_to("/a", "~/"), "/a/~0~1");
  EXPECT_EQ(pointer_to("/a", std::size_t{3}), "/a/3");
}

}  // namespace
}  // namespace holdfast::wire
