#include "libs/http/server.hpp"

#include <utility>

#include "libs/http/connection.hpp"

namespace holdfast::http {

Server::Server(os::Loop& loop, os::Entropy& entropy, Metrics& metrics, ServerOptions options,
               Admit admit, Handler handler)
    : state_(std::make_shared<ServerState>(loop, entropy, metrics, std::move(options),
                                           std::move(admit), std::move(handler))) {}

Server::~Server() {
  state_->draining = true;
  for (const auto& connection : std::exchange(state_->connections, {})) connection->abort();
}

void Server::accept(std::unique_ptr<crypto::SecureStream> stream) {
  if (state_->draining || state_->connections.size() >= state_->options.connections_max) {
    state_->refused_connections.add();
    return;
  }
  state_->opened.add();
  auto connection = std::make_shared<Connection>(state_, std::move(stream));
  state_->connections.insert(connection);
  connection->start();
}

void Server::drain() {
  state_->draining = true;
  const auto connections = state_->connections;
  for (const auto& connection : connections) connection->drain();
}

std::size_t Server::connections() const {
  return state_->connections.size();
}

}  // namespace holdfast::http
