#include "server/store/events/block.hpp"

#include <algorithm>
#include <unordered_map>

#include "server/store/series/head.hpp"
#include "server/store/series/ints.hpp"

namespace holdfast::events {
namespace {

using series::put_ints;
using series::take_ints;
using Ints = std::vector<std::int64_t>;

std::int64_t minus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
std::int64_t plus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

template <class F>
void put_column(Bytes& out, const std::vector<Row>& rows, F&& of) {
  Ints values;
  values.reserve(rows.size());
  for (const Row& row : rows) values.push_back(static_cast<std::int64_t>(of(row)));
  put_ints(out, values);
}

void put_ulids(Bytes& out, const std::vector<Row>& rows, const Ulid& (*of)(const Row&)) {
  std::unordered_map<Ulid, std::int64_t, series::UlidHash> places;
  Bytes entries;
  Ints each;
  for (const Row& row : rows) {
    const auto [at, fresh] = places.try_emplace(of(row), static_cast<std::int64_t>(places.size()));
    if (fresh) append(entries, of(row));
    each.push_back(at->second);
  }
  put_varint(out, places.size());
  append(out, entries);
  put_ints(out, each);
}

void put_kinds(Bytes& out, const std::vector<Row>& rows) {
  std::unordered_map<std::string_view, std::int64_t> places;
  Bytes entries;
  Ints each;
  for (const Row& row : rows) {
    const auto [at, fresh] =
        places.try_emplace(row.event.kind, static_cast<std::int64_t>(places.size()));
    if (fresh) {
      put_varint(entries, row.event.kind.size());
      append(entries, view_of(row.event.kind));
    }
    each.push_back(at->second);
  }
  put_varint(out, places.size());
  append(out, entries);
  put_ints(out, each);
}

template <class F>
Bytes texts_part(const std::vector<Row>& rows, F&& of) {
  Bytes out;
  Ints lengths;
  std::size_t size = 0;
  for (const Row& row : rows) {
    lengths.push_back(static_cast<std::int64_t>(of(row).size()));
    size += of(row).size();
  }
  put_ints(out, lengths);
  out.reserve(out.size() + size);
  for (const Row& row : rows) append(out, of(row));
  return out;
}

Result<Ints> take_column(ByteReader& in, std::size_t count) {
  Ints out(count);
  TRY(take_ints(in, out));
  return out;
}

// Which entry each event has.
Result<std::vector<std::uint32_t>> take_places(ByteReader& in, std::size_t count,
                                               std::uint64_t entries) {
  std::vector<std::uint32_t> out;
  for (const std::int64_t place : TRY(take_column(in, count))) {
    if (place < 0 || static_cast<std::uint64_t>(place) >= entries)
      return fail(Code::corrupt, "an event names no entry of its block");
    out.push_back(static_cast<std::uint32_t>(place));
  }
  return out;
}

Result<std::vector<std::uint32_t>> take_ulids(ByteReader& in, std::size_t count,
                                              std::vector<Ulid>& entries) {
  const std::uint64_t size = TRY(in.varint());
  if (size > count) return fail(Code::corrupt, "a block has more devices than events");
  for (std::uint64_t i = 0; i < size; ++i) {
    const View bytes = TRY(in.take(16));
    std::ranges::copy(bytes, entries.emplace_back().begin());
  }
  return take_places(in, count, size);
}

Result<std::vector<std::uint32_t>> take_kinds(ByteReader& in, std::size_t count,
                                              std::vector<std::string>& entries) {
  const std::uint64_t size = TRY(in.varint());
  if (size > count) return fail(Code::corrupt, "a block has more kinds than events");
  for (std::uint64_t i = 0; i < size; ++i)
    entries.push_back(string_of(TRY(in.take(TRY(in.varint())))));
  return take_places(in, count, size);
}

Status take_small(ByteReader& in, std::size_t count, std::uint8_t max,
                  std::vector<std::uint8_t>& out) {
  for (const std::int64_t value : TRY(take_column(in, count))) {
    if (value < 0 || value > max)
      return fail(Code::corrupt, "an event has an unknown severity or source of time");
    out.push_back(static_cast<std::uint8_t>(value));
  }
  return {};
}

}  // namespace

Result<Row> row_of(const journal::Stored& record) {
  Row row;
  row.at = record.at;
  row.subject = record.subject;
  row.event = TRY(decode_event(record));
  put_fields(row.encoded_fields, row.event.fields);
  row.event.fields.clear();
  return row;
}

Result<Event> event_of(Row row) {
  ByteReader in(row.encoded_fields);
  row.event.fields = TRY(take_fields(in));
  return std::move(row.event);
}

Parts encode_block(const std::vector<Row>& rows) {
  Parts parts;
  Bytes& meta = parts.meta;
  put_column(meta, rows, [](const Row& row) { return row.at.segment; });
  put_column(meta, rows, [](const Row& row) { return row.at.record; });
  put_column(meta, rows, [](const Row& row) { return row.event.received.us; });
  put_column(meta, rows,
             [](const Row& row) { return minus(row.event.time.us, row.event.received.us); });
  put_column(meta, rows,
             [](const Row& row) { return minus(row.event.claimed.us, row.event.time.us); });
  put_column(meta, rows, [](const Row& row) { return static_cast<int>(row.event.time_source); });
  put_column(meta, rows, [](const Row& row) { return static_cast<int>(row.event.severity); });
  put_ulids(meta, rows, [](const Row& row) -> const Ulid& { return row.event.device; });
  put_ulids(meta, rows, [](const Row& row) -> const Ulid& { return row.subject; });
  put_kinds(meta, rows);
  parts.messages = texts_part(rows, [](const Row& row) { return view_of(row.event.message); });
  parts.fields = texts_part(rows, [](const Row& row) { return View(row.encoded_fields); });
  return parts;
}

Result<Meta> decode_meta(View part, std::size_t count) {
  if (count == 0 || count > kBlockEvents)
    return fail(Code::corrupt, "a block has an impossible number of events");
  Meta out;
  ByteReader in(part);
  const Ints segments = TRY(take_column(in, count));
  const Ints records = TRY(take_column(in, count));
  for (std::size_t i = 0; i < count; ++i) {
    out.at.push_back(
        {static_cast<std::uint64_t>(segments[i]), static_cast<std::uint32_t>(records[i])});
    if (i > 0 && !(out.at[i - 1] < out.at[i]))
      return fail(Code::corrupt, "a block's events are in disorder");
  }
  out.received = TRY(take_column(in, count));
  out.time = TRY(take_column(in, count));
  out.claimed = TRY(take_column(in, count));
  for (std::size_t i = 0; i < count; ++i) {
    out.time[i] = plus(out.time[i], out.received[i]);
    out.claimed[i] = plus(out.claimed[i], out.time[i]);
  }
  TRY(take_small(in, count, 2, out.source));
  TRY(take_small(in, count, static_cast<std::uint8_t>(Severity::critical), out.severity));
  out.device = TRY(take_ulids(in, count, out.devices));
  out.subject = TRY(take_ulids(in, count, out.subjects));
  out.kind = TRY(take_kinds(in, count, out.kinds));
  if (!in.done()) return fail(Code::corrupt, "a block has bytes beyond its end");
  return out;
}

Result<std::vector<std::string_view>> decode_texts(View part, std::size_t count) {
  ByteReader in(part);
  std::vector<std::string_view> out;
  for (const std::int64_t length : TRY(take_column(in, count))) {
    if (length < 0) return fail(Code::corrupt, "a text of a block has a negative length");
    out.push_back(text_of(TRY(in.take(static_cast<std::size_t>(length)))));
  }
  if (!in.done()) return fail(Code::corrupt, "a block has bytes beyond its end");
  return out;
}

IndexEntry describe(const std::vector<Row>& rows) {
  IndexEntry out;
  out.count = static_cast<std::uint32_t>(rows.size());
  out.first = rows.front().at;
  out.received = out.time_min = INT64_MAX;
  out.received_last = out.time_max = INT64_MIN;
  for (const Row& row : rows) {
    out.received = std::min(out.received, row.event.received.us);
    out.received_last = std::max(out.received_last, row.event.received.us);
    out.time_min = std::min(out.time_min, row.event.time.us);
    out.time_max = std::max(out.time_max, row.event.time.us);
    out.severities |= static_cast<std::uint8_t>(1U << static_cast<unsigned>(row.event.severity));
  }
  return out;
}

Bytes encode_index(const std::vector<IndexEntry>& index) {
  Bytes out;
  for (const IndexEntry& entry : index) {
    put_varint(out, entry.offset);
    for (const std::uint32_t number :
         {entry.meta_length, entry.messages_length, entry.fields_length, entry.count})
      put_varint(out, number);
    put_varint(out, entry.first.segment);
    put_varint(out, entry.first.record);
    for (const std::int64_t time :
         {entry.received, entry.received_last, entry.time_min, entry.time_max})
      put_varint(out, zigzag(time));
    out.push_back(entry.severities);
  }
  return out;
}

Result<std::vector<IndexEntry>> decode_index(View part, std::size_t blocks) {
  std::vector<IndexEntry> out;
  ByteReader in(part);
  for (std::size_t i = 0; i < blocks; ++i) {
    IndexEntry entry;
    entry.offset = TRY(in.varint());
    for (std::uint32_t* number :
         {&entry.meta_length, &entry.messages_length, &entry.fields_length, &entry.count}) {
      const std::uint64_t value = TRY(in.varint());
      if (value > kPartBytesMax)
        return fail(Code::corrupt, "an index names a part larger than any can be");
      *number = static_cast<std::uint32_t>(value);
    }
    entry.first.segment = TRY(in.varint());
    entry.first.record = static_cast<std::uint32_t>(TRY(in.varint()));
    for (std::int64_t* time :
         {&entry.received, &entry.received_last, &entry.time_min, &entry.time_max})
      *time = unzigzag(TRY(in.varint()));
    entry.severities = TRY(in.le<std::uint8_t>());
    out.push_back(entry);
  }
  if (!in.done()) return fail(Code::corrupt, "an index has bytes beyond its end");
  return out;
}

}  // namespace holdfast::events
