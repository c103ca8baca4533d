// Doctor: tests the way to the server layer by layer, so that a person on site sees which one is
// broken and what to do. It changes nothing, and opens no MQTT session (commands that wait would
// come to it). On its loop; `done` runs once, never inside run().
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/join/state_folder.hpp"
#include "libs/http/client.hpp"

namespace holdfast::agent {

struct Examined {
  std::string layer;  // "clock"
  std::string detail;
  Status result;
};
// A line each, with the mend under what failed.
std::string doctor_text(const std::vector<Examined>& all);

// The clock against the certificate's dates; pure.
Status examine_clock(WallTime now, WallTime not_before, WallTime not_after);

class Doctor final {
 public:
  using Done = std::move_only_function<void(const std::vector<Examined>&)>;
  static constexpr Duration kLayerLimit = seconds(10);

  Doctor(os::System system, os::Loop& loop, crypto::Transport& transport, std::string state,
         std::string seal_path);
  ~Doctor();
  Doctor(const Doctor&) = delete;
  Doctor& operator=(const Doctor&) = delete;

  void run(Done done);

 private:
  Status examine_state();
  void examine_tcp(const std::string& layer, const std::string& address, os::Task next);
  void examine_tls(os::Task next);
  void examine_welcome(os::Task next);
  void add(std::string layer, std::string detail, Status result);
  crypto::ClientSettings settings(const std::string& host) const;
  void finish();

  os::System system_;
  os::Loop& loop_;
  crypto::Transport& transport_;
  const std::string state_path_, seal_path_;
  std::unique_ptr<StateFolder> state_;
  Identity identity_;
  crypto::Credential credential_;
  std::vector<Examined> all_;
  std::unique_ptr<http::Client> client_;
  Done done_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace holdfast::agent
