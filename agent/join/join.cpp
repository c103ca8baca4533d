#include "agent/join/join.hpp"

#include <algorithm>

#include "libs/crypto/hash.hpp"

namespace holdfast::agent {
namespace {

// 40 and 85 of 90 days.
constexpr std::int64_t kRenewFirst = 40, kRenewLast = 85, kRenewOf = 90;

bool may_pass(const Error& error) {
  switch (error.code) {
    case Code::unreachable:
    case Code::unavailable:
    case Code::deadline_exceeded:
    case Code::closed:
    case Code::connection_lost:
    case Code::rate_limited:
    case Code::overloaded:
    case Code::internal:
      return true;
    default:
      return false;
  }
}

}  // namespace

WallTime draw_renewal(WallTime not_before, WallTime not_after, std::uint64_t random) {
  const std::int64_t life = std::max<std::int64_t>((not_after - not_before).us, kRenewOf);
  const std::int64_t first = life / kRenewOf * kRenewFirst;
  const std::int64_t span = life / kRenewOf * (kRenewLast - kRenewFirst) + 1;
  return not_before +
         Duration{first + static_cast<std::int64_t>(random % static_cast<std::uint64_t>(span))};
}

Join::Join(os::System system, os::Loop& loop, crypto::Transport& transport, StateFolder& state)
    : system_(system), loop_(loop), transport_(transport), state_(state) {}

Join::~Join() {
  *alive_ = false;
  loop_.cancel(retry_);
}

void Join::run(std::string_view code, bool again, Done done) {
  done_ = std::move(done);
  give_up_ = loop_.clock().mono() + kPatience;
  auto ready = prepare(code, again);
  if (!ready) return finish(std::unexpected(ready.error()));
  if (*ready) return finish(**ready);
  attempt();
}

void Join::run_alone(est::JoinCode to, Done done) {
  done_ = std::move(done);
  patient_ = true;
  code_ = std::move(to);
  digest_ = "tpm";
  if (state_.tpm() == nullptr) {
    return finish(fail(
        Code::key_store_unavailable,
        "a machine joins without a code by its TPM only; its keys are " + state_.keys_where()));
  }
  auto request = state_.request("join", system_.network.host_name());
  if (!request) return finish(std::unexpected(request.error()));
  request_ = *std::move(request);
  attempt();
}

// A Joined when there is nothing left to do.
Result<std::optional<Joined>> Join::prepare(std::string_view code, bool again) {
  code_ = TRY(est::parse_join_code(code));
  // Over the values, so that line breaks in the code do not matter.
  digest_ = to_hex(crypto::sha256(view_of(TRY(est::encode_join_code(code_)))));
  const auto known = TRY(state_.identity());
  if (known && known->join_digest == digest_) {
    // A crash between the identity and the request's removal.
    TRY(state_.forget_request("join"));
    return Joined{known->device_id, true};
  }
  if (known && !again) {
    return fail(Code::already_exists, "this machine is joined already, as " + known->device_id +
                                          "; to give it a new identity: join - --again");
  }
  request_ = TRY(state_.request("join", system_.network.host_name()));
  return std::nullopt;
}

void Join::attempt() {
  auto server = os::parse_endpoint(code_.device);
  if (!server) return finish(std::unexpected(server.error()));
  EnrolmentRequest request;
  request.server = *std::move(server);
  request.csr_der = request_.csr_der;
  request.root_fingerprint = code_.ca_fingerprint;
  request.claim = code_.claim;
  if (state_.in_tpm(request_.key_name)) request.tpm = state_.tpm();
  request.key_name = request_.key_name;
  enrolment_ = std::make_unique<Enrolment>(system_, loop_, transport_, std::move(request));
  enrolment_->run([this](auto issued) { attempted(std::move(issued)); });
}

void Join::attempted(Result<Issued> issued) {
  if (issued) return finish(store(*issued));
  const Duration wait = no_sooner(backoff_.after(Ending::failed, {}, system_.entropy.number()),
                                  enrolment_->retry_after_s(), hours(1));
  const bool hopeless = !may_pass(issued.error()) || loop_.clock().mono() + wait > give_up_;
  if (patient_ && issued.error().code != Code::server_untrusted) {
    if (told_) told_(issued.error());
  } else if (hopeless) {
    return finish(std::unexpected(issued.error()));
  }
  retry_ = loop_.after(wait, [this, alive = alive_] {
    if (*alive) attempt();
  });
}

Result<Joined> Join::store(const Issued& issued) {
  Identity identity;
  identity.device_id = issued.device_id;
  identity.device = code_.device;
  identity.mqtt = code_.mqtt;
  identity.root_der = issued.root_der;
  identity.join_digest = digest_;
  identity.current = {request_.key_name, issued.certificate_der};
  identity.renew_at = draw_renewal(issued.not_before, issued.not_after, system_.entropy.number());
  TRY(state_.save(identity));
  TRY(state_.forget_request("join"));
  TRY(state_.forget_request("renewal"));
  TRY(state_.drop_unused_keys());
  return Joined{identity.device_id, false};
}

void Join::finish(Result<Joined> result) {
  loop_.post([this, alive = alive_, result = std::move(result)]() mutable {
    if (!*alive || !done_) return;
    Done done = std::exchange(done_, nullptr);
    done(std::move(result));
  });
}

}  // namespace holdfast::agent
