// The listener of both transports: admission, deadlines, and a decent end for those it refuses.
#include <map>

#include "libs/crypto/admission.hpp"
#include "libs/crypto/handshake.hpp"

namespace holdfast::crypto {
namespace {

constexpr Duration kStallCheck = milliseconds(250);
constexpr Duration kLingerLimit = seconds(1);
constexpr std::size_t kLingeringMax = 256;          // beyond it refused sockets close at once
constexpr std::size_t kLingerBytesMax = 64 * 1024;  // read and thrown away, each

// Kept alive by its call-backs until close().
class SecureAccepting final : public std::enable_shared_from_this<SecureAccepting> {
 public:
  SecureAccepting(os::Loop& loop, std::shared_ptr<SourceContext> context,
                  std::shared_ptr<HandshakeCounters> counters, SecureAcceptFn accept)
      : loop_(loop),
        context_(std::move(context)),
        counters_(std::move(counters)),
        accept_(std::move(accept)) {}

  void arrived(std::unique_ptr<os::Stream> stream);
  void close();

 private:
  using Ticket = Admission::Ticket;
  struct Young {
    std::unique_ptr<os::Stream> stream;  // before the handshake begins
    std::unique_ptr<Handshake> handshake;
    os::TimerId deadline = os::TimerId::none;
    std::shared_ptr<const ServerSource> source;
    MonoTime arrived;
  };
  struct Lingering {
    std::unique_ptr<os::Stream> stream;
    os::TimerId deadline = os::TimerId::none;
    std::size_t read = 0;
  };

  void spoke(Ticket ticket);
  void pump();
  void begin(Ticket ticket);
  void advance(Ticket ticket);
  void finish(Ticket ticket);
  void refuse(Ticket ticket);
  void timed_out(Ticket ticket);
  void give_up(Ticket ticket, std::string_view why);
  void watch_stalls();
  std::optional<Young> remove(Ticket ticket);
  void linger(std::unique_ptr<os::Stream> stream);
  void drain(Ticket ticket);
  template <class F>
  os::Task guarded(F act) {
    return [weak = weak_from_this(), act = std::move(act)]() mutable {
      if (const auto self = weak.lock(); self && !self->closed_) act(*self);
    };
  }
  MonoTime now() const { return loop_.clock().mono(); }

