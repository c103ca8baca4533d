// Blocks of sealed events (docs/spec/events.md, Blocks): up to 2,048 events of one group, ordered
// by device, as three parts: what filters ask first (position, times, severity, device, kind), then
// messages, then fields. Errors: corrupt. Pure; thread-safe.
#pragma once

#include <span>

#include "server/store/events/columns.hpp"

namespace holdfast::events {

inline constexpr std::size_t kBlockEvents = 2'048;
inline constexpr std::size_t kPartBytesMax = 256 * 1024 * 1024;  // plain

struct Meta {
  std::vector<journal::Cursor> at;
  std::vector<std::int64_t> received, time, claimed;
  std::vector<std::uint8_t> source, severity;
  std::vector<Ulid> devices, subjects;  // entries ...
  std::vector<std::string> kinds;
  std::vector<std::uint32_t> device, subject, kind;  // ... and which one each event has
  std::size_t size() const { return at.size(); }
};

using RowPointers = std::span<const Row* const>;
struct Parts {
  Bytes meta, messages, fields;
};
Parts encode_block(RowPointers rows);  // in the order of the block
Result<Meta> decode_meta(View part, std::size_t count);

// A block in memory, as far as it was read.
struct Block {
  Meta meta;
  bool has_messages = false, has_fields = false;
  Views messages, fields;
  Bytes messages_part, fields_part;  // what views may point into
  Arena arena;
  Row row(std::size_t i) const;
};

// Events counted by minute, kind and severity.
struct Rollup {
  struct Line {
    std::int64_t minute = 0;
    std::uint32_t kind = 0;
    std::uint8_t severity = 0;
    std::uint64_t count = 0;
    bool operator==(const Line&) const = default;
  };
  std::vector<std::string> kinds;
  std::vector<Line> lines;  // by minute, kind, severity
};
std::int64_t minute_of(std::int64_t us);
Rollup roll_up(RowPointers rows);

}  // namespace holdfast::events
