#include "agent/control/renewal.hpp"

#include "agent/join/join.hpp"

namespace holdfast::agent {

Renewal::Renewal(os::System system, os::Loop& loop, crypto::Transport& transport,
                 StateFolder& state, RenewalHandlers handlers)
    : system_(system),
      loop_(loop),
      transport_(transport),
      state_(state),
      handlers_(std::move(handlers)) {}

Renewal::~Renewal() {
  *alive_ = false;
  loop_.cancel(timer_);
}

void Renewal::start() {
  look_after({});
}

void Renewal::look_after(Duration wait) {
  loop_.cancel(timer_);
  timer_ = loop_.after(wait, [this, alive = alive_] {
    if (*alive) look();
  });
}

void Renewal::look() {
  if (asking_) return;  // its answer arranges what comes next
  const ServerTime::Now now = handlers_.now();
  const auto identity = state_.identity();
  // One that waits for its first connection is renewed already.
  const bool due = identity && *identity && !(*identity)->next && now.trusted &&
                   now.wall >= (*identity)->renew_at;
  if (!due) return look_after(kLookInterval);
  if (const auto begun = begin(); !begun) again(begun.error());
}

Status Renewal::begin() {
  const auto identity = TRY(state_.identity());
  if (!identity) return fail(Code::not_found, "there is no identity to renew; join first");
  request_ = TRY(state_.request("renewal", identity->device_id));
  EnrolmentRequest request;
  request.server = TRY(os::parse_endpoint(identity->device));
  request.csr_der = request_.csr_der;
  request.root_der = identity->root_der;
  // By the TPM also an expired certificate is renewed; the new key is proven like the first one.
  if (state_.in_tpm(identity->current.key_name) && state_.in_tpm(request_.key_name)) {
    request.tpm = state_.tpm();
    request.key_name = request_.key_name;
  } else {
    request.credential = TRY(state_.credential(identity->current));
  }
  enrolment_ = std::make_unique<Enrolment>(system_, loop_, transport_, std::move(request));
  asking_ = true;
  enrolment_->run([this](auto result) { issued(std::move(result)); });
  return {};
}

void Renewal::issued(Result<Issued> result) {
  asking_ = false;
  if (!result) return again(result.error());
  if (const auto stored = store(*result); !stored) return again(stored.error());
  backoff_ = {};
  look_after(kLookInterval);
  if (const auto identity = state_.identity(); identity && *identity) handlers_.renewed(**identity);
}

Status Renewal::store(const Issued& issued) {
  auto identity = TRY(state_.identity());
  if (!identity || identity->device_id != issued.device_id) {
    return fail(Code::certificate_invalid, "the new certificate names another device");
  }
  identity->next = Certified{request_.key_name, issued.certificate_der};
  identity->renew_at = draw_renewal(issued.not_before, issued.not_after, system_.entropy.number());
  TRY(state_.save(*identity));
  return state_.forget_request("renewal");
}

void Renewal::again(const Error& error) {
  Duration wait = backoff_.after(Ending::failed, {}, system_.entropy.number());
  if (enrolment_) wait = no_sooner(wait, enrolment_->retry_after_s());
  look_after(wait);
  handlers_.failed(error, wait);
}

}  // namespace holdfast::agent
