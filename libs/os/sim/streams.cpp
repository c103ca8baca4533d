// What travels on simulated connections: ordered packets with a delay, which cuts hold back.
#include <algorithm>
#include <cassert>

#include "libs/os/sim/connection.hpp"
#include "libs/os/sim/life.hpp"
#include "libs/os/sim/links.hpp"

namespace holdfast::os::sim {
namespace {

constexpr unsigned kWriting = 0;
constexpr unsigned kReading = 1;
constexpr std::size_t kReportAt = kSendBufferMax / 4;  // bytes read before the sender hears of it
constexpr unsigned kPartialPercent = 10;  // reads and writes that take less than they could

class SimStream final : public Stream {
 public:
  SimStream(Links& links, std::shared_ptr<Connection> connection, unsigned side)
      : links_(links), connection_(std::move(connection)), side_(side) {}
  ~SimStream() override { close(); }

  Result<std::size_t> read(std::span<std::uint8_t> into) override {
    if (closed_) return fail(Code::closed, "the stream is closed");
    return links_.read(*connection_, side_, into);
  }
  Result<std::size_t> write(View bytes) override {
    if (closed_) return fail(Code::closed, "the stream is closed");
    return links_.write(*connection_, side_, bytes);
  }
  void wait_readable(Task ready) override {
    if (!closed_) links_.wait(*connection_, side_, true, std::move(ready));
  }
  void wait_writable(Task ready) override {
    if (!closed_) links_.wait(*connection_, side_, false, std::move(ready));
  }
  void shut_write() override {
    if (!closed_) links_.shut_write(*connection_, side_);
  }
  void close() override {
    if (!std::exchange(closed_, true)) links_.close(*connection_, side_);
  }
  std::string peer_address() const override { return connection_->ends[side_].peer; }
  int descriptor() const override { return -1; }

 private:
  Links& links_;
  const std::shared_ptr<Connection> connection_;
  const unsigned side_;
  bool closed_ = false;
};

}  // namespace

std::unique_ptr<Stream> make_sim_stream(Links& links, std::shared_ptr<Connection> connection,
                                        unsigned side) {
  return std::make_unique<SimStream>(links, std::move(connection), side);
}

// ---- what a stream's owner does

Result<std::size_t> Links::read(Connection& connection, unsigned side,
                                std::span<std::uint8_t> into) {
  End& end = connection.ends[side];
  if (end.lost || !end.owned) return fail(Code::closed, "the machine is down");
  if (into.empty()) return std::size_t{0};
  if (end.available() == 0) {
    if (end.ended) return std::size_t{0};
    if (end.broken) return fail(Code::closed, "the connection was reset");
    return fail(Code::would_block, "nothing to read yet");
  }
  std::size_t count = std::min(into.size(), end.available());
  if (random_.chance(kPartialPercent)) count = 1 + random_.below(count);
  std::copy_n(end.inbox.begin() + static_cast<std::ptrdiff_t>(end.read), count, into.begin());
  end.read += count;
  if (end.available() == 0) {
    end.inbox.clear();
    end.read = 0;
  }
  end.unreported += count;
  if (end.unreported >= kReportAt) {
    send(connection, side, {.kind = Packet::ack, .bytes = {}, .taken = end.unreported});
    end.unreported = 0;
  }
  return count;
}

Result<std::size_t> Links::write(Connection& connection, unsigned side, View bytes) {
  End& end = connection.ends[side];
  if (end.lost || !end.owned || end.broken || end.shut)
    return fail(Code::closed, "the connection is closed");
  if (bytes.empty()) return std::size_t{0};
  std::size_t count = std::min(bytes.size(), kSendBufferMax - end.unread);
  if (count == 0) return fail(Code::would_block, "the send buffer is full");
  if (random_.chance(kPartialPercent)) count = 1 + random_.below(count);
  end.unread += count;
  const View part = bytes.first(count);
  send(connection, side, {.kind = Packet::data, .bytes = Bytes(part.begin(), part.end())});
  return count;
}

void Links::wait(Connection& connection, unsigned side, bool readable, Task ready) {
  End& end = connection.ends[side];
  if (end.lost || !end.owned) return;
  std::swap(end.waits[readable ? kReading : kWriting], ready);
  const bool now = end.broken || (readable ? end.ended || end.available() > 0
                                           : end.shut || end.unread < kSendBufferMax);
  if (now) wake(connection, side, readable);
}

void Links::shut_write(Connection& connection, unsigned side) {
  End& end = connection.ends[side];
  if (end.lost || end.broken || std::exchange(end.shut, true)) return;
  send(connection, side, {.kind = Packet::fin, .bytes = {}});
}

// As TCP does: with something unread the peer hears of a reset, else of an end.
void Links::close(Connection& connection, unsigned side, bool reset) {
  End& end = connection.ends[side];
  if (!std::exchange(end.owned, false)) return;
  const auto dropped = std::exchange(end.waits, {});
  if (!end.lost && !end.broken) {
    if (reset || end.available() > 0) {
      connection.pipes[side].queue.clear();
      send(connection, side, {.kind = Packet::reset, .bytes = {}});
    } else {
      shut_write(connection, side);
    }
  }
  drop_if_done(connection.id);
}

// ---- on the wire

bool Links::passes(const Connection& connection, unsigned side) const {
  return !connection.forgotten &&
         passes(connection.ends[side].node, connection.ends[1 - side].node);
}

void Links::send(Connection& connection, unsigned side, Packet packet) {
  Pipe& pipe = connection.pipes[side];
  const MonoTime now = scheduler_.now();
  packet.sent = now;
  packet.due = now + draw_delay(connection.ends[side].node, connection.ends[1 - side].node);
  packet.due = pipe.last_due = std::max(packet.due, pipe.last_due);
  pipe.queue.push_back(std::move(packet));
  if (pipe.queue.size() == 1 && !pipe.stalled) {
    schedule_head(connection, side, pipe.queue.front().due);
  }
}

void Links::schedule_head(Connection& connection, unsigned side, MonoTime when) {
  scheduler_.at(when, kWorld, [this, id = connection.id, side] { deliver(id, side); });
}

void Links::deliver(std::uint64_t id, unsigned side) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  const auto connection = found->second;
  Pipe& pipe = connection->pipes[side];
  if (pipe.stalled || pipe.queue.empty()) return;
  // A queue that was cleared and filled anew has an event of its own.
  if (pipe.queue.front().due > scheduler_.now()) return;
  if (!passes(*connection, side)) return stall(*connection, side);
  Packet packet = std::move(pipe.queue.front());
  pipe.queue.pop_front();
  apply(*connection, 1 - side, packet);
  if (!pipe.queue.empty()) schedule_head(*connection, side, pipe.queue.front().due);
  drop_if_done(id);
}

