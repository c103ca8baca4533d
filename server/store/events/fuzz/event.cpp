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
    const Parts parts = encode_block({*row});
    const auto meta = decode_meta(parts.meta, 1);
    const auto messages = decode_texts(parts.messages, 1);
    const auto fields = decode_texts(parts.fields, 1);
    if (!meta || !messages || !fields) __builtin_trap();
    const Row back = make_row(*meta, 0, (*messages)[0], (*fields)[0]);
    if (back.encoded_fields != row->encoded_fields || back.event.message != row->event.message)
      __builtin_trap();
    Query query;
    query.text = "a 1";
    if (const auto event = event_of(back)) static_cast<void>(Events::matches(query, *event));
  }
  static_cast<void>(decode_meta(bytes, count));
  static_cast<void>(decode_texts(bytes, count));
  static_cast<void>(decode_index(bytes, count));
  static_cast<void>(decode_file_header(bytes));
  static_cast<void>(decode_trailer(bytes));
  return 0;
}
