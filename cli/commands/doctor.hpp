// Doctor: looks at the way to the server layer by layer, and says at the first that fails why and
// what mends it. A layer stands on those before it.
#pragma once

#include "cli/run.hpp"

namespace holdfast::cli {

struct Finding {
  std::string layer;
  Status status;         // what is wrong
  std::string evidence;  // what was seen
};

// In order; ends with the first failure that the rest stands on.
std::vector<Finding> examine(Run& run);
Status doctor(Run& run);

}  // namespace holdfast::cli
