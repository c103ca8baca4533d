// parse_attest() on anything: it refuses or reads; what it read must make sense to the functions
// that use it.
#include "libs/tpm/structures.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = holdfast::tpm::parse_attest(holdfast::View(data, size));
  if (read && read->type == holdfast::tpm::kAttestQuote &&
      read->quoted.size() > holdfast::tpm::kPcrBanksMax) {
    __builtin_trap();
  }
  return 0;
}
