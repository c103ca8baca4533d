#include "libs/crypto/key.hpp"

#include <gtest/gtest.h>

#include "libs/crypto/der.hpp"
#include "libs/crypto/testing.hpp"
#include "libs/crypto/testing/openssl_cli.hpp"

namespace holdfast::crypto {
namespace {

using testing::must;

constexpr KeyAlgorithm kAllAlgorithms[] = {KeyAlgorithm::p256, KeyAlgorithm::p384,
                                           KeyAlgorithm::ed25519, KeyAlgorithm::rsa};

// 2048 bits, a power of 65537 modulo every prime up to 167: what ROCA keys look like.
constexpr std::string_view kRocaModulus =
    "ad45f23d3b1a11df587fd2803bab6c398d88348a7eed8d14f06d3fef701966a0c381e88f38c0c8fd"
    "8712b8bc076f3787b9d179e06c0fd4f5f8130c4237730edfafbd67f9619699cfe1988ad9f06c144a"
    "025b413f8a9a021ea648a7dd06839eb905b6e6e307d4bedc51431193e6c3f3391a2b8f1ff1fd42a2"
    "9755d4c13a902931cd447e35b8b6d8fe442e3d437204e52db2221a58008a05a6c4647159c324c985"
    "9b810e766ec9d28663ca828dd5f4b3b2e4b06ce60741c7a87ce42c8218072e8c35bf992dc9e9c616"
    "612e7696a6cecc1b78e510617311d8a3c2ce6f447ed4d57b1e2feb8943bcc8afa34f9c7aa7aad9d5"
    "6d220400931c7193c6283550e0d679a3";

Bytes rsa_spki(View modulus, View exponent) {
  const Bytes numbers = der::sequence({der::put_unsigned(modulus), der::put_unsigned(exponent)});
  const Bytes algorithm =
      der::sequence({der::put_oid("1.2.840.113549.1.1.1"), der::wrap(der::kNull, View())});
  return der::sequence({algorithm, der::put_bit_string(numbers)});
}

// An odd modulus of that many bits that no rule but the one under test objects to.
Bytes odd_modulus(std::size_t bits) {
  Bytes modulus = *from_hex("c5");
  for (std::size_t i = 1; i < bits / 8; ++i) modulus.push_back(static_cast<std::uint8_t>(i * 7));
  for (unsigned tail = 1; tail < 1000; tail += 2) {
    modulus[modulus.size() - 2] = static_cast<std::uint8_t>(tail >> 8);
    modulus.back() = static_cast<std::uint8_t>(tail);
    if (check_key_policy(rsa_spki(modulus, *from_hex("010001")))) break;
  }
  return modulus;
}

std::string policy(const Bytes& spki) {
  const auto ok = check_key_policy(spki);
  if (ok) return "";
  EXPECT_EQ(ok.error().code, Code::csr_key_weak);
  return ok.error().message;
}

TEST(Key, SignsAndVerifies) {
  for (const KeyAlgorithm algorithm : kAllAlgorithms) {
    const PrivateKey key = must(PrivateKey::generate(algorithm));
    const Bytes signature = must(key.sign(view_of("message")));
    EXPECT_TRUE(key.public_key().verify(view_of("message"), signature)) << name_of(algorithm);
    EXPECT_FALSE(key.public_key().verify(view_of("massage"), signature));
    EXPECT_FALSE(key.public_key().verify(view_of("message"), View(signature).first(8)));
    EXPECT_FALSE(key.public_key().verify(view_of("message"), {}));
    const PublicKey other = must(PrivateKey::generate(KeyAlgorithm::p256)).public_key();
    EXPECT_FALSE(other.verify(view_of("message"), signature));
    EXPECT_FALSE(other.verify(SignatureAlgorithm::rsa_sha256, view_of("message"), signature));
  }
}

TEST(Key, TravelsAsPkcs8AndSpki) {
  for (const KeyAlgorithm algorithm : kAllAlgorithms) {
    const PrivateKey key = must(PrivateKey::generate(algorithm));
    const PrivateKey again = must(PrivateKey::from_pkcs8(must(key.pkcs8_der())));
    EXPECT_EQ(again.public_key(), key.public_key());
    EXPECT_EQ(must(PrivateKey::from_pem(must(key.pkcs8_pem()))).algorithm(), algorithm);
    const PublicKey read = must(PublicKey::from_spki(key.public_key().spki_der()));
    EXPECT_EQ(read, key.public_key());
    EXPECT_EQ(read.algorithm(), algorithm);
    EXPECT_TRUE(read.verify(view_of("m"), must(again.sign(view_of("m")))));
    EXPECT_EQ(must(PublicKey::from_pem(read.pem())), read);
    EXPECT_EQ(read.fingerprint(), sha256(read.spki_der()));
  }
}

TEST(Key, NamesAlgorithms) {
  EXPECT_EQ(must(PrivateKey::generate(KeyAlgorithm::rsa)).public_key().name(), "RSA-2048");
  EXPECT_EQ(must(PrivateKey::generate(KeyAlgorithm::p384)).public_key().name(), "P-384");
  for (const KeyAlgorithm algorithm : kAllAlgorithms) {
    EXPECT_EQ(key_algorithm_named(name_of(algorithm)), algorithm);
  }
  EXPECT_EQ(key_algorithm_named("P256"), KeyAlgorithm::p256);
  EXPECT_EQ(key_algorithm_named("dsa"), std::nullopt);
  EXPECT_EQ(PrivateKey::generate(KeyAlgorithm::rsa, 1024).error().code, Code::invalid_argument);
}

TEST(Key, EmptyOnesAnswerErrors) {
  const PrivateKey none;
  EXPECT_TRUE(none.empty());
  EXPECT_FALSE(none.sign(view_of("m")));
  EXPECT_FALSE(none.pkcs8_der());
  EXPECT_FALSE(PublicKey().verify(view_of("m"), view_of("s")));
  EXPECT_EQ(PublicKey(), PublicKey());
  EXPECT_FALSE(PublicKey() == must(PrivateKey::generate(KeyAlgorithm::p256)).public_key());
}

TEST(Key, OpensslVerifiesOurSignatures) {
  testing::OpensslCli openssl;
  const std::string message = openssl.put("message", "hello");
  for (const KeyAlgorithm algorithm : {KeyAlgorithm::p256, KeyAlgorithm::rsa}) {
    const PrivateKey key = must(PrivateKey::generate(algorithm));
    const std::string pub = openssl.put("pub.pem", key.public_key().pem());
    const std::string sig = openssl.put("sig", text_of(must(key.sign(view_of("hello")))));
    EXPECT_EQ(openssl.output({"dgst", "-sha256", "-verify", pub, "-signature", sig, message}),
              "Verified OK\n");
  }
  const PrivateKey key = must(PrivateKey::generate(KeyAlgorithm::ed25519));
  const std::string pub = openssl.put("pub.pem", key.public_key().pem());
  const std::string sig = openssl.put("sig", text_of(must(key.sign(view_of("hello")))));
  openssl.output(
      {"pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", pub, "-sigfile", sig, "-in", message});
}

TEST(Key, ReadsOpensslsKeys) {
  testing::OpensslCli openssl;
  const std::string pkcs8 =
      openssl.output({"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"});
  EXPECT_EQ(must(PrivateKey::from_pem(pkcs8)).public_key().name(), "P-256");
  const std::string sec1 = openssl.output({"ecparam", "-name", "secp384r1", "-genkey", "-noout"});
  EXPECT_EQ(must(PrivateKey::from_pem(sec1)).public_key().name(), "P-384");
  const std::string sealed =
      openssl.output({"genpkey", "-algorithm", "ED25519", "-aes-256-cbc", "-pass", "pass:secret"});
  EXPECT_EQ(PrivateKey::from_pem(sealed).error().code, Code::unsupported);
  EXPECT_EQ(PrivateKey::from_pem("").error().code, Code::invalid_argument);
  EXPECT_EQ(PrivateKey::from_pkcs8(view_of("junk")).error().code, Code::invalid_argument);
}

TEST(Key, CompressedPointsAreTheSamePoint) {
  testing::OpensslCli openssl;
  const PrivateKey key = must(PrivateKey::generate(KeyAlgorithm::p256));
  openssl.output({"ec", "-pubin", "-conv_form", "compressed", "-outform", "DER", "-out",
                  openssl.path("c.der"), "-in", openssl.put("p.pem", key.public_key().pem())});
  const PublicKey compressed = must(PublicKey::from_spki(openssl.get("c.der")));
  EXPECT_EQ(compressed.spki_der().size(), key.public_key().spki_der().size() - 32);
  EXPECT_TRUE(compressed.verify(view_of("m"), must(key.sign(view_of("m")))));
}

TEST(Key, RefusesOtherCurvesAndBrokenPoints) {
  testing::OpensslCli openssl;
  for (const char* curve : {"secp521r1", "secp256k1"}) {
    const std::string pem = openssl.output(
        {"pkey", "-pubout"}, openssl.output({"ecparam", "-name", curve, "-genkey", "-noout"}));
    EXPECT_EQ(PublicKey::from_pem(pem).error().code, Code::unsupported) << curve;
  }
  const std::string spelled =
      openssl.output({"pkey", "-pubout", "-ec_param_enc", "explicit"},
                     openssl.output({"ecparam", "-name", "prime256v1", "-genkey", "-noout"}));
  const auto refused = PublicKey::from_pem(spelled);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("spells out its curve"), std::string::npos);
  Bytes off_curve = must(PrivateKey::generate(KeyAlgorithm::p256)).public_key().spki_der();
  off_curve.back() ^= 1;
  EXPECT_EQ(PublicKey::from_spki(off_curve).error().code, Code::invalid_argument);
  off_curve.pop_back();
  EXPECT_FALSE(PublicKey::from_spki(off_curve));
}

TEST(KeyPolicy, TakesSoundKeys) {
  for (const KeyAlgorithm algorithm : kAllAlgorithms) {
    EXPECT_EQ(policy(must(PrivateKey::generate(algorithm)).public_key().spki_der()), "");
  }
  EXPECT_EQ(policy(rsa_spki(odd_modulus(4096), *from_hex("010001"))), "");
}

TEST(KeyPolicy, RefusesWeakRsa) {
  const Bytes e = *from_hex("010001");
  const Bytes good = odd_modulus(2048);
  ASSERT_EQ(policy(rsa_spki(good, e)), "");
  EXPECT_NE(policy(rsa_spki(odd_modulus(1024), e)).find("too few"), std::string::npos);
  EXPECT_NE(policy(rsa_spki(odd_modulus(4104), e)).find("more than 4096"), std::string::npos);
  EXPECT_NE(policy(rsa_spki(good, *from_hex("03"))).find("exponent 3"), std::string::npos);
  EXPECT_NE(policy(rsa_spki(good, *from_hex("010002"))).find("exponent"), std::string::npos);
  EXPECT_NE(policy(rsa_spki(good, Bytes(9, 0x11))).find("exponent"), std::string::npos);
  Bytes even = good;
  even.back() &= 0xFE;
  EXPECT_NE(policy(rsa_spki(even, e)).find("even"), std::string::npos);
  Bytes odd_length = good;
  odd_length[0] = 0x7F;
  odd_length.insert(odd_length.begin(), 0x01);
  EXPECT_NE(policy(rsa_spki(odd_length, e)).find("whole number of bytes"), std::string::npos);
  EXPECT_NE(policy(rsa_spki(*from_hex(kRocaModulus), e)).find("ROCA"), std::string::npos);
}

TEST(KeyPolicy, FindsSmallFactors) {
  const Bytes e = *from_hex("010001");
  Bytes modulus = odd_modulus(2048);
  std::set<std::string> messages;
  for (int i = 0; i < 40; ++i) {
    modulus.back() = static_cast<std::uint8_t>(modulus.back() + 2);
    messages.insert(policy(rsa_spki(modulus, e)));
  }
  // Of 40 odd numbers in a row a third is divisible by 3, a fifth by 5, and some by neither.
  EXPECT_TRUE(messages.contains("RSA key: the modulus is divisible by 3"));
  EXPECT_TRUE(messages.contains("RSA key: the modulus is divisible by 5"));
  EXPECT_TRUE(messages.contains(""));
}

TEST(KeyPolicy, RefusesWhatIsNoKey) {
  EXPECT_NE(policy({}), "");
  EXPECT_NE(policy(bytes_of("junk")), "");
  EXPECT_NE(policy(rsa_spki(Bytes(3000, 0x11), *from_hex("010001"))).find("too long"),
            std::string::npos);
  EXPECT_NE(policy(rsa_spki(*from_hex("00"), *from_hex("010001"))).find("positive"),
            std::string::npos);
  testing::OpensslCli openssl;
  const std::string x25519 =
      openssl.output({"pkey", "-pubout"}, openssl.output({"genpkey", "-algorithm", "X25519"}));
  EXPECT_NE(policy(parse_pem(x25519)->at(0).der).find("not taken"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::crypto
