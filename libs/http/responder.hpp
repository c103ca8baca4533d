// Responder: the right and the duty to answer one request. It may be moved to any thread, answered
// once, or dropped, which answers `internal`. After it, the connection goes on by itself.
//
// EventStream: an answer that stays open (server-sent events). Sending never blocks: what the
// client does not take in time is bounded, and beyond the bound the stream is closed and counted.
// The server adds a comment each 15 s as heartbeat. Thread-safe.
#pragma once

#include <memory>

#include "libs/http/message.hpp"
#include "libs/http/sse.hpp"
#include "libs/os/loop.hpp"

namespace holdfast::http {

class EventStream {
 public:
  virtual ~EventStream() = default;
  // Code::overloaded: the client was too slow and is cut off; Code::closed: it is gone.
  virtual Status send(const Event& event) = 0;
  virtual void close() = 0;  // ends the answer after what was sent
  virtual bool closed() const = 0;
  // Runs once, on the connection's loop, when the client is gone or the stream was closed; at once
  // (posted) if that has happened. A second call replaces the first task.
  virtual void on_closed(os::Task task) = 0;
};

// What stands behind a Responder: a connection of the server, or a test.
class Answer {
 public:
  virtual ~Answer() = default;
  virtual void respond(Response response) = 0;
  virtual std::shared_ptr<EventStream> open_events(Headers headers) = 0;
  virtual void on_gone(os::Task task) = 0;
};

class Responder {
 public:
  Responder(std::unique_ptr<Answer> answer, std::string instance, std::string request_id)
      : answer_(std::move(answer)),
        instance_(std::move(instance)),
        request_id_(std::move(request_id)) {}
  Responder(Responder&&) = default;
  Responder& operator=(Responder&& other) noexcept;
  ~Responder();

  void send(Response response);
  void send(Result<Response> result);  // an error becomes its problem
  void fail(const Error& error);
  // Starts an event stream: 200, text/event-stream. `headers` are added.
  std::shared_ptr<EventStream> events(Headers headers = {});
  // For answers that wait (long poll): runs on the connection's loop if the client goes away before
  // the answer. A hint: an answer may be lost without it.
  void on_gone(os::Task task);
  bool answered() const { return answer_ == nullptr; }
  const std::string& instance() const { return instance_; }
  const std::string& request_id() const { return request_id_; }

 private:
  std::unique_ptr<Answer> answer_;
  std::string instance_;
  std::string request_id_;
};

}  // namespace holdfast::http
