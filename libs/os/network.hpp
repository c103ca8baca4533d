// Network: stream sockets without blocking, and the names of this machine. A Stream belongs to one
// Loop; its owner reads until would_block, then asks to be called when there is more. The simulated
// network has delay, cuts and half-open connections, and no descriptors.
// Errors: would_block, closed (reset, broken pipe), unavailable (refused, no route),
// deadline_exceeded.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/os/loop.hpp"

namespace holdfast::os {

struct Endpoint {
  std::string host;  // name or address; "" listens on all interfaces, IPv4 and IPv6
  std::uint16_t port = 0;
  bool operator==(const Endpoint&) const = default;
  std::string text() const;  // "host:port", "[::1]:port"
};
// "host:port", ":port", "[::1]:port", "*:port".
Result<Endpoint> parse_endpoint(std::string_view text);

// Not thread-safe: used by its loop only. Waiting calls back at most once per call; a second wait
// of the same kind replaces the first. Destroying a stream closes it and drops its waits.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual Result<std::size_t> read(
      std::span<std::uint8_t> into) = 0;              // 0: the peer closed its side
  virtual Result<std::size_t> write(View bytes) = 0;  // how many were taken, >= 1
  virtual void wait_readable(Task ready) = 0;
  virtual void wait_writable(Task ready) = 0;
  virtual void shut_write() = 0;                 // sends what was written, then end of stream
  virtual void close() = 0;                      // at once; waits are dropped, never called
  virtual std::string peer_address() const = 0;  // "192.0.2.7:50312"
  virtual int descriptor() const = 0;            // -1 in a simulation
};

class Listener {
 public:
  virtual ~Listener() = default;          // stops accepting; no call-back after it
  virtual Endpoint endpoint() const = 0;  // with the real port
  virtual void pause(bool paused) = 0;    // leaves connections in the backlog
};

using AcceptFn = std::function<void(std::unique_ptr<Stream>)>;
using ConnectFn = std::move_only_function<void(Result<std::unique_ptr<Stream>>)>;

class Network {
 public:
  virtual ~Network() = default;
  // Several loops may listen on one port (SO_REUSEPORT): pass the real port of the first listener.
  virtual Result<std::unique_ptr<Listener>> listen(Loop& loop, const Endpoint& at,
                                                   AcceptFn accept) = 0;
  virtual void connect(Loop& loop, const Endpoint& to, MonoTime deadline, ConnectFn done) = 0;
  virtual std::string host_name() const = 0;
  virtual std::vector<std::string> interface_addresses()
      const = 0;  // without loopback and link-local
};

}  // namespace holdfast::os
