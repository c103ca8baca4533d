// Process: short-lived programs started without a shell, with a deadline and bounded output.
// Blocking: call it from a worker. In a simulation every run answers `unsupported`.
#pragma once

#include <string>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/base/time.hpp"

namespace holdfast::os {

struct Exit {
  int status = 0;  // 128 + signal when killed
  std::string out;
  std::string err;
};

class Process {
 public:
  virtual ~Process() = default;
  // argv[0] is a path or is looked up in PATH; input goes to standard input. Output beyond
  // output_max bytes is dropped; at the deadline the program is killed (deadline_exceeded).
  virtual Result<Exit> run(const std::vector<std::string>& argv, std::string_view input,
                           Duration limit, std::size_t output_max) = 0;
};

}  // namespace holdfast::os
