#include <gtest/gtest.h>

#include "libs/keys/key_store.hpp"
#include "libs/os/contract_test.hpp"

namespace holdfast::keys {
namespace {

using crypto::KeyAlgorithm;
using os::code_of;
using os::Kind;
using os::kind_name;

const Bytes kSealingKey(32, 0x5E);

class FileKeyStoreTest : public os::ContractTest {
 protected:
  std::unique_ptr<KeyStore> open(View sealing_key = kSealingKey) {
    auto store = make_file_key_store(files(), system().entropy, path("keys"), sealing_key);
    EXPECT_TRUE(store);
    return *std::move(store);
  }
  Bytes content(const std::string& name) {
    return os::read_file(files(), path(name), 1 << 20).value_or(Bytes());
  }
  void overwrite(const std::string& name, View bytes) {
    ASSERT_TRUE(os::replace_file(files(), path(name), bytes));
  }
};
HOLDFAST_BOTH_WORLDS(FileKeyStoreTest);

TEST_P(FileKeyStoreTest, CreatesAndLoads) {
  for (const KeyAlgorithm algorithm :
       {KeyAlgorithm::p256, KeyAlgorithm::p384, KeyAlgorithm::ed25519, KeyAlgorithm::rsa}) {
    const auto store = open();
    const std::string name = "device-" + std::to_string(static_cast<int>(algorithm));
    const auto made = store->create(name, algorithm);
    ASSERT_TRUE(made);
    EXPECT_EQ(made->evidence, Evidence::software);
    EXPECT_EQ(made->key.algorithm(), algorithm);
    const auto loaded = open()->load(name);  // by another store, as after a restart
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->key.public_key(), made->key.public_key());
    EXPECT_TRUE(made->key.public_key().verify(view_of("m"), *loaded->key.sign(view_of("m"))));
  }
}

TEST_P(FileKeyStoreTest, NeverReplacesByCreating) {
  const auto store = open();
  const auto first = store->create("device", KeyAlgorithm::p256);
  EXPECT_EQ(code_of(store->create("device", KeyAlgorithm::p256)), Code::already_exists);
  EXPECT_EQ(store->load("device")->key.public_key(), first->key.public_key());
}

TEST_P(FileKeyStoreTest, PutReplaces) {
  const auto store = open();
  ASSERT_TRUE(store->create("device", KeyAlgorithm::p256));
  const auto key = *crypto::PrivateKey::generate(KeyAlgorithm::p384);
  ASSERT_TRUE(store->put("device", key));
  EXPECT_EQ(store->load("device")->key.public_key(), key.public_key());
  EXPECT_FALSE(store->put("empty", crypto::PrivateKey()));
  EXPECT_EQ(code_of(store->load("empty")), Code::not_found);
}

TEST_P(FileKeyStoreTest, RenamesOverAnother) {
  const auto store = open();
  ASSERT_TRUE(store->create("device", KeyAlgorithm::p256));
  const auto next = store->create("device.next", KeyAlgorithm::p256);
  ASSERT_TRUE(store->rename("device.next", "device"));
  EXPECT_EQ(store->load("device")->key.public_key(), next->key.public_key());
  EXPECT_EQ(code_of(store->load("device.next")), Code::not_found);
  ASSERT_TRUE(store->rename("device", "device"));
  EXPECT_TRUE(store->load("device"));
  EXPECT_EQ(code_of(store->rename("nothing", "device")), Code::not_found);
}

TEST_P(FileKeyStoreTest, ListsAndRemoves) {
  const auto store = open();
  EXPECT_TRUE(store->list()->empty());
  ASSERT_TRUE(store->create("b", KeyAlgorithm::ed25519));
  ASSERT_TRUE(store->create("a", KeyAlgorithm::ed25519));
  overwrite("keys/a.key.tmp", view_of("left over by a crash"));
  overwrite("keys/README", view_of("not a key"));
  EXPECT_EQ(*store->list(), (std::vector<std::string>{"a", "b"}));
  ASSERT_TRUE(store->remove("a"));
  EXPECT_EQ(code_of(store->remove("a")), Code::not_found);
  EXPECT_EQ(code_of(store->load("a")), Code::not_found);
  EXPECT_EQ(*store->list(), std::vector<std::string>{"b"});
}

TEST_P(FileKeyStoreTest, NamesAreNoPaths) {
  const auto store = open();
  for (const char* name : {"", ".", "..", ".hidden", "a/b", "../a", "A", "a b", "a\n"}) {
    EXPECT_EQ(code_of(store->create(name, KeyAlgorithm::p256)), Code::invalid_argument) << name;
    EXPECT_EQ(code_of(store->load(name)), Code::invalid_argument) << name;
    EXPECT_EQ(code_of(store->remove(name)), Code::invalid_argument) << name;
  }
  EXPECT_EQ(code_of(store->load(std::string(kKeyNameBytesMax + 1, 'a'))), Code::invalid_argument);
  EXPECT_TRUE(store->create(std::string(kKeyNameBytesMax, 'a'), KeyAlgorithm::ed25519));
  EXPECT_TRUE(store->create("device-1_a.next", KeyAlgorithm::ed25519));
}

TEST_P(FileKeyStoreTest, NothingReadableIsOnTheDisk) {
  const auto store = open();
  const auto made = store->create("device", KeyAlgorithm::p256);
  const Bytes plain = *made->key.pkcs8_der();
  const Bytes file = content("keys/device.key");
  ASSERT_GT(file.size(), plain.size());
  // Any run of eight bytes of the key, found in the file, would be a leak.
  for (std::size_t i = 0; i + 8 <= plain.size(); ++i) {
    const auto part = View(plain).subspan(i, 8);
    EXPECT_EQ(std::search(file.begin(), file.end(), part.begin(), part.end()), file.end()) << i;
  }
  const auto again = *crypto::PrivateKey::from_pkcs8(plain);
  ASSERT_TRUE(store->put("device", again));
  EXPECT_NE(content("keys/device.key"), file);  // a nonce of its own each time
}

TEST_P(FileKeyStoreTest, AnotherSealingKeyOpensNothing) {
  ASSERT_TRUE(open()->create("device", KeyAlgorithm::p256));
  EXPECT_EQ(code_of(open(Bytes(32, 0x5F))->load("device")), Code::seal_key_wrong);
  EXPECT_EQ(code_of(make_file_key_store(files(), system().entropy, path("keys"), Bytes(16, 1))),
            Code::invalid_argument);
}

TEST_P(FileKeyStoreTest, EveryDamageShows) {
  const auto store = open();
  ASSERT_TRUE(store->create("device", KeyAlgorithm::ed25519));
  const Bytes file = content("keys/device.key");
  for (std::size_t i = 0; i < file.size(); ++i) {
    Bytes damaged = file;
    damaged[i] ^= 0x10;
    overwrite("keys/device.key", damaged);
    const Code code = code_of(store->load("device"));
    EXPECT_TRUE(code == Code::corrupt || code == Code::seal_key_wrong) << i;
  }
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{7}, std::size_t{20}, file.size() - 1}) {
    overwrite("keys/device.key", View(file).first(size));
    EXPECT_EQ(code_of(store->load("device")), Code::corrupt) << size;
  }
}

