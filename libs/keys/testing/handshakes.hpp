// For tests: mutual TLS in memory between a server and a client whose key lies elsewhere.
#pragma once

#include <openssl/ssl.h>

#include "libs/crypto/testing.hpp"

namespace holdfast::keys::testing {

// How many of `count` full handshakes of that version succeeded; the client signs with `key`.
inline int handshakes(const crypto::PrivateKey& key, int version, int count) {
  using crypto::testing::must;
  crypto::testing::Pki pki(WallTime{std::chrono::duration_cast<std::chrono::microseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count()});
  const auto leaf = must(crypto::issue_certificate(pki.spec(crypto::Profile::device, "dev_1"),
                                                   key.public_key(), pki.issuing()));
  const auto context = [&](const Bytes& der, const crypto::PrivateKey& own) {
    SSL_CTX* made = SSL_CTX_new(TLS_method());
    SSL_CTX_set_min_proto_version(made, version);
    SSL_CTX_set_max_proto_version(made, version);
    const std::uint8_t* at = der.data();
    X509* certificate = d2i_X509(nullptr, &at, static_cast<long>(der.size()));
    if (SSL_CTX_use_certificate(made, certificate) != 1 ||
        SSL_CTX_use_PrivateKey(made, own.handle().get()) != 1 ||
        SSL_CTX_check_private_key(made) != 1) {
      ADD_FAILURE() << "OpenSSL does not take the key";
    }
    X509_free(certificate);
    for (const Bytes& ca : pki.trust()) {
      const std::uint8_t* from = ca.data();
      X509* trusted = d2i_X509(nullptr, &from, static_cast<long>(ca.size()));
      X509_STORE_add_cert(SSL_CTX_get_cert_store(made), trusted);
      X509_free(trusted);
    }
    SSL_CTX_set_verify(made, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
    return made;
  };
  const auto server_identity = pki.server();
  SSL_CTX* server_context = context(server_identity.chain_der.front(), server_identity.key);
  SSL_CTX* client_context = context(leaf, key);
  int succeeded = 0;
  for (int i = 0; i < count; ++i) {
    SSL* server = SSL_new(server_context);
    SSL* client = SSL_new(client_context);
    BIO *near = nullptr, *far = nullptr;
    BIO_new_bio_pair(&near, 0, &far, 0);
    SSL_set_bio(server, near, near);
    SSL_set_bio(client, far, far);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    int client_done = 0, server_done = 0;
    for (int step = 0; step < 20 && (client_done != 1 || server_done != 1); ++step) {
      client_done = SSL_do_handshake(client);
      server_done = SSL_do_handshake(server);
    }
    X509* peer = SSL_get1_peer_certificate(server);
    if (client_done == 1 && server_done == 1 && peer != nullptr && SSL_version(server) == version)
      ++succeeded;
    X509_free(peer);
    SSL_free(server);
    SSL_free(client);
  }
  SSL_CTX_free(server_context);
  SSL_CTX_free(client_context);
  return succeeded;
}

}  // namespace holdfast::keys::testing
