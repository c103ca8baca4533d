// Links: the simulated network between all nodes. Streams are ordered and reliable as TCP is: what
// a cut holds back arrives after it heals, or the sender's stream fails after kRetransmitMax.
//
// - cut: nothing passes, in one direction or in both; connects wait for their deadline.
// - forget_connections: as a router that lost its table. Established streams fall silent for good
// and
//   both ends believe in them; new connections pass.
// - reset_connections: both ends get `closed`.
// - A node that lost power is silent; once it is back it answers old connections with a reset. A
//   killed process closes its connections.
// Addresses: node i is 10.0.0.i (then 10.0.1.0, ...) and is found by its name; "localhost",
// 127.0.0.1 and ::1 are the node itself. Bandwidth is not modelled. Threads: the simulation's one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/os/network.hpp"
#include "libs/os/sim/random.hpp"

namespace holdfast::os::sim {

class Node;
class Scheduler;
struct Connection;
struct Packet;
struct ListenState;
struct Attempt;
struct Life;
using NodeIndex = unsigned;

inline constexpr std::size_t kSendBufferMax =
    256 * 1024;                                     // bytes written and not yet read by the peer
inline constexpr std::size_t kBacklogMax = 4096;    // connections not yet accepted, a listener
inline constexpr std::uint16_t kFirstPort = 49152;  // that a system hands out; RFC 6335 section 6
inline constexpr Duration kRetransmitMax = minutes(15);

class Links {
 public:
  Links(Scheduler& scheduler, std::uint64_t seed, Duration delay_min, Duration delay_max);
  ~Links();
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;

  // ---- faults
  void set_delay(Duration low, Duration high);                                    // all links
  void set_delay(const Node& from, const Node& to, Duration low, Duration high);  // one direction
  void cut(const Node& one, const Node& other);
  void cut_one_way(const Node& from, const Node& to);
  void isolate(const Node& node);  // from all others that exist now
  void heal(const Node& one, const Node& other);
  void heal_all();
  void forget_connections(const Node& one, const Node& other);
  void reset_connections(const Node& one, const Node& other);
  std::size_t connections() const { return connections_.size(); }

  // ---- for the nodes
  void add_node(NodeIndex node, std::string name, std::string address);
  void node_up(NodeIndex node, Life* life);
  // `powered`: the program ended but the machine runs on and closes its connections.
  void node_down(NodeIndex node, bool powered);
  void loop_closed(std::uint64_t loop);  // drops what waits there
  Result<std::unique_ptr<Listener>> listen(Life& life, std::uint64_t loop, const Endpoint& at,
                                           AcceptFn accept);
  void connect(Life& life, std::uint64_t loop, const Endpoint& to, MonoTime deadline,
               ConnectFn done);

  // ---- for streams and listeners; `side` is 0 for who connected, 1 for who accepted
  Result<std::size_t> read(Connection& connection, unsigned side, std::span<std::uint8_t> into);
  Result<std::size_t> write(Connection& connection, unsigned side, View bytes);
  void wait(Connection& connection, unsigned side, bool readable, Task ready);
  void shut_write(Connection& connection, unsigned side);
  void close(Connection& connection, unsigned side, bool reset = false);
  void pause(const std::shared_ptr<ListenState>& listener, bool paused);
  void close_listener(const std::shared_ptr<ListenState>& listener);

 private:
  struct Host {
    std::string name;
    std::string address;
    bool powered = false;
    std::uint16_t next_port = kFirstPort;
  };
  struct Delay {
    Duration low, high;
  };
  using Pair = std::pair<NodeIndex, NodeIndex>;

  // links.cpp: hosts, listening, connecting
  Duration draw_delay(NodeIndex from, NodeIndex to);
  bool passes(NodeIndex from, NodeIndex to) const;
  NodeIndex find_host(const Life& from, std::string_view name) const;  // 0: none
  std::uint16_t take_port(NodeIndex node);
  std::shared_ptr<ListenState> find_listener(NodeIndex from, NodeIndex to, std::uint16_t port);
  void knock(const std::shared_ptr<Attempt>& attempt);
  void establish(const std::shared_ptr<Attempt>& attempt, ListenState& listener);
  void finish(Attempt& attempt, Result<std::unique_ptr<Stream>> result);
  void schedule_accept(const std::shared_ptr<ListenState>& listener);
  void accept_next(const std::shared_ptr<ListenState>& listener);
  template <class F>
  void drop_attempts(F&& which);
  template <class F>
  void for_connections(const Node& one, const Node& other, F&& use);
  void resume();

  // streams.cpp: what travels on connections
  bool passes(const Connection& connection, unsigned side) const;
  void send(Connection& connection, unsigned side, Packet packet);
  void schedule_head(Connection& connection, unsigned side, MonoTime when);
  void deliver(std::uint64_t id, unsigned side);
  void stall(Connection& connection, unsigned side);
  void apply(Connection& connection, unsigned side, Packet& packet);
  void wake(Connection& connection, unsigned side, bool readable);
  void break_end(Connection& connection, unsigned side);
  void bury_end(Connection& connection, unsigned side);
  void drop_if_done(std::uint64_t id);

  Scheduler& scheduler_;
  Random random_;
  std::map<NodeIndex, Host> hosts_;
  Delay delay_;
  std::map<Pair, Delay> delays_;
  std::set<Pair> cuts_;
  std::map<std::uint64_t, std::shared_ptr<Connection>> connections_;
  std::map<std::pair<NodeIndex, std::uint16_t>, std::vector<std::shared_ptr<ListenState>>>
      listeners_;
  std::map<std::uint64_t, std::shared_ptr<Attempt>> attempts_;
  std::uint64_t next_id_ = 1;
};

}  // namespace holdfast::os::sim
