// Any bytes as the body of an event record, as the parts of a sealed block, and as a file's ends.
#include "server/store/events/file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::events;
  if (size == 0) return 0;
  const std::size_t count = 1 + data[0];
  const holdfast::View bytes(data + 1, size - 1);

  holdfast::journal::Stored record;
  record.kind = holdfast::journal::Kind::event;
  record.at = {1, 2};
  record.body = bytes;
  if (const auto row = row_of(record)) {
    // What was read reads the same after it went through a block.
    const Row* const rows[] = {&*row};
    const Parts parts = encode_block(rows);
    Block block;
    auto meta = decode_meta(parts.meta, 1);
    auto messages = take_messages(parts.messages, 1, block.arena);
    auto fields = take_field_columns(parts.fields, 1, block.arena);
    if (!meta || !messages || !fields) __builtin_trap();
    block.meta = *std::move(meta);
    block.messages = *std::move(messages);
    block.fields = *std::move(fields);
    block.has_messages = block.has_fields = true;
    const auto before = event_of(*row);
    const auto after = event_of(block.row(0));
    if (!before || !after) __builtin_trap();
    // A number that is none differs from itself.
    if (before->message != after->message || before->fields.size() != after->fields.size())
      __builtin_trap();
    static_cast<void>(matches(*holdfast::query::parse("a 1 port>2 10.0.0.0/8"), block.row(0)));
  }
  Arena arena;
  static_cast<void>(decode_meta(bytes, count));
  static_cast<void>(take_messages(bytes, count, arena));
  static_cast<void>(take_field_columns(bytes, count, arena));
  static_cast<void>(decode_directory(bytes, count));
  static_cast<void>(look_up(bytes, 0x0123456789ABCDEF, count, 1 + count % 32));
  static_cast<void>(decode_file_header(bytes));
  static_cast<void>(decode_trailer(bytes));
  return 0;
}
