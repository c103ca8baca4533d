// AttemptLimit: counts wrong claims by address in a sliding minute, so that guessing is hopeless and a
// typing error is not punished. Bounded: beyond kAddressesMax the oldest address is forgotten.
// Threads: any.
#pragma once

#include <deque>
#include <string>
#include <unordered_map>

#include "libs/base/guarded.hpp"
#include "libs/base/result.hpp"
#include "libs/base/time.hpp"

namespace holdfast::identity {

inline constexpr std::size_t kWrongClaimsMax = 10;  // a minute and address
inline constexpr std::size_t kAddressesMax = 10'000;

class AttemptLimit {
 public:
  Status check(const std::string& address, MonoTime now);  // Code::rate_limited
  void failed(const std::string& address, MonoTime now);

 private:
  struct Book {
    std::unordered_map<std::string, std::deque<MonoTime>> by_address;
    std::deque<std::string> order;  // of first appearance
  };
  static void trim(std::deque<MonoTime>& times, MonoTime now);
  Guarded<Book> book_;
};

}  // namespace holdfast::identity
