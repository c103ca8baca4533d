// Passwords as Argon2id (RFC 9106), encoded with salt and costs: 64 MiB, 3 passes, 1 lane. Hashing
// runs on threads of its own, a few at once, because each takes its memory for a tenth of a second.
// Threads: any but its own; calls block.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "libs/base/metrics.hpp"
#include "libs/base/result.hpp"
#include "libs/os/entropy.hpp"
#include "libs/os/workers.hpp"

namespace holdfast::core {

inline constexpr std::size_t kPasswordBytesMin = 12;
inline constexpr std::size_t kPasswordBytesMax = 256;

struct PasswordCosts {
  std::uint32_t memory_kib = 64 * 1024;
  std::uint32_t passes = 3;
};

class Passwords {
 public:
  Passwords(os::Entropy& entropy, os::Threads& threads, Metrics& metrics, unsigned at_once,
            unsigned waiting_max, PasswordCosts costs);
  Passwords(const Passwords&) = delete;
  Passwords& operator=(const Passwords&) = delete;

  // overloaded when too many wait.
  Result<std::string> hash(std::string_view password);
  // An encoded text that is none never fits. `encoded` empty: takes the time of a check and says
  // no, so that an unknown name takes as long as a wrong password.
  Result<bool> fits(std::string_view encoded, std::string_view password);

 private:
  Status on_worker(const std::function<void()>& work);

  os::Entropy& entropy_;
  const PasswordCosts costs_;
  const unsigned waiting_max_;
  std::atomic<unsigned> waiting_{0};
  Counter& refused_;
  std::unique_ptr<os::Workers> workers_;
};

}  // namespace holdfast::core
