// OpenSSL contexts of our settings: versions, ciphers, credentials, tickets.
// Private to libs/crypto; .cpp files only. Built contexts are immutable and thread-safe.
#pragma once

#include <memory>

#include "libs/crypto/handshake.hpp"
#include "libs/crypto/openssl.hpp"

namespace holdfast::crypto {

// What all connections of a transport share.
struct TlsShared {
  BioMethodPtr bio_method;
  SslCtxPtr client;  // settings of one connection go onto its SSL
};
Result<std::shared_ptr<const TlsShared>> make_tls_shared();

// Checks the settings: Code::invalid_argument or certificate_invalid says what does not fit.
Result<std::shared_ptr<SourceContext>> make_tls_server_context(
    std::shared_ptr<const TlsShared> shared, ServerSettings settings);

Result<std::unique_ptr<Handshake>> begin_tls_client(std::shared_ptr<const TlsShared> shared,
                                                    os::Loop& loop, const os::Endpoint& to,
                                                    ClientSettings settings,
                                                    std::unique_ptr<os::Stream> stream);

}  // namespace holdfast::crypto
