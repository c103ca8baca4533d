// Thousands of damaged certificates and requests: what our reader takes, OpenSSL reads the same
// way. Two readers that see two identities in one certificate are how impostors come in.
#include <gtest/gtest.h>

#include "libs/crypto/names.hpp"
#include "libs/crypto/testing.hpp"
#include "libs/crypto/trust.hpp"
#include "libs/os/sim/random.hpp"

namespace holdfast::crypto {
namespace {

using testing::must;
using testing::Pki;

Bytes name_seen_by_openssl(const X509_NAME* name) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509_NAME(name, &bytes);
  Bytes out(bytes, bytes + std::max(size, 0));
  OPENSSL_free(bytes);
  return out;
}

Bytes serial_seen_by_openssl(const X509* certificate) {
  unsigned char* bytes = nullptr;
  const int size = i2d_ASN1_INTEGER(X509_get0_serialNumber(certificate), &bytes);
  Bytes out(bytes, bytes + std::max(size, 0));
  OPENSSL_free(bytes);
  return out.size() < 2 ? Bytes() : Bytes(out.begin() + 2, out.end());  // without tag and length
}

// One to three bytes changed, moved, doubled or dropped.
Bytes damaged(Bytes bytes, os::sim::Random& random) {
  for (std::uint64_t i = random.below(3) + 1; i-- > 0;) {
    const auto at = static_cast<std::ptrdiff_t>(random.below(bytes.size() - 1));
    switch (random.below(4)) {
      case 0:
        bytes[static_cast<std::size_t>(at)] ^= static_cast<std::uint8_t>(1U << random.below(8));
        break;
      case 1:
        bytes[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(random.below(256));
        break;
      case 2:
        bytes.insert(bytes.begin() + at, static_cast<std::uint8_t>(random.below(256)));
        break;
      default:
        bytes.erase(bytes.begin() + at);
    }
  }
  return bytes;
}

TEST(Mutation, CertificatesMeanOneThing) {
  os::sim::Random random(41);
  Pki pki(*from_rfc3339("2026-06-01T00:00:00Z"));
  const Bytes whole[] = {pki.device("dev_1").chain_der[0], pki.root_der(),
                         pki.server({"hub.example"}, {"192.0.2.7"}).chain_der[0]};
  unsigned taken = 0, refused = 0;
  for (int i = 0; i < 6000; ++i) {
    const Bytes bytes = damaged(whole[random.below(3)], random);
    const auto ours = parse_certificate(bytes);
    ++(ours ? taken : refused);
    if (!ours) continue;
    EXPECT_EQ(ours->der, bytes);
    const X509Ptr theirs = read_x509(bytes);
    if (!theirs) continue;  // OpenSSL is stricter here: the chain check refuses it
    EXPECT_EQ(name_seen_by_openssl(X509_get_subject_name(theirs.get())), ours->subject_der);
    EXPECT_EQ(name_seen_by_openssl(X509_get_issuer_name(theirs.get())), ours->issuer_der);
    EXPECT_EQ(serial_seen_by_openssl(theirs.get()), ours->serial);
    EXPECT_EQ(X509_get_version(theirs.get()) + 1, ours->version);
    EXPECT_EQ(static_cast<std::size_t>(std::max(X509_get_ext_count(theirs.get()), 0)),
              ours->extensions.size());
  }
  EXPECT_GT(taken, 500U);  // damage to keys and signatures leaves the structure whole
  EXPECT_GT(refused, 500U);
}

TEST(Mutation, NoDamagedCertificateIsTrusted) {
  os::sim::Random random(42);
  Pki pki(*from_rfc3339("2026-06-01T00:00:00Z"));
  const auto trust = must(TrustStore::make(pki.trust()));
  const Bytes whole = pki.device("dev_1").chain_der[0];
  const Verification how{Purpose::client, pki.now(), true, {}};
  ASSERT_TRUE(trust->verify(whole, {}, how));
  unsigned same = 0;
  for (int i = 0; i < 2000; ++i) {
    const Bytes bytes = damaged(whole, random);
    if (bytes == whole) {
      ++same;
      continue;
    }
    const auto verdict = trust->verify(bytes, {}, how);
    ASSERT_FALSE(verdict) << to_hex(bytes);
    EXPECT_TRUE(verdict.error().code == Code::certificate_invalid ||
                verdict.error().code == Code::certificate_expired);
  }
  EXPECT_LT(same, 100U);
}

TEST(Mutation, NoDamagedRequestIsTaken) {
  os::sim::Random random(43);
  const PrivateKey key = must(PrivateKey::generate(KeyAlgorithm::p256));
  const Bytes whole =
      must(make_csr({.common_name = "Pump 3", .challenge_password = "secret"}, key));
  for (int i = 0; i < 3000; ++i) {
    const Bytes bytes = damaged(whole, random);
    const auto read = parse_csr(bytes);
    if (bytes == whole) continue;
    if (read) {
      // The signature itself is not signed: another encoding of it would be a second request for
      // the same key, which is harmless. Everything that is signed is as it was.
      EXPECT_TRUE(read->key == key.public_key());
      EXPECT_EQ(read->subject_cn, "Pump 3");
      EXPECT_EQ(read->challenge_password, "secret");
    } else {
      EXPECT_TRUE(read.error().code == Code::csr_malformed ||
                  read.error().code == Code::csr_key_weak);
    }
  }
}

}  // namespace
}  // namespace holdfast::crypto
