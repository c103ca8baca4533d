// What goes into a session and what comes out of it. A session does nothing itself: each input
// gives bytes for the client and actions for the shell around it, to be carried out in order and at
// once; some are answered later by another input. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/base/id.hpp"
#include "libs/base/result.hpp"
#include "libs/base/time.hpp"
#include "libs/wire/mqtt.hpp"
#include "server/control/service.hpp"
#include "server/hub/topics.hpp"
#include "server/telemetry/service.hpp"

namespace holdfast::hub {

inline Error failure(Code code, std::string message) {
  return {code, std::move(message), {}, {}, {}};
}

struct Now {
  MonoTime mono;
  WallTime wall;
};

// A subscription that was granted.
struct Granted {
  std::string filter;
  std::uint8_t qos = 0;
  bool operator==(const Granted&) const = default;
};

// A message that was sent down at QoS 1 and is not acknowledged. Its payload stays in the domain
// that sent it, under its key.
struct InFlight {
  std::uint16_t packet_id = 0;
  std::string key;
  bool operator==(const InFlight&) const = default;
};

// What of a session outlives its connections, and the process.
struct Kept {
  std::uint64_t tag = 0;  // names it in the journal's resend window; random
  std::vector<Granted> granted;
  std::vector<InFlight> in_flight;   // in order of sending
  std::vector<std::string> settled;  // keys done with that the domain may still offer
  bool operator==(const Kept&) const = default;
};

// ---- actions

// Take a seat among the device's live sessions. Answer: entered().
struct Enter {
  std::string client_id;
  bool continues = false;  // an earlier session goes on, if there is one
};
// Publish the will in `delay_s`, unless the session is taken up again.
struct FireWill {
  std::string topic;
  Bytes payload;
  std::uint32_t delay_s = 0;
  std::uint64_t id = 0;  // of the stored one; random. 0: not stored
};
// Answer: opened(), with what was kept; nullopt: there was nothing, a new session was begun.
struct Open {
  std::string client_id;
  bool clean = true;
  std::uint32_t expiry_s = 0;  // 0: ends with the connection and is not stored
  wire::mqtt::Version version = wire::mqtt::Version::v5;
  std::uint64_t tag = 0;         // of a new one
  std::optional<FireWill> will;  // stored until it is published or dropped, a crash between or not
};
// Store what the device said. Answer: stored(ticket); ticket 0 is QoS 0, whose answer changes
// nothing.
struct Publish {
  std::uint64_t ticket = 0;
  UpTopic topic;  // views into the packet, as is `payload`
  View payload;
  telemetry::Delivery delivery;
};
// The subscriptions have changed. Answer: saved().
struct SaveGranted {
  std::vector<Granted> granted;
};
// Ask for what waits: first the messages of `resolve`, then up to `limit` of all. Answer:
// fetched().
struct Fetch {
  std::vector<std::string> resolve;
  std::size_t limit = 0;
  bool twin = false;  // also the desired twin, whether the device reported it or not
};
// These are about to be sent: note their packet ids, tell the domain. Answer: prepared().
struct Prepare {
  std::vector<InFlight> rows;     // QoS 1
  std::vector<std::string> keys;  // all, QoS 0 too
};
// Acknowledged, or not to be sent again for another reason.
struct Settle {
  std::string key;
  std::uint16_t packet_id = 0;
  bool delivered = false;
};
// The domain does not offer these any more: nothing to remember.
struct Forget {
  std::vector<std::string> keys;
};
// Something for the device's timeline.
struct Record {
  telemetry::ServerEvent event;
};
// The will is not to be published.
struct DropWill {
  std::uint64_t id = 0;
};
// The CONNECT is accepted: larger packets may come.
struct Accepted {
  std::string client_id;
};
// The connection is over: send what was written, then close. Last action of a session.
struct Close {
  Code code = Code::connection_lost;
  bool by_client = false;  // a proper DISCONNECT: no failure
  std::string detail;
  bool was_live = false;       // CONNACK was sent
  std::uint32_t expiry_s = 0;  // 0: the session ends
  bool flush = true;           // false: the peer is gone, or does not speak our language
};

using Action = std::variant<Enter, Open, Publish, SaveGranted, Fetch, Prepare, Settle, Forget,
                            Record, FireWill, DropWill, Accepted, Close>;

struct Output {
  Bytes bytes;  // for the client
  std::vector<Action> actions;

  template <class T>
  void act(T action) {
    actions.emplace_back(std::move(action));
  }
};

// ---- answers

struct Admitted {
  DeviceId device;
  WallTime not_after;  // of the certificate
};

struct Prepared {
  std::vector<std::string> dropped;  // not to be sent after all
};

struct Fetched {
  // For each key of Fetch::resolve, in its order; nullopt: no longer to be sent.
  std::vector<std::pair<std::string, std::optional<control::Down>>> resolved;
  std::vector<control::Down> pending;  // oldest first
  std::optional<control::Down> twin;
};

// What happened, for counters; read and cleared by the shell.
struct Tally {
  std::uint32_t up_qos0 = 0, up_qos1 = 0, up_resent = 0, up_refused = 0;
  std::uint32_t down_sent = 0, down_resent = 0, down_acked = 0, down_expired = 0,
                down_too_large = 0;
  std::uint32_t settled_dropped = 0, acks_unknown = 0, events_suppressed = 0;
};

}  // namespace holdfast::hub
