#include "libs/crypto/evidence.hpp"

#include <gtest/gtest.h>

#include "libs/crypto/der.hpp"
#include "libs/crypto/testing.hpp"
#include "libs/crypto/testing/openssl_cli.hpp"

namespace holdfast::crypto {
namespace {

const WallTime kEvidenceNow{1'780'000'000'000'000};

Certificate with_extension(std::optional<Extension> extension) {
  testing::Pki pki(kEvidenceNow);
  auto spec = pki.spec(Profile::device, "dev_1");
  if (extension) spec.extensions.push_back(*extension);
  return testing::must(parse_certificate(pki.issue(spec).chain_der.front()));
}

TEST(Evidence, ComesBackFromACertificate) {
  const auto certificate = with_extension(evidence_extension("hardware-attested"));
  EXPECT_EQ(evidence_of(certificate), "hardware-attested");
  EXPECT_FALSE(certificate.find(kOidEvidenceClass)->critical);
}

TEST(Evidence, NoExtensionIsNoClass) {
  EXPECT_EQ(evidence_of(with_extension({})), "");
}

TEST(Evidence, WhatCannotBeReadIsRefused) {
  const Bytes trailing = [] {
    Bytes value = evidence_extension("claim").value;
    value.push_back(0);
    return value;
  }();
  for (const Bytes& value :
       {Bytes{}, der::put_integer(1), trailing, der::wrap(der::kUtf8String, View()),
        der::wrap(der::kUtf8String, view_of(std::string(65, 'a')))}) {
    const auto read =
        evidence_of(with_extension(Extension{std::string(kOidEvidenceClass), false, value}));
    ASSERT_FALSE(read.has_value()) << to_hex(value);
    EXPECT_EQ(read.error().code, Code::certificate_invalid);
  }
}

}  // namespace
}  // namespace holdfast::crypto
