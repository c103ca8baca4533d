// Erasure: the end of a device's service (device-protocol.md section 9). A device that is refused
// asks whether it is decommissioned; if so it destroys spool and state, signs that it did, and when
// the server has stored that, destroys its keys and its sealing key: what is left on the disk
// cannot be read by anyone. Cut at any point, it begins again: the key goes last. Threads: its loop
// only; call-backs may destroy it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/join/state_folder.hpp"
#include "libs/http/client.hpp"

namespace holdfast::agent {

struct ErasureHandlers {
  std::function<bool()> check_times;  // is the clock to be trusted?
  std::function<void()> stop;         // the order is here: nothing may write to the state any more
  std::function<void()> erased;       // nothing is left
  std::function<void(const Error&)> failed;
};

class Erasure final {
 public:
  static constexpr Duration kAskInterval = seconds(60);
  static constexpr Duration kAnswerLimit = seconds(30);

  Erasure(os::System system, os::Loop& loop, crypto::Transport& transport, StateFolder& state,
          ErasureHandlers handlers);
  ~Erasure();
  Erasure(const Erasure&) = delete;
  Erasure& operator=(const Erasure&) = delete;

  // The server does not let this device in: is it for good? At most once in kAskInterval.
  void ask();
  bool ordered() const { return ordered_; }

 private:
  void send(http::ClientRequest request, void (Erasure::*then)(Result<http::ClientResponse>));
  void answered(Result<http::ClientResponse> response);
  Status obey(const wire::Json& order);
  void stored(Result<http::ClientResponse> response);
  void again(const Error& why);

  os::System system_;
  os::Loop& loop_;
  crypto::Transport& transport_;
  StateFolder& state_;
  ErasureHandlers handlers_;
  std::unique_ptr<http::Client> client_;
  MonoTime asked_at_{};
  bool asked_ = false;
  bool busy_ = false;
  bool ordered_ = false;
  os::TimerId timer_{};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace holdfast::agent
