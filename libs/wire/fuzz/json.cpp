// JSON of any bytes: what is read is written, and reads back as the same value in both layouts.
#include <cstdlib>

#include "libs/wire/json.hpp"

using namespace holdfast;
using namespace holdfast::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const View bytes(data, size);
  const auto strict = parse_json(bytes);
  const auto lenient = parse_json(bytes, JsonLimits{1 << 20, 32, Duplicates::last_counts});
  if (strict && (!lenient || *strict != *lenient)) std::abort();
  if (!lenient) {
    if (lenient.error().message.empty()) std::abort();
    return 0;
  }
  // Without duplicates, so that the strict reader takes it.
  const auto again = parse_json(json_text(*lenient));
  const auto pretty = parse_json(json_pretty(*lenient));
  if (!again || !pretty || *again != *lenient || *pretty != *lenient) std::abort();
  if (json_text(*again) != json_text(*lenient)) std::abort();
  return 0;
}
