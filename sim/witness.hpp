// Witness: a Transport that reads along. It stands between an agent and its connections, decodes
// the MQTT that passes, and tells the Ledger which PUBLISH was acknowledged: so a promise counts
// from the moment the device's program has read it, and no earlier.
// Connections to other ports than `mqtt_port` pass unread. `inner` and `ledger` outlive the witness
// and its streams. Threads: one.
#pragma once

#include <memory>

#include "libs/crypto/transport.hpp"
#include "sim/ledger.hpp"

namespace holdfast::sim {

class Witness final : public crypto::Transport {
 public:
  Witness(crypto::Transport& inner, std::uint16_t mqtt_port, Ledger& ledger)
      : inner_(inner), mqtt_port_(mqtt_port), ledger_(ledger) {}

  Result<std::shared_ptr<crypto::ServerContext>> make_context(
      crypto::ServerSettings settings) override {
    return inner_.make_context(std::move(settings));
  }
  Result<std::unique_ptr<os::Listener>> listen(os::Loop& loop, const os::Endpoint& at,
                                               std::shared_ptr<crypto::ServerContext> context,
                                               crypto::SecureAcceptFn accept) override {
    return inner_.listen(loop, at, std::move(context), std::move(accept));
  }
  void connect(os::Loop& loop, const os::Endpoint& to, crypto::ClientSettings settings,
               MonoTime deadline, crypto::SecureConnectFn done) override;

 private:
  crypto::Transport& inner_;
  const std::uint16_t mqtt_port_;
  Ledger& ledger_;
};

}  // namespace holdfast::sim
