// Transport: authenticated byte streams, as everything above the socket sees them. The real one is
// TLS by OpenSSL straight on the descriptor (RFC 8446, RFC 5246); the one of simulations carries
// plaintext with the peer's certificate given. Both behave alike in deadlines, bounds and errors.
//
// Threads: a SecureStream belongs to the loop it was accepted or connected on. The settings objects
// may be changed from any thread; new handshakes see the change.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/base/metrics.hpp"
#include "libs/crypto/key.hpp"
#include "libs/os/network.hpp"

namespace holdfast::crypto {

struct Peer {
  std::optional<Bytes>
      certificate_der;              // the leaf that the peer proved; chain-checked against `trust`
  std::vector<Bytes> server_chain;  // client side: what the server sent, leaf first
  bool resumed = false;  // the certificate was checked again all the same, but whoever keeps a list
                         // of devices must look it up again too
  std::string protocol;  // "TLSv1.3", "TLSv1.2", "plain" (simulation)
  std::string alpn;      // agreed application protocol, "" for none
  std::string address;   // "192.0.2.7:50312"
  MonoTime arrived;      // when the connection was accepted, before its handshake
};

// A chain (leaf first, DER) and the leaf's key.
struct Credential {
  std::vector<Bytes> chain_der;
  PrivateKey key;
};

// Reading and writing as os::Stream: read() answers would_block until there is more; write() takes
// all bytes into a bounded buffer or answers Code::would_block when write_pending_max is reached.
class SecureStream {
 public:
  virtual ~SecureStream() = default;  // closes at once
  virtual const Peer& peer() const = 0;
  virtual Result<std::size_t> read(std::span<std::uint8_t> into) = 0;  // 0: the peer closed
  virtual Status write(View bytes) = 0;  // queued and flushed by the stream itself
  virtual std::size_t write_pending() const = 0;
  virtual void wait_readable(os::Task ready) = 0;
  // Called when write_pending() is 0, and when the connection broke: then read() tells why.
  virtual void wait_drained(os::Task drained) = 0;
  // Sends what is pending, close_notify, then the end of stream; destroys nothing. Bounded: after
  // two seconds the socket closes regardless.
  virtual void shut() = 0;
};

enum class ClientCertificate { none, optional, required };

// A client whose handshake was refused, for logs and timelines.
struct Refusal {
  std::string address;
  Error why;
  std::optional<Bytes> certificate_der;  // what it showed, proven or not
};

struct ServerSettings {
  Credential credential;
  std::vector<Bytes> trust_der;  // CAs that client certificates may chain to
  ClientCertificate client = ClientCertificate::required;
  bool allow_tls12 = false;
  bool tickets = true;
  Duration handshake_limit = seconds(10);
  unsigned handshakes_max = 64;  // at once, per listener; more wait in the backlog
  unsigned silent_max = 4096;  // connections that sent nothing yet; the oldest is closed beyond it
  std::size_t write_pending_max = 256 * 1024;
  std::vector<std::string>
      alpn;  // in order of preference; a client that offers none of them may stay
  std::function<void(const Refusal&)> refused;  // may be empty; runs on the listener's loop
};

// Shared by listeners; replaced as a whole (a renewed certificate) without closing anything.
class ServerContext {
 public:
  virtual ~ServerContext() = default;
  virtual Status replace(ServerSettings settings) = 0;  // any thread
};

// TLS sessions of one client identity, to resume them: a third of the server's work is saved.
// Thread-safe. The plain transport ignores it.
class ClientSessions {
 public:
  virtual ~ClientSessions() = default;
};
std::shared_ptr<ClientSessions> make_client_sessions();

struct ClientSettings {
  std::vector<Bytes> trust_der;            // the server must chain to one of these ...
  std::optional<Bytes> trust_fingerprint;  // ... or to a CA with this SHA-256 (first contact)
  bool unverified =
      false;  // ... or to nothing: only to fetch CAs that the caller checks by fingerprint
  bool check_times = true;  // false for a device without a clock: validity dates are left out
  std::string server_name;  // expected name or address, "" for any; sent as SNI when a name
  std::optional<Credential> credential;
  std::vector<std::string> alpn;
  std::shared_ptr<ClientSessions> sessions;  // resumes what it can, when given
  std::size_t write_pending_max = 1024 * 1024;
};

using SecureAcceptFn = std::function<void(std::unique_ptr<SecureStream>)>;
using SecureConnectFn = std::move_only_function<void(Result<std::unique_ptr<SecureStream>>)>;

class Transport {
 public:
  virtual ~Transport() = default;
  virtual Result<std::shared_ptr<ServerContext>> make_context(ServerSettings settings) = 0;
  // `accept` runs after a successful handshake, on `loop`.
  virtual Result<std::unique_ptr<os::Listener>> listen(os::Loop& loop, const os::Endpoint& at,
                                                       std::shared_ptr<ServerContext> context,
                                                       SecureAcceptFn accept) = 0;
  // `done` runs on `loop`, never inside this call. Errors: Code::server_untrusted, tls_failed,
  // deadline_exceeded and those of os::Network. A server that refuses our certificate says so only
  // afterwards, in read() (RFC 8446 4.4.2.4): certificate_required, _expired, _invalid, tls_failed.
  virtual void connect(os::Loop& loop, const os::Endpoint& to, ClientSettings settings,
                       MonoTime deadline, SecureConnectFn done) = 0;
};

std::unique_ptr<Transport> make_tls_transport(os::Network& network, Metrics& metrics);
// For simulations only: identities are given, nothing is encrypted.
std::unique_ptr<Transport> make_plain_transport(os::Network& network, Metrics& metrics);

}  // namespace holdfast::crypto
