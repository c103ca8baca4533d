// Threads that block so that loops need not. Thread-safe.
#pragma once

#include "libs/os/workers.hpp"

namespace holdfast::os::real {

class RealThreads final : public Threads {
 public:
  explicit RealThreads(const Clock& clock) : clock_(clock) {}
  std::unique_ptr<Workers> start_workers(std::string_view name, unsigned threads,
                                         std::size_t queue_max) override;
  std::unique_ptr<Loop> start_loop(std::string_view name) override;

 private:
  const Clock& clock_;
};

}  // namespace holdfast::os::real
