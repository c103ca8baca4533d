// Columns of texts, messages and fields (docs/spec/events.md, Blocks): what repeats is stored once,
// what counts is stored as numbers. Errors: corrupt. Pure; thread-safe.
#pragma once

#include <memory>

#include "server/store/events/body.hpp"

namespace holdfast::events {

// Texts that stay where they are. A later one lies behind an earlier one of the same chunk.
class Arena final {
 public:
  char* take(std::size_t size);
  std::string_view copy(std::string_view text);

 private:
  std::vector<std::unique_ptr<char[]>> chunks_;
  char* at_ = nullptr;
  std::size_t left_ = 0;
};

using Views = std::vector<std::string_view>;

void put_list(Bytes& out, const Views& texts);  // entries varint text*
Result<Views> take_list(ByteReader& in, std::size_t entries_max);

void put_texts(Bytes& out, const Views& texts);
Result<Views> take_texts(ByteReader& in, std::size_t count, Arena& arena);

void put_messages(Bytes& out, const Views& messages);
Result<Views> take_messages(View part, std::size_t count, Arena& arena);

// Encoded as in the body of a journal record.
void put_field_columns(Bytes& out, const Views& fields);
Result<Views> take_field_columns(View part, std::size_t count, Arena& arena);

// Which of `of` entries each of `count` has.
Result<std::vector<std::uint32_t>> take_places(ByteReader& in, std::size_t count, std::uint64_t of);

}  // namespace holdfast::events
