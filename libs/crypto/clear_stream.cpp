#include "libs/crypto/clear_stream.hpp"

#include "libs/crypto/buffered_stream.hpp"

namespace holdfast::crypto {
namespace {

Peer clear_peer(const os::Loop& loop, const os::Stream& stream) {
  Peer peer;
  peer.protocol = "clear";
  peer.address = stream.peer_address();
  peer.arrived = loop.clock().mono();
  return peer;
}

class ClearStream final : public BufferedStream {
 public:
  ClearStream(os::Loop& loop, std::unique_ptr<os::Stream> socket, Peer peer,
              std::size_t pending_max)
      : BufferedStream(loop, std::move(socket), std::move(peer), pending_max) {}

 protected:
  Result<std::size_t> get(std::span<std::uint8_t> into) override { return stream().read(into); }
  Result<std::size_t> put(View bytes) override { return stream().write(bytes); }
  bool has_input() const override { return false; }
  bool read_wants_write() const override { return false; }
  void say_goodbye() override {}
};

class ClearTransport final : public Transport {
 public:
  explicit ClearTransport(os::Network& network) : network_(network) {}

  Result<std::shared_ptr<ServerContext>> make_context(ServerSettings) override {
    return fail(Code::unsupported, "the clear transport does not listen");
  }
  Result<std::unique_ptr<os::Listener>> listen(os::Loop&, const os::Endpoint&,
                                               std::shared_ptr<ServerContext>,
                                               SecureAcceptFn) override {
    return fail(Code::unsupported, "the clear transport does not listen");
  }
  void connect(os::Loop& loop, const os::Endpoint& to, ClientSettings settings, MonoTime deadline,
               SecureConnectFn done) override {
    network_.connect(loop, to, deadline,
                     [&loop, most = settings.write_pending_max,
                      done = std::move(done)](Result<std::unique_ptr<os::Stream>> stream) mutable {
                       if (!stream) return done(std::unexpected(std::move(stream).error()));
                       done(make_clear_stream(loop, *std::move(stream), most));
                     });
  }

 private:
  os::Network& network_;
};

}  // namespace

std::unique_ptr<SecureStream> make_clear_stream(os::Loop& loop, std::unique_ptr<os::Stream> stream,
                                                std::size_t write_pending_max) {
  Peer peer = clear_peer(loop, *stream);
  return std::make_unique<ClearStream>(loop, std::move(stream), std::move(peer), write_pending_max);
}

std::unique_ptr<Transport> make_clear_transport(os::Network& network) {
  return std::make_unique<ClearTransport>(network);
}

}  // namespace holdfast::crypto
