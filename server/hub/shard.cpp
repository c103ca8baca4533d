#include "server/hub/shard.hpp"

#include "libs/crypto/clear_stream.hpp"

namespace holdfast::hub {
namespace {

http::ServerOptions server_options(os::Workers& workers, std::string_view name) {
  http::ServerOptions options;
  options.name = name;
  options.body_limit = seconds(60);
  options.idle_limit = seconds(60);
  options.workers = &workers;
  return options;
}

}  // namespace

Shard::Shard(std::shared_ptr<Surroundings> around, std::shared_ptr<Https> https,
             os::Workers& workers)
    : around_(std::move(around)),
      https_(std::move(https)),
      server_(
          around_->loop, around_->entropy, around_->counters->metrics,
          server_options(workers, "device"),
          [https = https_](const http::Request& head) { return https->admit(head); },
          [https = https_](http::Request request, http::Responder responder) {
            https->handle(std::move(request), std::move(responder));
          }),
      clear_server_(
          around_->loop, around_->entropy, around_->counters->metrics,
          server_options(workers, "clear"),
          [https = https_](const http::Request& head) { return https->admit_clear(head); },
          [https = https_](http::Request request, http::Responder responder) {
            https->handle(std::move(request), std::move(responder));
          }) {}

Status Shard::listen_clear(os::Network& network, os::Endpoint& at) {
  clear_listener_ = TRY(network.listen(around_->loop, at, [this](auto stream) {
    clear_server_.accept(crypto::make_clear_stream(around_->loop, std::move(stream)));
  }));
  at.port = clear_listener_->endpoint().port;
  return {};
}

Status Shard::listen(crypto::Transport& transport, const Doors& doors, os::Endpoint& mqtt,
                     os::Endpoint& device) {
  mqtt_listener_ = TRY(transport.listen(around_->loop, mqtt, doors.mqtt,
                                        [this](auto stream) { accept(std::move(stream)); }));
  https_listener_ = TRY(transport.listen(around_->loop, device, doors.https, [this](auto stream) {
    server_.accept(std::move(stream));
  }));
  mqtt.port = mqtt_listener_->endpoint().port;
  device.port = https_listener_->endpoint().port;
  return {};
}

void Shard::accept(std::unique_ptr<crypto::SecureStream> stream) {
  const auto id = around_->directory->new_id();
  const auto connection = std::make_shared<Connection>(
      around_, std::move(stream), id, [this, id](Connection&) { connections_.erase(id); });
  connections_.emplace(id, connection);
  connection->start();
  tick();
}

void Shard::tick() {
  const bool full = around_->counters->connections.load() >= around_->limits.connections_max;
  if (full != paused_) pause(full);
}

// New ones wait in the backlog: a client that is turned away by an error often never comes back.
void Shard::pause(bool paused) {
  paused_ = paused;
  if (mqtt_listener_) mqtt_listener_->pause(paused);
}

void Shard::stop_listening() {
  mqtt_listener_.reset();
  https_listener_.reset();
  clear_listener_.reset();
  server_.drain();
  clear_server_.drain();
}

void Shard::evict_all(const Error& why) {
  const auto connections = connections_;
  for (const auto& [id, connection] : connections) connection->evict(why, false);
}

}  // namespace holdfast::hub
