// Runs programs with posix_spawn, without a shell. Thread-safe; blocks.
#pragma once

#include "libs/os/process.hpp"

namespace holdfast::os::real {

class RealProcess final : public Process {
 public:
  Result<Exit> run(const std::vector<std::string>& argv, std::string_view input, Duration limit,
                   std::size_t output_max) override;
};

}  // namespace holdfast::os::real
