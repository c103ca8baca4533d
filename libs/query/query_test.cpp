#include "libs/query/query.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "libs/query/plan.hpp"

namespace holdfast::query {
namespace {

class Map final : public Fields {
 public:
  explicit Map(std::map<std::string, Scalar> all) : all_(std::move(all)) {}
  bool any(const Use& use) const override {
    for (const auto& [name, value] : all_)
      if (use(name, value)) return true;
    return false;
  }
  const std::map<std::string, Scalar>& all() const { return all_; }

 private:
  std::map<std::string, Scalar> all_;
};

const Ulid kDevice{1, 2, 3};
const Map kFields({{"user", std::string_view("Root")},
                   {"port", std::int64_t{4433}},
                   {"load", 0.75},
                   {"whole", 7.0},
                   {"big", std::int64_t{INT64_MAX}},
                   {"ok", true},
                   {"none", std::monostate{}},
                   {"kind", std::string_view("inner")},
                   {"a b", std::string_view("x")},
                   {"ip", std::string_view("10.20.30.40")},
                   {"six", std::string_view("2001:db8::17")},
                   {"mac", std::string_view("00:1b:44:11:3a:b7")}});
const Document kEvent{1'700'000'000'000'000,
                      1'700'000'000'000'001,
                      &kDevice,
                      "auth.failed",
                      3,
                      "Failed password for root from 203.0.113.9 port 22 (v1.2.3), /var/log/x_y",
                      &kFields};

struct Case {
  const char* text;
  bool matches;
};

const std::vector<Case> kCases{{"", true},
                               {"failed", true},
                               {"FAILED", true},
                               {"fail", false},
                               {"fail*", true},
                               {"*ailed", true},
                               {"*aile*", true},
                               {"ailed*", false},
                               {"\"password for\"", true},
                               {"\"password root\"", false},
                               {"password root", true},
                               {"\"assword for\"", false},
                               {"*\"assword for r\"*", true},
                               {"203.0.113.9", true},
                               {"203.0.113", false},
                               {"203.0.113.*", true},
                               {"113", false},
                               {"22", true},
                               {"2", false},
                               {"1.2", false},
                               {"v1.2.3", true},
                               {"/var/log", true},
                               {"var", true},
                               {"x_y", true},
                               {"y", false},
                               {"203.0.113.0/24", true},
                               {"203.0.112.0/23", true},
                               {"203.0.114.0/24", false},
                               {"10.0.0.0/8", true},
                               {"ip:10.0.0.0/8", true},
                               {"ip=10.20.30.40/32", true},
                               {"user:10.0.0.0/8", false},
                               {"0.0.0.0/0", true},
                               {"2001:db8::/32", true},
                               {"2001:db9::/32", false},
                               {"six:2001:db8::17", true},
                               {"2001:db8::17", true},
                               {"00:1b:44:11:3a:b7", true},
                               {"user:root", true},
                               {"user=root", true},
                               {"user:roo", false},
                               {"user!=root", false},
                               {"user!=ada", true},
                               {"nobody!=ada", true},
                               {"message=failed", false},
                               {"port:4433", true},
                               {"port:4433.0", true},
                               {"port=44", false},
                               {"port>=4433", true},
                               {"port>4433", false},
                               {"port<1e4", true},
                               {"port<=-1", false},
                               {"big=9223372036854775807", true},
                               {"big=9223372036854775806", false},
                               {"big>9223372036854775806", true},
                               {"load<0.8", true},
                               {"load:0.75", true},
                               {"whole:7", true},
                               {"whole=7.0", true},
                               {"ok:true", true},
                               {"none:null", true},
                               {"none:*", true},
                               {"absent:*", false},
                               {"NOT absent:*", true},
                               {"kind:auth", true},
                               {"kind=auth", false},
                               {"kind=auth.failed", true},
                               {"kind:auth*", true},
                               {"field.kind:inner", true},
                               {"kind:inner", false},
                               {"\"a b\":x", true},
                               {"inner", true},
                               {"severity:warning", true},
                               {"severity>=warning", true},
                               {"severity>warning", false},
                               {"severity<critical", true},
                               {"severity!=warning", false},
                               {"time>=2023-11-14", true},
                               {"time>=2023-11-15", false},
                               {"time<2023-11-14T22:13:20Z", false},
                               {"time<=2023-11-14T22:13:20Z", true},
                               {"received>2023-11-14T22:13:20Z", true},
                               {"device:server", false},
                               {"failed AND root", true},
                               {"failed nowhere", false},
                               {"failed OR nowhere", true},
                               {"nowhere OR failed root", true},
                               {"(nowhere OR failed) root", true},
                               {"(nowhere OR failed) nothing", false},
                               {"NOT nowhere", true},
                               {"-nowhere failed", true},
                               {"-failed", false},
                               {"NOT (nowhere OR nothing)", true},
                               {"NOT NOT failed", true},
                               {"or", false},
                               {"\"OR\"", false},
                               {"port:4433 user:root severity:warning", true}};

TEST(Query, MeansWhatTheSpecificationSays) {
  const std::string device = DeviceId{kDevice}.text();
  for (const Case& one : kCases) {
    const auto node = parse(one.text);
    ASSERT_TRUE(node) << one.text << ": " << node.error().message;
    EXPECT_EQ(matches(*node, kEvent), one.matches) << one.text;
    const auto again = parse(to_text(*node));
    ASSERT_TRUE(again) << to_text(*node);
    EXPECT_EQ(*again, *node) << one.text << " became " << to_text(*node);
  }
  EXPECT_TRUE(matches(*parse("device:" + device), kEvent));
}

TEST(Query, AnErrorSaysWhereAndWhatToDo) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"a (b", "character 3: this '(' is never closed"},
      {"a)", "character 2: a ')' closes nothing"},
      {"\xC3\xA4 \"b", "character 3: this '\"' is never closed"},
      {"a OR", "character 5: something to look for is missing"},
      {"OR a", "character 1: something"},
      {"a AND", "character 6: something to look for is missing after AND"},
      {"NOT", "character 4: something to look for is missing after NOT"},
      {"()", "character 2: something"},
      {"port>=many", "character 7: a comparison needs a number"},
      {"severity>=bad", "character 11: a severity is one of"},
      {"time>=yesterday", "character 7: a time is compared"},
      {"time:2023-11-14", "character 6: a time is compared"},
      {"device:x", "character 8: a device is given by its id"},
      {"a*b", "character 2: a '*' stands only"},
      {"*", "character 1: a '*' alone"},
      {"port>=1*", "character 7: '*' goes with ':' only"},
      {"user: root", "character 6: a value is missing"},
      {"\"a\"b", "character 4: a space is missing"},
      {"\"\"", "character 1: an empty value"}};
  for (const auto& [text, message] : cases) {
    const auto node = parse(text);
    ASSERT_FALSE(node) << text;
    EXPECT_EQ(node.error().code, Code::invalid_argument);
    EXPECT_NE(node.error().message.find(message), std::string::npos)
        << text << ": " << node.error().message;
  }
  EXPECT_FALSE(parse(std::string(5000, 'a')));
  EXPECT_FALSE(parse(std::string(40, '(') + "a" + std::string(40, ')')));
  std::string many;
  for (int i = 0; i < 65; ++i) many += "w ";
  EXPECT_FALSE(parse(many));
}

