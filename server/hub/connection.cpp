#include "server/hub/connection.hpp"

namespace holdfast::hub {
namespace mqtt = wire::mqtt;

namespace {

constexpr std::size_t kReadTurnBytes = 128 * 1024;  // then others on this loop have their turn
constexpr std::size_t kIdleBytesMax = 256;          // of output kept for the next packet

}  // namespace

Connection::Connection(std::shared_ptr<Surroundings> around,
                       std::unique_ptr<crypto::SecureStream> stream, std::uint64_t id, Gone gone)
    : around_(std::move(around)),
      stream_(std::move(stream)),
      id_(id),
      gone_(std::move(gone)),
      decoder_(mqtt::Decoder::for_server(kConnectPacketBytesMax)),
      session_(around_->entropy, around_->now(),
               stream_->peer().arrived + around_->limits.connect_limit) {
  around_->counters->opened.add();
  ++around_->counters->connections;
}

Connection::~Connection() {
  around_->loop.cancel(timer_);
  around_->loop.cancel(rate_timer_);
  around_->loop.cancel(park_timer_);
  --around_->counters->connections;
}

void Connection::start() {
  admit();
  arm();
  read();
}

// ---- reading

bool Connection::wants_input() const {
  return session_.wants_input() && !parked_ && !rate_paused_ && !blocked_ && stream_ != nullptr;
}

void Connection::read() {
  reading_ = true;
  std::size_t left = kReadTurnBytes;
  bool heard = false;
  while (wants_input()) {
    if (left == 0) {
      around_->loop.post([weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->go_on();
      });
      break;
    }
    auto& buffer = around_->read_buffer;
    const auto got = stream_->read(std::span(buffer).first(std::min(buffer.size(), left)));
    if (!got && got.error().code == Code::would_block) {
      waiting_ = true;
      stream_->wait_readable([weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self) return;
        self->waiting_ = false;
        self->go_on();
      });
      break;
    }
    if (!got || *got == 0) {
      session_.lost(got ? failure(Code::closed, "the device closed the connection") : got.error(),
                    around_->now(), out_);
      apply();
      break;
    }
    heard = true;
    left -= *got;
    session_.heard(around_->now());
    decoder_.feed(View(buffer).first(*got));
    take_packets();
  }
  reading_ = false;
  if (heard && session_.phase() == Phase::live) around_->devices.seen(device_, around_->now().wall);
}

void Connection::take_packets() {
  while (wants_input()) {
    if (!take_packet()) return;
  }
  decoder_.keep();
}

// False: more bytes are needed.
bool Connection::take_packet() {
  const auto packet = decoder_.next();
  if (!packet) {
    session_.refused(packet.error(), decoder_.version(), around_->now(), out_);
    apply();
    return true;
  }
  if (!*packet) return false;
  session_.packet(**packet, around_->now(), out_);
  apply();
  if (std::holds_alternative<mqtt::Publish>(**packet)) charge();
  return true;
}

// Messages beyond the device's rate are read later: its debt is waited for.
void Connection::charge() {
  if (!share_ || session_.phase() != Phase::live) return;
  const auto now = around_->now().mono;
  const auto wait = share_->messages.with([&](Bucket& bucket) { return bucket.take(now); });
  if (wait <= Duration{}) return;
  around_->counters->paused_rate.add();
  rate_paused_ = true;
  around_->loop.cancel(rate_timer_);
  rate_timer_ = around_->loop.after(wait, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->rate_paused_ = false;
    self->go_on();
  });
}

void Connection::go_on() {
  apply();
  if (!reading_ && !waiting_ && wants_input()) {
    reading_ = true;
    take_packets();  // those that were left when reading stopped
    reading_ = false;
    if (wants_input()) read();
  }
  flush_later();
}

// ---- writing

void Connection::flush_later() {
  if (flushing_ || out_.bytes.empty()) return;
  flushing_ = true;
  around_->loop.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->flushing_ = false;
    self->flush();
  });
}

void Connection::flush() {
  if (out_.bytes.empty() || !stream_) return;
  const auto written = stream_->write(out_.bytes);
  if (written) {
    out_.bytes.clear();
    if (out_.bytes.capacity() > kIdleBytesMax) out_.bytes.shrink_to_fit();
  } else if (written.error().code != Code::would_block) {
    out_.bytes = {};  // read() will tell why
  }
  if (session_.phase() == Phase::live) session_.shrink();
  if (blocked_ || (written && stream_->write_pending() < kOutputBytesMax) ||
      session_.phase() == Phase::closed)
    return;
  blocked_ = true;
  around_->counters->paused_slow.add();
  session_.blocked(true, out_);
  stream_->wait_drained([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->drained();
  });
}

void Connection::drained() {
  blocked_ = false;
  flush();
  if (blocked_) return;
  session_.blocked(false, out_);
  go_on();
}

// ---- time

// One timer, which looks again when it rings: every packet moves the deadline, none moves the
// timer.
void Connection::arm() {
  const auto deadline = session_.deadline();
  if (deadline >= armed_) return;
  around_->loop.cancel(timer_);
  armed_ = deadline;
  timer_ = around_->loop.at(deadline, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->tick();
  });
}

void Connection::tick() {
  armed_ = kNever;
  timer_ = os::TimerId::none;
  // What was left unread for our sake may hold the ping that would count.
  if (session_.phase() == Phase::live && !wants_input() && !blocked_)
    session_.heard(around_->now());
  session_.time(around_->now(), out_);
  go_on();
}

// ---- Seat

void Connection::evict(const Error& why, bool continues) {
  session_.evict(why, continues, around_->now(), out_);
  go_on();
}

void Connection::wake() {
  session_.wake(out_);
  go_on();
}

}  // namespace holdfast::hub
