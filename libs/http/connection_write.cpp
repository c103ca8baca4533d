// The writing half of Connection: heads, bodies, pulled bodies, event streams.
#include <algorithm>
#include <array>
#include <cstdio>

#include "libs/http/connection.hpp"

namespace holdfast::http {
namespace {

constexpr std::size_t kWriteAheadMax = 64 * 1024;  // bytes pending in the stream before we wait
constexpr std::size_t kPiece = 16 * 1024;          // bytes of one write: a TLS record
constexpr std::size_t kPullSize = 64 * 1024;       // bytes asked of a Source at a time
constexpr Duration kPullRetry = milliseconds(20);  // when all workers are busy

bool never_has_body(int status) {
  return status < 200 || status == 204 || status == 304;
}

}  // namespace

void Connection::begin_answer(Response response) {
  phase_ = Phase::writing;
  gone_ = nullptr;
  const bool bodyless = head_only_ || never_has_body(response.status);
  const bool unsized = response.source && !response.source_size;
  const bool chunked = unsized && http11_ && !bodyless;
  if (response.close || (unsized && !http11_)) keep_alive_ = false;
  std::string head = head_text(response, chunked);
  if (!bodyless) {
    if (response.source) {
      source_ =
          std::make_shared<SourceRun>(std::move(response.source), response.source_size, chunked);
    } else if (response.size() <= kPiece) {
      head += text_of(response.shared_body ? View(*response.shared_body) : View(response.body));
    } else {
      body_ = std::move(response.body);
      shared_body_ = std::move(response.shared_body);
      body_at_ = 0;
    }
  }
  write(head);
  pump();
}

std::string Connection::head_text(const Response& response, bool chunked) const {
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + ' ' +
                    std::string(reason_phrase(response.status)) + "\r\n";
  Headers headers = response.headers;
  for (const Header& header : server_->options.headers) {
    if (!headers.has(header.name)) headers.add(header.name, header.value);
  }
  headers.set("Date", server_->date_now());
  headers.set("X-Request-Id", request_id_);
  headers.remove("Content-Length");
  headers.remove("Transfer-Encoding");
  headers.remove("Connection");
  if (chunked) {
    headers.add("Transfer-Encoding", "chunked");
  } else if (response.source_size) {
    headers.add("Content-Length", std::to_string(*response.source_size));
  } else if (!response.source && !never_has_body(response.status)) {
    headers.add("Content-Length", std::to_string(response.size()));
  }
  if (!keep_alive_) {
    headers.add("Connection", "close");
  } else if (!http11_) {
    headers.add("Connection", "keep-alive");
  }
  write_headers(headers, out);
  return out + "\r\n";
}

// Called again whenever the peer has taken what was pending.
void Connection::pump() {
  switch (phase_) {
    case Phase::writing:
      if (source_) {
        pull();
      } else {
        pump_body();
      }
      break;
    case Phase::events:
      flush_events();
      break;
    case Phase::closing:
      shut_when_drained();
      break;
    default:
      break;
  }
}

void Connection::pump_body() {
  const View body = shared_body_ ? View(*shared_body_) : View(body_);
  while (body_at_ < body.size()) {
    if (clogged()) return wait_drained();
    const View piece = body.subspan(body_at_, std::min(kPiece, body.size() - body_at_));
    body_at_ += piece.size();
    write(text_of(piece));
    if (phase_ != Phase::writing) return;  // the stream is gone
  }
  finish_answer();
}

// Has the next piece of a Source made, on a worker.
void Connection::pull() {
  if (pulling_) return;
  if (clogged()) return wait_drained();
  pulling_ = true;
  auto work = [run = source_, weak = weak_from_this(), &loop = server_->loop] {
    auto piece = run->source(kPullSize);
    loop.post([weak, piece = std::move(piece)]() mutable {
      if (auto connection = weak.lock()) connection->pulled(std::move(piece));
    });
  };
  if (!server_->options.workers) return work();
  if (server_->options.workers->post(std::move(work))) return;
  server_->loop.after(kPullRetry, [weak = weak_from_this()] {
    if (auto connection = weak.lock()) {
      connection->pulling_ = false;
      connection->pump();
    }
  });
}

void Connection::pulled(Result<Bytes> piece) {
  pulling_ = false;
  if (phase_ != Phase::writing || !source_) return;
  // A body that stops short must not look complete: the connection is cut.
  if (!piece) return retire();
  auto& left = source_->left;
  if (piece->empty()) {
    if (left.value_or(0) > 0) return retire();
    if (source_->chunked) write("0\r\n\r\n");
    return finish_answer();
  }
  if (left && piece->size() > *left) return retire();
  if (left) *left -= piece->size();
  for (View rest = *piece; !rest.empty() && phase_ == Phase::writing;) {
    const View part = rest.first(std::min(kPiece, rest.size()));
    if (source_->chunked) {
      write_chunk(text_of(part));
    } else {
      write(text_of(part));
    }
    rest = rest.subspan(part.size());
  }
  if (phase_ == Phase::writing) pump();
}

void Connection::finish_answer() {
  if (phase_ == Phase::closed) return;
  body_ = Bytes();
  shared_body_.reset();
  source_.reset();
  events_.reset();
  beat_at_ = kNever;
  if (!keep_alive_ || server_->draining) {
    begin_close();
    return;
  }
  phase_ = Phase::idle;
  set_deadline(server_->options.idle_limit);
  advance();  // what was pipelined
  if (phase_ != Phase::closed) on_readable();
}

// ---- event streams

void Connection::open_events(std::uint64_t serial, Headers headers,
                             std::shared_ptr<EventSink> sink) {
  if (serial != serial_ || phase_ != Phase::handling || peer_ended_) {
    sink->gone();
    if (phase_ == Phase::handling && serial == serial_) begin_close();
    return;
  }
  phase_ = Phase::events;
  gone_ = nullptr;
  if (!http11_) keep_alive_ = false;
  Response response;
  response.headers = std::move(headers);
  response.headers.set("Content-Type", "text/event-stream");
  response.headers.set("Cache-Control", "no-store");
  response.source = [](std::size_t) -> Result<Bytes> { return Bytes(); };  // says: no length
  write(head_text(response, http11_));
  if (phase_ != Phase::events) return sink->gone();
  if (head_only_) {
    sink->gone();
    return finish_answer();
  }
  events_ = std::move(sink);
  beat_at_ = now() + server_->options.heartbeat;
  arm();
  flush_events();
}

void Connection::flush_events() {
  if (phase_ != Phase::events || !events_) return;
  events_->begin_flush();
  if (events_->overrun()) return retire();
  while (!clogged()) {
    const std::string text = events_->take(kPiece);
    if (text.empty()) {
      if (!events_->finished()) return;
      if (http11_) write("0\r\n\r\n");
      if (events_) std::exchange(events_, nullptr)->gone();
      return finish_answer();
    }
    write_chunk(text);
    if (phase_ != Phase::events) return;
    beat_at_ = now() + server_->options.heartbeat;
  }
  wait_drained();
}

// ---- the stream

void Connection::write(std::string_view text) {
  if (phase_ == Phase::closed || shut_) return;
  if (!stream_->write(view_of(text))) retire();
}

void Connection::write_chunk(std::string_view text) {
  if (!http11_) return write(text);
  std::array<char, 20> size{};
  std::snprintf(size.data(), size.size(), "%zx\r\n", text.size());
  std::string chunk = size.data();
  chunk += text;
  chunk += "\r\n";
  write(chunk);
}

bool Connection::clogged() const {
  return stream_->write_pending() >= kWriteAheadMax;
}

void Connection::wait_drained() {
  if (waits_drained_ || phase_ == Phase::closed) return;
  waits_drained_ = true;
  set_deadline(server_->options.write_limit);
  stream_->wait_drained([weak = weak_from_this()] {
    if (auto connection = weak.lock()) {
      connection->waits_drained_ = false;
      if (connection->phase_ == Phase::closed) return;
      if (connection->stream_->write_pending() > 0) return connection->retire();  // it broke
      connection->deadline_ = kNever;
      connection->pump();
    }
  });
}

}  // namespace holdfast::http
