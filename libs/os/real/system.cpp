#include "libs/os/system.hpp"

#include <csignal>

#include "libs/os/real/entropy.hpp"
#include "libs/os/real/files.hpp"
#include "libs/os/real/loop.hpp"
#include "libs/os/real/network.hpp"
#include "libs/os/real/process.hpp"
#include "libs/os/real/workers.hpp"

namespace holdfast::os {
namespace {

class Machine final : public RealSystem {
 public:
  System system() override {
    return {clock_, files_, network_, entropy_, process_, threads_};
  }
  Loop& main_loop() override { return *loop_; }
  void on_stop_signal(Task stop) override { loop_->core()->on_stop_signal(std::move(stop)); }

 private:
  real::RealClock clock_;
  real::RealFiles files_;
  real::RealNetwork network_;
  real::RealEntropy entropy_;
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
