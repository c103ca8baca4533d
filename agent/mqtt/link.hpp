// MqttLink: keeps one MQTT session connected over authenticated streams: connects, drives the
// session machine, and after each ending waits as Backoff says. At most one connection at a time.
// Threads: everything on its loop. Callbacks never run inside start(); after the destructor none
// runs.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/mqtt/backoff.hpp"
#include "agent/mqtt/session.hpp"
#include "libs/base/log.hpp"
#include "libs/crypto/transport.hpp"
#include "libs/os/system.hpp"

namespace holdfast::agent {

struct LinkHandlers {
  // The settings of the next connection: certificates change while the link lives.
  std::function<crypto::ClientSettings()> settings;
  std::function<void(const Online&)> online;
  std::function<void(const Acknowledged&)> acknowledged;
  std::function<void(const Incoming&)> incoming;
  // The connection, or the attempt, is over; the next comes after `wait`.
  std::function<void(Ending ending, const std::string& why, Duration wait)> down;
};

class MqttLink final {
 public:
  static constexpr Duration kConnectLimit = seconds(30);

  MqttLink(os::System system, os::Loop& loop, crypto::Transport& transport, os::Endpoint server,
           SessionOptions options, LinkHandlers handlers);
  ~MqttLink();
  MqttLink(const MqttLink&) = delete;
  MqttLink& operator=(const MqttLink&) = delete;

  void start();
  // DISCONNECT, then the end of the stream; `done` once it is drained, within two seconds.
  void stop(os::Task done);
  void reconnect();  // at once, with fresh settings: after a renewal

  bool online() const { return session_.online(); }
  std::size_t window() const { return session_.window(); }
  std::size_t in_flight() const { return session_.in_flight(); }
  Status publish(OutMessage message);
  void acknowledge(const Incoming& message);

 private:
  void connect();
  void connected(Result<std::unique_ptr<crypto::SecureStream>> stream);
  void readable();
  void pump();
  void handle(const SessionEvent& event);
  void flush();
  void part();
  void arm_tick();
  void down(Ending ending, const std::string& why);
  os::Task guarded(std::move_only_function<void()> task);

  os::System system_;
  os::Loop& loop_;
  crypto::Transport& transport_;
  const os::Endpoint server_;
  const LinkHandlers handlers_;
  MqttSession session_;
  Backoff backoff_;
  std::unique_ptr<crypto::SecureStream> stream_;
  std::unique_ptr<crypto::SecureStream> parting_;  // says goodbye; closes itself within two seconds
  os::TimerId retry_{};
  os::TimerId tick_{};
  MonoTime up_since_ = kNever;
  bool stopping_ = false;
  bool pumping_ = false;
  unsigned attempt_ = 0;  // results of older attempts are dropped
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace holdfast::agent
