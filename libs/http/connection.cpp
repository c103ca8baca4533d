#include "libs/http/connection.hpp"

#include <algorithm>
#include <array>
#include <ctime>

namespace holdfast::http {
namespace {

constexpr std::size_t kReadSize = 16 * 1024;     // bytes of one read
constexpr std::size_t kPipelineMax = 16 * 1024;  // bytes read ahead while a request is handled
constexpr std::size_t kBodyProgressMin = 1024;   // bytes that earn a body another body_limit
constexpr Duration kLinger = seconds(2);         // after the last answer, for the peer to close

}  // namespace

ServerState::ServerState(os::Loop& on, os::Entropy& randomness, Metrics& metrics,
                         ServerOptions settings, Admit before, Handler then)
    : loop(on),
      entropy(randomness),
      options(std::move(settings)),
      admit(std::move(before)),
      handler(std::move(then)),
      scratch(kReadSize),
      label("server=\"" + options.name + '"'),
      opened(metrics.counter("holdfast_http_connections_opened_total", "Connections taken", label)),
      closed(metrics.counter("holdfast_http_connections_closed_total", "Connections ended", label)),
      refused_connections(metrics.counter("holdfast_http_connections_refused_total",
                                          "Connections beyond the limit, closed at once", label)),
      requests(metrics.counter("holdfast_http_requests_total", "Requests handled", label)),
      refused_requests(metrics.counter("holdfast_http_requests_refused_total",
                                       "Requests that were malformed or not admitted", label)),
      timeouts(metrics.counter("holdfast_http_timeouts_total",
                               "Connections closed because the client was too slow", label)),
      dropped_streams(metrics.counter("holdfast_http_streams_dropped_total",
                                      "Event streams cut off because the client lagged", label)) {}

// IMF-fixdate (RFC 9110 section 5.6.7), made once a second.
const std::string& ServerState::date_now() {
  const std::int64_t second = loop.clock().wall().us / 1'000'000;
  if (second != date_second) {
    const std::time_t time = second;
    std::tm parts{};
    gmtime_r(&time, &parts);
    std::array<char, 40> text{};
    const std::size_t size =
        std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    date.assign(text.data(), size);
    date_second = second;
  }
  return date;
}

// What stands behind a Responder. It outlives the connection without harm: then answers go nowhere.
class ConnectionAnswer final : public Answer {
 public:
  ConnectionAnswer(std::shared_ptr<ServerState> server, std::weak_ptr<Connection> connection,
                   std::uint64_t serial)
      : server_(std::move(server)), connection_(std::move(connection)), serial_(serial) {}

  void respond(Response response) override {
    server_->loop.post(
        [weak = connection_, serial = serial_, response = std::move(response)]() mutable {
          if (auto connection = weak.lock()) connection->answer(serial, std::move(response));
        });
  }

  std::shared_ptr<EventStream> open_events(Headers headers) override {
    auto sink = std::make_shared<EventSink>(
        server_->loop, connection_, server_->options.events_pending_max, server_->dropped_streams);
    server_->loop.post([weak = connection_, serial = serial_, headers = std::move(headers), sink] {
      if (auto connection = weak.lock()) {
        connection->open_events(serial, headers, sink);
      } else {
        sink->gone();
      }
    });
    return sink;
  }

  void on_gone(os::Task task) override {
    server_->loop.post([weak = connection_, serial = serial_, task = std::move(task)]() mutable {
      if (auto connection = weak.lock()) {
        connection->watch_gone(serial, std::move(task));
      } else {
        task();
      }
    });
  }

