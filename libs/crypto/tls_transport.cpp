// The real transport: its parts are in tls_context, tls_handshake, secure_listener, secure_connect.
#include "libs/crypto/tls_context.hpp"

namespace holdfast::crypto {
namespace {

class TlsTransport final : public Transport {
 public:
  TlsTransport(os::Network& network, Metrics& metrics)
      : network_(network),
        counters_(std::make_shared<HandshakeCounters>(metrics, "tls")),
        shared_(make_tls_shared()) {}

  Result<std::shared_ptr<ServerContext>> make_context(ServerSettings settings) override {
    return TRY(make_tls_server_context(TRY(shared()), std::move(settings)));
  }

  Result<std::unique_ptr<os::Listener>> listen(os::Loop& loop, const os::Endpoint& at,
                                               std::shared_ptr<ServerContext> context,
                                               SecureAcceptFn accept) override {
    auto source = std::dynamic_pointer_cast<SourceContext>(std::move(context));
    if (!source || !source->encrypts()) {
      return fail(Code::invalid_argument, "a context of another transport");
    }
    return listen_secure(network_, loop, at, std::move(source), counters_, std::move(accept));
  }

  void connect(os::Loop& loop, const os::Endpoint& to, ClientSettings settings, MonoTime deadline,
               SecureConnectFn done) override {
    connect_secure(
        network_, loop, to, deadline, counters_,
        [shared = shared_, &loop, to, settings = std::move(settings)](
            std::unique_ptr<os::Stream> stream) mutable -> Result<std::unique_ptr<Handshake>> {
          if (!shared) return std::unexpected(shared.error());
          return begin_tls_client(*shared, loop, to, std::move(settings), std::move(stream));
        },
        std::move(done));
  }

 private:
  Result<std::shared_ptr<const TlsShared>> shared() const { return shared_; }

  os::Network& network_;
  const std::shared_ptr<HandshakeCounters> counters_;
  const Result<std::shared_ptr<const TlsShared>> shared_;  // an error surfaces at first use
};

}  // namespace

std::unique_ptr<Transport> make_tls_transport(os::Network& network, Metrics& metrics) {
  return std::make_unique<TlsTransport>(network, metrics);
}

}  // namespace holdfast::crypto