TEST(Query, WhatIsNotKnownIsUnknown) {
  Document head;
  head.kind = "log";
  head.severity = 4;
  EXPECT_EQ(evaluate(*parse("severity:error"), head), Truth::yes);
  EXPECT_EQ(evaluate(*parse("severity:info root"), head), Truth::no);
  EXPECT_EQ(evaluate(*parse("severity:error root"), head), Truth::unknown);
  EXPECT_EQ(evaluate(*parse("log"), head), Truth::yes);
  EXPECT_EQ(evaluate(*parse("NOT root"), head), Truth::unknown);
  EXPECT_EQ(evaluate(*parse("kind:log OR root"), head), Truth::yes);
  EXPECT_EQ(evaluate(*parse("time>2023-11-14"), head), Truth::unknown);
}

TEST(Plan, SaysWhatItDoes) {
  const Plan words = plan(*parse("failed user:root *dead* severity>=error NOT port:22"));
  ASSERT_EQ(words.steps.size(), 5U);
  EXPECT_EQ(words.steps[0].how, "token filter, 1 term");
  EXPECT_EQ(words.steps[2].how, "scan, newest first: no filter helps");
  EXPECT_EQ(words.steps[3].part, "severity>=error");
  EXPECT_EQ(words.steps[4].part, "NOT port:22");
  EXPECT_EQ(words.severities, 0x30);
  EXPECT_FALSE(words.rollups_decide);
  const Plan counted = plan(*parse("severity>=error OR kind:log"));
  EXPECT_TRUE(counted.rollups_decide);
  EXPECT_EQ(counted.severities, 0x3F);
  const Plan times = plan(*parse("time>=2026-11-24 time<2026-11-25"));
  EXPECT_EQ(times.to - times.from, days(1).us);
  const Plan device = plan(*parse("device:server (a OR b)"));
  EXPECT_EQ(device.devices->size(), 1U);
  EXPECT_TRUE(plan(*parse("NOT a")).need.anything());
}

