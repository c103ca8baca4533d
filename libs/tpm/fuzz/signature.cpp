// parse_signature() on anything: it refuses or reads; what it read must make sense to the functions
// that use it.
#include "libs/tpm/structures.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = holdfast::tpm::parse_signature(holdfast::View(data, size));
  if (read && !holdfast::tpm::digest_of(read->hash)) __builtin_trap();
  return 0;
}
