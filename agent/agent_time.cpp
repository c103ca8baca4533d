// Agent, the question what time it is: a machine whose clock was never set asks its server.
#include "agent/agent.hpp"
#include "libs/crypto/x509.hpp"
#include "libs/est/est.hpp"

namespace holdfast::agent {
namespace {

constexpr Duration kTimeAnswerLimit = seconds(30);
constexpr std::size_t kTimeAnswerBytesMax = 64 * 1024;

}  // namespace

// `cacerts` is open to every device, a quarantined one too; its answer's header is what counts.
void Agent::ask_time() {
  if (asking_time_ || !server_time_.wanted(system_.clock.wall(), loop_.clock().mono())) return;
  const auto server = os::parse_endpoint(identity_.device);
  if (!server) return;
  asking_time_ = true;
  crypto::ClientSettings settings;
  settings.trust_der = {identity_.root_der};
  settings.check_times = false;
  settings.server_name = server->host;
  time_client_ = std::make_unique<http::Client>(loop_, transport_, *server, std::move(settings));
  http::ClientRequest get;
  get.target = std::string(est::kRoot) + "/cacerts";
  get.headers = {{"User-Agent", "holdfast-agent"}};
  get.deadline = loop_.clock().mono() + kTimeAnswerLimit;
  get.body_max = kTimeAnswerBytesMax;
  time_client_->send(std::move(get), [this](auto response) { got_time(std::move(response)); });
}

void Agent::got_time(Result<http::ClientResponse> response) {
  asking_time_ = false;
  bool learned = false;
  const auto told =
      response ? parse_http_date(response->headers.get("Date").value_or("")) : std::nullopt;
  // A renewed certificate that is not proven yet has the later days.
  const Certified& newest = identity_.next ? *identity_.next : identity_.current;
  const auto first = crypto::parse_certificate(identity_.current.certificate_der);
  const auto last = crypto::parse_certificate(newest.certificate_der);
  if (told && first && last) {
    learned = server_time_.learn(*told, loop_.clock().mono(), first->not_before, last->not_after);
  }
  if (learned) {
    log_.info("this machine's clock is not set; the server's time is used",
              {{"time", to_rfc3339(now().wall)}});
    if (renewal_) renewal_->look_soon();
  }
  loop_.cancel(time_timer_);
  time_timer_ = timer(learned ? ServerTime::kFreshFor : ServerTime::kAskInterval, &Agent::ask_time);
}

}  // namespace holdfast::agent
