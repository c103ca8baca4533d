#include "sim/ledger.hpp"

#include <gtest/gtest.h>

namespace holdfast::sim {
namespace {

TEST(LedgerTest, KeepsTheNumbersOfAcknowledgedTelemetry) {
  Ledger ledger;
  ledger.acknowledged("telemetry/lab", R"({"time":"2026-01-01T00:00:00Z","temp":20.5,"door":"open"})");
  ledger.acknowledged("telemetry/lab", R"([{"temp":21},{"temp":22,"inner":{"depth":3}}])");
  ledger.acknowledged("hello", R"({"version":"x"})");
  EXPECT_EQ(ledger.messages(), 3U);
  const Ledger::Readings& readings = ledger.readings();
  EXPECT_EQ(readings.at("lab.temp"), (std::set<double>{20.5, 21, 22}));
  EXPECT_EQ(readings.at("lab.inner.depth"), std::set<double>{3});
  EXPECT_TRUE(!readings.contains("lab.door") || readings.at("lab.door").empty());
  EXPECT_EQ(ledger.confusion(), "");
}

TEST(LedgerTest, AnAcknowledgementOfWhatDoesNotParseIsToldAndTheFirstWordCounts) {
  Ledger ledger;
  ledger.acknowledged("telemetry/lab", "{");
  EXPECT_NE(ledger.confusion().find("does not parse"), std::string::npos);
  const std::string first = ledger.confusion();
  ledger.confused("another");
  EXPECT_EQ(ledger.confusion(), first);
}

}  // namespace
}  // namespace holdfast::sim
