// Foreign certificates: read, judged, and where the bytes are taken, the same by OpenSSL.
#include <cstdlib>

#include "libs/crypto/trust.hpp"

using namespace holdfast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const View input(data, size);
  const auto parsed = crypto::parse_certificate(input);
  if (!parsed) return 0;
  static_cast<void>(crypto::check_leaf_profile(*parsed, crypto::Purpose::client));
  static_cast<void>(crypto::check_ca_profile(*parsed));
  static_cast<void>(crypto::names_host(*parsed, "hub.example"));
  static_cast<void>(parsed->public_key());
  if (parsed->der != Bytes(data, data + size)) std::abort();
  // Two readers that see different subjects in one certificate would be two identities.
  const crypto::X509Ptr other = crypto::read_x509(input);
  if (other) {
    unsigned char* name = nullptr;
    const int length = i2d_X509_NAME(X509_get_subject_name(other.get()), &name);
    const bool same = length > 0 && Bytes(name, name + length) == parsed->subject_der;
    OPENSSL_free(name);
    if (!same) std::abort();
  }
  return 0;
}
