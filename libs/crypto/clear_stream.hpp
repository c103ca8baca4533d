// Plain TCP as a SecureStream, for the few things that are public and signed in themselves: CRLs
// and OCSP (RFC 5280 8, RFC 6960 5), and ACME's http-01 challenge (RFC 8555 8.3). It proves nobody:
// its peer never has a certificate. Switched on by name only.
// Threads: as SecureStream.
#pragma once

#include <memory>

#include "libs/crypto/transport.hpp"

namespace holdfast::crypto {

std::unique_ptr<SecureStream> make_clear_stream(os::Loop& loop, std::unique_ptr<os::Stream> stream,
                                                std::size_t write_pending_max = 256 * 1024);

// connect() only; every setting of TLS is ignored, and listening is refused.
std::unique_ptr<Transport> make_clear_transport(os::Network& network);

}  // namespace holdfast::crypto