// Random queries and events from one small vocabulary.
class Drawing {
 public:
  explicit Drawing(unsigned seed) : random_(seed) {}
  std::size_t below(std::size_t n) { return random_() % n; }
  std::string pick(const std::vector<std::string>& of) { return of[below(of.size())]; }
  std::string value() {
    return pick({"alpha", "beta", "1.5", "10.1.2.3", "10.1.9.9", "fe80::17", "22", "7", "x_1",
                 "Alphabet", "a.b", ".5", "1."});
  }
  std::string leaf() {
    const std::string value = this->value();
    switch (below(8)) {
      case 0:
        return value + "*";
      case 1:
        return "*" + value + "*";
      case 2:
        return "f:" + value;
      case 3:
        return "\"" + value + " " + this->value() + "\"";
      case 4:
        return pick({"10.1.0.0/16", "10.0.0.0/8", "10.1.2.0/24", "fe80::/64", "8.0.0.0/6"});
      case 5:
        return pick(
            {"severity>=error", "kind:log", "time<2023-11-14", "f>=7", "f=22.0", "device:server"});
      case 6:
        return "f=" + value;
      default:
        return value;
    }
  }
  std::string query(std::size_t depth) {
    if (depth == 0) return leaf();
    switch (below(4)) {
      case 0:
        return query(depth - 1) + " " + query(depth - 1);
      case 1:
        return "(" + query(depth - 1) + " OR " + query(depth - 1) + ")";
      case 2:
        return "NOT (" + query(depth - 1) + ")";
      default:
        return leaf();
    }
  }

 private:
  std::mt19937 random_;
};

TEST(Finder, FindsWhatASearchFinds) {
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string text(random() % 60, ' ');
    for (char& c : text) c = "abAB."[random() % 5];
    std::string lower(random() % 5, ' ');
    for (char& c : lower) c = "ab."[random() % 3];
    EXPECT_EQ(Finder(lower).in(text), folded(text).find(lower) != std::string::npos)
        << lower << " in " << text;
  }
}

TEST(Plan, NeverRulesOutWhatMatches) {
  std::size_t matched = 0;
  std::size_t ruled_out = 0;
  for (unsigned seed = 0; seed < 5'000; ++seed) {
    Drawing drawing(seed);
    const std::string text = drawing.query(3);
    const auto node = parse(text);
    ASSERT_TRUE(node) << text;
    ASSERT_EQ(*parse(to_text(*node)), *node) << text;
    std::string message;
    for (int i = 0; i < 4; ++i)
      message += drawing.value() + drawing.pick({" ", ".", ", ", "", "*"});
    const std::string own = drawing.value();
    const Scalar scalar = drawing.below(2) == 0   ? Scalar(std::string_view(own))
                          : drawing.below(2) == 0 ? Scalar(std::int64_t{22})
                                                  : Scalar(22.0);
    const Map fields({{"f", scalar}});
    const Ulid device{static_cast<std::uint8_t>(drawing.below(2))};
    const int severity = static_cast<int>(drawing.below(6));
    const std::int64_t time =
        1'700'000'000'000'000 - static_cast<std::int64_t>(drawing.below(2)) * days(2).us;
    const Document event{time, time, &device, "log", severity, message, &fields};
    std::set<std::uint64_t> terms{device_hash(device)};
    const auto add = [&](std::string_view part) {
      each_term(part, [&](std::uint64_t term) { terms.insert(term); });
    };
    std::array<char, 32> room;
    add("log");
    add(message);
    add(text_of(scalar, room));
    const Plan planned = plan(*node);
    const bool may =
        planned.need.blocks(
            1U, [&](std::uint64_t hash) { return terms.contains(hash) ? 1U : 0U; }) != 0 &&
        planned.from <= time && time < planned.to && (planned.severities >> severity & 1) != 0 &&
        (!planned.devices || std::ranges::find(*planned.devices, device) != planned.devices->end());
    const bool is = matches(*node, event);
    const Finder literal(planned.literal);
    const bool has = literal.in(message) || literal.in("log") || literal.in(own);
    EXPECT_TRUE(has || !is) << text << " literal " << planned.literal << " on: " << message;
    EXPECT_TRUE(may || !is) << text << " on: " << message << " f=" << text_of(scalar, room);
    if (planned.rollups_decide) {
      Document head;
      head.kind = "log";
      head.severity = severity;
      EXPECT_NE(evaluate(*node, head), Truth::unknown) << text;
    }
    matched += is ? 1 : 0;
    ruled_out += may ? 0 : 1;
  }
  EXPECT_GT(matched, 250U);
  EXPECT_GT(ruled_out, 1'200U);
}

}  // namespace
}  // namespace holdfast::query
