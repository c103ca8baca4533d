#include "agent/control/attestation_check.hpp"

#include <algorithm>

#include "agent/join/quote.hpp"
#include "agent/mqtt/backoff.hpp"

namespace holdfast::agent {
namespace {

constexpr std::string_view kCheckPath = "/device/v1/attestation-check";
constexpr unsigned kRetryDoublingsMax = 7;  // 2^7 * 30 s is beyond kRetryMax

Error check_error(const Error& error) {
  return with_context(Status(std::unexpected(error)), "proving the TPM").error();
}

// What an answer of 2xx says; else why it is none.
Result<wire::Json> json_of(const http::ClientResponse& response) {
  if (response.status >= 400) return std::unexpected(http::error_of(response));
  if (response.status >= 300) {
    return fail(Code::protocol_error, "status " + std::to_string(response.status));
  }
  return wire::parse_json(response.body);
}

}  // namespace

AttestationCheck::AttestationCheck(os::System system, os::Loop& loop, crypto::Transport& transport,
                                   const StateFolder& state, AttestationHandlers handlers)
    : system_(system),
      loop_(loop),
      transport_(transport),
      state_(state),
      handlers_(std::move(handlers)) {}

AttestationCheck::~AttestationCheck() {
  *alive_ = false;
  loop_.cancel(timer_);
}

void AttestationCheck::start() {
  look_after(drawn_between({}, kStartJitter, system_.entropy.number()));
}

void AttestationCheck::look_after(Duration wait) {
  loop_.cancel(timer_);
  timer_ = loop_.after(wait, [this, alive = alive_] {
    if (*alive) look();
  });
}

void AttestationCheck::look() {
  if (handlers_.tpm() == nullptr) return look_after(kLookInterval);
  if (const auto begun = begin(); !begun) again(begun.error());
}

Status AttestationCheck::begin() {
  const auto identity = TRY(state_.identity());
  if (!identity) return fail(Code::not_found, "there is no identity");
  const os::Endpoint server = TRY(os::parse_endpoint(identity->device));
  crypto::ClientSettings settings;
  settings.trust_der = {identity->root_der};
  settings.check_times = handlers_.check_times();
  settings.server_name = server.host;
  settings.credential = TRY(state_.credential(identity->current));
  client_ = std::make_unique<http::Client>(loop_, transport_, server, std::move(settings));
  post(std::string(kCheckPath), {}, &AttestationCheck::got_challenge);
  return {};
}

void AttestationCheck::post(std::string target, Bytes body,
                            void (AttestationCheck::*then)(Result<http::ClientResponse>)) {
  http::ClientRequest request;
  request.method = "POST";
  request.target = std::move(target);
  request.headers = {{"User-Agent", "holdfast-agent"}};
  if (!body.empty()) request.headers.add("Content-Type", "application/json");
  request.body = std::move(body);
  request.deadline = loop_.clock().mono() + kAnswerLimit;
  request.body_max = kAnswerBytesMax;
  client_->send(std::move(request), [this, then](Result<http::ClientResponse> response) {
    retry_after_s_.reset();
    if (response) {
      if (const auto problem = http::problem_of(*response)) retry_after_s_ = problem->retry_after_s;
    }
    (this->*then)(std::move(response));
  });
}

void AttestationCheck::got_challenge(Result<http::ClientResponse> response) {
  const Status answered = response ? answer(*response) : Status(std::unexpected(response.error()));
  if (!answered) again(answered.error());
}

Status AttestationCheck::answer(const http::ClientResponse& response) {
  const wire::Json json = TRY(json_of(response));
  const auto& challenge = *TRY(wire::as_object(json));
  const std::string id = TRY(wire::get_string(challenge, "id"));
  keys::TpmDevice* const device = handlers_.tpm();
  if (device == nullptr) return fail(Code::key_store_unavailable, "the TPM is gone");
  const auto quote = TRY(quote_of(*device, challenge));
  post(std::string(kCheckPath) + "/" + id, bytes_of(wire::json_text(quote)),
       &AttestationCheck::got_result);
  return {};
}

void AttestationCheck::got_result(Result<http::ClientResponse> response) {
  struct Told {
    std::string result;
    std::int64_t next_s;
  };
  const auto told = [&]() -> Result<Told> {
    const http::ClientResponse answered = TRY(std::move(response));
    const wire::Json json = TRY(json_of(answered));
    const auto& object = *TRY(wire::as_object(json));
    return Told{TRY(wire::get_string(object, "result")), TRY(wire::get_int(object, "next_s"))};
  }();
  if (!told) return again(told.error());
  failures_ = 0;
  const Duration asked =
      seconds(std::clamp(told->next_s, kNextMin.us / 1'000'000, kNextMax.us / 1'000'000));
  // Earlier by up to a tenth: devices that started together drift apart.
  const Duration next = drawn_between({asked.us / 10 * 9}, asked, system_.entropy.number());
  look_after(next);
  handlers_.checked(told->result, next);
}

void AttestationCheck::again(const Error& error) {
  const Duration most = std::min(kRetryMax, Duration{kRetryFirst.us << failures_});
  failures_ = std::min(failures_ + 1, kRetryDoublingsMax);
  const Duration wait =
      no_sooner(drawn_between({most.us / 2}, most, system_.entropy.number()), retry_after_s_);
  retry_after_s_.reset();
  look_after(wait);
  handlers_.failed(check_error(error), wait);
}

}  // namespace holdfast::agent
