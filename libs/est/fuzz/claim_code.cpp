// Claims and join codes as typed, pasted and scanned.
#include <cstdlib>

#include "libs/est/claim_code.hpp"

using namespace holdfast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(View(data, size));
  const auto claim = est::parse_claim(text);
  if (claim) {
    if (*est::parse_claim(est::grouped_claim(*claim)) != *claim) std::abort();
  }
  const auto code = est::parse_join_code(text);
  if (code) {
    const auto again = est::encode_join_code(*code);
    if (!again || *est::parse_join_code(*again) != *code) std::abort();
  }
  return 0;
}
