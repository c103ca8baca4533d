#include "libs/os/system.hpp"

#include <sys/random.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "libs/os/real/errno.hpp"
#include "libs/os/real/files.hpp"
#include "libs/os/real/loop.hpp"
#include "libs/os/real/network.hpp"
#include "libs/os/real/process.hpp"
#include "libs/os/real/workers.hpp"

namespace holdfast::os {
namespace {

class RealEntropy final : public Entropy {
 public:
  void fill(std::span<std::uint8_t> out) override {
    while (!out.empty()) {
      const auto count =
          real::retry_interrupted([&] { return ::getrandom(out.data(), out.size(), 0); });
      if (count <= 0) {
        // Keys made of anything else would be worse than no program.
        std::fputs("no randomness: getrandom failed\n", stderr);
        std::abort();
      }
      out = out.subspan(static_cast<std::size_t>(count));
    }
  }
};

class Machine final : public RealSystem {
 public:
  System system() override { return {clock_, files_, network_, entropy_, process_, threads_}; }
  Loop& main_loop() override { return *loop_; }
  void on_stop_signal(Task stop) override { loop_->core()->on_stop_signal(std::move(stop)); }

 private:
  real::RealClock clock_;
  real::RealFiles files_;
  real::RealNetwork network_;
  RealEntropy entropy_;
  real::RealProcess process_;
  real::RealThreads threads_{clock_};
  const std::unique_ptr<real::RealLoop> loop_ = real::RealLoop::make_main(clock_);
};

}  // namespace

Result<std::unique_ptr<RealSystem>> RealSystem::make() {
  // A peer that went away is an error of write(), not the end of the program.
  if (std::signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
    return fail(Code::internal, "cannot ignore SIGPIPE");
  }
  return std::make_unique<Machine>();
}

}  // namespace holdfast::os
