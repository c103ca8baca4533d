// The client's half of both transports: connect, step the handshake, answer once.
#include "libs/crypto/handshake.hpp"
#include "libs/crypto/verify.hpp"

namespace holdfast::crypto {
namespace {

// Lives in its own call-backs; whoever asked holds nothing.
class Connecting final : public std::enable_shared_from_this<Connecting> {
 public:
  Connecting(os::Loop& loop, std::shared_ptr<HandshakeCounters> counters, BeginFn begin,
             SecureConnectFn done)
      : loop_(loop),
        counters_(std::move(counters)),
        begin_(std::move(begin)),
        done_(std::move(done)) {}

  void start(os::Network& network, const os::Endpoint& to, MonoTime deadline) {
    where_ = to.text();
    deadline_ = deadline;
    network.connect(loop_, to, deadline,
                    [self = shared_from_this()](Result<std::unique_ptr<os::Stream>> stream) {
                      self->connected(std::move(stream));
                    });
  }

 private:
  void connected(Result<std::unique_ptr<os::Stream>> stream) {
    if (!stream) return finish(std::unexpected(std::move(stream).error()));
    auto handshake = begin_(*std::move(stream));
    if (!handshake) return finish(std::unexpected(std::move(handshake).error()));
    handshake_ = *std::move(handshake);
    timer_ = loop_.at(deadline_, [self = shared_from_this()] {
      self->finish(fail(Code::deadline_exceeded,
                        "the handshake with " + self->where_ + " did not end in time"));
    });
    advance();
  }

  void advance() {
    if (!handshake_) return;
    auto again = [self = shared_from_this()] { self->advance(); };
    switch (handshake_->step()) {
      case Handshake::Step::wait_readable:
        return handshake_->stream().wait_readable(std::move(again));
      case Handshake::Step::wait_writable:
        return handshake_->stream().wait_writable(std::move(again));
      case Handshake::Step::done:
        return finish(handshake_->take(loop_.clock().mono()));
      case Handshake::Step::failed:
        Error why = handshake_->refusal().why;
        why.context.push_back("connecting to " + where_);
        return finish(std::unexpected(std::move(why)));
    }
  }

  void finish(Result<std::unique_ptr<SecureStream>> result) {
    if (!done_) return;
    loop_.cancel(timer_);
    (result ? counters_->connected : counters_->connect_failed).add();
    // The waits of the socket hold this object: they go with the handshake.
    handshake_.reset();
    std::exchange(done_, nullptr)(std::move(result));
  }

  os::Loop& loop_;
  const std::shared_ptr<HandshakeCounters> counters_;
  BeginFn begin_;
  SecureConnectFn done_;
  std::string where_;
  MonoTime deadline_;
  std::unique_ptr<Handshake> handshake_;
  os::TimerId timer_ = os::TimerId::none;
};

std::string help(std::string_view kind, std::string_view what) {
  return std::string(what) + " (" + std::string(kind) + ")";
}

}  // namespace

HandshakeCounters::HandshakeCounters(Metrics& metrics, std::string_view kind)
    : HandshakeCounters(metrics, "holdfast_" + std::string(kind) + "_handshakes_total",
                        help(kind, "Handshakes of clients, by how they ended"),
                        "holdfast_" + std::string(kind) + "_connects_total",
                        help(kind, "Own connections, by how their handshake ended")) {}

HandshakeCounters::HandshakeCounters(Metrics& metrics, const std::string& handshakes,
                                     const std::string& handshakes_help,
                                     const std::string& connects, const std::string& connects_help)
    : full(metrics.counter(handshakes, handshakes_help, "result=\"full\"")),
      resumed(metrics.counter(handshakes, handshakes_help, "result=\"resumed\"")),
      refused(metrics.counter(handshakes, handshakes_help, "result=\"refused\"")),
      timed_out(metrics.counter(handshakes, handshakes_help, "result=\"timed_out\"")),
      stalled(metrics.counter(handshakes, handshakes_help, "result=\"stalled\"")),
      silent_closed(metrics.counter(handshakes, handshakes_help, "result=\"silent_closed\"")),
      connected(metrics.counter(connects, connects_help, "result=\"ok\"")),
      connect_failed(metrics.counter(connects, connects_help, "result=\"failed\"")) {}

void connect_secure(os::Network& network, os::Loop& loop, const os::Endpoint& to, MonoTime deadline,
                    std::shared_ptr<HandshakeCounters> counters, BeginFn begin,
                    SecureConnectFn done) {
  std::make_shared<Connecting>(loop, std::move(counters), std::move(begin), std::move(done))
      ->start(network, to, deadline);
}

Result<std::shared_ptr<const TrustStore>> trust_of(const ClientSettings& settings,
                                                   const std::vector<Bytes>& chain) {
  if (!settings.trust_fingerprint) return TrustStore::make(settings.trust_der);
  for (const Bytes& one : chain) {
    const Sha256 digest = sha256(one);
    if (std::equal(digest.begin(), digest.end(), settings.trust_fingerprint->begin(),
                   settings.trust_fingerprint->end())) {
      return TrustStore::make({one});
    }
  }
  return fail(Code::server_untrusted,
              "the server shows no CA with the expected fingerprint; is it the right server?");
}

}  // namespace holdfast::crypto
