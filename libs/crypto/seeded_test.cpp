#include "libs/crypto/seeded.hpp"

#include <gtest/gtest.h>

#include "libs/crypto/testing.hpp"
#include "libs/os/sim/simulation.hpp"

namespace holdfast::crypto {
namespace {

using testing::must;

// What a simulation does with keys: make one, sign with it, certify it.
Bytes life_of_a_key(std::uint64_t seed, KeyAlgorithm algorithm) {
  os::sim::Simulation world(seed);
  os::System system = world.node("one").system();
  SeededRandom random(system.entropy);
  testing::Pki pki(system.clock.wall(), algorithm);
  Bytes all = pki.device("dev_1").chain_der[0];
  append(all, must(pki.root().key.sign(view_of("message"))));
  return all;
}

TEST(SeededRandom, ASeedGivesTheSameKeysAndSignatures) {
  for (const KeyAlgorithm algorithm : {KeyAlgorithm::p256, KeyAlgorithm::ed25519}) {
    const Bytes first = life_of_a_key(11, algorithm);
    EXPECT_EQ(life_of_a_key(11, algorithm), first) << name_of(algorithm);
    EXPECT_NE(life_of_a_key(12, algorithm), first);
  }
}

TEST(SeededRandom, EndsWithItsObject) {
  life_of_a_key(11, KeyAlgorithm::p256);
  const PrivateKey one = must(PrivateKey::generate(KeyAlgorithm::p256));
  life_of_a_key(11, KeyAlgorithm::p256);
  EXPECT_FALSE(one.public_key() == must(PrivateKey::generate(KeyAlgorithm::p256)).public_key());
}

}  // namespace
}  // namespace holdfast::crypto
