#include "server/identity/attempts.hpp"

namespace holdfast::identity {

void AttemptLimit::trim(std::deque<MonoTime>& times, MonoTime now) {
  while (!times.empty() && times.front() <= now - minutes(1)) times.pop_front();
}

Status AttemptLimit::check(const std::string& address, MonoTime now) {
  const bool fine = book_.with([&](Book& book) {
    const auto at = book.by_address.find(address);
    if (at == book.by_address.end()) return true;
    trim(at->second, now);
    return at->second.size() < kWrongClaimsMax;
  });
  if (fine) return {};
  return fail(Code::rate_limited, "too many wrong claims from this address: wait a minute");
}

void AttemptLimit::failed(const std::string& address, MonoTime now) {
  book_.with([&](Book& book) {
    const auto [at, added] = book.by_address.try_emplace(address);
    if (added) book.order.push_back(address);
    trim(at->second, now);
    if (at->second.size() < kWrongClaimsMax) at->second.push_back(now);
    while (book.order.size() > kAddressesMax) {
      book.by_address.erase(book.order.front());
      book.order.pop_front();
    }
  });
}

}  // namespace holdfast::identity
