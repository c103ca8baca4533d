#include "server/identity/registrar.hpp"

#include <gtest/gtest.h>

#include "libs/est/claim_code.hpp"
#include "server/identity/fixture_test.hpp"

namespace holdfast::identity {
namespace {

TEST(Enrolment, AClaimBecomesACertificateOfADeviceOfItsOwn) {
  Fixture f;
  ASSERT_TRUE(f.open());
  NewClaim wanted;
  wanted.tags = {{"line", "3"}};
  const ClaimSecret claim = f.claim(wanted);
  const Keyed device = new_csr("pump 7");
  const auto der = f.enrol(claim.secret, device.csr);
  ASSERT_TRUE(der) << der.error().text();
  const auto certificate = crypto::parse_certificate(*der).value();
  const auto id = DeviceId::parse(certificate.subject_cn);
  ASSERT_TRUE(id) << certificate.subject_cn;
  EXPECT_EQ(certificate.spki_der, device.key.public_key().spki_der());
  EXPECT_EQ(certificate.names->uris, std::vector<std::string>{"urn:holdfast:" + id->text()});
  EXPECT_EQ((certificate.not_after - certificate.not_before).us, (kDeviceLife + kBackdate).us);

  const auto record = f.registry->find(*id).value();
  EXPECT_EQ(record.name, "pump 7");
  EXPECT_EQ(record.state, devices::State::enrolled);
  EXPECT_EQ(record.tags, wanted.tags);
  EXPECT_EQ(record.certificate->serial, crypto::serial_text(certificate.serial));

  const auto trust = crypto::TrustStore::make(f.registrar->device_trust_der().value()).value();
  EXPECT_TRUE(trust->verify(*der, {}, {.purpose = crypto::Purpose::client, .now = f.t.node.system().clock.wall()}));
  const auto admission = f.registrar->admit(*der, Purpose::connect);
  ASSERT_TRUE(admission) << admission.error().text();
  EXPECT_EQ(admission->device, *id);
}

TEST(Enrolment, TheSameRequestGivesTheSameBytesAndAnotherKeyNothing) {
  Fixture f;
  ASSERT_TRUE(f.open());
  const ClaimSecret claim = f.claim();
  const Keyed first = new_csr();
  const auto once = f.enrol(claim.secret, first.csr).value();
  EXPECT_EQ(f.enrol(claim.secret, first.csr).value(), once);
  EXPECT_EQ(code_of(f.enrol(claim.secret, new_csr().csr)), Code::claim_spent);
  f.t.world.run_for(hours(2));
  EXPECT_EQ(code_of(f.enrol(claim.secret, first.csr)), Code::claim_expired) << "only until the claim expires";
}

TEST(Enrolment, TwelveKeysGetOneCertificate) {
  Fixture f;
  ASSERT_TRUE(f.open());
  const ClaimSecret claim = f.claim();
  int issued = 0;
  for (int i = 0; i < 12; ++i) {
    const auto answer = f.enrol(claim.secret, new_csr().csr);
    issued += answer ? 1 : 0;
    EXPECT_TRUE(answer || answer.error().code == Code::claim_spent);
  }
  EXPECT_EQ(issued, 1);
  EXPECT_EQ(f.t.store().read([&](sql::Tx& tx) -> Status {
    EXPECT_EQ(tx.number("SELECT count(*) FROM certificate").value(), 1);
    EXPECT_EQ(tx.number("SELECT count(*) FROM device").value(), 1);
    return {};
  }).has_value(), true);
}

TEST(Enrolment, RefusalsSayWhyAndSpendNothing) {
  Fixture f;
  ASSERT_TRUE(f.open());
  NewClaim bound;
  bound.device_serial = "E3-0042";
  const ClaimSecret claim = f.claim(bound);
  EXPECT_EQ(code_of(f.enrol(claim.secret, new_csr("x", "E3-0043").csr)), Code::claim_bound);
  EXPECT_EQ(code_of(f.enrol(claim.secret, {1, 2, 3})), Code::csr_malformed);
  const auto shown = f.registrar->claim(core::test_caller(), claim.claim.id).value();
  ASSERT_TRUE(shown.failure);
  EXPECT_EQ(shown.failure->code, "csr-malformed");
  EXPECT_TRUE(f.enrol(claim.secret, new_csr("x", "E3-0042").csr)) << "the claim was not spent by failures";
  const auto after = f.registrar->claim(core::test_caller(), claim.claim.id).value();
  EXPECT_FALSE(after.failure);
  EXPECT_EQ(after.step(Step::claimed).detail, "from 192.0.2.7");
}

TEST(Enrolment, TheSerialMayStandInTheCommonName) {
  Fixture f;
  ASSERT_TRUE(f.open());
  NewClaim bound;
  bound.device_serial = "E3-0042";
  const ClaimSecret claim = f.claim(bound);
  EXPECT_TRUE(f.enrol(claim.secret, new_csr("E3-0042").csr));
}

TEST(Enrolment, GuessingIsSlowedByAddress) {
  Fixture f;
  ASSERT_TRUE(f.open());
  const ClaimSecret claim = f.claim();
  for (std::size_t i = 0; i < kWrongClaimsMax; ++i) {
    EXPECT_EQ(code_of(f.enrol("hfc_wrong", new_csr().csr)), Code::claim_unknown);
  }
  EXPECT_EQ(code_of(f.enrol(claim.secret, new_csr().csr)), Code::rate_limited);
  EXPECT_TRUE(f.enrol(claim.secret, new_csr().csr, "192.0.2.8:1")) << "others are not held up";
  EXPECT_FALSE(f.telemetry.events.empty());
  f.t.world.run_for(minutes(2));
  EXPECT_EQ(code_of(f.enrol("hfc_wrong", new_csr().csr)), Code::claim_unknown) << "a minute later it goes on";
}

TEST(Claims, AreRevokedAndExpire) {
  Fixture f;
  ASSERT_TRUE(f.open());
  const auto caller = core::test_caller();
  const ClaimSecret revoked = f.claim();
  EXPECT_TRUE(f.registrar->revoke_claim(caller, revoked.claim.id));
  EXPECT_EQ(code_of(f.enrol(revoked.secret, new_csr().csr)), Code::claim_revoked);
  const ClaimSecret spent = f.claim();
  ASSERT_TRUE(f.enrol(spent.secret, new_csr().csr));
  EXPECT_EQ(f.registrar->revoke_claim(caller, spent.claim.id).error().code, Code::claim_spent);
  NewClaim brief;
  brief.life = minutes(1);
  const ClaimSecret expired = f.claim(brief);
  f.t.world.run_for(minutes(2));
  EXPECT_EQ(code_of(f.enrol(expired.secret, new_csr().csr)), Code::claim_expired);
  for (const auto& [state, id] : std::vector<std::pair<ClaimState, ClaimId>>{{ClaimState::revoked, revoked.claim.id},
                                                                            {ClaimState::spent, spent.claim.id},
                                                                            {ClaimState::expired, expired.claim.id}}) {
    ClaimQuery query;
    query.state = state;
    query.now = f.registrar->now();
    const auto found = f.registrar->claims(caller, query).value();
    ASSERT_EQ(found.size(), 1U) << name_of(state);
    EXPECT_EQ(found[0].id, id);
  }
}

TEST(Claims, TheCodeCarriesAddressesFingerprintAndClaim) {
  Fixture f;
  ASSERT_TRUE(f.open());
  const ClaimSecret claim = f.claim();
  const auto code = est::parse_join_code(claim.code).value();
  EXPECT_EQ(code.device, "192.0.2.10:8444");
  EXPECT_EQ(code.mqtt, "192.0.2.10:8883");
  EXPECT_EQ(code.claim, claim.secret);
  EXPECT_EQ(code.ca_fingerprint, f.authority->root().fingerprint);
}

TEST(Claims, TheSecretIsNowhereInTheDatabase) {
  Fixture f;
  ASSERT_TRUE(f.open());
  const ClaimSecret claim = f.claim();
  ASSERT_TRUE(f.t.database().maintain());
  const std::string inner = claim.secret.substr(4);
  const auto entries = f.t.system().files.list("/data").value();
  for (const auto& entry : entries) {
    if (entry.folder) continue;
    const auto bytes = os::read_file(f.t.system().files, "/data/" + entry.name, 64 << 20).value();
    EXPECT_EQ(text_of(bytes).find(inner), std::string_view::npos) << entry.name;
  }
  EXPECT_EQ(f.t.log_lines.find(inner), std::string::npos);
}

TEST(Renewal, SameRequestSameAnswerAndTheOldOneStaysGood) {
  Fixture f;
  ASSERT_TRUE(f.open());
  const auto old = f.enrol(f.claim().secret, new_csr().csr).value();
  const Keyed next = new_csr();
  const auto renewed = f.registrar->renew(old, next.csr, "192.0.2.7:1").value();
  EXPECT_NE(renewed, old);
  EXPECT_EQ(f.registrar->renew(old, next.csr, "192.0.2.7:1").value(), renewed);
  EXPECT_TRUE(f.registrar->admit(old, Purpose::connect));
  const auto admission = f.registrar->admit(renewed, Purpose::connect).value();
  const auto record = f.registry->find(admission.device).value();
  EXPECT_EQ(record.certificate->serial, admission.serial_hex) << "the newest one is shown";
  for (std::int64_t i = 2; i < kCertificatesADay; ++i) EXPECT_TRUE(f.registrar->renew(old, new_csr().csr, "a:1"));
  EXPECT_EQ(code_of(f.registrar->renew(old, new_csr().csr, "a:1")), Code::rate_limited);
}

TEST(Admission, QuarantinedMayRenewAndRevokedMayNothing) {
  Fixture f;
  ASSERT_TRUE(f.open());
  const auto caller = core::test_caller();
  const auto der = f.enrol(f.claim().secret, new_csr().csr).value();
  const DeviceId id = f.registrar->admit(der, Purpose::connect).value().device;
  ASSERT_TRUE(f.registry->quarantine(caller, id, "looks odd"));
  EXPECT_EQ(f.registrar->admit(der, Purpose::connect).error().code, Code::device_quarantined);
  EXPECT_TRUE(f.registrar->admit(der, Purpose::renew));
  ASSERT_TRUE(f.registry->release(caller, id, ""));
  EXPECT_TRUE(f.registrar->admit(der, Purpose::connect));
  ASSERT_TRUE(f.registry->revoke(caller, id, "stolen"));
  EXPECT_EQ(f.registrar->admit(der, Purpose::renew).error().code, Code::device_revoked);
  f.t.world.run_for(seconds(5));
  EXPECT_EQ(f.registrar->admit(der, Purpose::renew).error().code, Code::certificate_revoked)
      << "the certificates follow by notice";
  EXPECT_EQ(f.registry->release(caller, id, "").error().code, Code::conflict);
}

TEST(Admission, ACertificateOfAnotherServerOrPastItsEndIsRefused) {
  Fixture f;
  Fixture other(2);
  ASSERT_TRUE(f.open());
  ASSERT_TRUE(other.open());
  const auto foreign = other.enrol(other.claim().secret, new_csr().csr).value();
  EXPECT_EQ(f.registrar->admit(foreign, Purpose::connect).error().code, Code::certificate_invalid);
  const auto own = f.enrol(f.claim().secret, new_csr().csr).value();
  f.t.world.jump_wall(days(91));
  EXPECT_EQ(f.registrar->admit(own, Purpose::connect).error().code, Code::certificate_expired);
}

// Cut at every change of the disk while a device enrols: the claim is spent if and only if there is a
// certificate, and the device's repeat gets that very one.
TEST(Enrolment, CutAnywhereARepeatGivesTheSameCertificate) {
  int cuts = 0;
  bool finished = false;
  for (std::uint64_t step = 1; !finished && step < 200; ++step) {
    Fixture f(100 + step);
    ASSERT_TRUE(f.open());
    const ClaimSecret claim = f.claim();
    const Keyed device = new_csr();
    f.t.node.disk().crash_at(f.t.node.disk().operations() + step);
    const auto answered = f.enrol(claim.secret, device.csr);
    finished = f.t.node.up();
    cuts += finished ? 0 : 1;
    f.t.node.disk().crash_at(UINT64_MAX);  // no cut in the next life
    f.crash();
    const Status opened = f.open();
    ASSERT_TRUE(opened) << "step " << step << ": " << opened.error().text();
    const auto again = f.enrol(claim.secret, device.csr);
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_TRUE(!answered || *again == *answered) << "what was answered stays";
    EXPECT_EQ(f.enrol(claim.secret, device.csr).value(), *again);
    ASSERT_TRUE(f.t.store().read([&](sql::Tx& tx) -> Status {
      EXPECT_EQ(tx.number("SELECT count(*) FROM certificate").value(), 1) << "step " << step;
      EXPECT_EQ(tx.number("SELECT count(*) FROM device").value(), 1) << "step " << step;
      return {};
    }));
  }
  EXPECT_TRUE(finished);
  std::printf("cut points: %d\n", cuts);
  EXPECT_GT(cuts, 2);
}

}  // namespace
}  // namespace holdfast::identity
