#include "libs/crypto/tls_context.hpp"

#include "libs/crypto/names.hpp"
#include "libs/crypto/tls_bio.hpp"
#include "libs/crypto/tls_handshake.hpp"
#include "libs/crypto/trust.hpp"

namespace holdfast::crypto {
namespace {

constexpr long kPeerChainBytesMax = 16 * 1024;  // OpenSSL's default is 100 KiB, kept as long as the
                                                // connection lives
constexpr long kTicketSeconds = 7200;
// A new context has new ticket keys, so a stolen one opens at most a day of TLS 1.2 sessions.
constexpr Duration kContextAgeMax = hours(24);
constexpr char kCiphers12[] = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr char kGroups[] = "X25519:P-256:P-384";
constexpr std::size_t kAlpnBytesMax = 255;

// Wire format of RFC 7301 3.1.
Result<Bytes> alpn_bytes(const std::vector<std::string>& names) {
  Bytes out;
  for (const std::string& name : names) {
    if (name.empty() || name.size() > kAlpnBytesMax) {
      return fail(Code::invalid_argument, "an ALPN name has 1 to 255 bytes");
    }
    out.push_back(static_cast<std::uint8_t>(name.size()));
    append(out, view_of(name));
  }
  return out;
}

Result<SslCtxPtr> make_base(const SSL_METHOD* method, int version_min) {
  SslCtxPtr context(SSL_CTX_new(method));
  if (!context || SSL_CTX_set_min_proto_version(context.get(), version_min) != 1 ||
      SSL_CTX_set_cipher_list(context.get(), kCiphers12) != 1 ||
      SSL_CTX_set1_groups_list(context.get(), kGroups) != 1) {
    return openssl_fail(Code::internal, "TLS cannot start");
  }
  SSL_CTX_set_security_level(context.get(), 2);
  // RELEASE_BUFFERS: 14 KiB less for an idle connection. NO_AUTO_CHAIN: send what we were given,
  // not what the store happens to hold.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_max_cert_list(context.get(), kPeerChainBytesMax);
  SSL_CTX_set_cert_verify_callback(context.get(), verify_peer, nullptr);
  return context;
}

struct X509Chain {
  X509Ptr leaf;
  X509StackPtr others;
};

Result<X509Chain> read_chain(const Credential& credential) {
  if (credential.chain_der.empty() || credential.key.empty()) {
    return fail(Code::invalid_argument, "a credential needs a certificate and its key");
  }
  const Certificate leaf = TRY(parse_certificate(credential.chain_der.front()));
  if (leaf.spki_der != credential.key.public_key().spki_der()) {
    return fail(Code::invalid_argument,
                "the key does not belong to the certificate \"" + leaf.subject + "\"");
  }
  X509Chain chain{nullptr, X509StackPtr(sk_X509_new_null())};
  for (const Bytes& der : credential.chain_der) {
    X509Ptr one = read_x509(der);
    if (!one) return fail(Code::certificate_invalid, "the chain holds what is no certificate");
    if (!chain.leaf) {
      chain.leaf = std::move(one);
    } else if (sk_X509_push(chain.others.get(), one.get()) > 0) {
      static_cast<void>(one.release());
    }
  }
  return chain;
}

// One version of the settings.
class TlsSource final : public ServerSource {
 public:
  static Result<std::shared_ptr<const TlsSource>> make(std::shared_ptr<const TlsShared> shared,
                                                       ServerSettings settings) {
    std::shared_ptr<TlsSource> source(new TlsSource(std::move(shared), std::move(settings)));
    TRY(source->build());
    return source;
  }

  const ServerSettings& settings() const override { return settings_; }

