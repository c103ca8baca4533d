#include "libs/keys/token.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "libs/crypto/csr.hpp"
#include "libs/keys/testing/handshakes.hpp"
#include "libs/keys/testing/swtpm.hpp"

namespace holdfast::keys {
namespace {

using crypto::KeyAlgorithm;
using testing::SoftHsm;

Code token_code(const auto& result) {
  return result ? Code::internal : result.error().code;
}

class TokenTest : public ::testing::Test {
 protected:
  os::System system() { return hsm_.folder().system(); }
  TokenOptions options() { return {SoftHsm::kModule, hsm_.label(), hsm_.pin_file()}; }
  Result<std::unique_ptr<KeyStore>> open() {
    return open_token(system().files, system().entropy, options());
  }
  SoftHsm hsm_;
};

TEST_F(TokenTest, KeysAreMadeInsideAndSign) {
  const auto keys = open();
  ASSERT_TRUE(keys) << keys.error().text();
  for (const KeyAlgorithm algorithm : {KeyAlgorithm::p256, KeyAlgorithm::p384}) {
    const std::string name = algorithm == KeyAlgorithm::p256 ? "p256" : "p384";
    const auto made = (*keys)->create(name, algorithm);
    ASSERT_TRUE(made) << made.error().text();
    EXPECT_EQ(made->evidence, Evidence::secure_element);
    EXPECT_TRUE(made->key.public_key().verify(view_of("m"), made->key.sign(view_of("m")).value()));
    EXPECT_EQ(token_code(made->key.pkcs8_der()), Code::unsupported);
    EXPECT_TRUE(crypto::parse_csr(crypto::make_csr({.common_name = "x"}, made->key).value()));
  }
  EXPECT_EQ((*keys)->list().value(), (std::vector<std::string>{"p256", "p384"}));
}

TEST_F(TokenTest, NamesLikeInEveryStore) {
  const auto keys = open().value();
  const auto key = keys->create("next", KeyAlgorithm::p256).value().key.public_key();
  keys->create("device", KeyAlgorithm::p256).value();
  EXPECT_EQ(token_code(keys->create("next", KeyAlgorithm::p256)), Code::already_exists);
  EXPECT_EQ(token_code(keys->create("../x", KeyAlgorithm::p256)), Code::invalid_argument);
  EXPECT_EQ(token_code(keys->create("ed", KeyAlgorithm::ed25519)), Code::unsupported);
  EXPECT_EQ(token_code(keys->put("x", crypto::PrivateKey::generate(KeyAlgorithm::p256).value())),
            Code::unsupported);
  ASSERT_TRUE(keys->rename("next", "device"));
  EXPECT_EQ(keys->load("device").value().key.public_key(), key)
      << "the old one of that name is gone";
  EXPECT_EQ(token_code(keys->load("next")), Code::not_found);
  ASSERT_TRUE(keys->remove("device"));
  EXPECT_EQ(token_code(keys->remove("device")), Code::not_found);
  EXPECT_TRUE(keys->list().value().empty());
}

TEST_F(TokenTest, HundredHandshakesOfEachVersion) {
  const auto key = open().value()->create("device", KeyAlgorithm::p256).value().key;
  EXPECT_EQ(testing::handshakes(key, TLS1_3_VERSION, 100), 100);
  EXPECT_EQ(testing::handshakes(key, TLS1_2_VERSION, 100), 100);
}

TEST_F(TokenTest, ThreadsWaitForOneAnother) {
  const auto key = open().value()->create("device", KeyAlgorithm::p256).value().key;
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 50; ++n) {
        const auto signature = key.sign(view_of("m"));
        if (signature && key.public_key().verify(view_of("m"), *signature)) ++good;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 200);
}

TEST_F(TokenTest, AWrongPinIsSaidAndTriedOnce) {
  hsm_.folder().put("pin", "4321\n");
  const auto refused = open();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::key_store_locked);
  EXPECT_EQ(refused.error().text().find("4321"), std::string::npos);
  hsm_.folder().put("pin", "1234");  // without a line's end, too
  EXPECT_TRUE(open());
}

TEST_F(TokenTest, WhatIsMissingIsSaid) {
  auto no_module = options();
  no_module.module = "/usr/lib/there-is-none.so";
  EXPECT_EQ(token_code(open_token(system().files, system().entropy, no_module)),
            Code::key_store_unavailable);
  auto no_token = options();
  no_token.token = "elsewhere";
  EXPECT_EQ(token_code(open_token(system().files, system().entropy, no_token)),
            Code::key_store_unavailable);
  auto no_pin = options();
  no_pin.pin_file += ".none";
  EXPECT_EQ(token_code(open_token(system().files, system().entropy, no_pin)), Code::not_found);
}

TEST_F(TokenTest, AKeyThatWasTakenAwayEndsInAnError) {
  const auto keys = open().value();
  const auto key = keys->create("device", KeyAlgorithm::p256).value().key;
  SoftHsm::home().run({"softhsm2-util", "--delete-token", "--token", hsm_.label()});
  EXPECT_FALSE(key.sign(view_of("m")));
  EXPECT_FALSE(keys->load("device"));
}

}  // namespace
}  // namespace holdfast::keys
