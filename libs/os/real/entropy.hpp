// The kernel's random numbers: getrandom(2). Thread-safe.
#pragma once

#include "libs/os/entropy.hpp"

namespace holdfast::os::real {

class RealEntropy final : public Entropy {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

}  // namespace holdfast::os::real
