#include "libs/crypto/spki.hpp"

#include <gtest/gtest.h>

#include "libs/crypto/der.hpp"
#include "libs/crypto/testing.hpp"

namespace holdfast::crypto {
namespace {

using testing::must;

Bytes ec_spki(std::string_view curve, View point) {
  return der::sequence({der::sequence({der::put_oid("1.2.840.10045.2.1"), der::put_oid(curve)}),
                        der::put_bit_string(point)});
}

Code spki_error(const Bytes& der) {
  const auto parsed = parse_spki(der);
  return parsed ? Code{} : parsed.error().code;
}

TEST(Spki, SeesWhatOpensslMade) {
  const std::pair<KeyAlgorithm, unsigned> expected[] = {{KeyAlgorithm::p256, 256},
                                                        {KeyAlgorithm::p384, 384},
                                                        {KeyAlgorithm::ed25519, 256},
                                                        {KeyAlgorithm::rsa, 2048}};
  for (const auto& [algorithm, bits] : expected) {
    const PrivateKey key = must(PrivateKey::generate(algorithm));
    const Spki spki = must(parse_spki(key.public_key().spki_der()));
    EXPECT_EQ(spki.algorithm, algorithm);
    EXPECT_EQ(spki.bits, bits);
    EXPECT_EQ(spki.point.empty(), algorithm == KeyAlgorithm::rsa);
    EXPECT_EQ(spki.modulus.empty(), algorithm != KeyAlgorithm::rsa);
  }
  const Bytes rsa = must(PrivateKey::generate(KeyAlgorithm::rsa, 3072)).public_key().spki_der();
  EXPECT_EQ(must(parse_spki(rsa)).bits, 3072U);
  EXPECT_EQ(to_hex(must(parse_spki(rsa)).exponent), "010001");
}

TEST(Spki, PointsHaveTheirCurvesLength) {
  Bytes point(65, 1);
  point[0] = 4;
  EXPECT_EQ(spki_error(ec_spki("1.2.840.10045.3.1.7", point)), Code{});
  EXPECT_EQ(spki_error(ec_spki("1.3.132.0.34", point)), Code::invalid_argument);
  point[0] = 6;  // hybrid form (X9.62), which nobody needs
  EXPECT_EQ(spki_error(ec_spki("1.2.840.10045.3.1.7", point)), Code::invalid_argument);
  point.resize(33);
  point[0] = 2;
  EXPECT_EQ(spki_error(ec_spki("1.2.840.10045.3.1.7", point)), Code{});
  EXPECT_EQ(spki_error(ec_spki("1.2.840.10045.3.1.7", Bytes{0})), Code::invalid_argument);
  EXPECT_EQ(spki_error(ec_spki("1.3.132.0.10", point)), Code::unsupported);  // secp256k1
}

TEST(Spki, ParametersAreExactlyThoseOfTheAlgorithm) {
  const Bytes ed_with_null =
      der::sequence({der::sequence({der::put_oid("1.3.101.112"), der::wrap(der::kNull, View())}),
                     der::put_bit_string(Bytes(32, 1))});
  EXPECT_EQ(spki_error(ed_with_null), Code::invalid_argument);
  const Bytes ed_short = der::sequence(
      {der::sequence({der::put_oid("1.3.101.112")}), der::put_bit_string(Bytes(31, 1))});
  EXPECT_EQ(spki_error(ed_short), Code::invalid_argument);
  const Bytes no_curve = der::sequence(
      {der::sequence({der::put_oid("1.2.840.10045.2.1")}), der::put_bit_string(Bytes(65, 4))});
  EXPECT_NE(spki_error(no_curve), Code{});
  const Bytes dsa = der::sequence(
      {der::sequence({der::put_oid("1.2.840.10040.4.1")}), der::put_bit_string(Bytes(65, 4))});
  EXPECT_EQ(spki_error(dsa), Code::unsupported);
}

TEST(Spki, NothingFollows) {
  Bytes spki = must(PrivateKey::generate(KeyAlgorithm::p256)).public_key().spki_der();
  for (std::size_t cut = 0; cut < spki.size(); ++cut) {
    EXPECT_FALSE(parse_spki(View(spki).first(cut))) << cut;
  }
  spki.push_back(0);
  EXPECT_FALSE(parse_spki(spki));
}

TEST(SignatureAlgorithms, HaveOneIdentifierEach) {
  std::set<std::string_view> all;
  for (const auto algorithm : {SignatureAlgorithm::ecdsa_sha256, SignatureAlgorithm::ecdsa_sha384,
                               SignatureAlgorithm::ecdsa_sha512, SignatureAlgorithm::ed25519,
                               SignatureAlgorithm::rsa_sha256, SignatureAlgorithm::rsa_sha384,
                               SignatureAlgorithm::rsa_sha512}) {
    const std::string_view oid = oid_of(algorithm);
    EXPECT_TRUE(all.insert(oid).second);
    EXPECT_EQ(signature_algorithm_of(oid), algorithm);
    const Bytes identifier = algorithm_identifier(algorithm);
    const bool has_null = identifier[identifier.size() - 2] == 5 && identifier.back() == 0;
    EXPECT_EQ(has_null, oid.starts_with("1.2.840.113549.1.1."));
  }
  EXPECT_EQ(signature_algorithm_of("1.2.840.113549.1.1.5"), std::nullopt);  // SHA-1
  EXPECT_EQ(signature_algorithm_of("1.2.840.113549.1.1.4"), std::nullopt);  // MD5
  EXPECT_EQ(signature_algorithm_of(""), std::nullopt);
}

// Signatures of foreign certificates: a P-256 key that signs with SHA-384 is allowed.
TEST(SignatureAlgorithms, FitTheirKeysOnly) {
  const PrivateKey ed = must(PrivateKey::generate(KeyAlgorithm::ed25519));
  const Bytes signature = must(ed.sign(view_of("m")));
  const PublicKey key = ed.public_key();
  EXPECT_TRUE(key.verify(SignatureAlgorithm::ed25519, view_of("m"), signature));
  for (const auto other : {SignatureAlgorithm::ecdsa_sha256, SignatureAlgorithm::rsa_sha256}) {
    EXPECT_FALSE(key.verify(other, view_of("m"), signature));
  }
  EXPECT_EQ(ed.signature_algorithm(), SignatureAlgorithm::ed25519);
  EXPECT_EQ(must(PrivateKey::generate(KeyAlgorithm::p384)).signature_algorithm(),
            SignatureAlgorithm::ecdsa_sha384);
}

}  // namespace
}  // namespace holdfast::crypto
