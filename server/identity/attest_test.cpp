// Enrolment by a TPM and its checks, against a TPM of paper that can tell each lie.
#include "server/identity/attest.hpp"

#include <gtest/gtest.h>

#include "libs/crypto/evidence.hpp"
#include "libs/tpm/testing/soft_tpm.hpp"
#include "server/devices/places.hpp"
#include "server/identity/attest_json.hpp"
#include "server/identity/fixture_test.hpp"

namespace holdfast::identity {
namespace {

using tpm::testing::SoftTpm;

const std::string kFrom = "192.0.2.7:5000";

Code attest_code(const auto& result) { return result ? Code::internal : result.error().code; }

tpm::PcrValues pcr_values(std::string_view firmware = "firmware 1") {
  tpm::PcrValues out;
  for (const unsigned pcr : kAttestedPcrs) out[pcr] = crypto::sha256(view_of(std::string(firmware) + std::to_string(pcr)));
  return out;
}

// A device with its TPM, and each step of the enrolment apart.
struct TpmDevice {
  explicit TpmDevice(Fixture& fixture) : f(fixture) {}

  std::string hash() const { return to_hex(soft.endorsement.public_key().fingerprint()); }
  void expected(NewEndorsement wanted = {}) {
    wanted.hash = hash();
    const auto done = f.registrar->attestor().register_endorsement(core::test_caller(), wanted);
    ASSERT_TRUE(done) << done.error().text();
  }
  Result<Challenge> begin(std::string claim = {}) {
    AttestBegin from;
    from.endorsement_public = soft.endorsement_public();
    from.attestation_public = soft.attestation_public();
    from.claim = std::move(claim);
    return f.registrar->attestor().begin(from, kFrom);
  }
  Bytes name() const { return tpm::name_of(tpm::parse_public(soft.attestation_public()).value()); }
  AttestProof proof(const Challenge& challenge, bool quote = true) {
    AttestProof out;
    out.secret = soft.activate(challenge.credential.blob, challenge.credential.secret, name()).value_or(Bytes());
    out.key_public = tpm::testing::public_of(device.key.public_key());
    const auto said = soft.certify(tpm::name_of(tpm::parse_public(out.key_public).value()), challenge.nonce);
    out.attest = said.attest;
    out.signature = said.signature;
    out.csr_der = device.csr;
    if (!quote) return out;
    out.pcrs = pcr_values();
    const auto quoted = soft.quote(challenge.nonce, out.pcrs);
    out.quote_attest = quoted.attest;
    out.quote_signature = quoted.signature;
    return out;
  }
  Result<Attested> finish(const Challenge& challenge, const AttestProof& with) {
    return f.registrar->attestor().finish(challenge.id, with, kFrom);
  }
  Result<Attested> enrol(std::string claim = {}) {
    const auto challenge = begin(std::move(claim));
    if (!challenge) return std::unexpected(challenge.error());
    return finish(*challenge, proof(*challenge));
  }
  Result<CheckResult> check(DeviceId id, const tpm::PcrValues& values) {
    const auto challenge = f.registrar->attestor().begin_check(id).value();
    AttestProof out;
    out.pcrs = values;
    const auto quoted = soft.quote(challenge.nonce, values);
    out.quote_attest = quoted.attest;
    out.quote_signature = quoted.signature;
    return f.registrar->attestor().finish_check(id, challenge.id, out);
  }

