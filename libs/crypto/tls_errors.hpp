// OpenSSL's outcomes of SSL calls as our errors. Private to libs/crypto; .cpp files only.
#pragma once

#include "libs/crypto/openssl.hpp"

namespace holdfast::crypto {

// After an SSL call that returned `outcome` <= 0: Code::would_block when it wants the socket, and
// otherwise what ended the connection, an alert of the peer included. Empties the error queue.
Error tls_error(const SSL* ssl, int outcome);

}  // namespace holdfast::crypto
