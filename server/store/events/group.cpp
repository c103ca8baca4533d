#include "server/store/events/group.hpp"

#include <algorithm>

#include "server/store/series/ints.hpp"

namespace holdfast::events {
namespace {

constexpr std::size_t kPagesMax = 1U << 20U;

void put_span(Bytes& out, const Span& span) {
  put_varint(out, zigzag(span.least));
  put_varint(out, zigzag(span.greatest));
}
Result<Span> take_span(ByteReader& in) {
  Span out;
  out.least = unzigzag(TRY(in.varint()));
  out.greatest = unzigzag(TRY(in.varint()));
  return out;
}
void put_cursor(Bytes& out, const journal::Cursor& cursor) {
  put_varint(out, cursor.segment);
  put_varint(out, cursor.record);
}
Result<journal::Cursor> take_cursor(ByteReader& in) {
  journal::Cursor out;
  out.segment = TRY(in.varint());
  out.record = static_cast<std::uint32_t>(TRY(in.varint()));
  return out;
}
Result<std::uint32_t> take_small(ByteReader& in) {
  const std::uint64_t value = TRY(in.varint());
  if (value > kPartBytesMax)
    return fail(Code::corrupt, "a directory names a part larger than any can be");
  return static_cast<std::uint32_t>(value);
}
Result<Ulid> take_ulid(ByteReader& in) {
  const View bytes = TRY(in.take(16));
  Ulid out{};
  std::ranges::copy(bytes, out.begin());
  return out;
}

template <class F>
void put_lines(Bytes& out, const Rollup& rollup, F&& of) {
  std::vector<std::int64_t> values;
  for (const Rollup::Line& line : rollup.lines)
    values.push_back(static_cast<std::int64_t>(of(line)));
  series::put_ints(out, values);
}

void put_rollup(Bytes& out, const Rollup& rollup) {
  put_varint(out, rollup.lines.size());
  put_list(out, {rollup.kinds.begin(), rollup.kinds.end()});
  put_lines(out, rollup, [](const Rollup::Line& line) { return line.minute; });
  put_lines(out, rollup, [](const Rollup::Line& line) { return line.kind; });
  put_lines(out, rollup, [](const Rollup::Line& line) { return line.severity; });
  put_lines(out, rollup, [](const Rollup::Line& line) { return line.count; });
}

Result<Rollup> take_rollup(ByteReader& in) {
  const std::uint64_t lines = TRY(in.varint());
  if (lines > kGroupEvents) return fail(Code::corrupt, "a roll-up has more lines than events");
  Rollup out;
  for (const std::string_view kind : TRY(take_list(in, lines))) out.kinds.emplace_back(kind);
  std::array<std::vector<std::int64_t>, 4> columns;
  for (auto& column : columns) {
    column.resize(lines);
    TRY(series::take_ints(in, column));
  }
  for (std::size_t i = 0; i < lines; ++i) {
    const auto kind = static_cast<std::uint64_t>(columns[1][i]);
    const auto severity = static_cast<std::uint64_t>(columns[2][i]);
    if (kind >= out.kinds.size() || severity > 5 || columns[3][i] < 0)
      return fail(Code::corrupt, "a roll-up's line cannot be");
    out.lines.push_back({columns[0][i], static_cast<std::uint32_t>(kind),
                         static_cast<std::uint8_t>(severity),
                         static_cast<std::uint64_t>(columns[3][i])});
  }
  return out;
}

void put_head(Bytes& out, const BlockHead& head) {
  for (const std::uint32_t number :
       {head.meta_length, head.messages_length, head.fields_length, head.count})
    put_varint(out, number);
  put_span(out, head.time);
  out.push_back(head.severities);
  append(out, head.first_device);
  append(out, head.last_device);
}

Result<BlockHead> take_head(ByteReader& in) {
  BlockHead out;
  for (std::uint32_t* number :
       {&out.meta_length, &out.messages_length, &out.fields_length, &out.count})
    *number = TRY(take_small(in));
  out.time = TRY(take_span(in));
  out.severities = TRY(in.le<std::uint8_t>());
  out.first_device = TRY(take_ulid(in));
  out.last_device = TRY(take_ulid(in));
  return out;
}

std::uint8_t bit_of(const Row& row) {
  return static_cast<std::uint8_t>(1U << row.severity);
}

}  // namespace

std::uint64_t Group::events() const {
  std::uint64_t out = 0;
  for (const BlockHead& head : blocks) out += head.count;
  return out;
}

std::uint64_t Group::block_offset(std::size_t block) const {
  std::uint64_t out = offset;
  for (std::size_t i = 0; i < block; ++i) out += blocks[i].length();
  return out;
}

std::uint64_t Group::page_offset(std::size_t page) const {
  std::uint64_t out = block_offset(blocks.size());
  for (std::size_t i = 0; i < page; ++i) out += page_lengths[i];
  return out;
}

std::uint64_t Group::length() const {
  return page_offset(page_lengths.size()) - offset;
}

BlockMask Group::all_blocks() const {
  return static_cast<BlockMask>((std::uint64_t{1} << blocks.size()) - 1);
}

BlockMask Group::blocks_of(const Ulid& device) const {
  BlockMask out = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i].first_device <= device && device <= blocks[i].last_device)
      out |= BlockMask{1} << i;
  }
  return out;
}

