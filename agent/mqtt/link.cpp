#include "agent/mqtt/link.hpp"

#include <array>

namespace holdfast::agent {
namespace {

using wire::mqtt::Reason;

constexpr std::size_t kReadBytes = 16 * 1024;
constexpr Duration kStopLimit = seconds(2);

Ending ending_of(const Ended& ended) {
  switch (ended.reason) {
    case Reason::not_authorized:
    case Reason::banned:
    case Reason::bad_user_name_or_password:
      return Ending::unwelcome;
    case Reason::session_taken_over:
      return Ending::taken_over;
    case Reason::server_shutting_down:
      return Ending::shutting_down;
    default:
      return ended.at_connect ? Ending::failed : Ending::cut;
  }
}

// What a certificate that is not accepted looks like on the wire (RFC 8446 6.2).
Ending ending_of(const Error& error, bool was_up) {
  switch (error.code) {
    case Code::certificate_expired:
    case Code::certificate_invalid:
    case Code::certificate_revoked:
    case Code::certificate_required:
      return Ending::unwelcome;
    default:
      return was_up ? Ending::cut : Ending::failed;
  }
}

}  // namespace

MqttLink::MqttLink(os::System system, os::Loop& loop, crypto::Transport& transport,
                   os::Endpoint server, SessionOptions options, LinkHandlers handlers)
    : system_(system),
      loop_(loop),
      transport_(transport),
      server_(std::move(server)),
      handlers_(std::move(handlers)),
      session_(std::move(options)) {}

MqttLink::~MqttLink() {
  *alive_ = false;
  loop_.cancel(retry_);
  loop_.cancel(tick_);
}

os::Task MqttLink::guarded(std::move_only_function<void()> task) {
  return [alive = alive_, task = std::move(task)]() mutable {
    if (*alive) task();
  };
}

void MqttLink::start() {
  retry_ = loop_.after({}, guarded([this] { connect(); }));
}

void MqttLink::stop(os::Task done) {
  stopping_ = true;
  ++attempt_;
  loop_.cancel(retry_);
  loop_.cancel(tick_);
  if (!stream_) return loop_.post(guarded(std::move(done)));
  session_.leave(loop_.clock().mono());
  flush();
  stream_->shut();
  auto once = std::make_shared<os::Task>(std::move(done));
  auto finish = [once] {
    if (!*once) return;
    os::Task task = std::exchange(*once, nullptr);
    task();
  };
  stream_->wait_drained(guarded(finish));
  loop_.after(kStopLimit, guarded(finish));
}

void MqttLink::reconnect() {
  if (stopping_) return;
  ++attempt_;
  loop_.cancel(retry_);
  if (stream_) {
    session_.leave(loop_.clock().mono());
    flush();
    part();
  }
  session_.lost();
  up_since_ = kNever;
  retry_ = loop_.after({}, guarded([this] { connect(); }));
}

void MqttLink::connect() {
  const MonoTime deadline = loop_.clock().mono() + kConnectLimit;
  const unsigned attempt = ++attempt_;
  transport_.connect(loop_, server_, handlers_.settings(), deadline,
                     [this, attempt, alive = alive_](auto stream) {
                       if (*alive && attempt == attempt_) connected(std::move(stream));
                     });
}

void MqttLink::connected(Result<std::unique_ptr<crypto::SecureStream>> stream) {
  if (!stream) return down(ending_of(stream.error(), false), stream.error().text());
  stream_ = *std::move(stream);
  session_.start(loop_.clock().mono());
  stream_->wait_readable(guarded([this] { readable(); }));
  pump();
}

void MqttLink::readable() {
  std::array<std::uint8_t, kReadBytes> buffer;
  while (stream_) {
    const auto got = stream_->read(buffer);
    if (!got && got.error().code == Code::would_block) {
      stream_->wait_readable(guarded([this] { readable(); }));
      return;
    }
    if (!got) return down(ending_of(got.error(), up_since_ != kNever), got.error().text());
    if (*got == 0) {
      return down(up_since_ == kNever ? Ending::failed : Ending::cut,
                  "the server closed the connection");
    }
    session_.receive(View(buffer).first(*got), loop_.clock().mono());
    pump();
  }
}

// Events may publish, which makes output and further events; the outermost call does the work.
void MqttLink::pump() {
  if (pumping_) return;
  pumping_ = true;
  flush();
  for (auto events = session_.take_events(); !events.empty(); events = session_.take_events()) {
    for (const auto& event : events) handle(event);
    flush();
  }
  pumping_ = false;
  arm_tick();
}

void MqttLink::handle(const SessionEvent& event) {
  if (const auto* online = std::get_if<Online>(&event)) {
    up_since_ = loop_.clock().mono();
    handlers_.online(*online);
  } else if (const auto* acknowledged = std::get_if<Acknowledged>(&event)) {
    handlers_.acknowledged(*acknowledged);
  } else if (const auto* incoming = std::get_if<Incoming>(&event)) {
    handlers_.incoming(*incoming);
  } else if (const auto* ended = std::get_if<Ended>(&event)) {
    flush();
    part();
    down(ending_of(*ended), ended->message);
  }
}

void MqttLink::flush() {
  if (!stream_) return;
  const Bytes output = session_.take_output();
  // The window bounds what is pending; a stream that is full or broken is seen by read().
  if (!output.empty() && !stream_->write(output)) stream_->shut();
}

// Destroying a stream drops what it has not sent, the goodbye above all.
void MqttLink::part() {
  if (!stream_) return;
  stream_->shut();
  parting_ = std::move(stream_);
}

void MqttLink::arm_tick() {
  loop_.cancel(tick_);
  const MonoTime deadline = session_.deadline();
  if (deadline == kNever) return;
  tick_ = loop_.at(deadline, guarded([this] {
                     session_.tick(loop_.clock().mono());
                     pump();
                   }));
}

void MqttLink::down(Ending ending, const std::string& why) {
  if (stopping_) return;
  ++attempt_;
  stream_.reset();
  session_.lost();
  loop_.cancel(tick_);
  loop_.cancel(retry_);
  const MonoTime now = loop_.clock().mono();
  const Duration lasted = up_since_ == kNever ? Duration{} : now - up_since_;
  up_since_ = kNever;
  const Duration wait = backoff_.after(ending, lasted, system_.entropy.number());
  retry_ = loop_.after(wait, guarded([this] { connect(); }));
  handlers_.down(ending, why, wait);
}

Status MqttLink::publish(OutMessage message) {
  TRY(session_.publish(std::move(message), loop_.clock().mono()));
  pump();
  return {};
}

void MqttLink::acknowledge(const Incoming& message) {
  session_.acknowledge(message.packet_id, Reason::success, loop_.clock().mono());
  pump();
}

}  // namespace holdfast::agent
