// The planner: what of a query an engine can decide without reading events: which terms its token
// filters must hold, which times and severities its blocks must reach, which devices. A plan says
// in words what it does, for `holdfast event explain`. Sound: what the plan rules out, evaluate()
// never accepts. Pure; thread-safe.
#pragma once

#include "libs/query/evaluate.hpp"

namespace holdfast::query {

// Which blocks may hold what is looked for, by their terms.
struct Need {
  enum class Kind { anything, term, both, either };
  Kind kind = Kind::anything;
  std::uint64_t hash = 0;
  std::vector<Need> of;

  bool anything() const { return kind == Kind::anything; }
  // Mask: of blocks, one bit each. `look` answers the blocks that have a term.
  template <class Mask, class Look>
  Mask blocks(Mask all, Look&& look) const {
    if (kind == Kind::anything) return all;
    if (kind == Kind::term) return static_cast<Mask>(all & look(hash));
    Mask out = kind == Kind::both ? all : Mask{0};
    for (const Need& part : of) {
      if (kind == Kind::both) {
        out = part.blocks(out, look);
        if (out == 0) break;
      } else {
        out = static_cast<Mask>(out | part.blocks(all, look));
      }
    }
    return out;
  }
};

struct Plan {
  std::int64_t from = INT64_MIN, to = INT64_MAX;  // of the event's time; `to` is not included
  std::uint8_t severities = 0x3F;                 // bit k: severity k may match
  std::optional<std::vector<Ulid>> devices;       // absent: any
  Need need;
  // Kind and severity decide: counts come from roll-ups.
  bool rollups_decide = true;
  bool by_row = false;  // it names device, time or received: those differ from event to event
  // A text that every match has in its message, kind or a value's text, ASCII case ignored; no
  // number, truth or null reads so. Empty: none is known.
  std::string literal;

  struct Step {
    std::string part;  // of the query
    std::string how;   // what is done for it
  };
  std::vector<Step> steps;
};
Plan plan(const Node& node);

}  // namespace holdfast::query