Group describe(RowPointers in_order) {
  Group out;
  out.first = in_order.front()->at;
  out.last = in_order.back()->at;
  for (const Row* row : in_order) {
    out.received.add(row->received);
    out.time.add(row->time);
    out.severities |= bit_of(*row);
  }
  out.rollup = roll_up(in_order);
  return out;
}

BlockHead describe_block(RowPointers rows) {
  BlockHead out;
  out.count = static_cast<std::uint32_t>(rows.size());
  out.first_device = rows.front()->device;
  out.last_device = rows.back()->device;
  for (const Row* row : rows) {
    out.time.add(row->time);
    out.severities |= bit_of(*row);
  }
  return out;
}

Bytes encode_directory(const std::vector<Group>& groups) {
  Bytes out;
  for (const Group& group : groups) {
    put_varint(out, group.offset);
    put_cursor(out, group.first);
    put_cursor(out, group.last);
    put_span(out, group.received);
    put_span(out, group.time);
    out.push_back(group.severities);
    put_varint(out, group.blocks.size());
    for (const BlockHead& head : group.blocks) put_head(out, head);
    put_varint(out, group.page_lengths.size());
    for (const std::uint32_t length : group.page_lengths) put_varint(out, length);
    put_rollup(out, group.rollup);
  }
  return out;
}

Result<std::vector<Group>> decode_directory(View part, std::size_t groups) {
  std::vector<Group> out;
  ByteReader in(part);
  for (std::size_t i = 0; i < groups; ++i) {
    Group group;
    group.offset = TRY(in.varint());
    group.first = TRY(take_cursor(in));
    group.last = TRY(take_cursor(in));
    group.received = TRY(take_span(in));
    group.time = TRY(take_span(in));
    group.severities = TRY(in.le<std::uint8_t>());
    const std::uint64_t blocks = TRY(in.varint());
    if (blocks == 0 || blocks > kGroupBlocksMax)
      return fail(Code::corrupt, "a group has an impossible number of blocks");
    for (std::uint64_t block = 0; block < blocks; ++block)
      group.blocks.push_back(TRY(take_head(in)));
    const std::uint64_t pages = TRY(in.varint());
    if (pages > kPagesMax) return fail(Code::corrupt, "a group has too many filter pages");
    for (std::uint64_t page = 0; page < pages; ++page)
      group.page_lengths.push_back(TRY(take_small(in)));
    group.rollup = TRY(take_rollup(in));
    const bool ordered =
        group.first <= group.last && (out.empty() || out.back().last < group.first);
    if (!ordered) return fail(Code::corrupt, "a directory's groups are in disorder");
    out.push_back(std::move(group));
  }
  if (!in.done()) return fail(Code::corrupt, "a directory has bytes beyond its end");
  return out;
}

}  // namespace holdfast::events
