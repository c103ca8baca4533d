#include "server/identity/findings.hpp"

#include <gtest/gtest.h>

#include "server/identity/fixture_test.hpp"

namespace holdfast::identity {
namespace {

MonoTime at_second(std::int64_t s) { return MonoTime{s * 1'000'000}; }

TEST(TakesTurns, RoamingIsNoneAndTwoHoldersAre) {
  const auto seen = [](std::vector<std::pair<std::string, int>> all) {
    std::deque<Sighting> out;
    for (auto& [address, second] : all) out.push_back({address, at_second(second)});
    return out;
  };
  EXPECT_FALSE(takes_turns({}, at_second(1)));
  EXPECT_FALSE(takes_turns(seen({{"a", 1}, {"b", 2}}), at_second(3))) << "it moved";
  EXPECT_FALSE(takes_turns(seen({{"a", 1}, {"b", 2}, {"c", 3}}), at_second(4))) << "it moves on";
  EXPECT_TRUE(takes_turns(seen({{"a", 1}, {"b", 2}, {"a", 3}}), at_second(4)));
  EXPECT_FALSE(takes_turns(seen({{"a", 1}, {"b", 700}, {"a", 1'400}}), at_second(1'401))) << "once a day, at home and away";
}

TEST(Sightings, CountWithinTheWindow) {
  Sightings sightings;
  for (int i = 1; i < 5; ++i) EXPECT_EQ(sightings.failed("x", 5, at_second(i)), 0U);
  EXPECT_EQ(sightings.failed("x", 5, at_second(5)), 5U);
  EXPECT_EQ(sightings.failed("y", 5, at_second(5)), 0U);
  EXPECT_EQ(sightings.failed("x", 5, at_second(1'000)), 0U) << "the window has passed";
}

struct Watched : Fixture {
  Watched() { EXPECT_TRUE(open()); }
  std::vector<Finding> all(FindingKind kind) {
    Findings::Query query;
    query.kind = kind;
    return registrar->findings().list(core::test_caller(), query).value();
  }
};

TEST(Findings, ACertificateThatSpeaksFromTwoPlacesInTurn) {
  Watched f;
  const auto der = f.enrol(f.claim().secret, new_csr().csr).value();
  for (const char* from : {"192.0.2.1:5", "198.51.100.1:5"}) {
    EXPECT_TRUE(f.registrar->admit(der, Purpose::connect, from));
    f.t.world.run_for(seconds(20));
  }
  EXPECT_TRUE(f.all(FindingKind::certificate_in_two_places).empty()) << "it may have moved";
  EXPECT_TRUE(f.registrar->admit(der, Purpose::connect, "192.0.2.1:77"));
  const auto found = f.all(FindingKind::certificate_in_two_places);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].device, f.registrar->admit(der, Purpose::connect)->device);
  EXPECT_EQ(wire::json_text(found[0].evidence.at("addresses")), R"(["192.0.2.1","198.51.100.1"])");
  EXPECT_EQ(found[0].severity, "error");
  const auto event = std::ranges::find(f.telemetry.events, "identity_finding", &telemetry::ServerEvent::kind);
  EXPECT_NE(event, f.telemetry.events.end());
}

TEST(Findings, AreAcknowledgedAndComeBack) {
  Watched f;
  const auto der = f.enrol(f.claim().secret, new_csr().csr).value();
  const auto take_turns = [&] {
    for (const char* from : {"192.0.2.1:5", "198.51.100.1:5", "192.0.2.1:5"}) {
      EXPECT_TRUE(f.registrar->admit(der, Purpose::connect, from));
      f.t.world.run_for(seconds(20));
    }
  };
  take_turns();
  const auto first = f.all(FindingKind::certificate_in_two_places).at(0);
  const auto done = f.registrar->findings().acknowledge(core::test_caller(), first.kind, first.subject).value();
  EXPECT_TRUE(done.acknowledged_at);
  Findings::Query open;
  open.open = true;
  EXPECT_TRUE(f.registrar->findings().list(core::test_caller(), open)->empty());
  take_turns();
  const auto again = f.registrar->findings().list(core::test_caller(), open).value();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_GT(again[0].count, first.count);
  EXPECT_EQ(again[0].first_at, first.first_at);
  EXPECT_EQ(f.registrar->findings().acknowledge(core::test_caller(), FindingKind::key_reuse, "none").error().code,
            Code::not_found);
}

TEST(Findings, AKeyIsOfOneDeviceOnly) {
  Watched f;
  const Keyed keyed = new_csr();
  const auto der = f.enrol(f.claim().secret, keyed.csr).value();
  const auto second = f.enrol(f.claim().secret, keyed.csr);
  EXPECT_EQ(code_of(second), Code::conflict);
  const auto found = f.all(FindingKind::key_reuse);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].device->text(), crypto::parse_certificate(der)->subject_cn);
  EXPECT_TRUE(f.registrar->renew(der, keyed.csr, "a:1")) << "a renewal may keep its key";
}

TEST(Findings, RepeatedFailuresBySourceAndByDevice) {
  Watched f;
  for (std::size_t i = 0; i < kFailuresOfSource; ++i) EXPECT_FALSE(f.enrol("hfc_wrong", new_csr().csr));
  const auto by_source = f.all(FindingKind::failures_by_source);
  ASSERT_EQ(by_source.size(), 1U);
  EXPECT_EQ(by_source[0].subject, "192.0.2.7");
  const auto der = f.enrol(f.claim().secret, new_csr().csr, "192.0.2.50:1").value();
  const DeviceId id = f.registrar->admit(der, Purpose::connect)->device;
  ASSERT_TRUE(f.registry->quarantine(core::test_caller(), id, "odd"));
  for (std::size_t i = 0; i < kFailuresOfDevice; ++i) {
    EXPECT_FALSE(f.registrar->admit(der, Purpose::connect, "192.0.2.50:1"));
  }
  const auto by_device = f.all(FindingKind::failures_by_device);
  ASSERT_EQ(by_device.size(), 1U);
  EXPECT_EQ(by_device[0].device, id);
}

TEST(Findings, ACertificateOfOursThatIsNotOnRecord) {
  Watched f;
  const auto key = crypto::PrivateKey::generate(crypto::KeyAlgorithm::p256).value();
  const auto der = f.authority->issue_device(DeviceId{}, key.public_key(), f.registrar->now(), days(1),
                                             devices::EvidenceClass::claim);
  ASSERT_TRUE(der);
  EXPECT_FALSE(f.registrar->admit(*der, Purpose::connect, "203.0.113.5:1"));
  const auto found = f.all(FindingKind::unknown_certificate);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].subject, crypto::serial_text(crypto::parse_certificate(*der)->serial));
  EXPECT_EQ(found[0].severity, "error");
}

}  // namespace
}  // namespace holdfast::identity
