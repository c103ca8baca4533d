// The token filter of a group (docs/spec/events.md, Filter): which of its blocks have a term. Says
// yes where it should say no once in 64 times, never the reverse. Errors: corrupt. Pure.
#pragma once

#include "libs/base/bytes.hpp"

namespace holdfast::events {

inline constexpr std::size_t kGroupBlocksMax = 32;
using BlockMask = std::uint32_t;  // bit b: block b

// Not thread-safe; made once and used for group after group.
class FilterBuilder final {
 public:
  FilterBuilder();
  void add(std::uint64_t term);  // of the block now
  void end_block();
  std::vector<Bytes> take_pages();  // plain; and starts anew

 private:
  void grow();
  struct Entry {
    std::uint64_t term;
    std::uint32_t block;
  };
  std::vector<std::uint64_t> seen_;  // of the block now: open addressing, 0 is free
  std::size_t seen_count_ = 0;
  std::vector<Entry> entries_;
  std::uint32_t block_ = 0;
};

std::size_t page_of(std::uint64_t term, std::size_t pages);
Result<BlockMask> look_up(View page, std::uint64_t term, std::size_t pages, std::size_t blocks);

}  // namespace holdfast::events
