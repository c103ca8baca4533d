#include "libs/keys/tpm_key_store.hpp"

#include <gtest/gtest.h>

#include "libs/crypto/csr.hpp"
#include "libs/keys/testing/handshakes.hpp"
#include "libs/keys/testing/swtpm.hpp"
#include "libs/keys/tss.hpp"
#include "libs/tpm/credential.hpp"

namespace holdfast::keys {
namespace {

using crypto::KeyAlgorithm;
using testing::Swtpm;

Code tpm_code(const auto& result) {
  return result ? Code::internal : result.error().code;
}

std::unique_ptr<TpmKeyStore> store_in(Swtpm& tpm, const std::string& folder) {
  auto device = open_tpm(tpm.tcti());
  EXPECT_TRUE(device) << device.error().text();
  return make_tpm_key_store(tpm.folder().system().files, folder, *device).value();
}

// One TPM for the tests that leave it as it was: starting one costs a second.
class TpmKeyStoreTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { tpm_ = std::make_unique<Swtpm>(true); }
  static void TearDownTestSuite() { tpm_.reset(); }
  Swtpm& tpm() { return *tpm_; }
  os::System system() { return tpm_->folder().system(); }
  std::string folder() {
    return tpm_->folder().path(::testing::UnitTest::GetInstance()->current_test_info()->name());
  }
  std::unique_ptr<TpmKeyStore> store() { return store_in(*tpm_, folder()); }

 private:
  static std::unique_ptr<Swtpm> tpm_;
};
std::unique_ptr<Swtpm> TpmKeyStoreTest::tpm_;

TEST_F(TpmKeyStoreTest, KeysAreResidentAndSign) {
  const auto keys = store();
  for (const KeyAlgorithm algorithm : {KeyAlgorithm::p256, KeyAlgorithm::p384}) {
    const std::string name = algorithm == KeyAlgorithm::p256 ? "p256" : "p384";
    const auto made = keys->create(name, algorithm);
    ASSERT_TRUE(made) << made.error().text();
    EXPECT_EQ(made->evidence, Evidence::tpm);
    const Bytes message = bytes_of("message");
    EXPECT_TRUE(made->key.public_key().verify(message, made->key.sign(message).value()));
    EXPECT_EQ(tpm_code(made->key.pkcs8_der()), Code::unsupported);
    const auto loaded = keys->load(name);
    ASSERT_TRUE(loaded) << loaded.error().text();
    EXPECT_EQ(loaded->key.public_key(), made->key.public_key());
    EXPECT_TRUE(crypto::parse_csr(crypto::make_csr({.common_name = "pump"}, loaded->key).value()));
  }
  EXPECT_EQ(keys->list().value(), (std::vector<std::string>{"p256", "p384"}));
}

TEST_F(TpmKeyStoreTest, NamesAreKeptLikeInEveryStore) {
  const auto keys = store();
  const auto key = keys->create("next", KeyAlgorithm::p256).value().key.public_key();
  EXPECT_EQ(tpm_code(keys->create("next", KeyAlgorithm::p256)), Code::already_exists);
  EXPECT_EQ(tpm_code(keys->create("../x", KeyAlgorithm::p256)), Code::invalid_argument);
  EXPECT_EQ(tpm_code(keys->create("rsa", KeyAlgorithm::rsa)), Code::unsupported);
  EXPECT_EQ(tpm_code(keys->put("x", crypto::PrivateKey::generate(KeyAlgorithm::p256).value())),
            Code::unsupported);
  ASSERT_TRUE(keys->rename("next", "device"));
  EXPECT_EQ(keys->load("device").value().key.public_key(), key);
  EXPECT_EQ(tpm_code(keys->load("next")), Code::not_found);
  ASSERT_TRUE(keys->remove("device"));
  EXPECT_TRUE(keys->list().value().empty());
}

TEST_F(TpmKeyStoreTest, HundredHandshakesOfEachVersionOnABareTpm) {
  const auto keys = store();
  const auto key = keys->create("device", KeyAlgorithm::p256).value().key;
  EXPECT_EQ(testing::handshakes(key, TLS1_3_VERSION, 100), 100);
  EXPECT_EQ(testing::handshakes(key, TLS1_2_VERSION, 100), 100);
}

TEST_F(TpmKeyStoreTest, ManyKeysTakeTurnsInThreeSlots) {
  const auto keys = store();
  std::vector<StoredKey> all;
  for (int i = 0; i < 8; ++i)
    all.push_back(keys->create("k" + std::to_string(i), KeyAlgorithm::p256).value());
  for (int round = 0; round < 3; ++round) {
    for (const auto& one : all) {
      const auto signature = one.key.sign(view_of("m"));
      ASSERT_TRUE(signature) << signature.error().text();
      EXPECT_TRUE(one.key.public_key().verify(view_of("m"), *signature));
    }
  }
}

TEST_F(TpmKeyStoreTest, DamagedFilesAreToldApart) {
  const auto keys = store();
  keys->create("device", KeyAlgorithm::p256).value();
  const std::string path = os::join(folder(), "device.tpm");
  const Bytes good = os::read_file(system().files, path, 1 << 16).value();
  for (const std::size_t at : {std::size_t{0}, std::size_t{9}, good.size() / 2, good.size() - 1}) {
    Bytes bent = good;
    bent[at] = static_cast<std::uint8_t>(bent[at] ^ 0x40);
    ASSERT_TRUE(os::replace_file(system().files, path, bent));
    EXPECT_EQ(tpm_code(keys->load("device")), Code::corrupt) << at;
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{8}, good.size() - 1}) {
    ASSERT_TRUE(os::replace_file(system().files, path, View(good).first(size)));
    EXPECT_EQ(tpm_code(keys->load("device")), Code::corrupt) << size;
  }
  ASSERT_TRUE(os::replace_file(system().files, path, good));
  EXPECT_TRUE(keys->load("device"));
}

