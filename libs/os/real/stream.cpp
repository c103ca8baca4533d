#include "libs/os/real/stream.hpp"

#include <netinet/tcp.h>

#include <algorithm>
#include <cassert>

namespace holdfast::os::real {
namespace {

constexpr unsigned kAcceptBatchMax = 64;  // connections taken before others on the loop have a turn
constexpr Duration kAcceptRetryMin = milliseconds(20);
constexpr Duration kAcceptRetryMax = seconds(1);

class RealStream final : public Stream {
 public:
  RealStream(std::shared_ptr<LoopCore> core, Fd socket)
      : watch_(Watch::make(std::move(core), socket.release())) {}
  ~RealStream() override { watch_->close(); }

  Result<std::size_t> read(std::span<std::uint8_t> into) override {
    if (watch_->fd() < 0) return fail(Code::closed, "the stream is closed");
    const auto count =
        retry_interrupted([&] { return ::recv(watch_->fd(), into.data(), into.size(), 0); });
    if (count < 0) return stream_error("read");
    return static_cast<std::size_t>(count);
  }

  Result<std::size_t> write(View bytes) override {
    if (watch_->fd() < 0) return fail(Code::closed, "the stream is closed");
    const auto count = retry_interrupted(
        [&] { return ::send(watch_->fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL); });
    if (count < 0) return stream_error("write");
    return static_cast<std::size_t>(count);
  }

  void wait_readable(Task ready) override { watch_->wait(Watch::kReadable, std::move(ready)); }
  void wait_writable(Task ready) override { watch_->wait(Watch::kWritable, std::move(ready)); }

  void shut_write() override {
    if (watch_->fd() >= 0) ::shutdown(watch_->fd(), SHUT_WR);
  }

  void close() override { watch_->close(); }

  std::string peer_address() const override {
    Address peer;
    if (::getpeername(watch_->fd(), peer.get(), &peer.size) < 0) return {};
    return peer.text();
  }

  int descriptor() const override { return watch_->fd(); }

 private:
  // A connection that broke is closed, whatever the network said about it.
  static std::unexpected<Error> stream_error(std::string_view action) {
    auto error = socket_error(errno, action);
    if (error.error().code != Code::would_block) error.error().code = Code::closed;
    return error;
  }

  const std::shared_ptr<Watch> watch_;
};

class Accepting final : public std::enable_shared_from_this<Accepting> {
 public:
  Accepting(std::shared_ptr<LoopCore> core, Fd socket, AcceptFn accept)
      : watch_(Watch::make(std::move(core), socket.release())), accept_(std::move(accept)) {}

  void pause(bool paused) {
    if (std::exchange(paused_, paused) && !paused) wait();
  }

  void close() {
    watch_->core().cancel(std::exchange(retry_, TimerId::none));
    watch_->close();
  }

  void wait() {
    if (paused_ || retry_ != TimerId::none) return;
    watch_->wait(Watch::kReadable, [self = shared_from_this()] { self->take(); });
  }

  int fd() const { return watch_->fd(); }
  LoopCore& core() const { return watch_->core(); }

 private:
  void take() {
    for (unsigned i = 0; i < kAcceptBatchMax; ++i) {
      if (paused_ || watch_->fd() < 0) return;
      Fd socket(::accept4(watch_->fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!socket.valid()) {
        if (errno == EAGAIN || errno == EWOULDBLOCK) break;
        // Out of descriptors or memory: what is in the backlog can wait, a busy loop cannot help.
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
          return retry_later();
        }
        continue;  // that connection was gone before we took it
      }
      pause_ = kAcceptRetryMin;
      accept_(make_stream(watch_->shared_core(), std::move(socket)));
    }
    wait();
  }

  void retry_later() {
    const MonoTime when = RealClock{}.mono() + pause_;
    pause_ = std::min(pause_ * 2, kAcceptRetryMax);
    retry_ = core().at(when, [self = shared_from_this()] {
      self->retry_ = TimerId::none;
      self->wait();
    });
  }

  const std::shared_ptr<Watch> watch_;
  const AcceptFn accept_;
  bool paused_ = false;
  TimerId retry_ = TimerId::none;
  Duration pause_ = kAcceptRetryMin;
};

class RealListener final : public Listener {
 public:
  RealListener(std::shared_ptr<LoopCore> core, Fd socket, AcceptFn accept, Task ended)
      : ended_(std::move(ended)) {
    Address own;
    ::getsockname(socket.get(), own.get(), &own.size);
    endpoint_ = {own.host(), own.port()};
    accepting_ = std::make_shared<Accepting>(std::move(core), std::move(socket), std::move(accept));
    // Posted, so that a listener may be made before its loop runs, or on another thread.
    accepting_->core().post([weak = std::weak_ptr(accepting_)] {
      if (const auto accepting = weak.lock()) accepting->wait();
    });
  }

  ~RealListener() override {
    accepting_->close();
    ended_();
  }

  Endpoint endpoint() const override { return endpoint_; }
  void pause(bool paused) override { accepting_->pause(paused); }

 private:
  Endpoint endpoint_;
  std::shared_ptr<Accepting> accepting_;
  Task ended_;
};

}  // namespace

std::unique_ptr<Stream> make_stream(std::shared_ptr<LoopCore> core, Fd socket) {
  // Small replies must not wait for the acknowledgement of earlier ones (RFC 896).
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return std::make_unique<RealStream>(std::move(core), std::move(socket));
}

std::unique_ptr<Listener> make_listener(std::shared_ptr<LoopCore> core, Fd socket, AcceptFn accept,
                                        Task ended) {
  return std::make_unique<RealListener>(std::move(core), std::move(socket), std::move(accept),
                                        std::move(ended));
}

}  // namespace holdfast::os::real
