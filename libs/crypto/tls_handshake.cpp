#include "libs/crypto/tls_handshake.hpp"

#include "libs/crypto/buffered_stream.hpp"
#include "libs/crypto/tls_errors.hpp"
#include "libs/crypto/trust.hpp"

namespace holdfast::crypto {
namespace {

Conversation* conversation_of(const SSL* ssl) {
  return static_cast<Conversation*>(SSL_get_app_data(ssl));
}

std::vector<Bytes> chain_of(const STACK_OF(X509) * stack) {
  std::vector<Bytes> out;
  for (int i = 0; i < sk_X509_num(stack); ++i) out.push_back(write_x509(sk_X509_value(stack, i)));
  return out;
}

// A chain that only the client's own certificates completed cannot be checked again when it
// resumes, since a ticket carries the leaf alone: no ticket for it (RFC 8446 4.6.1).
void withhold_tickets_if_needed(SSL* ssl, const TrustStore& trust,
                                const std::vector<Bytes>& chain) {
  for (std::size_t i = 1; i < chain.size(); ++i) {
    const auto& cas = trust.cas();
    const bool ours = std::any_of(cas.begin(), cas.end(),
                                  [&](const Certificate& ca) { return ca.der == chain[i]; });
    if (!ours) SSL_set_num_tickets(ssl, 0);
  }
}

// Both directions, first handshakes and resumed ones.
std::expected<void, ChainFailure> check_peer(SSL* ssl, Conversation& it, X509* leaf,
                                             STACK_OF(X509) * others) {
  Verification how;
  how.now = it.clock.wall();
  std::shared_ptr<const TrustStore> trust = it.trust;
  if (it.client) {
    if (it.client->unverified) return {};
    how.purpose = Purpose::server;
    how.check_times = it.client->check_times;
    how.host = it.client->server_name;
    auto found = trust_of(*it.client, chain_of(others));
    if (!found) {
      found.error().code = Code::server_untrusted;
      return std::unexpected(
          ChainFailure{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, std::move(found).error()});
    }
    trust = *std::move(found);
  }
  auto chain = verify_chain(*trust, leaf, others, how);
  if (!chain) {
    if (it.client) chain.error().why.code = Code::server_untrusted;
    return std::unexpected(std::move(chain).error());
  }
  if (!it.client) withhold_tickets_if_needed(ssl, *trust, *chain);
  return {};
}

class TlsStream final : public BufferedStream {
 public:
  TlsStream(os::Loop& loop, TlsParts parts, Peer peer)
      : BufferedStream(loop, std::move(parts.stream), std::move(peer), parts.write_pending_max),
        keep_(std::move(parts.keep)),
        conversation_(std::move(parts.conversation)),
        ssl_(std::move(parts.ssl)) {}

  ~TlsStream() override {
    // Otherwise freeing it would spoil the sessions that came out of it (RFC 8446 6.1 allows them).
    SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  }

 protected:
  Result<std::size_t> get(std::span<std::uint8_t> into) override {
    ERR_clear_error();
    std::size_t count = 0;
    const int outcome = SSL_read_ex(ssl_.get(), into.data(), into.size(), &count);
    if (outcome == 1) return count;
    if (SSL_get_error(ssl_.get(), outcome) == SSL_ERROR_ZERO_RETURN) return 0;
    read_wants_write_ = SSL_want_write(ssl_.get());
    return std::unexpected(tls_error(ssl_.get(), outcome));
  }

  Result<std::size_t> put(View bytes) override {
    ERR_clear_error();
    std::size_t count = 0;
    const int outcome = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
    if (outcome == 1) return count;
    return std::unexpected(tls_error(ssl_.get(), outcome));
  }

  bool has_input() const override { return SSL_pending(ssl_.get()) > 0; }
  bool read_wants_write() const override { return read_wants_write_; }

  void say_goodbye() override {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());  // a full socket buffer may swallow it: the end of stream follows
    ERR_clear_error();
  }

 private:
  std::shared_ptr<const void> keep_;
  std::unique_ptr<Conversation> conversation_;
  SslPtr ssl_;
  bool read_wants_write_ = false;
};

class TlsHandshake final : public Handshake {
 public:
  TlsHandshake(os::Loop& loop, TlsParts parts) : loop_(loop), parts_(std::move(parts)) {
    SSL_set_app_data(parts_.ssl.get(), parts_.conversation.get());
  }

