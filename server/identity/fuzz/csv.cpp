// Lists of devices as people bring them.
#include <cstdlib>

#include "libs/base/bytes.hpp"
#include "server/identity/csv.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto rows = holdfast::identity::parse_csv(holdfast::text_of({data, size}), 100);
  std::size_t line = 0;
  for (const auto& row : rows) {
    if (row.line < line || row.fields.size() > holdfast::identity::kCsvFieldsMax) std::abort();
    line = row.line;
    for (const auto& field : row.fields) {
      if (field.size() > holdfast::identity::kCsvFieldBytesMax) std::abort();
    }
  }
  return 0;
}
