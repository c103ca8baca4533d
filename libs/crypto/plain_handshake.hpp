// The plain transport's two handshakes and its stream, over any os::Stream. The order of messages,
// who learns what, and when a refusal shows are those of TLS 1.3. Private to libs/crypto.
#pragma once

#include <memory>

#include "libs/crypto/handshake.hpp"
#include "libs/crypto/verify.hpp"

namespace holdfast::crypto {

// `settings` must outlive the handshake, which `keep` sees to.
std::unique_ptr<Handshake> make_plain_server(os::Loop& loop, std::unique_ptr<os::Stream> stream,
                                             const ServerSettings& settings,
                                             std::shared_ptr<const TrustStore> trust,
                                             std::shared_ptr<const void> keep);
std::unique_ptr<Handshake> make_plain_client(os::Loop& loop, std::unique_ptr<os::Stream> stream,
                                             ClientSettings settings);

}  // namespace holdfast::crypto