  os::Loop& loop_;
  const std::shared_ptr<SourceContext> context_;
  const std::shared_ptr<HandshakeCounters> counters_;
  SecureAcceptFn accept_;
  Admission admission_;
  std::map<Ticket, Young> young_;
  std::map<Ticket, Lingering> lingering_;
  Ticket next_ticket_ = 1;
  os::TimerId stall_timer_ = os::TimerId::none;
  bool pumping_ = false;
  bool closed_ = false;
};

void SecureAccepting::arrived(std::unique_ptr<os::Stream> stream) {
  if (closed_) return;
  auto source = context_->current(now());
  const ServerSettings& settings = source->settings();
  admission_.set_limits({settings.handshakes_max, settings.silent_max});
  const Ticket ticket = next_ticket_++;
  Young& young = young_[ticket];
  young.deadline =
      loop_.after(settings.handshake_limit,
                  guarded([ticket](SecureAccepting& self) { self.timed_out(ticket); }));
  young.source = std::move(source);
  young.arrived = now();
  young.stream = std::move(stream);
  if (const auto oldest = admission_.arrived(ticket)) {
    counters_->silent_closed.add();
    remove(*oldest);
    if (*oldest == ticket) return;
  }
  young.stream->wait_readable(guarded([ticket](SecureAccepting& self) { self.spoke(ticket); }));
}

void SecureAccepting::spoke(Ticket ticket) {
  admission_.spoke(ticket);
  pump();
}

// Not recursive: handshakes that fail at their first step would nest as deep as the queue is long.
void SecureAccepting::pump() {
  if (std::exchange(pumping_, true)) return;
  const auto self = shared_from_this();
  while (!closed_) {
    if (const auto ticket = admission_.next(now())) {
      begin(*ticket);
    } else if (const auto stalled = admission_.stalled(now())) {
      counters_->stalled.add();
      give_up(*stalled, "it stopped halfway while others waited");
    } else {
      break;
    }
  }
  pumping_ = false;
  if (!closed_) watch_stalls();
}

void SecureAccepting::watch_stalls() {
  if (admission_.waiting() == 0 || stall_timer_ != os::TimerId::none) return;
  stall_timer_ = loop_.after(kStallCheck, guarded([](SecureAccepting& self) {
                               self.stall_timer_ = os::TimerId::none;
                               self.pump();
                             }));
}

void SecureAccepting::begin(Ticket ticket) {
  Young& young = young_.at(ticket);
  // The newest settings: it may have waited while a certificate was renewed.
  young.source = context_->current(now());
  auto handshake = young.source->begin(loop_, std::move(young.stream));
  if (!handshake) {
    counters_->refused.add();
    remove(ticket);
    return;
  }
  young.handshake = *std::move(handshake);
  advance(ticket);
}

void SecureAccepting::advance(Ticket ticket) {
  admission_.progressed(ticket, now());
  Handshake& handshake = *young_.at(ticket).handshake;
  auto again = [ticket](SecureAccepting& self) { self.advance(ticket); };
  switch (handshake.step()) {
    case Handshake::Step::wait_readable:
      return handshake.stream().wait_readable(guarded(again));
    case Handshake::Step::wait_writable:
      return handshake.stream().wait_writable(guarded(again));
    case Handshake::Step::done:
      return finish(ticket);
    case Handshake::Step::failed:
      return refuse(ticket);
  }
}

void SecureAccepting::finish(Ticket ticket) {
  auto young = remove(ticket);
  auto stream = young->handshake->take(young->arrived);
  (stream->peer().resumed ? counters_->resumed : counters_->full).add();
  accept_(std::move(stream));
  if (!closed_) pump();
}

void SecureAccepting::refuse(Ticket ticket) {
  auto young = remove(ticket);
  counters_->refused.add();
  const Refusal refusal = young->handshake->refusal();
  linger(young->handshake->take_stream());
  if (const auto& refused = young->source->settings().refused) refused(refusal);
  if (!closed_) pump();
}

void SecureAccepting::timed_out(Ticket ticket) {
  counters_->timed_out.add();
  give_up(ticket, "it did not end in time");
  if (!closed_) pump();
}

void SecureAccepting::give_up(Ticket ticket, std::string_view why) {
  auto young = remove(ticket);
  if (!young || !young->handshake) return;  // silent sockets are counted only: scanners, probes
  const Refusal refusal{young->handshake->stream().peer_address(),
                        {Code::handshake_timeout, "handshake: " + std::string(why), {}, {}, {}},
                        {}};
  if (const auto& refused = young->source->settings().refused) refused(refusal);
}

std::optional<SecureAccepting::Young> SecureAccepting::remove(Ticket ticket) {
  admission_.left(ticket);
  const auto found = young_.find(ticket);
  if (found == young_.end()) return std::nullopt;
  Young young = std::move(found->second);
  young_.erase(found);
  loop_.cancel(young.deadline);
  return young;
}

// Closing a socket whose input was not read resets it, and a reset overtakes the alert that tells
// the client why. So: end our side, read what comes, close soon.
void SecureAccepting::linger(std::unique_ptr<os::Stream> stream) {
  if (!stream || closed_ || lingering_.size() >= kLingeringMax) return;
  stream->shut_write();
  const Ticket ticket = next_ticket_++;
  Lingering& one = lingering_[ticket];
  one.stream = std::move(stream);
  one.deadline = loop_.after(
      kLingerLimit, guarded([ticket](SecureAccepting& self) { self.lingering_.erase(ticket); }));
  drain(ticket);
}

void SecureAccepting::drain(Ticket ticket) {
  const auto found = lingering_.find(ticket);
  if (found == lingering_.end()) return;
  Lingering& one = found->second;
  std::array<std::uint8_t, 4096> waste;
  for (;;) {
    auto count = one.stream->read(waste);
    if (!count && count.error().code == Code::would_block) break;
    one.read += count.value_or(0);
    if (!count || *count == 0 || one.read > kLingerBytesMax) {
      loop_.cancel(one.deadline);
      lingering_.erase(found);
      return;
    }
  }
  one.stream->wait_readable(guarded([ticket](SecureAccepting& self) { self.drain(ticket); }));
}

void SecureAccepting::close() {
  if (std::exchange(closed_, true)) return;
  loop_.cancel(stall_timer_);
  for (auto& [ticket, young] : young_) loop_.cancel(young.deadline);
  for (auto& [ticket, one] : lingering_) loop_.cancel(one.deadline);
  young_.clear();
  lingering_.clear();
  // accept_ may be what called us: it dies with this object, not here.
}

class SecureListener final : public os::Listener {
 public:
  SecureListener(std::unique_ptr<os::Listener> inner, std::shared_ptr<SecureAccepting> accepting)
      : inner_(std::move(inner)), accepting_(std::move(accepting)) {}
  ~SecureListener() override {
    inner_.reset();
    accepting_->close();
  }
  os::Endpoint endpoint() const override { return inner_->endpoint(); }
  void pause(bool paused) override { inner_->pause(paused); }

 private:
  std::unique_ptr<os::Listener> inner_;
  std::shared_ptr<SecureAccepting> accepting_;
};

}  // namespace

Result<std::unique_ptr<os::Listener>> listen_secure(os::Network& network, os::Loop& loop,
                                                    const os::Endpoint& at,
                                                    std::shared_ptr<SourceContext> context,
                                                    std::shared_ptr<HandshakeCounters> counters,
                                                    SecureAcceptFn accept) {
  auto accepting = std::make_shared<SecureAccepting>(loop, std::move(context), std::move(counters),
                                                     std::move(accept));
  auto inner = TRY(network.listen(loop, at, [accepting](std::unique_ptr<os::Stream> stream) {
    accepting->arrived(std::move(stream));
  }));
  return std::make_unique<SecureListener>(std::move(inner), std::move(accepting));
}

}  // namespace holdfast::crypto
