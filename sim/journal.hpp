// Journal: the lines of a run: what hosts logged and what the simulation did to them, with the
// simulated time. The newest kLinesMax are kept. One thread.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "libs/base/log.hpp"
#include "libs/os/sim/scheduler.hpp"
#include "libs/os/sim/simulation.hpp"

namespace holdfast::sim {

class Journal {
 public:
  static constexpr std::size_t kLinesMax = 20'000;

  explicit Journal(const os::sim::Simulation& world) : world_(world) {}

  void note(std::string_view who, std::string_view what);
  Log::Sink sink_for(std::string who) {
    return [this, who = std::move(who)](std::string_view line) { note(who, line); };
  }
  std::string text() const;
  std::size_t size() const { return lines_.size(); }

 private:
  const os::sim::Simulation& world_;
  std::deque<std::string> lines_;
};

}  // namespace holdfast::sim
