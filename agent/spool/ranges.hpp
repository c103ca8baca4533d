// SequenceRanges: a set of numbers as ranges, small where they come nearly in order, as
// acknowledgements do. Bounded: beyond kRangesMax ranges a number that would begin another one is
// forgotten, which costs a repeat and nothing else. Value; one owner thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

namespace holdfast::agent {

class SequenceRanges final {
 public:
  static constexpr std::size_t kRangesMax = 4096;

  void add(std::uint64_t number);
  bool contains(std::uint64_t number) const;
  void forget_below(std::uint64_t number);
  std::size_t ranges() const { return ranges_.size(); }

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;  // first to last, apart from one another
};

}  // namespace holdfast::agent
