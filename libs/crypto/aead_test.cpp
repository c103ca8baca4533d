#include "libs/crypto/aead.hpp"

#include <gtest/gtest.h>

namespace holdfast::crypto {
namespace {

const Bytes kKey(32, 7), kNonce(12, 9);

// NIST GCM, test cases 14 and 16.
TEST(Aead, KnownCiphertexts) {
  EXPECT_EQ(to_hex(*aead_seal(Bytes(32, 0), Bytes(12, 0), {}, Bytes(16, 0))),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
  const Bytes sealed = *aead_seal(
      *from_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"),
      *from_hex("cafebabefacedbaddecaf888"), *from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
      *from_hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"));
  EXPECT_EQ(to_hex(View(sealed).last(16)), "76fc6ece0f4e1768cddf8853bb2d551b");
}

TEST(Aead, OpensWhatItSealed) {
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 70'000U}) {
    const Bytes plain(size, 'x');
    const Bytes sealed = *aead_seal(kKey, kNonce, view_of("where"), plain);
    EXPECT_EQ(sealed.size(), size + kAeadTagBytes);
    EXPECT_EQ(*aead_open(kKey, kNonce, view_of("where"), sealed), plain);
  }
}

TEST(Aead, RefusesEveryChangedByte) {
  const Bytes sealed = *aead_seal(kKey, kNonce, view_of("where"), view_of("secret"));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes changed = sealed;
    changed[i] ^= 0x01;
    EXPECT_EQ(aead_open(kKey, kNonce, view_of("where"), changed).error().code, Code::corrupt) << i;
  }
  EXPECT_EQ(aead_open(Bytes(32, 8), kNonce, view_of("where"), sealed).error().code, Code::corrupt);
  EXPECT_EQ(aead_open(kKey, Bytes(12, 8), view_of("where"), sealed).error().code, Code::corrupt);
  EXPECT_EQ(aead_open(kKey, kNonce, view_of("elsewhere"), sealed).error().code, Code::corrupt);
  EXPECT_EQ(aead_open(kKey, kNonce, view_of("where"), View(sealed).first(15)).error().code,
            Code::corrupt);
}

TEST(Aead, RefusesWrongSizes) {
  EXPECT_EQ(aead_seal(Bytes(16, 0), kNonce, {}, {}).error().code, Code::invalid_argument);
  EXPECT_EQ(aead_seal(kKey, Bytes(16, 0), {}, {}).error().code, Code::invalid_argument);
  EXPECT_EQ(aead_open(kKey, Bytes(11, 0), {}, Bytes(16, 0)).error().code, Code::invalid_argument);
}

TEST(AeadKey, IsReusableAndAppends) {
  auto key = *AeadKey::make(kKey);
  Bytes out = bytes_of("head");
  ASSERT_TRUE(key->seal(kNonce, view_of("a"), view_of("one"), out));
  const Bytes nonce2(12, 10);
  ASSERT_TRUE(key->seal(nonce2, {}, view_of("two"), out));
  ASSERT_EQ(out.size(), 4 + 3 + 16 + 3 + 16U);
  Bytes plain;
  ASSERT_TRUE(key->open(kNonce, view_of("a"), View(out).subspan(4, 19), plain));
  ASSERT_TRUE(key->open(nonce2, {}, View(out).subspan(23, 19), plain));
  EXPECT_EQ(string_of(plain), "onetwo");
  EXPECT_EQ(Bytes(out.begin() + 4, out.begin() + 23),
            *aead_seal(kKey, kNonce, view_of("a"), view_of("one")));
}

TEST(AeadKey, LeavesTheOutputAloneOnError) {
  auto key = *AeadKey::make(kKey);
  Bytes sealed = *aead_seal(kKey, kNonce, {}, view_of("secret"));
  sealed[0] ^= 1;
  Bytes out = bytes_of("kept");
  EXPECT_FALSE(key->open(kNonce, {}, sealed, out));
  EXPECT_EQ(string_of(out), "kept");
  sealed[0] ^= 1;
  EXPECT_TRUE(key->open(kNonce, {}, sealed, out));  // an error leaves the key usable
  EXPECT_EQ(string_of(out), "keptsecret");
}

TEST(Wipe, ZeroesAll) {
  Bytes secret = bytes_of("secret");
  wipe(secret);
  EXPECT_EQ(secret, Bytes(6, 0));
}

}  // namespace
}  // namespace holdfast::crypto
