#include "libs/crypto/hash.hpp"

#include <gtest/gtest.h>

namespace holdfast::crypto {
namespace {

// FIPS 180-4 examples.
TEST(Hash, KnownDigests) {
  EXPECT_EQ(to_hex(sha256(view_of("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(hash(Digest::sha256, {})),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(hash(Digest::sha384, view_of("abc"))),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
            "8086072ba1e7cc2358baeca134c825a7");
  EXPECT_EQ(to_hex(hash(Digest::sha512, view_of("abc"))).substr(0, 32),
            "ddaf35a193617abacc417349ae204131");
}

TEST(Hash, PartsGiveTheSameAsTheWhole) {
  for (const Digest digest : {Digest::sha256, Digest::sha384, Digest::sha512}) {
    Hasher hasher(digest);
    hasher.update(view_of("a"));
    hasher.update({});
    hasher.update(view_of("bc"));
    EXPECT_EQ(hasher.finish(), hash(digest, view_of("abc")));
    EXPECT_EQ(digest_bytes(digest), hash(digest, {}).size());
  }
}

// RFC 4231, test cases 1 and 2.
TEST(Hmac, KnownCodes) {
  EXPECT_EQ(to_hex(hmac_sha256(Bytes(20, 0x0B), view_of("Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(hmac(Digest::sha384, view_of("Jefe"), view_of("what do ya want for nothing?"))),
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
            "8e2240ca5e69e2c78b3239ecfab21649");
}

TEST(Hmac, AnEmptyKeyIsAKey) {
  const auto first = hmac_sha256(view_of("other"), view_of("x"));
  EXPECT_NE(hmac_sha256({}, view_of("x")), first);
  EXPECT_EQ(hmac_sha256({}, view_of("x")), hmac_sha256(Bytes(1, 0), view_of("x")));  // zero-padded
}

// RFC 5869 A.1 and A.3.
TEST(Hkdf, KnownKeys) {
  const Bytes secret(22, 0x0B);
  EXPECT_EQ(to_hex(*hkdf(Digest::sha256, secret, *from_hex("000102030405060708090a0b0c"),
                         *from_hex("f0f1f2f3f4f5f6f7f8f9"), 42)),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  EXPECT_EQ(to_hex(*hkdf(Digest::sha256, secret, {}, {}, 42)),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Hkdf, BoundsItsOutput) {
  EXPECT_EQ(hkdf(Digest::sha256, view_of("s"), {}, {}, 255 * 32)->size(), 255U * 32);
  EXPECT_EQ(hkdf(Digest::sha256, view_of("s"), {}, {}, 255 * 32 + 1).error().code,
            Code::invalid_argument);
  EXPECT_FALSE(hkdf(Digest::sha256, view_of("s"), {}, {}, 0));
}

TEST(Fingerprint, IsReadInManyForms) {
  const Sha256 digest = sha256(view_of("abc"));
  const std::string text = fingerprint_text(digest);
  EXPECT_EQ(text.substr(0, 15), "sha256:ba7816bf");
  EXPECT_EQ(*parse_fingerprint(text), digest);
  EXPECT_EQ(*parse_fingerprint(text.substr(7)), digest);
  std::string colons;
  for (const std::uint8_t byte : digest) {
    if (!colons.empty()) colons += ":";
    std::string two = to_hex(View(&byte, 1));
    for (char& c : two) c = static_cast<char>(std::toupper(c));
    colons += two;
  }
  EXPECT_EQ(*parse_fingerprint(colons), digest);  // as openssl x509 -fingerprint prints it
  EXPECT_FALSE(parse_fingerprint(text.substr(0, 70)));
  EXPECT_FALSE(parse_fingerprint("sha256:"));
  EXPECT_FALSE(parse_fingerprint(""));
}

}  // namespace
}  // namespace holdfast::crypto
