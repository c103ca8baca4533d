#include "libs/crypto/admission.hpp"

#include <algorithm>

namespace holdfast::crypto {

std::optional<Admission::Ticket> Admission::arrived(Ticket ticket) {
  silent_.insert(ticket);
  if (silent_.size() + waiting_.size() <= limits_.silent_max) return std::nullopt;
  // Silent ones first: who waits has shown at least that somebody is there.
  std::set<Ticket>& from = silent_.size() > 1 || waiting_.empty() ? silent_ : waiting_;
  const Ticket oldest = *from.begin();
  from.erase(from.begin());
  return oldest;
}

void Admission::spoke(Ticket ticket) {
  if (silent_.erase(ticket) != 0) waiting_.insert(ticket);
}

std::optional<Admission::Ticket> Admission::next(MonoTime now) {
  if (waiting_.empty() || active_.size() >= limits_.handshakes_max) return std::nullopt;
  const Ticket first = *waiting_.begin();
  waiting_.erase(waiting_.begin());
  active_.emplace(first, now);
  return first;
}

void Admission::progressed(Ticket ticket, MonoTime now) {
  if (const auto found = active_.find(ticket); found != active_.end()) found->second = now;
}

std::optional<Admission::Ticket> Admission::stalled(MonoTime now) const {
  if (waiting_.empty() || active_.size() < limits_.handshakes_max || active_.empty()) {
    return std::nullopt;
  }
  const auto oldest =
      std::min_element(active_.begin(), active_.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  if (now - oldest->second < kStallLimit) return std::nullopt;
  return oldest->first;
}

void Admission::left(Ticket ticket) {
  if (silent_.erase(ticket) == 0 && waiting_.erase(ticket) == 0) active_.erase(ticket);
}

}  // namespace holdfast::crypto
