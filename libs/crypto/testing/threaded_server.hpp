// For tests: a TLS server on a loop with its own thread, for clients that block: foreign programs.
// It greets everybody with "welcome" and ends the connection.
#pragma once

#include <functional>
#include <future>

#include "libs/base/guarded.hpp"
#include "libs/crypto/testing.hpp"
#include "libs/os/system.hpp"

namespace holdfast::crypto::testing {

class ThreadedServer {
 public:
  ThreadedServer(os::System system, Pki& pki, ServerSettings settings)
      : loop_(system.threads.start_loop("tls-server")),
        transport_(make_tls_transport(system.network, metrics_)) {
    settings.credential = pki.server();
    settings.trust_der = pki.trust();
    settings.refused = [this](const Refusal& refusal) {
      seen_.with([&](Seen& seen) { seen.refused.push_back(refusal.why); });
    };
    context_ = must(transport_->make_context(std::move(settings)));
    on_loop([this] {
      listener_ = must(transport_->listen(*loop_, {"127.0.0.1", 0}, context_, [this](auto stream) {
        seen_.with([&](Seen& seen) { seen.peers.push_back(stream->peer()); });
        static_cast<void>(stream->write(view_of("welcome\n")));
        stream->shut();
        streams_.push_back(std::move(stream));
      }));
    });
    address_ = listener_->endpoint().text();
  }
  ~ThreadedServer() {
    on_loop([this] {
      listener_.reset();
      streams_.clear();
    });
  }

  const std::string& address() const { return address_; }
  os::Endpoint endpoint() const { return listener_->endpoint(); }
  ServerContext& context() { return *context_; }
  std::vector<Peer> peers() {
    return seen_.with([](Seen& seen) { return seen.peers; });
  }
  std::vector<Error> refused() {
    return seen_.with([](Seen& seen) { return seen.refused; });
  }

 private:
  struct Seen {
    std::vector<Peer> peers;
    std::vector<Error> refused;
  };
  void on_loop(const std::function<void()>& act) {
    std::promise<void> done;
    loop_->post([&] {
      act();
      done.set_value();
    });
    done.get_future().wait();
  }

  Metrics metrics_;
  std::unique_ptr<os::Loop> loop_;
  std::unique_ptr<Transport> transport_;
  std::shared_ptr<ServerContext> context_;
  std::unique_ptr<os::Listener> listener_;
  std::vector<std::unique_ptr<SecureStream>> streams_;
  Guarded<Seen> seen_;
  std::string address_;
};

}  // namespace holdfast::crypto::testing
