#include "libs/crypto/buffered_stream.hpp"

namespace holdfast::crypto {
namespace {

constexpr Duration kShutLimit = seconds(2);

}  // namespace

BufferedStream::BufferedStream(os::Loop& loop, std::unique_ptr<os::Stream> stream, Peer peer,
                               std::size_t write_pending_max)
    : loop_(loop),
      stream_(std::move(stream)),
      peer_(std::move(peer)),
      write_pending_max_(write_pending_max),
      self_(std::make_shared<BufferedStream*>(this)) {}

BufferedStream::~BufferedStream() {
  *self_ = nullptr;
  if (shut_timer_ != os::TimerId::none) loop_.cancel(shut_timer_);
}

void BufferedStream::post(void (BufferedStream::*act)()) {
  loop_.post([self = self_, act] {
    if (*self != nullptr) ((*self)->*act)();
  });
}

Result<std::size_t> BufferedStream::read(std::span<std::uint8_t> into) {
  if (closed_) return fail(Code::closed, "the connection is closed");
  return get(into);
}

Status BufferedStream::write(View bytes) {
  if (broken_) return std::unexpected(*broken_);
  if (shut_) return fail(Code::closed, "the connection is shutting down");
  if (write_pending() >= write_pending_max_) {
    return fail(Code::would_block, "too much is waiting to be sent");
  }
  append(pending_, bytes);
  schedule_flush();
  return {};
}

void BufferedStream::schedule_flush() {
  if (!std::exchange(flushing_, true)) post(&BufferedStream::flush);
}

void BufferedStream::flush() {
  flushing_ = false;
  if (closed_ || broken_) return;
  while (write_pending() > 0) {
    auto count = put(View(pending_).subspan(sent_));
    if (!count && count.error().code == Code::would_block) {
      flushing_ = true;
      return stream_->wait_writable([self = self_] {
        if (*self != nullptr) (*self)->flush();
      });
    }
    if (!count) return break_off(std::move(count).error());
    sent_ += *count;
  }
  // Back to the allocator: most connections of a fleet are idle most of the time.
  pending_ = Bytes();
  sent_ = 0;
  if (shut_) send_end();
  wake_drained();
}

void BufferedStream::send_end() {
  say_goodbye();
  stream_->shut_write();
}

void BufferedStream::break_off(Error why) {
  broken_ = std::move(why);
  pending_ = Bytes();
  sent_ = 0;
  const auto self = self_;
  wake_reader();
  if (*self != nullptr) wake_drained();
}

void BufferedStream::wake_reader() {
  if (auto ready = std::exchange(reader_, nullptr)) ready();
}

void BufferedStream::wake_drained() {
  if (write_pending() > 0) return;  // written again since: flush() calls
  if (auto drained = std::exchange(drained_, nullptr)) drained();
}

void BufferedStream::wait_readable(os::Task ready) {
  reader_ = std::move(ready);
  if (closed_ || has_input()) return post(&BufferedStream::wake_reader);
  auto wake = [self = self_] {
    if (*self != nullptr) (*self)->wake_reader();
  };
  // A key update that could not be answered yet (RFC 8446 4.6.3) holds reading up until it can.
  if (read_wants_write() && !flushing_) return stream_->wait_writable(std::move(wake));
  stream_->wait_readable(std::move(wake));
}

void BufferedStream::wait_drained(os::Task drained) {
  drained_ = std::move(drained);
  if (write_pending() == 0) post(&BufferedStream::wake_drained);
}

void BufferedStream::shut() {
  if (std::exchange(shut_, true)) return;
  shut_timer_ = loop_.after(kShutLimit, [self = self_] {
    if (*self != nullptr) (*self)->time_is_up();
  });
  if (!broken_ && write_pending() == 0) return send_end();
  schedule_flush();
}

void BufferedStream::time_is_up() {
  shut_timer_ = os::TimerId::none;
  closed_ = true;
  stream_->close();
  break_off({Code::closed, "the connection is closed", {}, {}, {}});
}

}  // namespace holdfast::crypto
