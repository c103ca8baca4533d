#include "sim/server_host.hpp"

#include <cstdio>
#include <cstdlib>

#include "server/core/settings.hpp"

namespace holdfast::sim {
namespace {

config::Config settings() {
  config::Inputs inputs;
  const auto listen = [](std::uint16_t port) { return ":" + std::to_string(port); };
  inputs.arguments = {"--data",        std::string(kDataFolder),
                      "--api-listen",  listen(kApiPort),
                      "--mqtt-listen", listen(kMqttPort),
                      "--device-listen", listen(kDevicePort),
                      "--threads",     "2",
                      "--log-level",   "debug"};
  auto loaded = config::load(core::server_settings(), inputs);
  if (!loaded) {
    std::fprintf(stderr, "the simulation's server settings: %s\n", loaded.error().text().c_str());
    std::abort();
  }
  return std::move(loaded->config);
}

}  // namespace

ServerHost::ServerHost(os::sim::Simulation& world, Journal& journal, Level least)
    : world_(world),
      node_(world.node(kServerName)),
      journal_(journal),
      log_(journal.sink_for(std::string(kServerName)), least),
      config_(settings()) {}

ServerHost::~ServerHost() { drop(); }

void ServerHost::drop() {
  app_.reset();
  transport_.reset();
  metrics_.reset();
  ready_ = stopping_ = ended_ = refused_ = false;
}

void ServerHost::tick() {
  if (!node_.up() && app_) {  // the disk cut the power while it was written to
    drop();
    up_at_ = world_.now() + kRetry;
    trouble_ = "lost power";
  }
  if (refused_) {
    drop();
    up_at_ = world_.now() + kRetry;
  }
  if (ended_) {
    const Duration pause = pause_;
    drop();
    node_.crash(os::sim::Crash::process);  // the program ends; what it left is on disk
    up_at_ = pause == kNeverAgain ? kNever : world_.now() + pause;
  }
  if (app_ || up_at_ > world_.now()) return;
  if (!node_.up()) node_.restart();
  open();
}

void ServerHost::open() {
  ++starts_;
  const os::System system = node_.system();
  metrics_ = std::make_unique<Metrics>();
  transport_ = crypto::make_plain_transport(system.network, *metrics_);
  auto opened = app::App::open(system, node_.loop(), *transport_, config_, {}, log_, *metrics_);
  if (!opened || !node_.up()) {
    if (!opened) failed(opened.error());
    drop();
    up_at_ = world_.now() + kRetry;
    return;
  }
  app_ = *std::move(opened);
  app_->start([this](Result<app::Ready> ready) {
    ready_ = ready.has_value();
    refused_ = !ready_;
    if (!ready) return failed(ready.error());
    trouble_.clear();
    journal_.note(kServerName, "ready");
  });
}

void ServerHost::failed(const Error& why) {
  trouble_ = "does not start: " + why.text();
  journal_.note(kServerName, trouble_);
}

void ServerHost::crash(os::sim::Crash kind, Duration pause) {
  node_.crash(kind);
  drop();
  trouble_ = "crashed";
  up_at_ = world_.now() + pause;
}

void ServerHost::stop(Duration pause) {
  if (!serving()) {
    if (pause != kNeverAgain) return;
    drop();
    node_.crash(os::sim::Crash::process);
    up_at_ = kNever;
    return;
  }
  journal_.note(kServerName, "is asked to stop");
  stopping_ = true;
  pause_ = pause;
  app_->stop([this] { ended_ = true; });
}

std::string ServerHost::file(const std::string& path) {
  if (!node_.up()) return "";
  const auto bytes = os::read_file(node_.system().files, path, 64 * 1024);
  return bytes ? std::string(text_of(*bytes)) : "";
}

std::string ServerHost::admin_token() {
  std::string token = file(os::join(std::string(kDataFolder), "admin-token"));
  while (token.ends_with('\n')) token.pop_back();
  return token;
}

std::string ServerHost::root_pem() { return file(std::string(kDataFolder) + "/ca/root.pem"); }

}  // namespace holdfast::sim
