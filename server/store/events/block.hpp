// Blocks of sealed events and the index of a file (docs/spec/events.md, File): columns of what
// filters ask first (position, times, severity, device, kind), then messages, then fields. Pure;
// thread-safe. Errors: corrupt.
#pragma once

#include "server/store/events/body.hpp"

namespace holdfast::events {

inline constexpr std::size_t kBlockEvents = 2'048;
inline constexpr std::size_t kPartBytesMax = 256 * 1024 * 1024;  // plain

// An event as it lies in files and memory: with its position, fields still encoded.
struct Row {
  journal::Cursor at;
  Ulid subject{};  // all zero: the device
  Event event;     // without its fields
  Bytes encoded_fields;
};
Result<Row> row_of(const journal::Stored& record);
Result<Event> event_of(Row row);

struct Meta {
  std::vector<journal::Cursor> at;
  std::vector<std::int64_t> received, time, claimed;
  std::vector<std::uint8_t> source, severity;
  std::vector<Ulid> devices, subjects;  // entries ...
  std::vector<std::string> kinds;
  std::vector<std::uint32_t> device, subject, kind;  // ... and which one each event has
  std::size_t size() const { return at.size(); }
};

struct Parts {
  Bytes meta, messages, fields;
};
Parts encode_block(const std::vector<Row>& rows);
Result<Meta> decode_meta(View part, std::size_t count);
// One text an event; views into `part`.
Result<std::vector<std::string_view>> decode_texts(View part, std::size_t count);

struct IndexEntry {
  std::uint64_t offset = 0;
  std::uint32_t meta_length = 0, messages_length = 0, fields_length = 0;  // sealed
  std::uint32_t count = 0;
  journal::Cursor first;
  std::int64_t received = 0, received_last = 0;
  std::int64_t time_min = 0, time_max = 0;
  std::uint8_t severities = 0;  // bit k: severity k occurs
};
IndexEntry describe(const std::vector<Row>& rows);  // without offset and lengths
Bytes encode_index(const std::vector<IndexEntry>& index);
Result<std::vector<IndexEntry>> decode_index(View part, std::size_t blocks);

}  // namespace holdfast::events
