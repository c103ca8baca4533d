// Certs-only answers, and PEM around whatever comes.
#include <cstdlib>

#include "libs/crypto/cms.hpp"
#include "libs/crypto/pem.hpp"

using namespace holdfast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const View input(data, size);
  const auto found = crypto::parse_certs_only(input);
  if (found) {
    // What was read can be written and read again.
    const auto again = crypto::parse_certs_only(crypto::make_certs_only(*found));
    if (!again || *again != *found) std::abort();
  }
  const auto blocks = crypto::parse_pem(text_of(input));
  if (blocks) {
    for (const crypto::PemBlock& block : *blocks) {
      const auto again = crypto::parse_pem(crypto::to_pem(block.label, block.der));
      if (!again || again->size() != 1 || again->front().der != block.der) std::abort();
    }
  }
  return 0;
}