TEST_F(TpmKeyStoreTest, ACopiedFolderIsOfNoUseInAnotherTpm) {
  const auto keys = store();
  keys->create("device", KeyAlgorithm::p256).value();
  Swtpm other;
  const auto theirs = store_in(other, folder());
  const auto loaded = theirs->load("device");
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().code, Code::corrupt);
  EXPECT_NE(loaded.error().text().find("another TPM"), std::string::npos) << loaded.error().text();
  const std::string sealed = tpm().folder().path("copied.seal");
  ASSERT_TRUE(
      load_or_make_tpm_sealed(system().files, system().entropy, *keys->device(), sealed, 32));
  EXPECT_EQ(tpm_code(load_or_make_tpm_sealed(system().files, system().entropy, *theirs->device(),
                                             sealed, 32)),
            Code::corrupt);
}

TEST_F(TpmKeyStoreTest, ASealedSecretComesBackHereAndIsNotInItsFile) {
  const auto keys = store();
  const std::string path = tpm().folder().path("state.seal");
  const Bytes secret =
      load_or_make_tpm_sealed(system().files, system().entropy, *keys->device(), path, 32).value();
  EXPECT_EQ(secret.size(), 32u);
  EXPECT_EQ(
      load_or_make_tpm_sealed(system().files, system().entropy, *keys->device(), path, 32).value(),
      secret);
  EXPECT_EQ(tpm_code(load_or_make_tpm_sealed(system().files, system().entropy, *keys->device(),
                                             path, 16)),
            Code::corrupt);
  const Bytes file = os::read_file(system().files, path, 1 << 16).value();
  EXPECT_TRUE(is_tpm_sealed(file));
  EXPECT_EQ(std::search(file.begin(), file.end(), secret.begin(), secret.end()), file.end());
}

TEST_F(TpmKeyStoreTest, TheWholeProofHoldsBeforeOurOwnChecks) {
  const auto keys = store();
  const auto device = keys->device();
  const auto endorsement = device->endorsement();
  ASSERT_TRUE(endorsement) << endorsement.error().text();
  EXPECT_FALSE(endorsement->certificate_der.empty()) << "swtpm_setup left one for L-1";
  const auto ek = tpm::parse_public(endorsement->public_area).value();
  EXPECT_EQ(ek.type, tpm::kAlgRsa);
  EXPECT_TRUE(tpm::check_endorsement_key(ek));
  const Bytes ak_area = device->attestation_public().value();
  EXPECT_EQ(device->attestation_public().value(), ak_area) << "the same one for ever";
  const auto ak = tpm::parse_public(ak_area).value();
  EXPECT_TRUE(tpm::check_attestation_key(ak));

  const Bytes secret(32, 0x7E);
  const auto credential =
      tpm::make_credential(ek, tpm::name_of(ak), secret, system().entropy).value();
  const auto activated = device->activate(credential.blob, credential.secret);
  ASSERT_TRUE(activated) << activated.error().text();
  EXPECT_EQ(*activated, secret);
  Bytes wrong_name = tpm::name_of(ak);
  wrong_name.back() = static_cast<std::uint8_t>(wrong_name.back() ^ 1);
  const auto for_another = tpm::make_credential(ek, wrong_name, secret, system().entropy).value();
  EXPECT_FALSE(device->activate(for_another.blob, for_another.secret));

  keys->create("device", KeyAlgorithm::p256).value();
  const Bytes nonce = bytes_of("nonce of the server");
  const auto certified = keys->certify("device", nonce);
  ASSERT_TRUE(certified) << certified.error().text();
  const auto key = tpm::parse_public(certified->public_area).value();
  EXPECT_TRUE(tpm::check_device_key(key));
  const auto attest =
      tpm::check_certified({certified->said.attest, certified->said.signature}, ak, nonce, key);
  ASSERT_TRUE(attest) << attest.error().text();

  const auto quote = device->quote(nonce, {0, 1, 7, 16, 23});
  ASSERT_TRUE(quote) << quote.error().text();
  const auto quoted =
      tpm::check_quoted({quote->said.attest, quote->said.signature}, ak, nonce, quote->values);
  ASSERT_TRUE(quoted) << quoted.error().text();
  EXPECT_TRUE(tpm::check_time_ran_on(attest->clock, quoted->clock));
}