// Nothing passes. The sender's kernel tries again until resume(), or for as long as it may.
void Links::stall(Connection& connection, unsigned side) {
  Pipe& pipe = connection.pipes[side];
  pipe.stalled = true;
  const MonoTime sent = pipe.queue.front().sent;
  scheduler_.note(hosts_[connection.ends[side].node].name, "cannot send", {}, connection.id);
  scheduler_.at(sent + kRetransmitMax, kWorld, [this, id = connection.id, side, sent] {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    const auto kept = found->second;
    const Pipe& still = kept->pipes[side];
    if (!still.stalled || still.queue.empty() || still.queue.front().sent != sent) return;
    break_end(*kept, side);
    drop_if_done(id);
  });
}

void Links::apply(Connection& connection, unsigned side, Packet& packet) {
  End& end = connection.ends[side];
  scheduler_.note(hosts_[end.node].name, "gets", {},
                  (connection.id << 34) ^ static_cast<std::uint64_t>(packet.kind) << 32 ^
                      crc32c(packet.bytes) ^ packet.taken);
  if (end.lost || !end.owned) {
    // A kernel that does not know the connection, or has no one left to read the data.
    if (packet.kind == Packet::data || (end.lost && packet.kind != Packet::reset)) {
      connection.pipes[side].queue.clear();
      send(connection, side, {.kind = Packet::reset, .bytes = {}});
    }
    return;
  }
  switch (packet.kind) {
    case Packet::data:
      append(end.inbox, packet.bytes);
      return wake(connection, side, true);
    case Packet::fin:
      end.ended = true;
      return wake(connection, side, true);
    case Packet::reset:
      return break_end(connection, side);
    case Packet::ack:
      end.unread -= packet.taken;
      return wake(connection, side, false);
  }
}

void Links::wake(Connection& connection, unsigned side, bool readable) {
  const unsigned kind = readable ? kReading : kWriting;
  End& end = connection.ends[side];
  if (!end.waits[kind] || end.woken[kind]) return;
  end.woken[kind] = true;
  scheduler_.post(end.loop, [this, id = connection.id, side, kind] {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    const auto kept = found->second;
    kept->ends[side].woken[kind] = false;
    if (Task task = std::exchange(kept->ends[side].waits[kind], {})) task();
  });
}

void Links::break_end(Connection& connection, unsigned side) {
  End& end = connection.ends[side];
  end.broken = true;
  connection.pipes[side].queue.clear();
  connection.pipes[side].stalled = false;
  wake(connection, side, true);
  wake(connection, side, false);
}

// The end's machine lost power: what it sent and did not get through is gone, and it says nothing.
void Links::bury_end(Connection& connection, unsigned side) {
  End& end = connection.ends[side];
  end.lost = true;
  connection.pipes[side].queue.clear();
  connection.pipes[side].stalled = false;
  for (Task& wait : end.waits) scheduler_.bury(std::exchange(wait, {}));
}

void Links::drop_if_done(std::uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  const Connection& connection = *found->second;
  for (unsigned side = 0; side < 2; ++side) {
    const End& end = connection.ends[side];
    if (end.owned && !end.lost) return;
    if (!connection.pipes[side].queue.empty()) return;
  }
  connections_.erase(found);
}

}  // namespace holdfast::os::sim
