#include "sim/journal.hpp"

#include <cstdio>

namespace holdfast::sim {

void Journal::note(std::string_view who, std::string_view what) {
  char time[32];
  std::snprintf(time, sizeof time, "%12.6f ", (world_.now() - os::sim::kStart).seconds());
  std::string line = time;
  line.append(who).append(": ").append(what);
  lines_.push_back(std::move(line));
  if (lines_.size() > kLinesMax) lines_.pop_front();
}

std::string Journal::text() const {
  std::string out;
  for (const std::string& line : lines_) out.append(line).append("\n");
  return out;
}

}  // namespace holdfast::sim
