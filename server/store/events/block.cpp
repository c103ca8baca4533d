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
void put_column(Bytes& out, RowPointers rows, F&& of) {
  Ints values;
  values.reserve(rows.size());
  for (const Row* row : rows) values.push_back(static_cast<std::int64_t>(of(*row)));
  put_ints(out, values);
}

void put_ulids(Bytes& out, RowPointers rows, const Ulid& (*of)(const Row&)) {
  std::unordered_map<Ulid, std::int64_t, series::UlidHash> places;
  Bytes entries;
  Ints each;
  for (const Row* row : rows) {
    const auto [at, fresh] = places.try_emplace(of(*row), static_cast<std::int64_t>(places.size()));
    if (fresh) append(entries, of(*row));
    each.push_back(at->second);
  }
  put_varint(out, places.size());
  append(out, entries);
  put_ints(out, each);
}

void put_kinds(Bytes& out, RowPointers rows) {
  std::unordered_map<std::string_view, std::int64_t> places;
  Views entries;
  Ints each;
  for (const Row* row : rows) {
    const auto [at, fresh] =
        places.try_emplace(row->kind, static_cast<std::int64_t>(places.size()));
    if (fresh) entries.push_back(row->kind);
    each.push_back(at->second);
  }
  put_list(out, entries);
  put_ints(out, each);
}

Result<Ints> take_column(ByteReader& in, std::size_t count) {
  Ints out(count);
  TRY(take_ints(in, out));
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

Parts encode_block(RowPointers rows) {
  Parts parts;
  Bytes& meta = parts.meta;
  put_column(meta, rows, [](const Row& row) { return row.at.segment; });
  put_column(meta, rows, [](const Row& row) { return row.at.record; });
  put_column(meta, rows, [](const Row& row) { return row.received; });
  put_column(meta, rows, [](const Row& row) { return minus(row.time, row.received); });
  put_column(meta, rows, [](const Row& row) { return minus(row.claimed, row.time); });
  put_column(meta, rows, [](const Row& row) { return row.source; });
  put_column(meta, rows, [](const Row& row) { return row.severity; });
  put_ulids(meta, rows, [](const Row& row) -> const Ulid& { return row.device; });
  put_ulids(meta, rows, [](const Row& row) -> const Ulid& { return row.subject; });
  put_kinds(meta, rows);
  Views texts;
  for (const Row* row : rows) texts.push_back(row->message);
  put_messages(parts.messages, texts);
  for (std::size_t i = 0; i < rows.size(); ++i) texts[i] = rows[i]->fields;
  put_field_columns(parts.fields, texts);
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
  for (const std::string_view kind : TRY(take_list(in, count))) {
    if (kind.size() > kKindBytesMax) return fail(Code::corrupt, "a kind is longer than any can be");
    out.kinds.emplace_back(kind);
  }
  out.kind = TRY(take_places(in, count, out.kinds.size()));
  if (!in.done()) return fail(Code::corrupt, "a block has bytes beyond its end");
  return out;
}

Row Block::row(std::size_t i) const {
  Row row;
  row.at = meta.at[i];
  row.received = meta.received[i];
  row.time = meta.time[i];
  row.claimed = meta.claimed[i];
  row.source = meta.source[i];
  row.severity = meta.severity[i];
  row.device = meta.devices[meta.device[i]];
  row.subject = meta.subjects[meta.subject[i]];
  row.kind = meta.kinds[meta.kind[i]];
  if (has_messages) row.message = messages[i];
  if (has_fields) row.fields = fields[i];
  return row;
}

std::int64_t minute_of(std::int64_t us) {
  constexpr std::int64_t kMinute = 60'000'000;
  return us / kMinute - (us % kMinute < 0 ? 1 : 0);
}

Rollup roll_up(RowPointers rows) {
  std::map<std::string_view, std::uint32_t> places;
  Rollup out;
  std::vector<Rollup::Line> all;
  for (const Row* row : rows) {
    const auto [at, fresh] =
        places.try_emplace(row->kind, static_cast<std::uint32_t>(places.size()));
    if (fresh) out.kinds.emplace_back(row->kind);
    all.push_back({minute_of(row->time), at->second, row->severity, 1});
  }
  std::ranges::sort(all, {}, [](const Rollup::Line& line) {
    return std::tuple(line.minute, line.kind, line.severity);
  });
  for (const Rollup::Line& line : all) {
    const bool same = !out.lines.empty() && out.lines.back().minute == line.minute &&
                      out.lines.back().kind == line.kind &&
                      out.lines.back().severity == line.severity;
    if (same) {
      ++out.lines.back().count;
    } else {
      out.lines.push_back(line);
    }
  }
  return out;
}

}  // namespace holdfast::events
