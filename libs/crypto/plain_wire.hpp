// Messages with which the plain transport stands in for a TLS handshake. Each is a big-endian
// 32-bit length and a body; strings have a length of 8 bits, certificates one of 32.
//
//   client hello:  "HFP1", server name, count and names of ALPN
//   server hello:  chosen ALPN, 1 if a client certificate is wanted, count and chain
//   client chain:  count and chain (0 for none)
//   server verdict: 0, or why the client is refused
// Errors: Code::tls_failed. Pure. Private to libs/crypto.
#pragma once

#include <string>
#include <vector>

#include "libs/base/bytes.hpp"

namespace holdfast::crypto::plain {

inline constexpr std::size_t kHeaderBytes = 4;
inline constexpr std::size_t kBodyBytesMax = 64 * 1024;
inline constexpr std::size_t kChainMax = 8;

struct ClientHello {
  std::string server_name;
  std::vector<std::string> alpn;
};
struct ServerHello {
  std::string alpn;
  bool wants_certificate = false;
  std::vector<Bytes> chain;
};

Bytes encode(const ClientHello& hello);  // with the header, as all of them
Bytes encode(const ServerHello& hello);
Bytes encode_chain(const std::vector<Bytes>& chain);
Bytes encode_verdict(std::optional<Code> refused);

Result<std::size_t> parse_header(View four);  // the length of the body
Result<ClientHello> parse_client_hello(View body);
Result<ServerHello> parse_server_hello(View body);
Result<std::vector<Bytes>> parse_chain(View body);
Result<std::optional<Code>> parse_verdict(View body);

}  // namespace holdfast::crypto::plain
