// Connection: one simulated TCP connection, and who waits for one. Inside the simulation only.
// Threads: one.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "libs/os/network.hpp"
#include "libs/os/sim/links.hpp"
#include "libs/os/sim/scheduler.hpp"

namespace holdfast::os::sim {

struct Packet {
  enum Kind { data, fin, reset, ack };
  Kind kind = data;
  Bytes bytes;            // data
  std::size_t taken = 0;  // ack: bytes that the reader took
  MonoTime sent{};
  MonoTime due{};
};

struct End {
  NodeIndex node = 0;
  Life* life = nullptr;
  LoopId loop = kWorld;
  std::string peer;     // the other end's address and port, as this one sees it
  bool owned = true;    // a Stream, or a listener's backlog, holds it
  bool lost = false;    // its machine lost power: the kernel knows nothing of it
  bool broken = false;  // reset or timed out
  bool ended = false;   // the peer sent its end of stream
  bool shut = false;    // we sent ours
  Bytes inbox;          // arrived; the first `read` bytes of it are read
  std::size_t read = 0;
  std::size_t unreported = 0;  // read, and the sender does not know yet
  std::size_t unread = 0;      // written here, and not known to be read by the peer
  std::array<Task, 2> waits;   // for writing, for reading
  std::array<bool, 2> woken{};

  std::size_t available() const { return inbox.size() - read; }
};

struct Pipe {
  std::deque<Packet> queue;
  MonoTime last_due{};
  bool stalled = false;
};

struct Connection {
  std::uint64_t id = 0;
  std::array<End, 2> ends;
  std::array<Pipe, 2> pipes;  // [side]: what that side sent
  bool forgotten = false;     // nothing passes any more
};

struct ListenState {
  NodeIndex node = 0;
  std::uint16_t port = 0;
  Endpoint at;
  bool own_node_only = false;  // listens on a loopback address
  Life* life = nullptr;
  LoopId loop = kWorld;
  AcceptFn accept;
  bool paused = false;
  bool closed = false;
  bool scheduled = false;
  std::deque<std::uint64_t> backlog;  // connections
};

struct Attempt {
  std::uint64_t id = 0;
  NodeIndex from = 0;
  NodeIndex host = 0;
  Life* life = nullptr;
  LoopId loop = kWorld;
  Endpoint to;
  ConnectFn done;  // empty when finished
  unsigned tries = 0;
  std::uint64_t deadline = 0;  // event
  std::uint64_t connection = 0;
};

std::unique_ptr<Stream> make_sim_stream(Links& links, std::shared_ptr<Connection> connection,
                                        unsigned side);

}  // namespace holdfast::os::sim
