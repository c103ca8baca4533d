#include "libs/os/real/entropy.hpp"

#include <sys/random.h>

#include <cstdio>
#include <cstdlib>

#include "libs/os/real/errno.hpp"

namespace holdfast::os::real {

void RealEntropy::fill(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const auto count = retry_interrupted([&] { return ::getrandom(out.data(), out.size(), 0); });
    if (count <= 0) {
      // Keys made of anything else would be worse than no program.
      std::fputs("no randomness: getrandom failed\n", stderr);
      std::abort();
    }
    out = out.subspan(static_cast<std::size_t>(count));
  }
}

}  // namespace holdfast::os::real
