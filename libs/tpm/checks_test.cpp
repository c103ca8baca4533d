#include "libs/tpm/checks.hpp"

#include <gtest/gtest.h>

#include "libs/os/system.hpp"
#include "libs/tpm/testing/soft_tpm.hpp"

namespace holdfast::tpm {
namespace {

using testing::SoftTpm;
using testing::Template;

std::string why(const auto& result) {
  return result ? "accepted" : result.error().message;
}

Public made(const Template& as, crypto::KeyAlgorithm algorithm = crypto::KeyAlgorithm::p256) {
  return parse_public(
             testing::public_of(crypto::PrivateKey::generate(algorithm).value().public_key(), as))
      .value();
}
Template without(Template as, std::uint32_t bits) {
  as.attributes &= ~bits;
  return as;
}
Template with(Template as, std::uint32_t bits) {
  as.attributes |= bits;
  return as;
}

TEST(TpmChecks, EachRuleOfEachKeyHolds) {
  EXPECT_TRUE(check_endorsement_key(made(Template::endorsement())));
  EXPECT_TRUE(check_attestation_key(made(Template::attestation())));
  EXPECT_TRUE(check_device_key(made({})));
  EXPECT_TRUE(check_device_key(made({}, crypto::KeyAlgorithm::p384)));
  for (const auto& [bit, word] : {std::pair{kFixedTpm, "fixedTPM"},
                                  {kFixedParent, "fixedParent"},
                                  {kSensitiveDataOrigin, "sensitiveDataOrigin"}}) {
    EXPECT_NE(why(check_device_key(made(without({}, bit)))).find(word), std::string::npos);
    EXPECT_NE(why(check_attestation_key(made(without(Template::attestation(), bit)))).find(word),
              std::string::npos);
    EXPECT_NE(why(check_endorsement_key(made(without(Template::endorsement(), bit)))).find(word),
              std::string::npos);
  }
  EXPECT_FALSE(check_device_key(made(with({}, kRestricted))));
  EXPECT_FALSE(check_device_key(made(with({}, kDecrypt))));
  EXPECT_FALSE(check_device_key(made(without({}, kSign))));
  EXPECT_FALSE(check_attestation_key(made(without(Template::attestation(), kRestricted))));
  EXPECT_FALSE(check_attestation_key(made(with(Template::attestation(), kDecrypt))));
  auto schemeless = Template::attestation();
  schemeless.scheme = kAlgNull;
  EXPECT_FALSE(check_attestation_key(made(schemeless)));
  EXPECT_FALSE(check_endorsement_key(made(without(Template::endorsement(), kRestricted))));
  EXPECT_FALSE(check_endorsement_key(made(with(Template::endorsement(), kSign))));
  auto bare = Template::endorsement();
  bare.symmetric_bits = 0;
  EXPECT_FALSE(check_endorsement_key(made(bare)));
}

struct Certified {
  SoftTpm tpm;
  Public attestation = parse_public(tpm.attestation_public()).value();
  Public key = made({});
  Bytes nonce = bytes_of("nonce of this challenge");
};

TEST(TpmChecks, ACertifiedKeyIsProven) {
  Certified c;
  const auto said = c.tpm.certify(name_of(c.key), c.nonce);
  const auto attest = check_certified({said.attest, said.signature}, c.attestation, c.nonce, c.key);
  ASSERT_TRUE(attest) << attest.error().text();
  EXPECT_EQ(attest->clock, c.tpm.clock);
}

TEST(TpmChecks, EachLieAboutACertifiedKeyIsNamed) {
  Certified c;
  const auto said = c.tpm.certify(name_of(c.key), c.nonce);
  const Statement good{said.attest, said.signature};
  EXPECT_NE(
      why(check_certified(good, c.attestation, view_of("another nonce"), c.key)).find("nonce"),
      std::string::npos);
  EXPECT_NE(why(check_certified(good, c.attestation, c.nonce, made({}))).find("another key"),
            std::string::npos);
  SoftTpm other;
  const Public others_key = parse_public(other.attestation_public()).value();
  EXPECT_NE(why(check_certified(good, others_key, c.nonce, c.key)).find("did not sign"),
            std::string::npos);
  const auto quote = c.tpm.quote(c.nonce, {{0, {}}});
  EXPECT_NE(why(check_certified({quote.attest, quote.signature}, c.attestation, c.nonce, c.key))
                .find("no key"),
            std::string::npos);
  for (std::size_t at = 0; at < said.attest.size(); ++at) {
    Bytes bent = said.attest;
    bent[at] = static_cast<std::uint8_t>(bent[at] ^ 1);
    EXPECT_FALSE(check_certified({bent, said.signature}, c.attestation, c.nonce, c.key)) << at;
  }
}

TEST(TpmChecks, AQuoteProvesExactlyItsPcrs) {
  Certified c;
  const PcrValues values{{0, crypto::sha256(view_of("firmware"))},
                         {7, crypto::sha256(view_of("boot"))}};
  const auto said = c.tpm.quote(c.nonce, values);
  const Statement good{said.attest, said.signature};
  EXPECT_TRUE(check_quoted(good, c.attestation, c.nonce, values));
  PcrValues other = values;
  other[7] = {};
  EXPECT_NE(why(check_quoted(good, c.attestation, c.nonce, other)).find("not those"),
            std::string::npos);
  other.erase(7);
  EXPECT_NE(why(check_quoted(good, c.attestation, c.nonce, other)).find("other PCRs"),
            std::string::npos);
  const auto sha384 = c.tpm.quote(c.nonce, values, kAlgSha384);
  EXPECT_NE(why(check_quoted({sha384.attest, sha384.signature}, c.attestation, c.nonce, values))
                .find("bank"),
            std::string::npos);
  const auto certified = c.tpm.certify(name_of(c.key), c.nonce);
  EXPECT_NE(
      why(check_quoted({certified.attest, certified.signature}, c.attestation, c.nonce, values))
          .find("no quote"),
      std::string::npos);
}

TEST(TpmChecks, TimeRunsOn) {
  const ClockInfo before{10'000'000, 5, 3, true};
  const auto after = [&](std::int64_t clock, int resets, int restarts, bool safe = true) {
    return check_time_ran_on(before, {static_cast<std::uint64_t>(10'000'000 + clock),
                                      static_cast<std::uint32_t>(5 + resets),
                                      static_cast<std::uint32_t>(3 + restarts), safe});
  };
  EXPECT_TRUE(after(0, 0, 0));
  EXPECT_TRUE(after(5, 0, 1));
  EXPECT_TRUE(after(5, 1, -3)) << "a reset begins restarts anew";
  EXPECT_TRUE(after(-1'000, 1, -3, false)) << "an unsafe clock may repeat a little after a reset";
  EXPECT_FALSE(after(-1, 0, 0));
  EXPECT_FALSE(after(5, 0, -1));
  EXPECT_FALSE(after(5, -1, 0));
  EXPECT_FALSE(after(-1'000, 1, 0)) << "a safe clock repeats nothing";
  EXPECT_EQ(after(5, -1, 0).error().code, Code::attestation_rolled_back);
  EXPECT_TRUE(check_time_ran_on({1, 0xFFFFFFFF, 0, true}, {2, 0, 0, true}))
      << "obfuscated counts wrap";
}

TEST(TpmCredential, OpensForItsTpmAndItsNameOnly) {
  const auto machine = *os::RealSystem::make();
  SoftTpm tpm, other;
  const Public ek = parse_public(tpm.endorsement_public()).value();
  const Bytes name = name_of(parse_public(tpm.attestation_public()).value());
  const Public another = made({});
  const Bytes secret(32, 0x5A);
  const auto credential = make_credential(ek, name, secret, machine->system().entropy);
  ASSERT_TRUE(credential) << credential.error().text();
  EXPECT_EQ(tpm.activate(credential->blob, credential->secret, name), secret);
  EXPECT_EQ(tpm.activate(credential->blob, credential->secret, name_of(another)), std::nullopt)
      << "another attestation key";
  EXPECT_EQ(other.activate(credential->blob, credential->secret, name), std::nullopt)
      << "another TPM";
  EXPECT_FALSE(make_credential(ek, name, Bytes(33), machine->system().entropy))
      << "longer than its digest";
  EXPECT_FALSE(make_credential(parse_public(tpm.attestation_public()).value(), name, secret,
                               machine->system().entropy))
      << "no storage key";
}

}  // namespace
}  // namespace holdfast::tpm
