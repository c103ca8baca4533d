// The transport of simulations (decision 22): what TLS would prove is taken on trust, so that a run
// is the same each time and costs no arithmetic. Never listens or connects in a real program.
#include "libs/crypto/plain_handshake.hpp"

namespace holdfast::crypto {
namespace {

class PlainSource final : public ServerSource, public std::enable_shared_from_this<PlainSource> {
 public:
  static Result<std::shared_ptr<const PlainSource>> make(ServerSettings settings) {
    if (settings.credential.chain_der.empty()) {
      return fail(Code::invalid_argument, "a credential needs a certificate and its key");
    }
    auto trust = TRY(TrustStore::make(settings.trust_der));
    if (settings.client != ClientCertificate::none && trust->cas().empty()) {
      return fail(Code::invalid_argument, "client certificates need a CA to be checked against");
    }
    return std::make_shared<PlainSource>(std::move(settings), std::move(trust));
  }

  PlainSource(ServerSettings settings, std::shared_ptr<const TrustStore> trust)
      : settings_(std::move(settings)), trust_(std::move(trust)) {}

  const ServerSettings& settings() const override { return settings_; }
  Result<std::unique_ptr<Handshake>> begin(os::Loop& loop,
                                           std::unique_ptr<os::Stream> stream) const override {
    return make_plain_server(loop, std::move(stream), settings_, trust_, shared_from_this());
  }

 private:
  const ServerSettings settings_;
  const std::shared_ptr<const TrustStore> trust_;
};

class PlainContext final : public SourceContext {
 public:
  explicit PlainContext(std::shared_ptr<const PlainSource> source) : source_(std::move(source)) {}
  Status replace(ServerSettings settings) override {
    auto source = TRY(PlainSource::make(std::move(settings)));
    source_.with([&](auto& current) { current = std::move(source); });
    return {};
  }
  bool encrypts() const override { return false; }
  std::shared_ptr<const ServerSource> current(MonoTime) override {
    return source_.with([](auto& current) { return current; });
  }

 private:
  Guarded<std::shared_ptr<const PlainSource>> source_;
};

class PlainTransport final : public Transport {
 public:
  PlainTransport(os::Network& network, Metrics& metrics)
      : network_(network), counters_(std::make_shared<HandshakeCounters>(metrics, "plain")) {}

  Result<std::shared_ptr<ServerContext>> make_context(ServerSettings settings) override {
    return std::make_shared<PlainContext>(TRY(PlainSource::make(std::move(settings))));
  }

  Result<std::unique_ptr<os::Listener>> listen(os::Loop& loop, const os::Endpoint& at,
                                               std::shared_ptr<ServerContext> context,
                                               SecureAcceptFn accept) override {
    auto source = std::dynamic_pointer_cast<SourceContext>(std::move(context));
    if (!source || source->encrypts()) {
      return fail(Code::invalid_argument, "a context of another transport");
    }
    return listen_secure(network_, loop, at, std::move(source), counters_, std::move(accept));
  }

  void connect(os::Loop& loop, const os::Endpoint& to, ClientSettings settings, MonoTime deadline,
               SecureConnectFn done) override {
    connect_secure(
        network_, loop, to, deadline, counters_,
        [&loop, settings = std::move(settings)](
            std::unique_ptr<os::Stream> stream) mutable -> Result<std::unique_ptr<Handshake>> {
          return make_plain_client(loop, std::move(stream), std::move(settings));
        },
        std::move(done));
  }

 private:
  os::Network& network_;
  const std::shared_ptr<HandshakeCounters> counters_;
};

}  // namespace

std::unique_ptr<Transport> make_plain_transport(os::Network& network, Metrics& metrics) {
  return std::make_unique<PlainTransport>(network, metrics);
}

}  // namespace holdfast::crypto
