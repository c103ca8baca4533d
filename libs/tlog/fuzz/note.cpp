// Signed notes and entry bundles of any bytes: no crash; what parses is written back equal.
#include <cstdlib>

#include "libs/tlog/note.hpp"
#include "libs/tlog/tiles.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const holdfast::View bytes(data, size);
  if (const auto note = holdfast::tlog::parse_note(holdfast::text_of(bytes))) {
    if (note->checkpoint.origin.empty() || note->signature.size() != 64) std::abort();
    if (!holdfast::text_of(bytes).starts_with(note->text)) std::abort();
  }
  if (size > 0) {
    const auto entries = holdfast::tlog::parse_bundle(bytes.subspan(1), data[0]);
    if (entries) {
      holdfast::Bytes again;
      for (const auto& entry : *entries) {
        holdfast::store_be(again, static_cast<std::uint16_t>(entry.size()));
        holdfast::append(again, entry);
      }
      if (entries->size() != data[0] ||
          holdfast::text_of(again) != holdfast::text_of(bytes.subspan(1)))
        std::abort();
    }
  }
  return 0;
}
