// One TLS handshake over an os::Stream, either side, and the SecureStream that comes out of it.
// Private to libs/crypto; .cpp files only. Threads: the loop that the stream belongs to.
#pragma once

#include <memory>
#include <optional>

#include "libs/crypto/handshake.hpp"
#include "libs/crypto/openssl.hpp"
#include "libs/crypto/tls_sessions.hpp"
#include "libs/crypto/verify.hpp"

namespace holdfast::crypto {

// What OpenSSL's call-backs find through SSL_get_app_data(); goes after a server's handshake.
struct Conversation {
  const os::Clock& clock;
  std::shared_ptr<const TrustStore> trust;  // server: what clients must chain to
  std::optional<ClientSettings> client;     // client: all of it
  std::string session_key;                  // client: under which sessions are kept; "" for never
  std::optional<Error> refused;             // the outcome of checking the peer
  std::optional<Bytes> shown;               // the peer's leaf, proven or not
};

struct TlsParts {
  std::unique_ptr<os::Stream> stream;
  SslPtr ssl;  // with its BIO on `stream`
  std::unique_ptr<Conversation> conversation;
  std::shared_ptr<const void> keep;  // what the BIO needs alive
  std::size_t write_pending_max = 0;
};

// For SSL_CTX_set_cert_verify_callback(), with a null argument.
int verify_peer(X509_STORE_CTX* context, void*);
// For SSL_CTX_sess_set_new_cb().
int keep_session(SSL* ssl, SSL_SESSION* session);

std::unique_ptr<Handshake> make_tls_handshake(os::Loop& loop, TlsParts parts);

}  // namespace holdfast::crypto
