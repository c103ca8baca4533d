// EventSink: the thread-safe end of an event stream. Text waits here until the connection, on its
// loop, takes it; what waits is bounded. Private to the server.
#pragma once

#include <memory>
#include <string>

#include "libs/base/guarded.hpp"
#include "libs/base/metrics.hpp"
#include "libs/http/responder.hpp"

namespace holdfast::http {

class Connection;

class EventSink final : public EventStream {
 public:
  EventSink(os::Loop& loop, std::weak_ptr<Connection> connection, std::size_t pending_max,
            Counter& dropped)
      : loop_(loop),
        connection_(std::move(connection)),
        pending_max_(pending_max),
        dropped_(dropped) {}

  Status send(const Event& event) override;
  void close() override;
  bool closed() const override;
  void on_closed(os::Task task) override;

  // For the connection, on the loop.
  void begin_flush();                  // what is sent from now on posts another flush
  std::string take(std::size_t most);  // the front of what waits
  bool overrun() const;                // the client was too slow: cut it off
  bool finished() const;               // nothing waits, and close() was called
  void gone();                         // the connection is no more, or the stream has ended

 private:
  struct State {
    std::string pending;
    bool flush_posted = false;
    bool closed = false;
    bool overrun = false;
    bool ended = false;  // gone() ran
    os::Task closed_task;
  };
  void post_flush();

  os::Loop& loop_;
  std::weak_ptr<Connection> connection_;
  const std::size_t pending_max_;
  Counter& dropped_;
  Guarded<State> state_;
};

}  // namespace holdfast::http
