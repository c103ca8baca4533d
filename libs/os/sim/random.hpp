// Random: numbers from a seed (SplitMix64), the same on every machine. For simulations and tests
// only; keys and ids come from os::Entropy. Value; one thread at a time.
#pragma once

#include <cstdint>
#include <string_view>

#include "libs/base/time.hpp"

namespace holdfast::os::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  // A stream of its own for each name, so that one part's draws do not shift another's.
  Random(std::uint64_t seed, std::string_view name) : state_(seed) {
    for (const char c : name) state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
    next();
  }

  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  // Uniform in [0, below); below > 0.
  std::uint64_t below(std::uint64_t below) { return next() % below; }
  bool chance(unsigned percent) { return below(100) < percent; }
  // Uniform in [low, high].
  Duration between(Duration low, Duration high) {
    return Duration{low.us + static_cast<std::int64_t>(
                                 below(static_cast<std::uint64_t>(high.us - low.us) + 1))};
  }

 private:
  std::uint64_t state_;
};

}  // namespace holdfast::os::sim
