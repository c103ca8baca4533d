// Entropy: randomness of the operating system, or of a seed in a simulation. Thread-safe.
#pragma once

#include <span>

#include "libs/base/bytes.hpp"
#include "libs/base/id.hpp"

namespace holdfast::os {

class Entropy {
 public:
  virtual ~Entropy() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;  // never fails: ends the process if it must

  Bytes bytes(std::size_t count) {
    Bytes out(count);
    fill(out);
    return out;
  }
  std::uint64_t number() {
    std::array<std::uint8_t, 8> out{};
    fill(out);
    return load_le<std::uint64_t>(out.data());
  }
  // Uniform in [0, below); below > 0.
  std::uint64_t below(std::uint64_t below) { return number() % below; }
  template <class IdType>
  IdType make(WallTime now) {
    std::array<std::uint8_t, 10> out{};
    fill(out);
    return IdType::make(now, out);
  }
};

}  // namespace holdfast::os
