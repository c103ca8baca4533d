// Join: a join code becomes an identity in the state folder. May be run again after a crash or a
// lost reply at any moment: key and request are kept until the certificate is stored, and the
// server answers the same request with the same certificate.
// Errors: invalid_argument (code), already_exists (joined with another code), and Enrolment's;
// each message says what to do. What may pass (unreachable, busy) is tried again for kPatience.
#pragma once

#include <memory>
#include <string>

#include "agent/join/enrolment.hpp"
#include "agent/join/state_folder.hpp"
#include "agent/mqtt/backoff.hpp"
#include "libs/est/claim_code.hpp"

namespace holdfast::agent {

struct Joined {
  std::string device_id;
  bool before = false;  // had been joined with this code already
};

// Between day 40 and day 85 of 90, in proportion for other lengths of life (RFC 7030 leaves it to
// the client; drawn so that a fleet enrolled in one hour does not renew in one hour).
WallTime draw_renewal(WallTime not_before, WallTime not_after, std::uint64_t random);

class Join final {
 public:
  using Done = std::move_only_function<void(Result<Joined>)>;
  static constexpr Duration kPatience = seconds(60);

  Join(os::System system, os::Loop& loop, crypto::Transport& transport, StateFolder& state);
  ~Join();
  Join(const Join&) = delete;
  Join& operator=(const Join&) = delete;

  // `again`: replaces an identity that is there.
  void run(std::string_view code, bool again, Done done);
  // Without a code: by the TPM alone. The image knows where the server is and the fingerprint of
  // its root, and holds no secret. Tries for ever: an operator may register the TPM later.
  void run_alone(est::JoinCode to, Done done);
  // Told of each attempt of run_alone() that failed; another follows.
  void on_refusal(std::function<void(const Error&)> told) { told_ = std::move(told); }

 private:
  Result<std::optional<Joined>> prepare(std::string_view code, bool again);
  void attempt();
  void attempted(Result<Issued> issued);
  Result<Joined> store(const Issued& issued);
  void finish(Result<Joined> result);

  os::System system_;
  os::Loop& loop_;
  crypto::Transport& transport_;
  StateFolder& state_;
  est::JoinCode code_;
  std::string digest_;
  PendingRequest request_;
  std::unique_ptr<Enrolment> enrolment_;
  Backoff backoff_;
  bool patient_ = false;  // without a code
  MonoTime give_up_{};
  os::TimerId retry_{};
  Done done_;
  std::function<void(const Error&)> told_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace holdfast::agent
