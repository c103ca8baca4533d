// Api: operator HTTPS. It owns the listener, the loops that read requests, and the workers that
// handle them; the operations are the domains' own (server/core/operation.hpp).
//
// Threads: make(), start(), stop() and the destructor from main; replace() from any.
#pragma once

#include <memory>

#include "libs/crypto/transport.hpp"
#include "server/api/console_files.hpp"
#include "server/core/operation.hpp"
#include "server/core/people.hpp"

namespace holdfast::api {

// What the API works with; all of it outlives the Api.
struct Parts {
  os::System system;
  crypto::Transport& transport;
  core::Store& store;
  core::People& people;
  const core::Operations& operations;  // complete before start()
  const Log& log;
  Metrics& metrics;
};

struct Options {
  os::Endpoint listen;  // port 0: any
  crypto::Credential credential;
  ConsoleFiles console;
  unsigned loops = 1;
  unsigned workers = 64;
  std::size_t connections_max = 1000;  // of each loop; more are closed at once
  std::size_t body_max =
      1024 * 1024;               // bytes of a request's body, where the route has no own bound
  std::size_t queue_max = 1024;  // requests that wait for a worker; more are refused as overloaded
};

class Api {
 public:
  static Result<std::unique_ptr<Api>> make(Parts parts, Options options);
  virtual ~Api() = default;

  // Listens; `started` is posted to `on`. Operations without a handler are logged, and answer
  // `unsupported`.
  virtual void start(os::Loop& on, std::move_only_function<void(Status)> started) = 0;
  virtual os::Endpoint endpoint() const = 0;  // with the real port, once started
  // A renewed certificate, for connections made from now on.
  virtual Status replace(crypto::Credential credential) = 0;
  // Stops listening and lets requests end, at most `limit`; then posts `done` to `on`. Once.
  virtual void stop(Duration limit, os::Loop& on, os::Task done) = 0;
};

}  // namespace holdfast::api