  Result<std::unique_ptr<Handshake>> begin(os::Loop& loop,
                                           std::unique_ptr<os::Stream> stream) const override {
    SslPtr ssl(SSL_new(context_.get()));
    BIO* bio = ssl ? make_stream_bio(shared_->bio_method.get(), *stream) : nullptr;
    if (bio == nullptr) return openssl_fail(Code::internal, "no room for a TLS connection");
    SSL_set_bio(ssl.get(), bio, bio);
    SSL_set_accept_state(ssl.get());
    std::unique_ptr<Conversation> conversation(
        new Conversation{loop.clock(), trust_, {}, {}, {}, {}});
    return make_tls_handshake(loop, {std::move(stream), std::move(ssl), std::move(conversation),
                                     shared_, settings_.write_pending_max});
  }

 private:
  TlsSource(std::shared_ptr<const TlsShared> shared, ServerSettings settings)
      : shared_(std::move(shared)), settings_(std::move(settings)) {}

  Status build() {
    context_ = TRY(
        make_base(TLS_server_method(), settings_.allow_tls12 ? TLS1_2_VERSION : TLS1_3_VERSION));
    const X509Chain chain = TRY(read_chain(settings_.credential));
    if (SSL_CTX_use_cert_and_key(context_.get(), chain.leaf.get(),
                                 settings_.credential.key.handle().get(), chain.others.get(),
                                 1) != 1) {
      return openssl_fail(Code::invalid_argument, "the server's credential cannot be used");
    }
    set_tickets();
    TRY(set_verification());
    alpn_ = TRY(alpn_bytes(settings_.alpn));
    if (!alpn_.empty()) SSL_CTX_set_alpn_select_cb(context_.get(), select_alpn, this);
    return {};
  }

  void set_tickets() {
    SSL_CTX* context = context_.get();
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // stateless tickets only
    SSL_CTX_set_timeout(context, kTicketSeconds);
    SSL_CTX_set_num_tickets(context, settings_.tickets ? 1 : 0);
    if (!settings_.tickets) SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    // Without it, resumption with a client certificate is a fatal error in OpenSSL.
    const Sha256 id = sha256(settings_.credential.chain_der.front());
    SSL_CTX_set_session_id_context(context, id.data(), static_cast<unsigned>(id.size()));
  }

  Status set_verification() {
    trust_ = TRY(TrustStore::make(settings_.trust_der));
    int mode = SSL_VERIFY_NONE;
    if (settings_.client != ClientCertificate::none) {
      if (trust_->cas().empty()) {
        return fail(Code::invalid_argument, "client certificates need a CA to be checked against");
      }
      mode = SSL_VERIFY_PEER;
      if (settings_.client == ClientCertificate::required) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
      for (const Certificate& ca : trust_->cas()) {
        const X509Ptr x509 = read_x509(ca.der);
        if (x509) SSL_CTX_add_client_CA(context_.get(), x509.get());
      }
    }
    SSL_CTX_set_verify(context_.get(), mode, nullptr);
    return {};
  }

  static int select_alpn(SSL*, const unsigned char** out, unsigned char* out_size,
                         const unsigned char* offered, unsigned offered_size, void* self) {
    const Bytes& own = static_cast<const TlsSource*>(self)->alpn_;
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, out_size, own.data(), static_cast<unsigned>(own.size()),
                              offered, offered_size) != OPENSSL_NPN_NEGOTIATED) {
      return SSL_TLSEXT_ERR_NOACK;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
  }

  const std::shared_ptr<const TlsShared> shared_;
  const ServerSettings settings_;
  SslCtxPtr context_;
  std::shared_ptr<const TrustStore> trust_;
  Bytes alpn_;
};

class TlsServerContext final : public SourceContext {
 public:
  TlsServerContext(std::shared_ptr<const TlsShared> shared, std::shared_ptr<const TlsSource> source)
      : shared_(std::move(shared)), state_(State{std::move(source), std::nullopt}) {}

  Status replace(ServerSettings settings) override {
    auto source = TRY(TlsSource::make(shared_, std::move(settings)));
    state_.with([&](State& state) { state = {std::move(source), std::nullopt}; });
    return {};
  }

  bool encrypts() const override { return true; }

