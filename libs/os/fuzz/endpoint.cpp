// Endpoints come from command lines and configuration: whatever is accepted reads back the same.
#include <cstdlib>

#include "libs/os/network.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto endpoint = holdfast::os::parse_endpoint(holdfast::text_of({data, size}));
  if (!endpoint) return 0;
  const auto again = holdfast::os::parse_endpoint(endpoint->text());
  if (!again || *again != *endpoint) std::abort();
  return 0;
}
