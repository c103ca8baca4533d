// Connection: one client on one stream, from accept to close. Private to the server.
//
// It is a state machine on its loop: it reads a request, hands it to the handler, writes the answer
// or the event stream, and starts again. One timer serves all its deadlines. While idle it holds no
// buffer and no parser.
#pragma once

#include <memory>
#include <string>
#include <unordered_set>

#include "libs/http/event_sink.hpp"
#include "libs/http/request_parser.hpp"
#include "libs/http/server.hpp"

namespace holdfast::http {

class Connection;

// What all connections of a server share.
struct ServerState {
  os::Loop& loop;
  os::Entropy& entropy;
  ServerOptions options;
  Admit admit;
  Handler handler;
  bool draining = false;
  std::unordered_set<std::shared_ptr<Connection>> connections;
  Bytes scratch;  // what one read brings; used within one call only
  std::int64_t date_second = -1;
  std::string date;   // of date_second, for the Date header
  std::string label;  // of the counters below

  Counter& opened;
  Counter& closed;
  Counter& refused_connections;
  Counter& requests;
  Counter& refused_requests;  // could not be read, or were not admitted
  Counter& timeouts;
  Counter& dropped_streams;  // event streams whose client was too slow

  ServerState(os::Loop& on, os::Entropy& randomness, Metrics& metrics, ServerOptions settings,
              Admit before, Handler then);
  const std::string& date_now();
};

// A Source at work: shared with the worker that pulls it.
struct SourceRun {
  Source source;
  std::optional<std::uint64_t> left;  // bytes to come, when the size was given
  bool chunked = false;
};

class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<ServerState> server, std::unique_ptr<crypto::SecureStream> stream);

  void start();
  void abort();  // closes at once; the server drops it
  void drain();
  // From a Responder, on the loop; `serial` tells a late answer from the current one.
  void answer(std::uint64_t serial, Response response);
  void open_events(std::uint64_t serial, Headers headers, std::shared_ptr<EventSink> sink);
  void watch_gone(std::uint64_t serial, os::Task task);
  void flush_events();

 private:
  enum class Phase { idle, head, body, handling, writing, events, closing, closed };

  // reading: connection.cpp
  bool wants_bytes() const;
  void on_readable();
  void on_end();
  void advance();
  bool parse();
  void begin_request();
  Duration first_header_left() const;
  Status on_head();
  void dispatch();
  void refuse(const Error& error);
  // writing: connection_write.cpp
  std::string head_text(const Response& response, bool chunked) const;
  void begin_answer(Response response);
  void pump();
  void pump_body();
  void pull();
  void pulled(Result<Bytes> piece);
  void finish_answer();
  void write(std::string_view text);
  void write_chunk(std::string_view text);
  bool clogged() const;
  void wait_drained();
  // ending and deadlines: connection.cpp
  void begin_close();
  void shut_when_drained();
  void retire();
  MonoTime now() const { return server_->loop.clock().mono(); }
  void set_deadline(Duration from_now);
  void arm();
  void on_timer();
  void on_deadline();

  std::shared_ptr<ServerState> server_;
  std::unique_ptr<crypto::SecureStream> stream_;
  Phase phase_ = Phase::idle;
  Bytes in_;  // read, not yet parsed
  std::unique_ptr<RequestParser> parser_;
  std::size_t body_mark_ = 0;  // bytes of body when its deadline was set

  std::uint64_t serial_ = 0;  // of the request being answered
  std::string request_id_;
  bool head_only_ = false;  // HEAD
  bool http11_ = true;
  bool framed_ = false;  // the header was sound: it is known where the request ends
  bool keep_alive_ = false;
  bool peer_ended_ = false;
  bool shut_ = false;
  bool waits_readable_ = false;
  bool waits_drained_ = false;
  os::Task gone_;

  Bytes body_;
  std::shared_ptr<const Bytes> shared_body_;
  std::size_t body_at_ = 0;
  std::shared_ptr<SourceRun> source_;
  bool pulling_ = false;
  std::shared_ptr<EventSink> events_;
  MonoTime beat_at_ = kNever;

  MonoTime deadline_ = kNever;
  MonoTime timer_at_ = kNever;
  os::TimerId timer_ = os::TimerId::none;
};

}  // namespace holdfast::http