 private:
  std::shared_ptr<ServerState> server_;
  std::weak_ptr<Connection> connection_;
  std::uint64_t serial_;
};

Connection::Connection(std::shared_ptr<ServerState> server,
                       std::unique_ptr<crypto::SecureStream> stream)
    : server_(std::move(server)), stream_(std::move(stream)) {}

void Connection::start() {
  // From the connection to the first header it is one time, whatever the handshake took of it.
  set_deadline(std::min(server_->options.idle_limit, first_header_left()));
  on_readable();
}

void Connection::abort() {
  const auto stream = std::move(stream_);
  retire();
}

void Connection::drain() {
  keep_alive_ = false;
  if (phase_ == Phase::idle) begin_close();
  if (phase_ == Phase::events) events_->close();
}

// ---- reading

bool Connection::wants_bytes() const {
  switch (phase_) {
    case Phase::idle:
    case Phase::head:
    case Phase::body:
    case Phase::closing:  // read and dropped, so that the last answer is not lost to a reset
      return true;
    case Phase::handling:
    case Phase::writing:
    case Phase::events:
      return in_.size() < kPipelineMax;
    case Phase::closed:
      break;
  }
  return false;
}

void Connection::on_readable() {
  const auto self = shared_from_this();
  while (!waits_readable_ && !peer_ended_ && wants_bytes()) {
    auto got = stream_->read(server_->scratch);
    if (!got && got.error().code == Code::would_block) {
      waits_readable_ = true;
      stream_->wait_readable([weak = weak_from_this()] {
        if (auto connection = weak.lock()) {
          connection->waits_readable_ = false;
          connection->on_readable();
        }
      });
      return;
    }
    if (!got) return retire();
    if (*got == 0) return on_end();
    if (phase_ == Phase::closing) continue;
    append(in_, View(server_->scratch).first(*got));
    advance();
  }
}

// The peer sends no more. Who waits for an answer may still read it.
void Connection::on_end() {
  peer_ended_ = true;
  keep_alive_ = false;
  switch (phase_) {
    case Phase::handling:
    case Phase::writing:
      if (gone_) server_->loop.post(std::exchange(gone_, nullptr));
      break;
    case Phase::closing:
      if (shut_) retire();
      break;
    case Phase::events:
      retire();
      break;
    default:
      begin_close();
  }
}

void Connection::advance() {
  while ((phase_ == Phase::idle || phase_ == Phase::head || phase_ == Phase::body) && parse()) {
  }
  if (in_.empty() && in_.capacity() > 0) in_ = Bytes();
}

// One step of parsing; true: another may follow.
bool Connection::parse() {
  if (phase_ == Phase::idle) {
    // Empty lines before a request are left out (RFC 9112 section 2.2).
    const auto start = std::ranges::find_if(in_, [](auto c) { return c != '\r' && c != '\n'; });
    in_.erase(in_.begin(), start);
    if (!in_.empty()) begin_request();
  }
  if (in_.empty() && phase_ != Phase::body) return false;
  const auto took = parser_->feed(in_);
  if (!took) {
    refuse(took.error());
    return false;
  }
  in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(*took));
  if (phase_ == Phase::head && parser_->head_done()) {
    phase_ = Phase::body;
    body_mark_ = 0;
    set_deadline(server_->options.body_limit);
    if (auto fine = on_head(); !fine) {
      refuse(fine.error());
      return false;
    }
  }
  if (phase_ != Phase::body) return *took > 0;
  if (parser_->done()) {
    dispatch();
    return false;
  }
  const std::size_t size = parser_->request().body.size();
  if (size >= body_mark_ + kBodyProgressMin) {
    body_mark_ = size;
    set_deadline(server_->options.body_limit);
  }
  return *took > 0 && !in_.empty();
}

void Connection::begin_request() {
  phase_ = Phase::head;
  ++serial_;
  request_id_ = server_->entropy.make<RequestId>(server_->loop.clock().wall()).text();
  head_only_ = false;
  http11_ = true;
  framed_ = false;
  parser_ = std::make_unique<RequestParser>(server_->options.header_max);
  set_deadline(serial_ == 1 ? first_header_left() : server_->options.header_limit);
}

Duration Connection::first_header_left() const {
  return stream_->peer().arrived + server_->options.header_limit - now();
}

Status Connection::on_head() {
  Request& request = parser_->request();
  head_only_ = request.method == "HEAD";
  http11_ = request.http11;
  TRY(parser_->finish_head());
  framed_ = true;
  request.peer = stream_->peer();
  request.request_id = request_id_;
  const std::size_t body_max = TRY(server_->admit(request));
  TRY(parser_->set_body_max(body_max));
  if (parser_->expects_continue() && parser_->has_body() && in_.empty()) {
    write("HTTP/1.1 100 Continue\r\n\r\n");
  }
  return {};
}

