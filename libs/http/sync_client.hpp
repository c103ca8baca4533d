// SyncClient: the Client for programs that do one thing at a time (command line, tests). It owns a
// loop with its own thread and waits; callbacks run on that thread while the caller waits. Used
// from one thread, which is not a loop's. Not for simulations.
#pragma once

#include <memory>

#include "libs/http/client.hpp"
#include "libs/os/workers.hpp"

namespace holdfast::http {

class SyncClient final {
 public:
  SyncClient(os::Threads& threads, crypto::Transport& transport, os::Endpoint server,
             crypto::ClientSettings settings, ClientOptions options = {});
  ~SyncClient();

  // Gives up after `limit`; the request's own deadline is replaced by it.
  Result<ClientResponse> send(ClientRequest request, Duration limit);
  void pause(Duration duration);

 private:
  std::unique_ptr<os::Loop> loop_;
  std::unique_ptr<Client> client_;
};

}  // namespace holdfast::http
