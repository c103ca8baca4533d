#include "agent/spool/ranges.hpp"

#include <iterator>

namespace holdfast::agent {

void SequenceRanges::add(std::uint64_t number) {
  auto after = ranges_.upper_bound(number);
  const auto before = after == ranges_.begin() ? ranges_.end() : std::prev(after);
  if (before != ranges_.end() && number <= before->second) return;
  // No sums with `number`, which may be the largest: the neighbours are apart, so these cannot
  // wrap.
  const bool joins_after = after != ranges_.end() && after->first - 1 == number;
  const bool joins_before = before != ranges_.end() && before->second == number - 1;
  if (joins_before && joins_after) {
    before->second = after->second;
    ranges_.erase(after);
  } else if (joins_before) {
    before->second = number;
  } else if (joins_after) {
    const std::uint64_t last = after->second;
    ranges_.erase(after);
    ranges_.emplace(number, last);
  } else if (ranges_.size() < kRangesMax) {
    ranges_.emplace(number, number);
  }
}

bool SequenceRanges::contains(std::uint64_t number) const {
  const auto after = ranges_.upper_bound(number);
  return after != ranges_.begin() && number <= std::prev(after)->second;
}

void SequenceRanges::forget_below(std::uint64_t number) {
  while (!ranges_.empty() && ranges_.begin()->first < number) {
    const std::uint64_t last = ranges_.begin()->second;
    ranges_.erase(ranges_.begin());
    if (last >= number) ranges_.emplace(number, last);
  }
}

}  // namespace holdfast::agent
