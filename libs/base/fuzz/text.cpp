// The textual forms of base: whatever is accepted means the same when written and read again.
#include <cstdlib>

#include "libs/base/bytes.hpp"
#include "libs/base/id.hpp"
#include "libs/base/log.hpp"
#include "libs/base/time.hpp"

using namespace holdfast;

namespace {

void require(bool good) {
  if (!good) std::abort();
}

void read_binary(View bytes) {
  ByteReader reader(bytes);
  while (!reader.done()) {
    const auto value = reader.varint();
    if (!value) break;
    Bytes again;
    put_varint(again, *value);
    require(ByteReader(again).varint() == *value);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const View bytes(data, size);
  const std::string_view text = text_of(bytes);
  require(from_hex(to_hex(bytes)).value() == Bytes(data, data + size));
  require(from_base64(to_base64(bytes)).value() == Bytes(data, data + size));
  require(from_base64url(to_base64url(bytes)).value() == Bytes(data, data + size));
  if (const auto decoded = from_base64(text)) {
    require(from_base64(to_base64(*decoded)).value() == *decoded);
  }
  (void)from_base64url(text);
  (void)from_hex(text);
  if (const auto time = from_rfc3339(text)) {
    require(from_rfc3339(to_rfc3339(*time)).value() == *time);
  }
  if (const auto duration = parse_duration(text)) {
    require(parse_duration(to_text(*duration)).value() == *duration);
  }
  if (const auto ulid = parse_ulid(text)) require(parse_ulid(ulid_text(*ulid)).value() == *ulid);
  for (const char c : json_escape(text)) require(static_cast<unsigned char>(c) >= 0x20);
  require(crc32c(bytes) == crc32c(bytes.subspan(size / 2), crc32c(bytes.first(size / 2))));
  read_binary(bytes);
  return 0;
}
