// OCSP requests of strangers, and revocation lists brought by hand.
#include <cstdlib>

#include "libs/crypto/ocsp.hpp"

using namespace holdfast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const View input(data, size);
  if (const auto request = crypto::parse_ocsp_request(input)) {
    if (request->certificates.empty() ||
        request->certificates.size() > crypto::kOcspCertificatesMax) {
      std::abort();
    }
    for (const auto& one : request->certificates) {
      static_cast<void>(crypto::serial_text(one.serial));
      static_cast<void>(crypto::names_issuer(one, crypto::Certificate{}));
    }
  }
  if (const auto list = crypto::parse_crl(input)) {
    static_cast<void>(crypto::check_crl(*list, crypto::Certificate{}, WallTime{}));
  }
  return 0;
}
