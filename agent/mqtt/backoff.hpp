// Backoff: how long to wait before the next connection (contract/device-protocol.md section 11):
// full jitter, doubling from one second to five minutes, so that a fleet that lost its server does
// not come back in one wave. Pure: the caller brings the randomness. One owner thread.
#pragma once

#include <cstdint>
#include <optional>

#include "libs/base/time.hpp"

namespace holdfast::agent {

// How the last attempt or connection ended.
enum class Ending {
  failed,         // no connection, or an error that may pass
  cut,            // an established connection broke
  shutting_down,  // the server said so (0x8B)
  unwelcome,      // quarantined, revoked, unknown: an operator may release the device
  taken_over,     // another client uses our client id (0x8E)
};

// From `low` to `high`, both included; `random`: any 64 bits.
Duration drawn_between(Duration low, Duration high, std::uint64_t random);

// Not before a server's Retry-After (seconds), of which at most `most` is believed.
Duration no_sooner(Duration wait, const std::optional<double>& retry_after_s,
                   Duration most = hours(24));

class Backoff {
 public:
  static constexpr Duration kWaitMax = seconds(300);
  static constexpr Duration kWaitMin = milliseconds(100);  // never a hot loop
  static constexpr Duration kSlowMin = seconds(60);
  static constexpr Duration kGoodAfter = seconds(60);  // a connection that counts as a success

  // `lasted`: how long the connection was up (zero when it never was); `random`: any 64 bits.
  Duration after(Ending ending, Duration lasted, std::uint64_t random);
  unsigned failures() const { return failures_; }

 private:
  unsigned failures_ = 0;  // in a row
};

}  // namespace holdfast::agent
