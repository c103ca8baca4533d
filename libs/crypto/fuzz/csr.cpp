// Foreign certificate requests.
#include <cstdlib>

#include "libs/crypto/csr.hpp"

using namespace holdfast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto csr = crypto::parse_csr(View(data, size));
  if (!csr) {
    const Code code = csr.error().code;
    if (code != Code::csr_malformed && code != Code::csr_key_weak) std::abort();
    return 0;
  }
  if (!crypto::check_key_policy(csr->key.spki_der())) std::abort();
  return 0;
}
