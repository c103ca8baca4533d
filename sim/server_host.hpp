// ServerHost: the machine that runs the server: the real App on a simulated node with a plain
// transport. It starts the program again after a crash, as systemd would. One thread; tick() from
// outside of events.
#pragma once

#include <memory>
#include <string>

#include "libs/os/sim/simulation.hpp"
#include "server/app/app.hpp"
#include "sim/journal.hpp"

namespace holdfast::sim {

inline constexpr std::uint16_t kApiPort = 8443, kMqttPort = 8883, kDevicePort = 8444;
inline constexpr std::string_view kServerName = "server";
inline constexpr std::string_view kDataFolder = "/data/holdfast";

class ServerHost {
 public:
  ServerHost(os::sim::Simulation& world, Journal& journal, Level least);
  ~ServerHost();
  ServerHost(const ServerHost&) = delete;
  ServerHost& operator=(const ServerHost&) = delete;

  // Drops what has crashed, starts what is due, ends what was asked to stop.
  void tick();
  // Power cut or kill; started again after `pause`.
  void crash(os::sim::Crash kind, Duration pause);
  // SIGTERM; started again after `pause` (kNeverAgain: not any more).
  void stop(Duration pause);
  static constexpr Duration kNeverAgain{INT64_MAX};
  // After stop(kNeverAgain), for somebody who thought better of it.
  void start_again() {
    if (stopped()) up_at_ = world_.now();
  }

  bool serving() const { return app_ && ready_ && !stopping_ && node_.up(); }
  bool stopped() const { return !app_ && up_at_ == kNever; }
  os::sim::Node& node() { return node_; }
  unsigned starts() const { return starts_; }
  // Why it does not run; "" while it does.
  const std::string& trouble() const { return trouble_; }
  std::string metrics() const { return metrics_ ? metrics_->text() : ""; }
  // What an operator on the machine reads there; "" while it is not there.
  std::string admin_token();
  std::string root_pem();

 private:
  void open();
  void drop();
  void failed(const Error& why);
  std::string file(const std::string& path);

  static constexpr Duration kRetry = seconds(1);

  os::sim::Simulation& world_;
  os::sim::Node& node_;
  Journal& journal_;
  const Log log_;
  config::Config config_;
  MonoTime up_at_{};
  unsigned starts_ = 0;
  bool ready_ = false;
  bool stopping_ = false;
  bool ended_ = false;  // stop() has called back
  bool refused_ = false;  // start() has called back with an error
  Duration pause_{};
  std::string trouble_;
  std::unique_ptr<Metrics> metrics_;  // of one life: gauges read what dies with it
  std::unique_ptr<crypto::Transport> transport_;
  std::unique_ptr<app::App> app_;
};

}  // namespace holdfast::sim
