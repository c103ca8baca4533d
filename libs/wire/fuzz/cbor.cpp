// CBOR of any bytes: the reader ends, keeps its depth, gives views inside the input only, and skips
// exactly what it reads item by item.
#include <cstdlib>

#include "libs/wire/cbor.hpp"

using namespace holdfast;
using namespace holdfast::wire;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_view(View part, View whole) {
  if (part.empty()) return;
  require(part.data() >= whole.data());
  require(part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const View input(data, size);
  CborReader reader(input);
  std::size_t items = 0;
  bool whole = true;
  while (!reader.done()) {
    const auto item = reader.next();
    if (!item) {
      require(item.error().code == Code::payload_malformed);
      whole = false;
      break;
    }
    require(reader.depth() <= CborReader::kDepthMax);
    require(item->offset <= size);
    check_view(item->string, input);
    // Every item takes a byte, and every container but one end more.
    require(++items <= 2 * size + 1);
  }
  CborReader skipper(input);
  const auto skipped = skipper.skip();
  require(skipped.has_value() == whole);
  if (whole) require(skipper.position() == reader.position());

  // The conveniences on the same bytes: any answer, no crash.
  (void)CborReader(input).text();
  (void)CborReader(input).byte_string();
  (void)CborReader(input).number();
  (void)CborReader(input).integer();
  return 0;
}
