// parse_public() on anything: it refuses or reads; what it read must make sense to the functions
// that use it.
#include "libs/tpm/structures.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = holdfast::tpm::parse_public(holdfast::View(data, size));
  if (!read) return 0;
  if (holdfast::tpm::name_of(*read).size() < 34) __builtin_trap();
  if (read->area.size() + 2 != size) __builtin_trap();
  static_cast<void>(holdfast::tpm::key_of(*read));
  return 0;
}
