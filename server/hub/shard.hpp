// Shard: what one loop of the hub owns: its listeners, its MQTT connections, its HTTP server.
// Threads: its loop only, from construction to destruction, but for `around` and `lane`.
#pragma once

#include <memory>
#include <unordered_map>

#include "libs/http/server.hpp"
#include "server/hub/connection.hpp"
#include "server/hub/https/https.hpp"

namespace holdfast::hub {

struct Doors {
  std::shared_ptr<crypto::ServerContext> mqtt;
  std::shared_ptr<crypto::ServerContext> https;
};

class Shard final {
 public:
  Shard(std::shared_ptr<Surroundings> around, std::shared_ptr<Https> https, os::Workers& workers);
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // Endpoints come back with the real ports, for the next shard to join.
  Status listen(crypto::Transport& transport, const Doors& doors, os::Endpoint& mqtt,
                os::Endpoint& device);
  // CRLs and OCSP without TLS.
  Status listen_clear(os::Network& network, os::Endpoint& at);
  void stop_listening();
  void evict_all(const Error& why);
  // Takes new connections only as long as there is room.
  void tick();

 private:
  void accept(std::unique_ptr<crypto::SecureStream> stream);
  void pause(bool paused);

  const std::shared_ptr<Surroundings> around_;
  const std::shared_ptr<Https> https_;
  http::Server server_;
  http::Server clear_server_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Connection>> connections_;
  std::unique_ptr<os::Listener> mqtt_listener_;
  std::unique_ptr<os::Listener> https_listener_;
  std::unique_ptr<os::Listener> clear_listener_;
  bool paused_ = false;
};

}  // namespace holdfast::hub
