#include "server/devices/rules.hpp"

#include <gtest/gtest.h>

namespace holdfast::devices {
namespace {

// The whole table, so that a new move is a decision and not an accident.
TEST(Rules, EveryMoveIsDecided) {
  const std::map<State, std::vector<State>> allowed{
      {State::unmanaged, {State::registered, State::decommissioned}},
      {State::registered, {State::enrolled, State::quarantined, State::decommissioned}},
      {State::enrolled, {State::active, State::quarantined, State::decommissioned}},
      {State::active, {State::enrolled, State::quarantined, State::decommissioned}},
      {State::quarantined, {State::enrolled, State::active, State::decommissioned}},
      {State::decommissioned, {}},
  };
  for (const State from : kStates) {
    for (const State to : kStates) {
      const auto& targets = allowed.at(from);
      const bool expected = std::find(targets.begin(), targets.end(), to) != targets.end();
      EXPECT_EQ(may_follow(from, to), expected) << name_of(from) << " -> " << name_of(to);
      EXPECT_EQ(require_move(from, to).has_value(), expected);
    }
  }
}

TEST(Rules, ARefusedMoveSaysWhichStates) {
  const Status refused = require_move(State::decommissioned, State::active);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_EQ(refused.error().message, "a device that is decommissioned cannot become active");
}

TEST(Rules, NamesOfStatesAndEvidenceComeBack) {
  for (const State state : kStates) EXPECT_EQ(state_named(name_of(state)), state);
  EXPECT_FALSE(state_named("retired"));
  for (const auto evidence : {EvidenceClass::hardware_attested, EvidenceClass::hardware_asserted,
                              EvidenceClass::software, EvidenceClass::claim}) {
    EXPECT_EQ(evidence_named(name_of(evidence)), evidence);
  }
  EXPECT_FALSE(evidence_named("hardware"));
}

TEST(Rules, EvidenceSatisfiesWhatIsWeakerOrEqual) {
  using E = EvidenceClass;
  EXPECT_TRUE(satisfies(E::claim, std::nullopt));
  EXPECT_TRUE(satisfies(E::hardware_attested, E::hardware_asserted));
  EXPECT_TRUE(satisfies(E::software, E::software));
  EXPECT_FALSE(satisfies(E::software, E::hardware_asserted));
  EXPECT_FALSE(satisfies(E::claim, E::software));
}

TEST(Rules, ReleaseGoesBackToWhereTheDeviceWas) {
  EXPECT_EQ(after_release(true), State::active);
  EXPECT_EQ(after_release(false), State::enrolled);
}

TEST(Rules, NamesHaveBounds) {
  EXPECT_TRUE(check_name("pump 7"));
  EXPECT_TRUE(check_name(std::string(128, 'a')));
  for (const std::string& bad :
       {std::string(), std::string(129, 'a'), std::string("a\nb"), std::string("a\x7f")}) {
    const Status refused = check_name(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, Code::invalid_argument);
    EXPECT_EQ(refused.error().pointer, "/name");
  }
}

TEST(Rules, SuggestedNamesAreMadeAllowed) {
  EXPECT_EQ(suggested_name("pump\n7", "x"), "pump7");
  EXPECT_EQ(suggested_name("", "device-1"), "device-1");
  EXPECT_EQ(suggested_name("\x01\x02", "device-1"), "device-1");
  // A character of two bytes across the bound is left out whole.
  const std::string cut = suggested_name(std::string(127, 'a') + "\xC3\xBC", "x");
  EXPECT_EQ(cut, std::string(127, 'a'));
  EXPECT_TRUE(check_name(cut));
}

TEST(Rules, TagsHaveBounds) {
  EXPECT_TRUE(check_tag("line-3", ""));
  EXPECT_TRUE(check_tag("a.b_c-d", std::string(256, 'v')));
  EXPECT_FALSE(check_tag("", "v"));
  EXPECT_FALSE(check_tag("-a", "v"));
  EXPECT_FALSE(check_tag("a b", "v"));
  EXPECT_FALSE(check_tag(std::string(65, 'a'), "v"));
  EXPECT_EQ(check_tag("a", std::string(257, 'v')).error().pointer, "/tags/a");
  Tags many;
  for (int i = 0; i < 64; ++i) many["k" + std::to_string(i)] = "";
  EXPECT_TRUE(check_tags(many));
  many["one-more"] = "";
  EXPECT_FALSE(check_tags(many));
}

TEST(Rules, AReasonIsGiven) {
  EXPECT_TRUE(check_reason("stolen"));
  EXPECT_FALSE(check_reason(""));
  EXPECT_FALSE(check_reason(std::string(501, 'x')));
}

}  // namespace
}  // namespace holdfast::devices