TEST_P(FileKeyStoreTest, OneKeysFileIsNotAnothers) {
  const auto store = open();
  ASSERT_TRUE(store->create("device", KeyAlgorithm::p256));
  overwrite("keys/other.key", content("keys/device.key"));
  EXPECT_EQ(code_of(store->load("other")), Code::corrupt);
}

TEST_P(FileKeyStoreTest, MakesTheSealingKeyOnce) {
  const auto made = load_or_make_sealing_key(files(), system().entropy, path("agent.seal"));
  ASSERT_TRUE(made);
  EXPECT_EQ(made->size(), 32U);
  EXPECT_NE(*made, Bytes(32, 0));
  EXPECT_EQ(*load_or_make_sealing_key(files(), system().entropy, path("agent.seal")), *made);
  overwrite("agent.seal", view_of("short"));
  EXPECT_EQ(code_of(load_or_make_sealing_key(files(), system().entropy, path("agent.seal"))),
            Code::seal_key_wrong);
  overwrite("agent.seal", Bytes(33, 1));
  EXPECT_EQ(code_of(load_or_make_sealing_key(files(), system().entropy, path("agent.seal"))),
            Code::seal_key_wrong);
}

// A power cut at any moment leaves the old key or the new one.
TEST(FileKeyStoreCrash, OldKeyOrNew) {
  const auto old_key = *crypto::PrivateKey::generate(KeyAlgorithm::ed25519);
  const auto new_key = *crypto::PrivateKey::generate(KeyAlgorithm::ed25519);
  unsigned kept = 0, replaced = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    os::sim::Simulation world(seed);
    os::sim::Node& node = world.node("one");
    {
      auto system = node.system();
      auto store = *make_file_key_store(system.files, system.entropy, "/keys", kSealingKey);
      ASSERT_TRUE(store->put("device", old_key));
      node.disk().crash_at(node.disk().operations() + 1 + seed % 6);
      static_cast<void>(store->put("device", new_key));
    }
    if (node.up()) node.crash();
    node.restart();
    auto system = node.system();
    auto store = *make_file_key_store(system.files, system.entropy, "/keys", kSealingKey);
    const auto loaded = store->load("device");
    ASSERT_TRUE(loaded) << seed << loaded.error().text();
    const bool is_old = loaded->key.public_key() == old_key.public_key();
    ASSERT_TRUE(is_old || loaded->key.public_key() == new_key.public_key());
    ++(is_old ? kept : replaced);
  }
  EXPECT_GT(kept, 0U);
  EXPECT_GT(replaced, 0U);
}

TEST(Evidence, HasNames) {
  EXPECT_EQ(name_of(Evidence::software), "software");
  EXPECT_EQ(name_of(Evidence::secure_element), "secure_element");
  EXPECT_EQ(name_of(Evidence::tpm), "tpm");
}

}  // namespace
}  // namespace holdfast::keys
