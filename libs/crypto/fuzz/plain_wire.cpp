// Messages of the plain transport.
#include "libs/crypto/plain_wire.hpp"

using namespace holdfast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const View body(data, size);
  static_cast<void>(crypto::plain::parse_header(body.first(std::min<std::size_t>(size, 4))));
  static_cast<void>(crypto::plain::parse_client_hello(body));
  static_cast<void>(crypto::plain::parse_server_hello(body));
  static_cast<void>(crypto::plain::parse_chain(body));
  static_cast<void>(crypto::plain::parse_verdict(body));
  return 0;
}
