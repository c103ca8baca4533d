// For tests of whatever speaks HTTP: a loop whose clock the test moves, pairs of streams in memory,
// and a transport that connects a Client straight to a Server. No sockets, no waiting, no threads.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "libs/crypto/transport.hpp"
#include "libs/os/entropy.hpp"
#include "libs/os/loop.hpp"

namespace holdfast::http::testing {

class TestClock final : public os::Clock {
 public:
  WallTime wall() const override { return {1'780'000'000'000'000 + mono_us}; }
  MonoTime mono() const override { return {mono_us}; }
  std::int64_t mono_us = 1'000'000;
};

// Runs everything on the caller's thread: settle() until nothing is due, advance() moves the clock.
class TestLoop final : public os::Loop {
 public:
  const os::Clock& clock() const override { return clock_; }
  void post(os::Task task) override { tasks_.push_back(std::move(task)); }
  os::TimerId at(MonoTime when, os::Task task) override {
    const auto id = static_cast<os::TimerId>(++last_timer_);
    timers_.emplace(std::pair(when.us, last_timer_), std::move(task));
    return id;
  }
  void cancel(os::TimerId timer) override {
    std::erase_if(timers_, [&](const auto& entry) {
      return entry.first.second == static_cast<std::uint64_t>(timer);
    });
  }
  void run() override { settle(); }
  void stop() override {}

  void settle() {
    while (true) {
      if (!tasks_.empty()) {
        os::Task task = std::move(tasks_.front());
        tasks_.pop_front();
        task();
      } else if (!timers_.empty() && timers_.begin()->first.first <= clock_.mono_us) {
        os::Task task = std::move(timers_.begin()->second);
        timers_.erase(timers_.begin());
        task();
      } else {
        return;
      }
    }
  }
  void advance(Duration by) {
    const std::int64_t end = clock_.mono_us + by.us;
    settle();
    while (!timers_.empty() && timers_.begin()->first.first <= end) {
      clock_.mono_us = std::max(clock_.mono_us, timers_.begin()->first.first);
      settle();
    }
    clock_.mono_us = end;
    settle();
  }
  std::size_t timers() const { return timers_.size(); }

 private:
  TestClock clock_;
  std::deque<os::Task> tasks_;
  std::map<std::pair<std::int64_t, std::uint64_t>, os::Task> timers_;
  std::uint64_t last_timer_ = 0;
};

class TestEntropy final : public os::Entropy {
 public:
  void fill(std::span<std::uint8_t> out) override {
    for (auto& byte : out) byte = static_cast<std::uint8_t>(state_ = state_ * 25 + 7);
  }

 private:
  unsigned state_ = 1;
};

// One direction of a connection.
struct Pipe {
  Bytes bytes;
  bool ended = false;  // no more will come
  bool broken = false;
  std::size_t room = SIZE_MAX;  // bytes that the reader's side takes before the writer has to wait
  os::Task readable;
  os::Task drained;
};

// An end of a connection in memory. What is written beyond the pipe's room counts as pending.
class MemoryStream final : public crypto::SecureStream {
 public:
  static constexpr std::size_t kPendingMax = 256 * 1024;

  MemoryStream(os::Loop& loop, std::shared_ptr<Pipe> in, std::shared_ptr<Pipe> out,
               crypto::Peer peer)
      : loop_(loop), in_(std::move(in)), out_(std::move(out)), peer_(std::move(peer)) {}
  ~MemoryStream() override {
    in_->readable = nullptr;
    out_->drained = nullptr;
    in_->broken = true;
    end_output();
  }
  const crypto::Peer& peer() const override { return peer_; }
  Result<std::size_t> read(std::span<std::uint8_t> into) override {
    const std::size_t size = std::min(into.size(), in_->bytes.size());
    if (size == 0 && in_->ended) return 0;
    if (size == 0) return fail(Code::would_block, "nothing to read yet");
    std::copy_n(in_->bytes.begin(), size, into.begin());
    in_->bytes.erase(in_->bytes.begin(), in_->bytes.begin() + static_cast<std::ptrdiff_t>(size));
    wake_drained(*in_);
    return size;
  }
  Status write(View bytes) override {
    if (out_->broken || out_->ended) return fail(Code::closed, "the peer is gone");
    if (write_pending() >= kPendingMax) return fail(Code::would_block, "too much is pending");
    append(out_->bytes, bytes);
    wake_readable(*out_);
    return {};
  }
  std::size_t write_pending() const override {
    return out_->bytes.size() > out_->room ? out_->bytes.size() - out_->room : 0;
  }
  void wait_readable(os::Task ready) override {
    in_->readable = std::move(ready);
    if (!in_->bytes.empty() || in_->ended) wake_readable(*in_);
  }
  void wait_drained(os::Task drained) override {
    out_->drained = std::move(drained);
    wake_drained(*out_);
  }
  void shut() override { end_output(); }

  void set_room(std::size_t room) { in_->room = room; }  // of what the other end writes

 private:
  void end_output() {
    out_->ended = true;
    wake_readable(*out_);
  }
  void wake_readable(Pipe& pipe) {
    if (pipe.readable) loop_.post(std::exchange(pipe.readable, nullptr));
  }
  void wake_drained(Pipe& pipe) {
    if (pipe.drained && (pipe.bytes.size() <= pipe.room || pipe.broken)) {
      loop_.post(std::exchange(pipe.drained, nullptr));
    }
  }

  os::Loop& loop_;
  std::shared_ptr<Pipe> in_;
  std::shared_ptr<Pipe> out_;
  crypto::Peer peer_;
};

struct StreamPair {
  std::unique_ptr<MemoryStream> client;
  std::unique_ptr<MemoryStream> server;
};
inline StreamPair connect_streams(os::Loop& loop) {
  auto up = std::make_shared<Pipe>();
  auto down = std::make_shared<Pipe>();
  crypto::Peer peer;
  peer.address = "192.0.2.7:50312";
  peer.protocol = "TLSv1.3";
  peer.arrived = loop.clock().mono();
  return {std::make_unique<MemoryStream>(loop, down, up, peer),
          std::make_unique<MemoryStream>(loop, up, down, peer)};
}

// A transport whose every connect() gives the other end to `accept`, or fails as told.
class TestTransport final : public crypto::Transport {
 public:
  explicit TestTransport(os::Loop& loop) : loop_(loop) {}
  std::function<void(std::unique_ptr<MemoryStream>)> accept;
  std::optional<Error> refuse;
  std::size_t connects = 0;
  crypto::ClientSettings last_settings;

  Result<std::shared_ptr<crypto::ServerContext>> make_context(crypto::ServerSettings) override {
    return fail(Code::unsupported, "only connect() here");
  }
  Result<std::unique_ptr<os::Listener>> listen(os::Loop&, const os::Endpoint&,
                                               std::shared_ptr<crypto::ServerContext>,
                                               crypto::SecureAcceptFn) override {
    return fail(Code::unsupported, "only connect() here");
  }
  void connect(os::Loop&, const os::Endpoint&, crypto::ClientSettings settings, MonoTime,
               crypto::SecureConnectFn done) override {
    ++connects;
    last_settings = std::move(settings);
    loop_.post([this, done = std::move(done)]() mutable {
      if (refuse) return done(std::unexpected(*refuse));
      auto pair = connect_streams(loop_);
      accept(std::move(pair.server));
      done(std::unique_ptr<crypto::SecureStream>(std::move(pair.client)));
    });
  }

 private:
  os::Loop& loop_;
};

}  // namespace holdfast::http::testing
