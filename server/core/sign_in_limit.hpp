// Slows down who guesses passwords: after kFailuresFree failures within a minute, a name or an
// address is refused for a while that doubles with each further failure, up to kBlockMost. A
// success clears the name, not the address. Pure: takes `now`; bounded: the longest unused entries
// go first. Threads: one at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/time.hpp"

namespace holdfast::core {

class SignInLimit {
 public:
  static constexpr unsigned kFailuresFree = 5;
  static constexpr Duration kWindow = minutes(1);
  static constexpr Duration kBlockFirst = seconds(5);
  static constexpr Duration kBlockMost = minutes(15);
  static constexpr std::size_t kEntriesMax = 10'000;

  // How long this attempt must wait; nullopt: it may go on.
  std::optional<Duration> wait(std::string_view name, std::string_view address, MonoTime now) const;
  void failed(std::string_view name, std::string_view address, MonoTime now);
  void succeeded(std::string_view name);
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    unsigned failures = 0;
    MonoTime last;
    MonoTime blocked_until;
  };
  void add_failure(const std::string& key, MonoTime now);
  void forget_oldest();
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace holdfast::core
