// Links: the simulated network between all nodes. Streams are ordered and reliable as TCP is: what a
// cut holds back arrives after it heals, or the sender's stream fails after kRetransmitMax.
//
// - cut: nothing passes, in one direction or in both; connects wait for their deadline.
// - forget_connections: as a router that lost its table. Established streams fall silent for good and
//   both ends believe in them; new connections pass.
// - reset_connections: both ends get `closed`.
// - A node that lost power is silent; once it is back it answers old connections with a reset. A
//   killed process closes its connections.
// Addresses: node i is 10.0.0.i (then 10.0.1.0, ...) and is found by its name; "localhost", 127.0.0.1
// and ::1 are the node itself. Bandwidth is not modelled.
// Threads: the simulation's one.
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
struct ListenState;
struct Attempt;
struct Life;
using NodeIndex = unsigned;

inline constexpr std::size_t kSendBufferMax = 256 * 1024;  // bytes written and not yet read by the peer
inline constexpr std::size_t kBacklogMax = 4096;           // connections not yet accepted, a listener
inline constexpr Duration kRetransmitMax = minutes(15);

class Links {
 public:
  Links(Scheduler& scheduler, std::uint64_t seed, Duration delay_min, Duration delay_max);
  ~Links();
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;

  // ---- faults
  void set_delay(Duration low, Duration high);                            // all links
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
  NodeIndex add_node(std::string name, std::string address);
  void node_up(NodeIndex node, Life* life);
  void node_down(NodeIndex node, bool closes_connections);
  Result<std::unique_ptr<Listener>> listen(Life& life, std::uint64_t loop, const Endpoint& at, AcceptFn accept);
  void connect(Life& life, std::uint64_t loop, const Endpoint& to, MonoTime deadline, ConnectFn done);

  // ---- for streams and listeners
  Result<std::size_t> read(Connection& connection, unsigned side, std::span<std::uint8_t> into);
  Result<std::size_t> write(Connection& connection, unsigned side, View bytes);
  void wait(Connection& connection, unsigned side, bool readable, Task ready);
  void shut_write(Connection& connection, unsigned side);
  void close(Connection& connection, unsigned side);
  void accept_next(const std::shared_ptr<ListenState>& listener);
  void close_listener(const std::shared_ptr<ListenState>& listener);

 private:
  struct Host {
    std::string name;
    std::string address;
    Life* life = nullptr;  // null: down
    std::uint16_t next_port = 49152;
  };
  using Pair = std::pair<NodeIndex, NodeIndex>;
  struct Packet;

  Duration draw_delay(NodeIndex from, NodeIndex to);
  bool passes(NodeIndex from, NodeIndex to) const;
  int find_host(const Life& from, std::string_view name) const;  // -1: none
  void send(Connection& connection, unsigned side, Packet packet);
  void schedule_head(Connection& connection, unsigned side, MonoTime when);
  void deliver(std::uint64_t id, unsigned side);
  void stall(Connection& connection, unsigned side);
  void apply(Connection& connection, unsigned to_side, Packet& packet);
  void wake(Connection& connection, unsigned side, bool readers, bool writers);
  void break_end(Connection& connection, unsigned side, std::string_view why);
  void resume();
  void forget_if_done(Connection& connection);
  void knock(const std::shared_ptr<Attempt>& attempt);
  void finish(const std::shared_ptr<Attempt>& attempt, Result<std::unique_ptr<Stream>> result);

  Scheduler& scheduler_;
  Random random_;
  std::vector<Host> hosts_;
  std::pair<Duration, Duration> delay_;
  std::map<Pair, std::pair<Duration, Duration>> delays_;
  std::set<Pair> cuts_;
  std::map<std::uint64_t, std::shared_ptr<Connection>> connections_;
  std::map<std::pair<NodeIndex, std::uint16_t>, std::vector<std::shared_ptr<ListenState>>> listeners_;
  std::map<std::uint64_t, std::shared_ptr<Attempt>> attempts_;
  std::uint64_t next_id_ = 1;
};

}  // namespace holdfast::os::sim
