#include "libs/crypto/plain_handshake.hpp"

#include "libs/crypto/buffered_stream.hpp"
#include "libs/crypto/plain_wire.hpp"

namespace holdfast::crypto {
namespace {

// Reads one framed message and not a byte more: what follows belongs to somebody else.
class MessageReader {
 public:
  // The body when it is whole; Code::would_block until then.
  Result<Bytes> read(os::Stream& from) {
    for (;;) {
      if (wanted_ == bytes_.size()) {
        if (has_header_) return std::exchange(bytes_, {});
        wanted_ = TRY(plain::parse_header(bytes_));
        has_header_ = true;
        bytes_.clear();
      }
      std::array<std::uint8_t, 4096> part;
      const std::size_t most = std::min(part.size(), wanted_ - bytes_.size());
      const std::size_t count = TRY(from.read(std::span(part).first(most)));
      if (count == 0) return fail(Code::closed, "the peer closed the connection");
      append(bytes_, View(part).first(count));
    }
  }
  void restart() { *this = MessageReader(); }

 private:
  Bytes bytes_;
  std::size_t wanted_ = plain::kHeaderBytes;
  bool has_header_ = false;
};

class PlainStream final : public BufferedStream {
 public:
  PlainStream(os::Loop& loop, std::unique_ptr<os::Stream> socket, Peer peer,
              std::size_t pending_max, bool verdict_comes)
      : BufferedStream(loop, std::move(socket), std::move(peer), pending_max),
        verdict_comes_(verdict_comes) {}

 protected:
  Result<std::size_t> get(std::span<std::uint8_t> into) override {
    if (refused_) return std::unexpected(*refused_);
    if (verdict_comes_) {
      const Bytes body = TRY(verdict_.read(stream()));
      verdict_comes_ = false;
      if (const auto code = TRY(plain::parse_verdict(body))) {
        refused_ = Error{*code, "the server does not accept our certificate", {}, {}, {}};
        return std::unexpected(*refused_);
      }
    }
    return stream().read(into);
  }
  Result<std::size_t> put(View bytes) override { return stream().write(bytes); }
  bool has_input() const override { return refused_.has_value(); }
  bool read_wants_write() const override { return false; }
  void say_goodbye() override {}

 private:
  MessageReader verdict_;
  bool verdict_comes_;  // a client hears what the server thinks of it only when it reads
  std::optional<Error> refused_;
};

// Sends what is queued, then reads one message, then lets the side decide; until it is done.
class PlainHandshake : public Handshake {
 public:
  PlainHandshake(os::Loop& loop, std::unique_ptr<os::Stream> stream)
      : loop_(loop), stream_(std::move(stream)) {
    peer_.protocol = "plain";
    peer_.address = stream_->peer_address();
  }

  Step step() override {
    for (;;) {
      while (!out_.empty()) {
        auto count = stream_->write(out_);
        if (!count) return stopped(std::move(count).error(), Step::wait_writable);
        out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(*count));
      }
      if (refused_) return Step::failed;
      if (done_) return Step::done;
      auto body = reader_.read(*stream_);
      if (!body) return stopped(std::move(body).error(), Step::wait_readable);
      reader_.restart();
      if (auto ok = received(*body); !ok && !refused_) refused_ = std::move(ok).error();
    }
  }

  os::Stream& stream() override { return *stream_; }
  Refusal refusal() const override { return {peer_.address, *refused_, shown_}; }
  std::unique_ptr<os::Stream> take_stream() override { return std::move(stream_); }

 protected:
  virtual Status received(View body) = 0;
  void send(const Bytes& message) { append(out_, message); }
  void finish() { done_ = true; }
  void refuse(Error why) { refused_ = std::move(why); }
  void show(const std::vector<Bytes>& chain) {
    if (!chain.empty()) shown_ = chain.front();
  }
  os::Loop& loop() { return loop_; }
  Peer& peer() { return peer_; }

 private:
  Step stopped(Error error, Step wait) {
    if (error.code == Code::would_block) return wait;
    if (!refused_) refused_ = std::move(error);
    return Step::failed;
  }

  os::Loop& loop_;
  std::unique_ptr<os::Stream> stream_;
  Peer peer_;
  MessageReader reader_;
  Bytes out_;
  std::optional<Error> refused_;
  std::optional<Bytes> shown_;
  bool done_ = false;
};

std::vector<Bytes> others_of(const std::vector<Bytes>& chain) {
  return {chain.begin() + 1, chain.end()};
}

class PlainServer final : public PlainHandshake {
 public:
  PlainServer(os::Loop& loop, std::unique_ptr<os::Stream> stream, const ServerSettings& settings,
              std::shared_ptr<const TrustStore> trust, std::shared_ptr<const void> keep)
      : PlainHandshake(loop, std::move(stream)),
        settings_(settings),
        trust_(std::move(trust)),
        keep_(std::move(keep)) {}