  Fixture& f;
  SoftTpm soft;
  Keyed device = new_csr("pump 7");
};

std::size_t events_of_kind(const Fixture& f, std::string_view kind) {
  return static_cast<std::size_t>(
      std::count_if(f.telemetry.events.begin(), f.telemetry.events.end(), [&](const auto& e) { return e.kind == kind; }));
}

TEST(Attestation, ARegisteredTpmEnrolsByItself) {
  Fixture f;
  ASSERT_TRUE(f.open());
  TpmDevice d(f);
  d.expected({.hash = {}, .name = "pump north", .serial = "E3-7", .type = {}, .site = {}, .tags = {{"line", "3"}}});
  const auto done = d.enrol();
  ASSERT_TRUE(done) << done.error().text();
  const auto certificate = crypto::parse_certificate(done->certificate_der).value();
  EXPECT_EQ(crypto::evidence_of(certificate), "hardware-attested");
  EXPECT_EQ(certificate.spki_der, d.device.key.public_key().spki_der());
  const auto record = f.registry->find(done->device).value();
  EXPECT_EQ(record.evidence, devices::EvidenceClass::hardware_attested);
  EXPECT_EQ(record.name, "pump north");
  EXPECT_EQ(record.serial, "E3-7");
  EXPECT_EQ(record.tags.at("line"), "3");
  EXPECT_TRUE(f.registrar->admit(done->certificate_der, Purpose::connect));
  const auto history = f.registrar->attestor().history(core::test_caller(), done->device).value();
  EXPECT_EQ(history.endorsement->baseline, pcr_values());
  ASSERT_EQ(history.attestations.size(), 1u);
  EXPECT_EQ(history.attestations[0].purpose, "enrol");
}

TEST(Attestation, WhoeverIsNotExpectedIsRefused) {
  Fixture f;
  ASSERT_TRUE(f.open());
  TpmDevice d(f);
  EXPECT_EQ(attest_code(d.begin()), Code::endorsement_untrusted);
  EXPECT_EQ(attest_code(d.begin(f.claim().secret)), Code::endorsement_untrusted) << "a claim proves no TPM";
  EXPECT_EQ(events_of_kind(f, "attestation_failed"), 2u);
}

TEST(Attestation, AClaimLetsARegisteredTpmInAndIsSpent) {
  Fixture f;
  ASSERT_TRUE(f.open());
  TpmDevice d(f);
  d.expected();
  NewClaim wanted;
  wanted.name = "from the claim";
  const ClaimSecret claim = f.claim(wanted);
  EXPECT_EQ(attest_code(d.enrol("hfc_nonsense")), Code::claim_unknown);
  const auto done = d.enrol(claim.secret);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(f.registry->find(done->device)->name, "from the claim");
  EXPECT_EQ(f.registry->find(done->device)->evidence, devices::EvidenceClass::hardware_attested);
  EXPECT_EQ(f.registrar->claim(core::test_caller(), claim.claim.id)->state_at(f.registrar->now()), ClaimState::spent);
}

TEST(Attestation, ATypeThatDemandsHardwareIsContent) {
  Fixture f;
  ASSERT_TRUE(f.open());
  devices::Places places(f.t.store());
  const auto type = places.save_type(core::test_caller(), std::nullopt,
                                     wire::JsonObject{{"name", "meter"}, {"evidence_required", "hardware-attested"}},
                                     http::Request{});
  TpmDevice d(f);
  d.expected({.hash = {}, .name = {}, .serial = {}, .type = type->id, .site = {}, .tags = {}});
  EXPECT_TRUE(d.enrol());
}

// ---- each lie, with its reason

struct Lies : ::testing::Test {
  Lies() : d(f) {}
  void SetUp() override {
    ASSERT_TRUE(f.open());
    d.expected();
    challenge = d.begin().value();
  }
  void refused(const AttestProof& proof, Code code, std::string_view word) {
    const auto done = d.finish(challenge, proof);
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().code, code) << done.error().text();
    EXPECT_NE(done.error().text().find(word), std::string::npos) << done.error().text();
    EXPECT_GE(events_of_kind(f, "attestation_failed"), 1u);
  }
  Fixture f;
  TpmDevice d;
  Challenge challenge;
};

TEST_F(Lies, AnotherTpmCannotOpenTheCredential) {
  AttestProof proof = d.proof(challenge);
  SoftTpm other;
  EXPECT_EQ(other.activate(challenge.credential.blob, challenge.credential.secret, d.name()), std::nullopt);
  EXPECT_EQ(d.soft.activate(challenge.credential.blob, challenge.credential.secret, Bytes(34, 1)), std::nullopt)
      << "nor the same one for another attestation key";
  proof.secret = Bytes(32, 0);
  refused(proof, Code::attestation_refused, "not in one TPM");
  EXPECT_EQ(attest_code(d.finish(challenge, d.proof(challenge))), Code::attestation_expired) << "one try";
}

TEST_F(Lies, AnOlderNonce) {
  const Challenge second = d.begin().value();
  AttestProof proof = d.proof(second);
  const AttestProof first = d.proof(challenge);
  proof.secret = first.secret;
  refused(proof, Code::attestation_refused, "nonce");
}

TEST_F(Lies, AKeyThatIsNotResident) {
  AttestProof proof = d.proof(challenge);
  auto loose = tpm::testing::Template{};
  loose.attributes &= ~static_cast<std::uint32_t>(tpm::kFixedTpm | tpm::kFixedParent);
  proof.key_public = tpm::testing::public_of(d.device.key.public_key(), loose);
  const auto said = d.soft.certify(tpm::name_of(tpm::parse_public(proof.key_public).value()), challenge.nonce);
  proof.attest = said.attest;
  proof.signature = said.signature;
  refused(proof, Code::attestation_refused, "not resident");
}

TEST_F(Lies, ARequestForAnotherKey) {
  AttestProof proof = d.proof(challenge);
  proof.csr_der = new_csr("software").csr;
  refused(proof, Code::attestation_refused, "another key");
}

TEST_F(Lies, AKeyThatWasNotCertified) {
  AttestProof proof = d.proof(challenge);
  const Keyed other = new_csr();
  proof.key_public = tpm::testing::public_of(other.key.public_key());
  proof.csr_der = other.csr;
  refused(proof, Code::attestation_refused, "another key");
}

TEST_F(Lies, PcrsThatWereNotQuoted) {
  AttestProof proof = d.proof(challenge);
  proof.pcrs[0] = {};
  refused(proof, Code::attestation_refused, "PCR");
}

TEST_F(Lies, AChallengeThatIsOverOrNone) {
  const AttestProof proof = d.proof(challenge);
  Challenge none = challenge;
  none.id = "att_00";
  EXPECT_EQ(attest_code(d.finish(none, proof)), Code::attestation_expired);
  f.t.world.run_for(kChallengeLife + seconds(1));
  EXPECT_EQ(attest_code(d.finish(challenge, proof)), Code::attestation_expired);
}

TEST_F(Lies, AUsedChallengeAnswersTheSameRequestOnly) {
  const AttestProof proof = d.proof(challenge);
  const auto once = d.finish(challenge, proof).value();
  EXPECT_EQ(d.finish(challenge, proof).value().certificate_der, once.certificate_der);
  AttestProof another = proof;
  another.csr_der = new_csr().csr;
  refused(another, Code::attestation_expired, "used");
}

TEST_F(Lies, AnEndorsementKeyThatIsAnothers) {
  const auto done = d.enrol().value();
  TpmDevice thief(f);
  thief.soft.endorsement = d.soft.endorsement;
  const auto begun = thief.begin();
  ASSERT_FALSE(begun.has_value());
  EXPECT_EQ(begun.error().code, Code::endorsement_taken);
  EXPECT_NE(begun.error().text().find(done.device.text()), std::string::npos);
  const auto history = f.registrar->attestor().history(core::test_caller(), done.device).value();
  EXPECT_EQ(history.attestations.front().outcome, "endorsement-taken");
}

TEST_F(Lies, ATpmThatWentBackInTime) {
  d.soft.clock = {1'000'000, 5, 2, true};
  const auto done = d.enrol().value();
  d.soft.clock = {900'000, 5, 2, true};  // a copy of an older state
  d.device = new_csr("pump 7");
  EXPECT_EQ(attest_code(d.enrol()), Code::attestation_rolled_back);
  d.soft.clock = {2'000'000, 4, 0, true};
  EXPECT_EQ(attest_code(d.enrol()), Code::attestation_rolled_back);
  EXPECT_EQ(f.telemetry.events.back().severity, "critical");
  EXPECT_EQ(f.telemetry.events.back().device, done.device);
  d.soft.clock = {2'000'000, 6, 0, true};
  EXPECT_TRUE(d.enrol());
}

// ---- coming back

TEST(Attestation, TheSameTpmComesBackToItsDevice) {
  Fixture f;
  ASSERT_TRUE(f.open());
  TpmDevice d(f);
  d.expected();
  const auto first = d.enrol().value();
  f.t.world.jump_wall(days(200));  // long expired
  EXPECT_EQ(code_of(f.registrar->renew(first.certificate_der, new_csr().csr, kFrom)), Code::certificate_expired);
  d.device = new_csr("pump 7");
  const auto again = d.enrol();
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(again->device, first.device);
  EXPECT_NE(again->certificate_der, first.certificate_der);
  EXPECT_TRUE(f.registrar->admit(again->certificate_der, Purpose::connect));
  EXPECT_EQ(f.registrar->attestor().history(core::test_caller(), first.device)->attestations.front().purpose, "readmit");
}

TEST(Attestation, ALostReplyGivesTheSameCertificateAlsoAfterACrash) {
  Fixture f;
  ASSERT_TRUE(f.open());
  TpmDevice d(f);
  d.expected();
  const auto first = d.enrol().value();
  f.crash();
  ASSERT_TRUE(f.open());
  const auto again = d.enrol();
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(again->device, first.device);
  EXPECT_EQ(again->certificate_der, first.certificate_der) << "the same request, the same serial";
}

TEST(Attestation, RevokedAndQuarantinedDevicesStayOut) {
  Fixture f;
  ASSERT_TRUE(f.open());
  TpmDevice d(f);
  d.expected();
  const auto first = d.enrol().value();
  ASSERT_TRUE(f.registry->quarantine(core::test_caller(), first.device, "odd"));
  EXPECT_EQ(attest_code(d.begin()), Code::device_quarantined);
  ASSERT_TRUE(f.registry->release(core::test_caller(), first.device, "drill"));
  EXPECT_TRUE(d.begin());
  ASSERT_TRUE(f.registry->revoke(core::test_caller(), first.device, "stolen"));
  EXPECT_EQ(attest_code(d.begin()), Code::device_revoked);
  ASSERT_TRUE(f.registrar->attestor().release_endorsement(core::test_caller(), d.hash()));
  EXPECT_EQ(attest_code(d.begin()), Code::endorsement_untrusted);
  d.expected();
  d.device = new_csr("pump 7");  // a key belongs to one device
  EXPECT_NE(d.enrol().value().device, first.device) << "a device anew";
}

TEST(Attestation, RenewalByEstNeedsTheSameKey) {
  Fixture f;
  ASSERT_TRUE(f.open());
  TpmDevice d(f);
  d.expected();
  const auto first = d.enrol().value();
  EXPECT_EQ(code_of(f.registrar->renew(first.certificate_der, new_csr().csr, kFrom)), Code::evidence_insufficient);
  crypto::CsrSpec spec;
  spec.common_name = "again";
  const auto renewed = f.registrar->renew(first.certificate_der, crypto::make_csr(spec, d.device.key).value(), kFrom);
  ASSERT_TRUE(renewed) << renewed.error().text();
  EXPECT_EQ(crypto::evidence_of(crypto::parse_certificate(*renewed).value()), "hardware-attested");
}

// ---- checks

TEST(AttestationChecks, DriftIsAFindingOnceAndCanBeAccepted) {
  Fixture f;
  ASSERT_TRUE(f.open());
  TpmDevice d(f);
  d.expected();
  const DeviceId id = d.enrol().value().device;
  EXPECT_EQ(d.check(id, pcr_values()).value(), CheckResult::unchanged);
  auto changed = pcr_values();
  changed[4] = crypto::sha256(view_of("another boot loader"));
  EXPECT_EQ(d.check(id, changed).value(), CheckResult::drifted);
  EXPECT_EQ(d.check(id, changed).value(), CheckResult::drifted);
  EXPECT_EQ(events_of_kind(f, "attestation_drifted"), 1u) << "the same drift again is no news";
  auto& attestor = f.registrar->attestor();
  EXPECT_EQ(changed_pcrs(attestor.history(core::test_caller(), id)->endorsement->baseline, changed), std::vector<unsigned>{4});
  ASSERT_TRUE(attestor.accept(core::test_caller(), id));
  EXPECT_EQ(d.check(id, changed).value(), CheckResult::unchanged);
}

TEST(AttestationChecks, ANonceIsGoodForOneAnswerOfOneDevice) {
  Fixture f;
  ASSERT_TRUE(f.open());
  TpmDevice d(f), other(f);
  d.expected();
  other.expected();
  const DeviceId id = d.enrol().value().device;
  const DeviceId other_id = other.enrol().value().device;
  auto& attestor = f.registrar->attestor();
  const auto challenge = attestor.begin_check(id).value();
  AttestProof proof;
  proof.pcrs = pcr_values();
  const auto said = d.soft.quote(challenge.nonce, proof.pcrs);
  proof.quote_attest = said.attest;
  proof.quote_signature = said.signature;
  EXPECT_EQ(attest_code(attestor.finish_check(other_id, challenge.id, proof)), Code::attestation_expired);
  AttestProof partial = proof;
  partial.pcrs.erase(7);
  EXPECT_TRUE(attestor.finish_check(id, challenge.id, proof));
  EXPECT_EQ(attest_code(attestor.finish_check(id, challenge.id, proof)), Code::attestation_expired) << "replayed";
  const auto second = attestor.begin_check(id).value();
  EXPECT_EQ(attest_code(attestor.finish_check(id, second.id, proof)), Code::attestation_refused) << "an older quote";
  const auto third = attestor.begin_check(id).value();
  EXPECT_EQ(attest_code(attestor.finish_check(id, third.id, partial)), Code::attestation_refused);
  EXPECT_EQ(attest_code(attestor.begin_check(f.t.system().entropy.make<DeviceId>(WallTime{0}))), Code::attestation_refused);
}

TEST(AttestationChecks, SilenceIsToldOnce) {
  Fixture f;
  ASSERT_TRUE(f.open());
  TpmDevice d(f);
  d.expected();
  const DeviceId id = d.enrol().value().device;
  f.t.world.jump_wall(kAttestStaleAfter + days(1));
  f.t.world.run_for(hours(1));
  EXPECT_EQ(events_of_kind(f, "attestation_missing"), 1u);
  f.t.world.jump_wall(days(2));
  f.t.world.run_for(hours(1));
  EXPECT_EQ(events_of_kind(f, "attestation_missing"), 1u);
  EXPECT_TRUE(f.registrar->attestor().history(core::test_caller(), id)->endorsement->stale);
  EXPECT_TRUE(d.check(id, pcr_values()));
  EXPECT_FALSE(f.registrar->attestor().history(core::test_caller(), id)->endorsement->stale);
}

TEST(AttestationChecks, ACloneIsCaughtByItsClock) {
  Fixture f;
  ASSERT_TRUE(f.open());
  TpmDevice d(f);
  d.expected();
  const DeviceId id = d.enrol().value().device;
  TpmDevice clone(f);
  clone.soft = d.soft;  // the whole state, copied
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(d.check(id, pcr_values()));
  EXPECT_EQ(attest_code(clone.check(id, pcr_values())), Code::attestation_rolled_back);
}

TEST(AttestationJson, WhatADeviceSendsIsReadStrictly) {
  const auto parsed = [](std::string_view text) { return attest_begin_of(wire::parse_json(text).value()); };
  EXPECT_TRUE(parsed(R"({"endorsement_public":"AAA=","attestation_public":"AAA=","more":1})"));
  EXPECT_EQ(attest_code(parsed(R"({"attestation_public":"AAA="})")), Code::payload_malformed);
  EXPECT_EQ(attest_code(parsed(R"({"endorsement_public":"?","attestation_public":"AAA="})")), Code::payload_malformed);
  EXPECT_EQ(attest_code(parsed(R"([])")), Code::payload_malformed);
  const auto quoted = [](std::string_view pcrs) {
    return check_proof_of(wire::parse_json(R"({"quote_attest":"AAA=","quote_signature":"AAA=","pcrs":)" +
                                           std::string(pcrs) + "}").value());
  };
  const std::string digest(64, 'a');
  EXPECT_EQ(quoted("{\"23\":\"" + digest + "\"}")->pcrs.begin()->first, 23u);
  for (const std::string& bad : {"{\"24\":\"" + digest + "\"}", "{\"01\":\"" + digest + "\"}", "{\"x\":\"" + digest + "\"}",
                                 std::string("{\"1\":\"aa\"}"), std::string("{\"1\":7}"), std::string("null")}) {
    EXPECT_EQ(attest_code(quoted(bad)), Code::payload_malformed) << bad;
  }
}

}  // namespace
}  // namespace holdfast::identity
