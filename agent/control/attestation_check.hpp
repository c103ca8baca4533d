// AttestationCheck: a device whose certificate rests on its TPM proves again and again that it
// still sits on that TPM, and what it started with: a quote of the PCRs, soon after each start and
// then when the server says (contract/device-protocol.md section 3.8). Telemetry never waits for
// it, but for the moment that the TPM takes to sign. Asks again with growing delays, for ever:
// three days of silence are a finding, so the longest delay is an hour. On its loop; callbacks
// never run inside start().
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/join/state_folder.hpp"
#include "libs/http/client.hpp"

namespace holdfast::agent {

struct AttestationHandlers {
  // The TPM that the certificate in use rests on; null: there is nothing to prove.
  std::function<keys::TpmDevice*()> tpm;
  std::function<bool()> check_times;  // of the server's certificate: is the clock set?
  // `result`: first, unchanged, drifted.
  std::function<void(const std::string& result, Duration next)> checked;
  std::function<void(const Error&, Duration wait)> failed;
};

class AttestationCheck final {
 public:
  static constexpr Duration kStartJitter = seconds(30);  // a fleet starts at once after an outage
  static constexpr Duration kNextMin = minutes(1);
  static constexpr Duration kNextMax = days(2);         // below the server's three
  static constexpr Duration kLookInterval = hours(1);   // a renewal may bring the TPM
  static constexpr Duration kRetryFirst = seconds(30);  // doubled from then on
  static constexpr Duration kRetryMax = hours(1);
  static constexpr Duration kAnswerLimit = seconds(30);
  static constexpr std::size_t kAnswerBytesMax = 16 * 1024;

  AttestationCheck(os::System system, os::Loop& loop, crypto::Transport& transport,
                   const StateFolder& state, AttestationHandlers handlers);
  ~AttestationCheck();
  AttestationCheck(const AttestationCheck&) = delete;
  AttestationCheck& operator=(const AttestationCheck&) = delete;

  void start();

 private:
  void look();
  Status begin();
  void post(std::string target, Bytes body,
            void (AttestationCheck::*then)(Result<http::ClientResponse>));
  void got_challenge(Result<http::ClientResponse> response);
  Status answer(const http::ClientResponse& response);
  void got_result(Result<http::ClientResponse> response);
  void again(const Error& error);
  void look_after(Duration wait);

  os::System system_;
  os::Loop& loop_;
  crypto::Transport& transport_;
  const StateFolder& state_;
  const AttestationHandlers handlers_;
  std::unique_ptr<http::Client> client_;
  std::optional<double> retry_after_s_;  // of the last answer
  unsigned failures_ = 0;                // in a row
  os::TimerId timer_{};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace holdfast::agent