  std::unique_ptr<SecureStream> take(MonoTime arrived) override {
    peer().arrived = arrived;
    return std::make_unique<PlainStream>(loop(), take_stream(), std::move(peer()),
                                         settings_.write_pending_max, false);
  }

 private:
  Status received(View body) override {
    if (!greeted_) {
      greeted_ = true;
      const auto hello = TRY(plain::parse_client_hello(body));
      for (const std::string& own : settings_.alpn) {
        const bool offered =
            std::find(hello.alpn.begin(), hello.alpn.end(), own) != hello.alpn.end();
        if (offered && peer().alpn.empty()) peer().alpn = own;
      }
      send(
          plain::encode(plain::ServerHello{peer().alpn, settings_.client != ClientCertificate::none,
                                           settings_.credential.chain_der}));
      return {};
    }
    const auto chain = TRY(plain::parse_chain(body));
    show(chain);
    if (auto ok = check(chain); !ok) {
      send(plain::encode_verdict(ok.error().code));
      refuse(std::move(ok).error());
      return {};
    }
    send(plain::encode_verdict(std::nullopt));
    finish();
    return {};
  }

  Status check(const std::vector<Bytes>& chain) {
    if (settings_.client == ClientCertificate::none) return {};
    if (chain.empty()) {
      if (settings_.client == ClientCertificate::optional) return {};
      return fail(Code::certificate_required, "the client sent no certificate");
    }
    Verification how;
    how.now = loop().clock().wall();
    TRY(trust_->verify(chain.front(), others_of(chain), how));
    peer().certificate_der = chain.front();
    return {};
  }

  const ServerSettings& settings_;
  const std::shared_ptr<const TrustStore> trust_;
  const std::shared_ptr<const void> keep_;
  bool greeted_ = false;
};

class PlainClient final : public PlainHandshake {
 public:
  PlainClient(os::Loop& loop, std::unique_ptr<os::Stream> stream, ClientSettings settings)
      : PlainHandshake(loop, std::move(stream)), settings_(std::move(settings)) {
    send(plain::encode(plain::ClientHello{settings_.server_name, settings_.alpn}));
  }

  std::unique_ptr<SecureStream> take(MonoTime arrived) override {
    peer().arrived = arrived;
    return std::make_unique<PlainStream>(loop(), take_stream(), std::move(peer()),
                                         settings_.write_pending_max, true);
  }

 private:
  Status received(View body) override {
    auto hello = TRY(plain::parse_server_hello(body));
    show(hello.chain);
    if (hello.chain.empty()) return fail(Code::tls_failed, "the server has no certificate");
    if (auto ok = check(hello.chain); !ok) {
      Error why = std::move(ok).error();
      why.code = Code::server_untrusted;
      return std::unexpected(std::move(why));
    }
    peer().alpn = std::move(hello.alpn);
    peer().certificate_der = hello.chain.front();
    peer().server_chain = std::move(hello.chain);
    const bool show_ours = hello.wants_certificate && settings_.credential;
    send(plain::encode_chain(show_ours ? settings_.credential->chain_der : std::vector<Bytes>()));
    finish();
    return {};
  }

  Status check(const std::vector<Bytes>& chain) {
    if (settings_.unverified) return {};
    const auto trust = TRY(trust_of(settings_, chain));
    Verification how;
    how.purpose = Purpose::server;
    how.now = loop().clock().wall();
    how.check_times = settings_.check_times;
    how.host = settings_.server_name;
    TRY(trust->verify(chain.front(), others_of(chain), how));
    return {};
  }

  const ClientSettings settings_;
};

}  // namespace

std::unique_ptr<Handshake> make_plain_server(os::Loop& loop, std::unique_ptr<os::Stream> stream,
                                             const ServerSettings& settings,
                                             std::shared_ptr<const TrustStore> trust,
                                             std::shared_ptr<const void> keep) {
  return std::make_unique<PlainServer>(loop, std::move(stream), settings, std::move(trust),
                                       std::move(keep));
}

std::unique_ptr<Handshake> make_plain_client(os::Loop& loop, std::unique_ptr<os::Stream> stream,
                                             ClientSettings settings) {
  return std::make_unique<PlainClient>(loop, std::move(stream), std::move(settings));
}

}  // namespace holdfast::crypto
