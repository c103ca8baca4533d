// What TLS and the plain transport have in common: a Handshake is stepped by whoever waits for its
// socket, a listener admits and steps those of clients, connect() steps one of our own.
// Private to libs/crypto. Threads: everything on the loop it was made for, but for
// ServerSource::current().
#pragma once

#include <memory>

#include "libs/crypto/transport.hpp"

namespace holdfast::crypto {

class TrustStore;

class Handshake {
 public:
  enum class Step { wait_readable, wait_writable, done, failed };
  virtual ~Handshake() = default;
  virtual Step step() = 0;
  virtual os::Stream& stream() = 0;
  // After done; nothing is left in this object. `arrived`: for the Peer.
  virtual std::unique_ptr<SecureStream> take(MonoTime arrived) = 0;
  virtual Refusal refusal() const = 0;  // after failed
  // After failed: the socket, so that an alert on its way is not lost to a reset.
  virtual std::unique_ptr<os::Stream> take_stream() = 0;
};

// One version of a ServerContext: settings, and how to begin with them. Immutable.
class ServerSource {
 public:
  virtual ~ServerSource() = default;
  virtual const ServerSettings& settings() const = 0;
  virtual Result<std::unique_ptr<Handshake>> begin(os::Loop& loop,
                                                   std::unique_ptr<os::Stream> stream) const = 0;
};

class SourceContext : public ServerContext {
 public:
  // The newest version; any thread. It may be renewed by its age at `now`.
  virtual std::shared_ptr<const ServerSource> current(MonoTime now) = 0;
  virtual bool encrypts() const = 0;
};

// Counters of a transport; names are holdfast_<kind>_..., kind "tls" or "plain".
struct HandshakeCounters {
  HandshakeCounters(Metrics& metrics, std::string_view kind);
  Counter &full, &resumed, &refused, &timed_out, &stalled, &silent_closed, &connected,
      &connect_failed;

 private:
  HandshakeCounters(Metrics& metrics, const std::string& handshakes,
                    const std::string& handshakes_help, const std::string& connects,
                    const std::string& connects_help);
};

Result<std::unique_ptr<os::Listener>> listen_secure(os::Network& network, os::Loop& loop,
                                                    const os::Endpoint& at,
                                                    std::shared_ptr<SourceContext> context,
                                                    std::shared_ptr<HandshakeCounters> counters,
                                                    SecureAcceptFn accept);

using BeginFn =
    std::move_only_function<Result<std::unique_ptr<Handshake>>(std::unique_ptr<os::Stream>)>;
void connect_secure(os::Network& network, os::Loop& loop, const os::Endpoint& to, MonoTime deadline,
                    std::shared_ptr<HandshakeCounters> counters, BeginFn begin,
                    SecureConnectFn done);

// What a server must chain to: the settings' CAs, or that one of its own chain whose fingerprint
// was given. Not for `unverified`.
Result<std::shared_ptr<const TrustStore>> trust_of(const ClientSettings& settings,
                                                   const std::vector<Bytes>& chain);

}  // namespace holdfast::crypto
