// SenML packs in both formats. Input: one byte of format, then the pack. Records with a name are
// written in both formats and read back equal.
#include <cstdlib>

#include "libs/wire/senml.hpp"

using namespace holdfast;
using namespace holdfast::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto format = (data[0] & 1) != 0 ? SenmlFormat::cbor : SenmlFormat::json;
  auto records = parse_senml(View(data + 1, size - 1), format);
  if (!records) {
    const auto code = records.error().code;
    if (code != Code::payload_malformed && code != Code::payload_too_large) std::abort();
    return 0;
  }
  std::erase_if(*records, [](const SenmlRecord& record) { return record.name.empty(); });
  for (const auto written : {SenmlFormat::json, SenmlFormat::cbor}) {
    const auto bytes = encode_senml(*records, written);
    if (!bytes) std::abort();
    SenmlLimits limits;
    limits.bytes_max = bytes->size();
    const auto again = parse_senml(*bytes, written, limits);
    if (!again || *again != *records) std::abort();
  }
  return 0;
}
