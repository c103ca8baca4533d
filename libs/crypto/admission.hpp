// Admission: who of a listener's young connections may spend the processor on a handshake. A full
// handshake costs about a millisecond, so a fleet that reconnects at once must queue in front of
// it, and whoever says nothing, or stops halfway, must not make others wait.
//
// A connection is silent until its first byte, then it waits for one of `handshakes_max` slots, in
// order of arrival. Of silent ones the oldest goes when there are more than `silent_max`; those
// that wait for a slot count with them. A handshake that made no progress for kStallLimit loses its
// slot while others wait. Pure: decides, touches nothing. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "libs/base/time.hpp"

namespace holdfast::crypto {

inline constexpr Duration kStallLimit = seconds(1);

class Admission {
 public:
  using Ticket = std::uint64_t;  // given out by the caller, rising
  struct Limits {
    unsigned handshakes_max = 64;
    unsigned silent_max = 4096;
  };

  void set_limits(Limits limits) { limits_ = limits; }
  // A new connection. The answer must be closed: too many did not get beyond their first byte.
  std::optional<Ticket> arrived(Ticket ticket);
  void spoke(Ticket ticket);                 // its first byte is there: it waits from now on
  std::optional<Ticket> next(MonoTime now);  // gets a free slot, if there is one, and progresses
  void progressed(Ticket ticket, MonoTime now);       // its peer sent something
  std::optional<Ticket> stalled(MonoTime now) const;  // must be closed in favour of one that waits
  void left(Ticket ticket);                           // in whatever state; unknown ones are fine

  std::size_t silent() const { return silent_.size(); }
  std::size_t waiting() const { return waiting_.size(); }
  std::size_t active() const { return active_.size(); }

 private:
  Limits limits_;
  std::set<Ticket> silent_, waiting_;
  std::map<Ticket, MonoTime> active_;  // with the time of its last progress
};

}  // namespace holdfast::crypto
