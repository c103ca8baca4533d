// What a device can prove: in its certificate, its record, and against what its type demands.
#include "libs/crypto/evidence.hpp"

#include <gtest/gtest.h>

#include "server/devices/places.hpp"
#include "server/identity/fixture_test.hpp"
#include "server/identity/rules.hpp"

namespace holdfast::identity {
namespace {

using devices::EvidenceClass;

TypeId demanding_type(Fixture& f, const wire::Json& evidence) {
  devices::Places places(f.t.store());
  return places
      .save_type(core::test_caller(), std::nullopt,
                 wire::JsonObject{{"name", "meter"}, {"evidence_required", evidence}},
                 http::Request{})
      .value()
      .id;
}

TEST(EvidenceClass, IsInTheCertificateAndInTheRecord) {
  Fixture f;
  ASSERT_TRUE(f.open());
  const Bytes der = f.enrol(f.claim().secret, new_csr().csr).value();
  const auto certificate = crypto::parse_certificate(der).value();
  EXPECT_EQ(crypto::evidence_of(certificate), "claim");
  EXPECT_EQ(f.registry->find(DeviceId::parse(certificate.subject_cn).value())->evidence,
            EvidenceClass::claim);
  EXPECT_EQ(f.registrar->admit(der, Purpose::connect)->evidence, EvidenceClass::claim);
}

TEST(EvidenceClass, RenewalKeepsIt) {
  Fixture f;
  ASSERT_TRUE(f.open());
  const Bytes der = f.enrol(f.claim().secret, new_csr().csr).value();
  const auto renewed = f.registrar->renew(der, new_csr().csr, "192.0.2.7:5000");
  ASSERT_TRUE(renewed) << renewed.error().text();
  EXPECT_EQ(crypto::evidence_of(crypto::parse_certificate(*renewed).value()), "claim");
}

TEST(EvidenceClass, ATypeThatDemandsMoreRefusesAndTheClaimStaysOpen) {
  Fixture f;
  ASSERT_TRUE(f.open());
  NewClaim wanted;
  wanted.type = demanding_type(f, "hardware-attested");
  const ClaimSecret claim = f.claim(wanted);
  EXPECT_EQ(code_of(f.enrol(claim.secret, new_csr().csr)), Code::evidence_insufficient);
  const Claim after = f.registrar->claim(core::test_caller(), claim.claim.id).value();
  EXPECT_EQ(after.state_at(f.registrar->now()), ClaimState::open);
  ASSERT_TRUE(after.failure);
  EXPECT_EQ(after.failure->code, "evidence-insufficient");
}

TEST(EvidenceClass, ADemandThatIsMetLetsIn) {
  Fixture f;
  ASSERT_TRUE(f.open());
  for (const wire::Json& least : {wire::Json("claim"), wire::Json(nullptr)}) {
    NewClaim wanted;
    wanted.type = demanding_type(f, least);
    const auto der = f.enrol(f.claim(wanted).secret, new_csr().csr);
    EXPECT_TRUE(der) << der.error().text();
  }
}

TEST(EvidenceClass, ATypeSaysNoOtherDemand) {
  Fixture f;
  ASSERT_TRUE(f.open());
  devices::Places places(f.t.store());
  const auto refused = places.save_type(
      core::test_caller(), std::nullopt,
      wire::JsonObject{{"name", "meter"}, {"evidence_required", "tpm"}}, http::Request{});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().pointer, "/evidence_required");
}

TEST(EvidenceRules, AHardwareClassIsRenewedWithItsKeyOnly) {
  for (const auto held : {EvidenceClass::hardware_attested, EvidenceClass::hardware_asserted}) {
    EXPECT_EQ(evidence_of_renewal(held, true).value(), held);
    EXPECT_EQ(evidence_of_renewal(held, false).error().code, Code::evidence_insufficient);
  }
  for (const auto held : {EvidenceClass::software, EvidenceClass::claim}) {
    EXPECT_EQ(evidence_of_renewal(held, false).value(), held);
  }
}

}  // namespace
}  // namespace holdfast::identity
