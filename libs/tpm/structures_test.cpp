#include "libs/tpm/structures.hpp"

#include <gtest/gtest.h>

#include "libs/os/system.hpp"
#include "libs/tpm/testing/soft_tpm.hpp"

namespace holdfast::tpm {
namespace {

using testing::SoftTpm;
using testing::Template;

void refused(const Error& error, std::string_view word) {
  EXPECT_EQ(error.code, Code::attestation_refused);
  EXPECT_NE(error.message.find(word), std::string::npos) << error.message;
}

TEST(TpmPublic, GivesTheKeyBackAndItsName) {
  for (const auto algorithm : {crypto::KeyAlgorithm::p256, crypto::KeyAlgorithm::p384}) {
    const auto key = crypto::PrivateKey::generate(algorithm).value();
    const Bytes bytes = testing::public_of(key.public_key());
    const auto read = parse_public(bytes);
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(key_of(*read).value().spki_der(), key.public_key().spki_der());
    Bytes name{0x00, 0x0B};
    append(name, crypto::sha256(View(bytes).subspan(2)));
    EXPECT_EQ(name_of(*read), name);
  }
}

TEST(TpmPublic, EveryCutAndEveryByteTooManyIsRefused) {
  SoftTpm tpm;
  for (const Bytes& whole : {tpm.endorsement_public(), tpm.attestation_public()}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_FALSE(parse_public(View(whole).first(size))) << size;
      // The size field made to fit: the area itself is short then.
      if (size < 2) continue;
      EXPECT_FALSE(parse_public(testing::tpm2b(View(whole).subspan(2, size - 2)))) << size;
    }
    Bytes more = whole;
    more.push_back(0);
    refused(parse_public(more).error(), "too many");
    Bytes inside = testing::tpm2b(View(more).subspan(2));
    refused(parse_public(inside).error(), "too many");
  }
}

TEST(TpmPublic, OtherKindsAreRefusedByName) {
  const auto key = crypto::PrivateKey::generate(crypto::KeyAlgorithm::p256).value();
  const Bytes good = testing::public_of(key.public_key(), Template::attestation());
  const auto changed = [&](std::size_t at, std::uint8_t value) {
    Bytes out = good;
    out[at] = value;
    return parse_public(out).error();
  };
  refused(changed(3, 0x08), "type");        // keyedHash
  refused(changed(5, 0x04), "nameAlg");     // SHA-1
  refused(changed(13, 0x05), "symmetric");  // TDES would be 0x0003
  refused(changed(15, 0x1A), "scheme");     // ECDAA
  refused(changed(19, 0x10), "curve");      // BN_P256
  refused(changed(21, 0x20), "kdf");
  EXPECT_TRUE(parse_public(good));
}

TEST(TpmPublic, APointOffItsCurveIsNoKey) {
  SoftTpm tpm;
  Bytes bytes = tpm.attestation_public();
  bytes.back() = static_cast<std::uint8_t>(bytes.back() ^ 1);
  const auto read = parse_public(bytes);
  ASSERT_TRUE(read);
  refused(key_of(*read).error(), "its key is none");
}

TEST(TpmPublic, LeadingZerosOfAPointMayBeMissing) {
  SoftTpm tpm;
  for (int tries = 0; tries < 2'000; ++tries) {
    const auto key = crypto::PrivateKey::generate(crypto::KeyAlgorithm::p256).value();
    const auto point = crypto::point_of(key.public_key()).value();
    if (point.y[0] != 0) continue;
    Bytes bytes = testing::public_of(key.public_key());
    bytes.erase(bytes.end() - 32);  // the zero
    bytes[bytes.size() - 32] = 31;  // y's size
    bytes[1] = static_cast<std::uint8_t>(bytes[1] - 1);
    EXPECT_EQ(key_of(parse_public(bytes).value()).value().spki_der(), key.public_key().spki_der());
    return;
  }
  GTEST_SKIP() << "no such key in 2,000";
}

TEST(TpmAttest, ReadsWhatWasSaid) {
  SoftTpm tpm;
  const Bytes name(34, 7);
  const auto said = tpm.certify(name, view_of("nonce"));
  const auto read = parse_attest(said.attest).value();
  EXPECT_EQ(read.type, kAttestCertify);
  EXPECT_EQ(read.extra, bytes_of("nonce"));
  EXPECT_EQ(read.name, name);
  EXPECT_EQ(read.clock, tpm.clock);
  for (std::size_t size = 0; size < said.attest.size(); ++size) {
    EXPECT_FALSE(parse_attest(View(said.attest).first(size))) << size;
  }
  Bytes more = said.attest;
  more.push_back(0);
  refused(parse_attest(more).error(), "too many");
}

TEST(TpmAttest, QuotesListTheirPcrs) {
  SoftTpm tpm;
  const auto said = tpm.quote(view_of("n"), {{0, {}}, {7, {}}, {16, {}}});
  const auto read = parse_attest(said.attest).value();
  ASSERT_EQ(read.quoted.size(), 1u);
  EXPECT_EQ(read.quoted[0], (PcrSelection{kAlgSha256, {0, 7, 16}}));
  EXPECT_EQ(read.pcr_digest.size(), 32u);
}

TEST(TpmAttest, WithoutTheMagicNoTpmMadeIt) {
  SoftTpm tpm;
  tpm.magic = 0xFF544348;
  refused(parse_attest(tpm.certify(Bytes(34), View()).attest).error(), "no TPM made this");
}

TEST(TpmSignature, EcdsaBecomesDer) {
  SoftTpm tpm;
  const Bytes der = tpm.attestation.sign(view_of("message")).value();
  const auto read = parse_signature(testing::signature_of(der)).value();
  EXPECT_EQ(read.bytes, der);
  EXPECT_TRUE(tpm.attestation.public_key().verify(view_of("message"), read.bytes));
  const Bytes whole = testing::signature_of(der);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_signature(View(whole).first(size)));
}

TEST(TpmSignature, OtherSchemesAreRefused) {
  refused(parse_signature(Bytes{0x00, 0x16, 0x00, 0x0B, 0, 0}).error(), "algorithm");  // RSAPSS
  refused(parse_signature(Bytes{0x00, 0x18, 0x00, 0x04, 0, 0}).error(), "hash");       // SHA-1
  EXPECT_TRUE(parse_signature(Bytes{0x00, 0x14, 0x00, 0x0B, 0x00, 0x01, 0x55}));
}

}  // namespace
}  // namespace holdfast::tpm
