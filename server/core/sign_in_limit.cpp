#include "server/core/sign_in_limit.hpp"

#include <algorithm>

namespace holdfast::core {

namespace {

std::string name_key(std::string_view name) {
  return "n:" + std::string(name);
}
std::string address_key(std::string_view address) {
  return "a:" + std::string(address);
}

}  // namespace

std::optional<Duration> SignInLimit::wait(std::string_view name, std::string_view address,
                                          MonoTime now) const {
  Duration longest{};
  for (const std::string& key : {name_key(name), address_key(address)}) {
    const auto at = entries_.find(key);
    if (at == entries_.end()) continue;
    longest = std::max(longest, Duration{at->second.blocked_until.us - now.us});
  }
  if (longest <= Duration{}) return std::nullopt;
  return longest;
}

void SignInLimit::failed(std::string_view name, std::string_view address, MonoTime now) {
  add_failure(name_key(name), now);
  add_failure(address_key(address), now);
}

void SignInLimit::add_failure(const std::string& key, MonoTime now) {
  if (entries_.size() >= kEntriesMax && !entries_.contains(key)) forget_oldest();
  Entry& entry = entries_[key];
  // Quiet for a minute after the last block: a new start.
  const MonoTime calm = MonoTime{std::max(entry.last.us, entry.blocked_until.us)} + kWindow;
  if (now > calm) entry.failures = 0;
  ++entry.failures;
  entry.last = now;
  if (entry.failures < kFailuresFree) return;
  const unsigned doublings = std::min(entry.failures - kFailuresFree, 16U);
  entry.blocked_until = now + std::min(kBlockMost, kBlockFirst * (std::int64_t{1} << doublings));
}

void SignInLimit::succeeded(std::string_view name) {
  entries_.erase(name_key(name));
}

void SignInLimit::forget_oldest() {
  const auto oldest = std::ranges::min_element(entries_, {}, [](const auto& one) {
    return std::max(one.second.last, one.second.blocked_until);
  });
  if (oldest != entries_.end()) entries_.erase(oldest);
}

}  // namespace holdfast::core
