// Bounds of the hub (contract/device-protocol.md, section 12), in one place. Those that a site may
// want to change are members of Limits; the rest is fixed by the protocol. Values.
#pragma once

#include <cstddef>
#include <cstdint>

#include "libs/base/time.hpp"

namespace holdfast::hub {

inline constexpr std::uint32_t kPacketBytesMax = 262'144;       // Maximum Packet Size that we offer
inline constexpr std::uint32_t kConnectPacketBytesMax = 4'096;  // before CONNECT is accepted
inline constexpr std::size_t kPayloadBytesMax = 262'000;        // telemetry, event, log, inventory
inline constexpr std::size_t kTwinBytesMax = 65'536;
inline constexpr std::size_t kReplyBytesMax = 65'536;
inline constexpr std::size_t kCsrBytesMax = 16'384;
inline constexpr std::size_t kTopicBytesMax = 512;
inline constexpr std::size_t kNameBytesMax = 64;  // stream, event and command names
inline constexpr std::size_t kClientIdBytesMax = 128;
inline constexpr std::size_t kLiveSessionsMax = 4;     // of one device
inline constexpr std::size_t kOfflineSessionsMax = 8;  // of one device; the oldest goes
inline constexpr std::size_t kSubscriptionsMax = 32;   // of one session
inline constexpr std::uint16_t kUpInFlightMax = 64;    // Receive Maximum that we offer
inline constexpr std::uint16_t kUpOvershootMax = 8;    // what clients of old exceed it by
inline constexpr std::uint16_t kDownInFlightMax = 16;
inline constexpr std::size_t kDownSettledMax = 1'024;  // keys a session remembers as done
inline constexpr std::size_t kDownFetchMax = 1'024;    // messages asked for at once
inline constexpr std::uint32_t kSessionExpiryMax_s = 604'800;
inline constexpr std::uint32_t kWillDelayMax_s = 3'600;
inline constexpr std::uint16_t kKeepAliveMax_s = 1'200;
inline constexpr std::size_t kDelayedWillsMax = 10'000;     // of the whole hub; beyond: at once
inline constexpr std::size_t kOutputBytesMax = 128 * 1024;  // not yet taken by a client
inline constexpr std::size_t kStoreQueueMax = 8'192;        // session changes on their way to SQL
inline constexpr std::size_t kPollMessagesMax = 16;         // in one answer of a long poll
inline constexpr std::uint32_t kPollWaitMax_s = 55;
inline constexpr Duration kMailboxAge = days(7);
inline constexpr Duration kHttpPresence = seconds(120);  // online after the last request

struct Rate {
  double per_s = 0;
  double burst = 0;
};

struct Limits {
  Duration connect_limit = seconds(10);   // TCP to CONNECT, TLS included
  std::size_t connections_max = 100'000;  // of the hub; more wait in the backlog
  Rate messages{1'000, 5'000};            // up, of one device
  Rate requests{100, 500};                // HTTP, of one device
  Rate connections{1, 60};                // new MQTT connections of one device
  Duration trim_every = minutes(1);       // gives freed memory back after storms
};

}  // namespace holdfast::hub
