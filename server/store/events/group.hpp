// Groups of up to 65,536 events, what the directory of a file says of them, and their encoding
// (docs/spec/events.md, File). Errors: corrupt. Pure; thread-safe.
#pragma once

#include "server/store/events/block.hpp"
#include "server/store/events/filter.hpp"

namespace holdfast::events {

inline constexpr std::size_t kGroupEvents = kBlockEvents * kGroupBlocksMax;
inline constexpr std::size_t kGroupTextBytesMax = 24 * 1024 * 1024;  // then the group ends early

struct Span {
  std::int64_t least = INT64_MAX, greatest = INT64_MIN;
  void add(std::int64_t value) {
    least = std::min(least, value);
    greatest = std::max(greatest, value);
  }
  bool reaches(std::int64_t from, std::int64_t to) const { return greatest >= from && least < to; }
};

struct BlockHead {
  std::uint32_t meta_length = 0, messages_length = 0, fields_length = 0;  // sealed
  std::uint32_t count = 0;
  Span time;
  std::uint8_t severities = 0;  // bit k: severity k occurs
  Ulid first_device{}, last_device{};
  std::uint64_t length() const {
    return std::uint64_t{meta_length} + messages_length + fields_length;
  }
};

struct Group {
  std::uint64_t offset = 0;  // in the file
  journal::Cursor first, last;
  Span received, time;
  std::uint8_t severities = 0;
  std::vector<BlockHead> blocks;
  std::vector<std::uint32_t> page_lengths;  // sealed
  Rollup rollup;

  std::uint64_t events() const;
  std::uint64_t length() const;
  std::uint64_t block_offset(std::size_t block) const;
  std::uint64_t page_offset(std::size_t page) const;
  BlockMask all_blocks() const;
  BlockMask blocks_of(const Ulid& device) const;
};

// Describes events given in order of position; offsets and lengths come with writing.
Group describe(RowPointers in_order);
BlockHead describe_block(RowPointers rows);

Bytes encode_directory(const std::vector<Group>& groups);
Result<std::vector<Group>> decode_directory(View part, std::size_t groups);

}  // namespace holdfast::events