  Step step() override {
    ERR_clear_error();
    const int outcome = SSL_do_handshake(parts_.ssl.get());
    if (outcome == 1) return complete();
    Error error = tls_error(parts_.ssl.get(), outcome);
    if (error.code == Code::would_block) {
      return SSL_want_write(parts_.ssl.get()) ? Step::wait_writable : Step::wait_readable;
    }
    return fail_with(parts_.conversation->refused.value_or(std::move(error)));
  }

  os::Stream& stream() override { return *parts_.stream; }

  std::unique_ptr<SecureStream> take(MonoTime arrived) override {
    peer_.arrived = arrived;
    if (!parts_.conversation->client) {
      SSL_set_app_data(parts_.ssl.get(), nullptr);
      parts_.conversation.reset();
    }
    return std::make_unique<TlsStream>(loop_, std::move(parts_), std::move(peer_));
  }

  Refusal refusal() const override { return refusal_; }

  std::unique_ptr<os::Stream> take_stream() override {
    parts_.ssl.reset();
    return std::move(parts_.stream);
  }

 private:
  Step fail_with(Error why) {
    refusal_ = {parts_.stream->peer_address(), std::move(why), parts_.conversation->shown};
    return Step::failed;
  }

  // Resumption skips the certificate (RFC 8446 2.2), not what it must satisfy now: expired ones,
  // and those of a CA that is not trusted any more, stop here.
  Step complete() {
    SSL* ssl = parts_.ssl.get();
    Conversation& it = *parts_.conversation;
    X509* leaf = SSL_get0_peer_certificate(ssl);
    peer_.resumed = SSL_session_reused(ssl) == 1;
    if (leaf == nullptr && (SSL_get_verify_mode(ssl) & SSL_VERIFY_FAIL_IF_NO_PEER_CERT) != 0) {
      return fail_with({Code::certificate_required, "the client sent no certificate", {}, {}, {}});
    }
    if (leaf != nullptr) {
      it.shown = write_x509(leaf);
      if (peer_.resumed) {
        auto checked = check_peer(ssl, it, leaf, SSL_get_peer_cert_chain(ssl));
        if (!checked) return fail_with(std::move(checked).error().why);
      }
      peer_.certificate_der = it.shown;
    }
    if (it.client) peer_.server_chain = chain_of(SSL_get_peer_cert_chain(ssl));
    peer_.protocol = SSL_get_version(ssl);
    peer_.address = parts_.stream->peer_address();
    const unsigned char* alpn = nullptr;
    unsigned alpn_size = 0;
    SSL_get0_alpn_selected(ssl, &alpn, &alpn_size);
    if (alpn_size > 0) peer_.alpn = string_of({alpn, alpn_size});
    return Step::done;
  }

  os::Loop& loop_;
  TlsParts parts_;
  Peer peer_;
  Refusal refusal_;
};

}  // namespace

int verify_peer(X509_STORE_CTX* context, void*) {
  auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
  Conversation* it = conversation_of(ssl);
  if (it == nullptr) return 0;  // after the handshake nobody is asked for a certificate
  X509* leaf = X509_STORE_CTX_get0_cert(context);
  it->shown = write_x509(leaf);
  auto checked = check_peer(ssl, *it, leaf, X509_STORE_CTX_get0_untrusted(context));
  if (checked) return 1;
  X509_STORE_CTX_set_error(context, checked.error().x509_error);
  it->refused = std::move(checked).error().why;
  return 0;
}

int keep_session(SSL* ssl, SSL_SESSION* session) {
  const Conversation* it = conversation_of(ssl);
  if (it == nullptr || !it->client || it->session_key.empty()) return 0;
  static_cast<TlsSessions&>(*it->client->sessions).put(it->session_key, SessionPtr(session));
  return 1;  // we own it now
}

std::unique_ptr<Handshake> make_tls_handshake(os::Loop& loop, TlsParts parts) {
  return std::make_unique<TlsHandshake>(loop, std::move(parts));
}

}  // namespace holdfast::crypto
