// ServerTime: the time for a machine whose clock was never set (before 2020-01-01: no battery, no
// NTP). The server's Date header (RFC 9110 section 6.6.1), heard over a connection that was checked
// against our root, is believed within the life of the certificate that the same server issued: a
// wrong or lying server can make this device renew early and mark readings within those days, and
// nothing else. The machine's clock is never set, and a clock that is set is never overruled.
// Pure: the caller brings clocks and headers. One owner thread.
#pragma once

#include <optional>
#include <string_view>

#include "libs/base/time.hpp"

namespace holdfast::agent {

// IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7); the obsolete forms are
// not read: our server never sends them. nullopt for anything else.
std::optional<WallTime> parse_http_date(std::string_view text);

class ServerTime {
 public:
  // A crystal is off by some seconds a day, which is what a Date header is good for anyway.
  static constexpr Duration kFreshFor = hours(24);
  static constexpr Duration kAskInterval = minutes(15);  // while there is no answer

  struct Now {
    WallTime wall;
    bool trusted = false;  // the machine's clock is set, or the server told
    bool operator==(const Now&) const = default;
  };

  // False, and nothing changes, when `told` lies outside [not_before, not_after].
  bool learn(WallTime told, MonoTime at, WallTime not_before, WallTime not_after);
  // Whether the server should be asked: the own clock is not set, and no fresh answer is there.
  bool wanted(WallTime own, MonoTime at) const;
  Now now(WallTime own, MonoTime at) const;

 private:
  struct Told {
    WallTime wall;
    MonoTime at;
  };
  std::optional<Told> told_;
};

}  // namespace holdfast::agent
