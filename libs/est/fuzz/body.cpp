// Bodies of EST requests and answers.
#include <cstdlib>

#include "libs/est/est.hpp"

using namespace holdfast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const View input(data, size);
  static_cast<void>(est::parse_enrolment(input));
  const auto request = est::parse_request_body(input);
  if (request) {
    const auto again = est::parse_request_body(view_of(est::enrolment_body(*request)));
    if (!again || *again != *request) std::abort();
  }
  const auto answer = est::parse_certificates_body(input);
  if (answer) {
    for (const char* agent : {"", "libest"}) {
      const auto again =
          est::parse_certificates_body(view_of(est::certificates_body(*answer, agent)));
      if (!again || *again != *answer) std::abort();
    }
  }
  return 0;
}