  std::shared_ptr<const ServerSource> current(MonoTime now) override {
    auto [source, old] = state_.with([&](State& state) {
      if (!state.since) state.since = now;
      const bool too_old = now - *state.since > kContextAgeMax;
      if (too_old) state.since = now;  // one caller renews it
      return std::pair(state.source, too_old);
    });
    if (!old) return source;
    auto renewed = TlsSource::make(shared_, source->settings());
    if (!renewed) return source;
    state_.with([&](State& state) {
      if (state.source == source) state.source = *renewed;
    });
    return *renewed;
  }

 private:
  struct State {
    std::shared_ptr<const TlsSource> source;
    std::optional<MonoTime> since;
  };
  const std::shared_ptr<const TlsShared> shared_;
  Guarded<State> state_;
};

Status configure_client(SSL* ssl, const os::Endpoint& to, Conversation& it) {
  const ClientSettings& settings = *it.client;
  SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
  if (!settings.server_name.empty() && !address_bytes(settings.server_name)) {
    SSL_set_tlsext_host_name(ssl, settings.server_name.c_str());
  }
  if (settings.credential) {
    const X509Chain chain = TRY(read_chain(*settings.credential));
    if (SSL_use_cert_and_key(ssl, chain.leaf.get(), settings.credential->key.handle().get(),
                             chain.others.get(), 1) != 1) {
      return openssl_fail(Code::invalid_argument, "the client's credential cannot be used");
    }
  }
  const Bytes alpn = TRY(alpn_bytes(settings.alpn));
  // Zero means success here, and nowhere else.
  if (!alpn.empty() &&
      SSL_set_alpn_protos(ssl, alpn.data(), static_cast<unsigned>(alpn.size())) != 0) {
    return openssl_fail(Code::internal, "ALPN cannot be set");
  }
  // What nobody verified must not be resumed as if somebody had.
  if (settings.sessions && !settings.unverified) {
    it.session_key = to.text() + " " + settings.server_name;
    const SessionPtr session = static_cast<TlsSessions&>(*settings.sessions).take(it.session_key);
    if (session) SSL_set_session(ssl, session.get());
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const TlsShared>> make_tls_shared() {
  auto shared = std::make_shared<TlsShared>();
  shared->bio_method = TRY(make_stream_bio_method());
  shared->client = TRY(make_base(TLS_client_method(), TLS1_2_VERSION));
  SSL_CTX_set_session_cache_mode(shared->client.get(),
                                 SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(shared->client.get(), keep_session);
  return shared;
}

Result<std::shared_ptr<SourceContext>> make_tls_server_context(
    std::shared_ptr<const TlsShared> shared, ServerSettings settings) {
  auto source = TRY(TlsSource::make(shared, std::move(settings)));
  return std::make_shared<TlsServerContext>(std::move(shared), std::move(source));
}

Result<std::unique_ptr<Handshake>> begin_tls_client(std::shared_ptr<const TlsShared> shared,
                                                    os::Loop& loop, const os::Endpoint& to,
                                                    ClientSettings settings,
                                                    std::unique_ptr<os::Stream> stream) {
  SslPtr ssl(SSL_new(shared->client.get()));
  BIO* bio = ssl ? make_stream_bio(shared->bio_method.get(), *stream) : nullptr;
  if (bio == nullptr) return openssl_fail(Code::internal, "no room for a TLS connection");
  SSL_set_bio(ssl.get(), bio, bio);
  SSL_set_connect_state(ssl.get());
  std::unique_ptr<Conversation> conversation(
      new Conversation{loop.clock(), nullptr, std::move(settings), {}, {}, {}});
  TRY(configure_client(ssl.get(), to, *conversation));
  const std::size_t write_pending_max = conversation->client->write_pending_max;
  return make_tls_handshake(loop, {std::move(stream), std::move(ssl), std::move(conversation),
                                   std::move(shared), write_pending_max});
}

}  // namespace holdfast::crypto
