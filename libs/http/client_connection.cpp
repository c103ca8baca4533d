#include <algorithm>

#include "libs/http/client_pool.hpp"

namespace holdfast::http {
namespace {

constexpr std::size_t kSendPiece = 16 * 1024;     // bytes: a TLS record
constexpr std::size_t kSendAheadMax = 64 * 1024;  // bytes pending in the stream before we wait

bool idempotent(const ClientRequest& request) {
  for (std::string_view method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}) {
    if (request.method == method) return true;
  }
  return request.headers.has("Idempotency-Key");
}

std::string request_head(const ClientRequest& request, std::string_view host) {
  std::string out = request.method + ' ' + request.target + " HTTP/1.1\r\n";
  Headers headers = request.headers;
  headers.set("Host", host);
  headers.remove("Transfer-Encoding");
  headers.remove("Content-Length");
  const bool takes_body =
      request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (takes_body || !request.body.empty()) {
    headers.add("Content-Length", std::to_string(request.body.size()));
  }
  write_headers(headers, out);
  return out + "\r\n";
}

}  // namespace

void ClientConnection::run(std::shared_ptr<ClientJob> job, std::string_view host) {
  stop_timer();
  job_ = std::move(job);
  out_ = request_head(job_->request, host);
  body_at_ = 0;
  sending_ = true;
  head_reported_ = false;
  parser_ = ResponseParser(job_->request.method == "HEAD");
  body_.clear();
  heard_ = pool_->loop.clock().mono();
  watch_silence();
  // Later: the pool may be in the middle of something, and a failure calls back.
  pool_->loop.post([weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self || !self->job_) return;
    self->send_more();
    if (self->job_) self->on_readable();
  });
}

void ClientConnection::send_more() {
  const Bytes& body = job_->request.body;
  while (!out_.empty() || body_at_ < body.size()) {
    if (stream_->write_pending() >= kSendAheadMax) {
      stream_->wait_drained([weak = weak_from_this()] {
        auto self = weak.lock();
        // After a break on_readable() says why; there is nothing more to send then.
        if (self && self->job_ && self->sending_ && self->stream_->write_pending() == 0) {
          self->send_more();
        }
      });
      return;
    }
    const std::size_t room = out_.size() < kSendPiece ? kSendPiece - out_.size() : 0;
    const std::size_t piece = std::min(room, body.size() - body_at_);
    out_ += text_of(View(body).subspan(body_at_, piece));
    body_at_ += piece;
    const std::string text = std::exchange(out_, {});
    if (!stream_->write(view_of(text))) break;  // it broke: on_readable() says why
  }
  sending_ = false;
}

void ClientConnection::wait_readable() {
  if (waits_readable_) return;
  waits_readable_ = true;
  stream_->wait_readable([weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self || !self->stream_) return;
    self->waits_readable_ = false;
    self->on_readable();
  });
}

void ClientConnection::on_readable() {
  const auto self = shared_from_this();
  const auto pool = pool_->shared_from_this();
  while (pool_) {
    auto got = stream_->read(pool->scratch);
    if (!got && got.error().code == Code::would_block) return wait_readable();
    if (!got) return on_end(std::move(got.error()));
    if (*got == 0) return on_end({Code::closed, {}, {}, {}, {}});
    const auto job = job_;      // its call-backs may drop us
    if (!job) return fail({});  // bytes that nobody asked for
    heard_ = pool->loop.clock().mono();
    const View bytes = View(pool->scratch).first(*got);
    const auto taken = take(bytes);
    if (!pool_) return;  // given up from inside
    if (!taken) return fail(taken.error());
    if (parser_.done()) return finish(*taken == bytes.size());
  }
}

Result<std::size_t> ClientConnection::take(View bytes) {
  const std::size_t taken =
      TRY(parser_.feed(bytes, [this](View piece) { return take_piece(piece); }));
  if (parser_.head_done()) TRY(report_head());
  return taken;
}

Status ClientConnection::report_head() {
  if (std::exchange(head_reported_, true) || !job_ || !job_->request.on_head) return {};
  return job_->request.on_head(parser_.head());
}

Status ClientConnection::take_piece(View piece) {
  TRY(report_head());
  const auto gone = [] { return holdfast::fail(Code::cancelled, "The request was given up."); };
  if (!job_) return gone();
  const int status = parser_.head().status;
  if (job_->request.on_body && status >= 200 && status < 300) {
    TRY(job_->request.on_body(piece));
    return job_ ? Status{} : Status{gone()};
  }
  if (piece.size() > job_->request.body_max - body_.size()) {
    return holdfast::fail(
        Code::payload_too_large,
        "The server's answer has more than " + std::to_string(job_->request.body_max) + " bytes.");
  }
  append(body_, piece);
  return {};
}

// The server closed, or the connection broke: `why` has more than closed to say when the server
// refused our certificate, which TLS 1.3 tells only now.
void ClientConnection::on_end(Error why) {
  if (!job_) return fail({});
  if (parser_.head_done() && why.code == Code::closed && parser_.end()) return finish(false);
  if (why.code != Code::closed) return fail(std::move(why));
  if (!parser_.started() && used_ > 0 && !job_->repeated && idempotent(job_->request)) {
    auto job = std::exchange(job_, nullptr);
    auto pool = pool_->shared_from_this();
    pool->ended(*this);
    return pool->repeat(std::move(job));
  }
  fail(parser_.end().error());
}

// `clean`: nothing came behind the answer, and the stream is open.
void ClientConnection::finish(bool clean) {
  stop_timer();
  const bool again = clean && parser_.head().keep_alive && !sending_;
  ClientResponse response{parser_.head().status, parser_.head().headers, std::move(body_)};
  body_ = {};
  auto job = std::exchange(job_, nullptr);
  auto pool = pool_->shared_from_this();
  ++used_;
  if (again) {
    pool->idle(*this);
  } else {
    pool->ended(*this);
  }
  pool->answered(job, std::move(response));
}

void ClientConnection::fail(Error error) {
  auto job = std::exchange(job_, nullptr);
  auto pool = pool_->shared_from_this();
  pool->ended(*this);
  if (job) pool->answered(job, std::unexpected(std::move(error)));
}

void ClientConnection::rest() {
  stop_timer();
  wait_readable();
  timer_ = pool_->loop.after(pool_->options.idle_limit, [weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self || !self->pool_) return;
    self->timer_ = os::TimerId::none;
    self->pool_->ended(*self);
  });
}

void ClientConnection::watch_silence() {
  if (!job_->request.silence_limit) return;
  timer_ = pool_->loop.at(heard_ + *job_->request.silence_limit, [weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self || !self->job_) return;
    self->timer_ = os::TimerId::none;
    if (self->pool_->loop.clock().mono() < self->heard_ + *self->job_->request.silence_limit) {
      return self->watch_silence();
    }
    self->fail(Error{Code::deadline_exceeded, "The server has gone silent.", {}, {}, {}});
  });
}

void ClientConnection::stop_timer() {
  if (timer_ != os::TimerId::none) pool_->loop.cancel(std::exchange(timer_, os::TimerId::none));
}

void ClientConnection::drop() {
  if (!pool_) return;
  stop_timer();
  job_ = nullptr;
  // Later: this may run inside a call-back of the stream.
  pool_->loop.post([stream = std::move(stream_)] {});
  pool_ = nullptr;
}

}  // namespace holdfast::http
