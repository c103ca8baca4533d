// Server: HTTP/1.1 (RFC 9112) on authenticated streams of one loop. Keep-alive, pipelining
// (answered in order), HEAD, Expect: 100-continue, chunked requests; answers carry Content-Length
// unless they stream. What a client can make us hold is bounded: header, body by route, time to
// send each, connections, pending output. A request that cannot be read gets its problem, then the
// connection closes; input never ends the process.
//
// Threads: everything on the loop that is passed in, but Responder and EventStream, which any
// thread may use. The Server is destroyed on its loop, after the workers that hold Responders.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "libs/base/metrics.hpp"
#include "libs/crypto/transport.hpp"
#include "libs/http/responder.hpp"
#include "libs/os/entropy.hpp"
#include "libs/os/loop.hpp"
#include "libs/os/workers.hpp"

namespace holdfast::http {

struct ServerOptions {
  std::string name = "api";                     // label of the metrics
  std::size_t header_max = 16 * 1024;           // bytes: request line and headers
  Duration header_limit = seconds(10);          // from its first byte; of a first one, from TCP
  Duration body_limit = seconds(10);            // between two pieces of a body
  Duration idle_limit = seconds(15);            // keep-alive without a request
  Duration write_limit = seconds(30);           // a client that takes nothing
  Duration heartbeat = seconds(15);             // of event streams
  std::size_t connections_max = 10'000;         // of this server; more are closed at once
  std::size_t events_pending_max = 256 * 1024;  // bytes an event stream may lag behind
  Headers headers;                              // added to every answer that lacks them
  os::Workers* workers = nullptr;               // runs Sources; null: they run on the loop
};

// Called on the loop, once a request is complete. Must not block: hand work to workers.
using Handler = std::function<void(Request, Responder)>;
// Called on the loop, when the header is complete and before any of the body is read: the most
// bytes that the body may have, or an error that is answered at once. Must not block.
using Admit = std::function<Result<std::size_t>(const Request& head)>;

struct ServerState;

class Server final {
 public:
  Server(os::Loop& loop, os::Entropy& entropy, Metrics& metrics, ServerOptions options, Admit admit,
         Handler handler);
  ~Server();  // closes every connection at once
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Takes over a stream of this loop: pass it to crypto::Transport::listen as the accept function.
  void accept(std::unique_ptr<crypto::SecureStream> stream);
  // No new requests: idle connections close now, others after their answer, event streams at once.
  void drain();
  std::size_t connections() const;

 private:
  std::shared_ptr<ServerState> state_;
};

}  // namespace holdfast::http