void Connection::dispatch() {
  server_->requests.add();
  keep_alive_ = parser_->keep_alive() && !peer_ended_ && !server_->draining;
  phase_ = Phase::handling;
  deadline_ = kNever;
  Request request = std::move(parser_->request());
  parser_.reset();
  Responder responder(std::make_unique<ConnectionAnswer>(server_, weak_from_this(), serial_),
                      request.path, request_id_);
  server_->handler(std::move(request), std::move(responder));
}

// Answers a request that is not handled. Where its body was not read, the connection has to end.
void Connection::refuse(const Error& error) {
  server_->refused_requests.add();
  const bool whole = framed_ && parser_->done();
  keep_alive_ = whole && parser_->keep_alive() && !peer_ended_ && !server_->draining;
  Response response = problem(error, {parser_->request().path, request_id_, {}});
  parser_.reset();
  if (keep_alive_) {
    // Through the loop, as every answer: a row of such requests must not nest.
    phase_ = Phase::handling;
    deadline_ = kNever;
    ConnectionAnswer(server_, weak_from_this(), serial_).respond(std::move(response));
    return;
  }
  in_ = Bytes();
  begin_answer(std::move(response));
}

// ---- answers that come back to the loop

void Connection::answer(std::uint64_t serial, Response response) {
  if (serial != serial_ || phase_ != Phase::handling) return;
  begin_answer(std::move(response));
}

void Connection::watch_gone(std::uint64_t serial, os::Task task) {
  if (serial != serial_ || phase_ != Phase::handling) return;
  if (peer_ended_) {
    task();
  } else {
    gone_ = std::move(task);
  }
}

// ---- ending and deadlines

void Connection::begin_close() {
  phase_ = Phase::closing;
  in_ = Bytes();
  parser_.reset();
  shut_when_drained();
}

void Connection::shut_when_drained() {
  if (stream_->write_pending() > 0) return wait_drained();
  if (shut_) return;
  shut_ = true;
  stream_->shut();
  if (peer_ended_) return retire();
  set_deadline(kLinger);
  // Not at once: the caller may be in the middle of reading.
  server_->loop.post([weak = weak_from_this()] {
    if (auto connection = weak.lock()) connection->on_readable();
  });
}

void Connection::retire() {
  if (phase_ == Phase::closed) return;
  const auto self = shared_from_this();
  phase_ = Phase::closed;
  server_->closed.add();
  server_->loop.cancel(timer_);
  timer_ = os::TimerId::none;
  if (gone_) server_->loop.post(std::exchange(gone_, nullptr));
  if (events_) std::exchange(events_, nullptr)->gone();
  parser_.reset();
  source_.reset();
  server_->connections.erase(self);
  // Later: this may run inside a call-back of the stream.
  server_->loop.post([stream = std::move(stream_)] {});
}

void Connection::set_deadline(Duration from_now) {
  deadline_ = now() + from_now;
  arm();
}

// One timer for both deadlines; it is moved only when it would fire too late.
void Connection::arm() {
  const MonoTime when = std::min(deadline_, beat_at_);
  if (phase_ == Phase::closed || when == kNever) return;
  if (timer_ != os::TimerId::none && timer_at_ <= when) return;
  if (timer_ != os::TimerId::none) server_->loop.cancel(timer_);
  timer_at_ = when;
  timer_ = server_->loop.at(when, [weak = weak_from_this()] {
    if (auto connection = weak.lock()) connection->on_timer();
  });
}

void Connection::on_timer() {
  timer_ = os::TimerId::none;
  if (now() >= deadline_) {
    deadline_ = kNever;
    on_deadline();
  }
  if (phase_ == Phase::events && now() >= beat_at_) {
    beat_at_ = now() + server_->options.heartbeat;
    if (!clogged()) write_chunk(kHeartbeat);
  }
  arm();
}

void Connection::on_deadline() {
  switch (phase_) {
    case Phase::idle:
      return begin_close();
    case Phase::head:
    case Phase::body:
      server_->timeouts.add();
      return begin_close();
    case Phase::writing:
    case Phase::events:
      server_->timeouts.add();
      return retire();
    case Phase::closing:
      return retire();
    case Phase::handling:
    case Phase::closed:
      break;
  }
}

}  // namespace holdfast::http