TEST(TpmFaults, WithoutAMakersCertificateTheEndorsementKeyIsP256) {
  Swtpm tpm;
  const auto device = open_tpm(tpm.tcti()).value();
  const auto endorsement = device->endorsement().value();
  EXPECT_TRUE(endorsement.certificate_der.empty());
  const auto ek = tpm::parse_public(endorsement.public_area).value();
  EXPECT_EQ(ek.curve, tpm::kCurveP256);
  const auto ak = tpm::parse_public(device->attestation_public().value()).value();
  const Bytes secret(16, 1);
  const auto credential =
      tpm::make_credential(ek, tpm::name_of(ak), secret, tpm.folder().system().entropy).value();
  EXPECT_EQ(device->activate(credential.blob, credential.secret).value(), secret);
}

TEST(TpmFaults, ATpmThatGoesAwayIsSaidSoAndFoundAgain) {
  Swtpm tpm;
  const auto keys = store_in(tpm, tpm.folder().path("keys"));
  const auto key = keys->create("device", KeyAlgorithm::p256).value().key;
  tpm.stop();
  EXPECT_FALSE(key.sign(view_of("m")));
  EXPECT_EQ(tpm_code(keys->create("second", KeyAlgorithm::p256)), Code::key_store_unavailable);
  EXPECT_EQ(tpm_code(open_tpm(tpm.tcti())), Code::key_store_unavailable);
  tpm.start();
  const auto signature = key.sign(view_of("m"));
  ASSERT_TRUE(signature) << "the connection is made anew";
  EXPECT_TRUE(key.public_key().verify(view_of("m"), *signature));
}

TEST(TpmFaults, ALockoutDoesNotReachOurKeys) {
  Swtpm tpm;
  std::unique_ptr<TpmKeyStore> keys = store_in(tpm, tpm.folder().path("keys"));
  keys->create("device", KeyAlgorithm::p256).value();
  keys.reset();  // a bare TPM takes one client at a time
  const std::string primary = tpm.folder().path("primary");
  tpm.folder().run(
      {"tpm2_dictionarylockout", "-T", tpm.tcti(), "-s", "-n", "1", "-t", "3600", "-l", "3600"});
  tpm.folder().run(
      {"tpm2_createprimary", "-T", tpm.tcti(), "-Q", "-C", "o", "-p", "right", "-c", primary});
  const auto wrong = [&] {
    tpm.folder().run({"tpm2_flushcontext", "-T", tpm.tcti(), "-t"});
    return tpm.folder()
        .system()
        .process
        .run({"tpm2_create", "-T", tpm.tcti(), "-C", primary, "-P", "wrong"}, {}, seconds(30),
             1 << 16)
        .value();
  };
  EXPECT_NE(wrong().status, 0);
  EXPECT_NE(wrong().err.find("0x921"), std::string::npos) << "the TPM is in lockout";
  keys = store_in(tpm, tpm.folder().path("keys"));
  const auto loaded = keys->load("device");
  ASSERT_TRUE(loaded) << loaded.error().text();
  EXPECT_TRUE(loaded->key.sign(view_of("m")));
}

TEST(TpmFaults, ResponseCodesBecomeOurErrors) {
  EXPECT_EQ(tss_error(0x921, "x").code, Code::key_store_locked) << "TPM_RC_LOCKOUT";
  EXPECT_EQ(tss_error(0x98E, "x").code, Code::key_store_locked) << "TPM_RC_AUTH_FAIL, session 1";
  EXPECT_EQ(tss_error(0x9A2, "x").code, Code::key_store_locked) << "TPM_RC_BAD_AUTH";
  EXPECT_EQ(tss_error(0x1DF, "x").code, Code::corrupt) << "TPM_RC_INTEGRITY, parameter 1";
  EXPECT_EQ(tss_error(0x902, "x").code, Code::key_store_unavailable) << "TPM_RC_OBJECT_MEMORY";
  EXPECT_TRUE(tss_connection_lost(0xA000A));
  EXPECT_FALSE(tss_connection_lost(0x921));
  EXPECT_EQ(tss_error(0xA000A, "x").code, Code::key_store_unavailable);
}

TEST(TpmFaults, NoSuchTpm) {
  EXPECT_EQ(tpm_code(open_tpm("device:/dev/there-is-none")), Code::key_store_unavailable);
  EXPECT_EQ(tpm_code(open_tpm("nonsense")), Code::key_store_unavailable);
}

}  // namespace
}  // namespace holdfast::keys
