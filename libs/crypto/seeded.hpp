// Randomness of OpenSSL out of an Entropy, for simulations: while a SeededRandom lives, keys, ECDSA
// signatures and everything else in OpenSSL draw from it, so that a seed replays a run.
// Process-wide, therefore at most one at a time, and never in a program that serves real devices.
#pragma once

#include "libs/os/entropy.hpp"

namespace holdfast::crypto {

class SeededRandom final {
 public:
  explicit SeededRandom(os::Entropy& entropy);
  ~SeededRandom();
  SeededRandom(const SeededRandom&) = delete;
  SeededRandom& operator=(const SeededRandom&) = delete;
};

}  // namespace holdfast::crypto
