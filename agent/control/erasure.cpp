#include "agent/control/erasure.hpp"

namespace holdfast::agent {
namespace {

constexpr std::string_view kErasePath = "/device/v1/erase";
constexpr std::size_t kAnswerBytesMax = 16 * 1024;
constexpr std::size_t kNonceDigits = 64;

}  // namespace

Erasure::Erasure(os::System system, os::Loop& loop, crypto::Transport& transport,
                 StateFolder& state, ErasureHandlers handlers)
    : system_(system),
      loop_(loop),
      transport_(transport),
      state_(state),
      handlers_(std::move(handlers)) {}

Erasure::~Erasure() {
  *alive_ = false;
  loop_.cancel(timer_);
}

void Erasure::ask() {
  const MonoTime now = loop_.clock().mono();
  if (busy_ || (asked_ && now - asked_at_ < kAskInterval)) return;
  asked_ = true;
  asked_at_ = now;
  http::ClientRequest get;
  get.target = std::string(kErasePath);
  send(std::move(get), &Erasure::answered);
}

void Erasure::send(http::ClientRequest request,
                   void (Erasure::*then)(Result<http::ClientResponse>)) {
  const auto identity = state_.identity();
  if (!identity || !*identity) return;
  const auto server = os::parse_endpoint((*identity)->device);
  auto credential = state_.credential((*identity)->current);
  if (!server || !credential) return;
  crypto::ClientSettings settings;
  settings.trust_der = {(*identity)->root_der};
  settings.check_times = handlers_.check_times();
  settings.server_name = server->host;
  settings.credential = *std::move(credential);
  client_ = std::make_unique<http::Client>(loop_, transport_, *server, std::move(settings));
  request.headers.set("User-Agent", "holdfast-agent");
  request.deadline = loop_.clock().mono() + kAnswerLimit;
  request.body_max = kAnswerBytesMax;
  busy_ = true;
  client_->send(std::move(request), [this, then](auto response) {
    busy_ = false;
    (this->*then)(std::move(response));
  });
}

void Erasure::answered(Result<http::ClientResponse> response) {
  if (!response) return ordered_ ? again(response.error()) : void();
  if (response->status != 200) return;  // nothing is ordered: an operator may still let it in
  const auto order = wire::parse_json(response->text());
  const Status obeyed = order ? obey(*order) : Status(std::unexpected(order.error()));
  if (!obeyed) again(obeyed.error());
}

Status Erasure::obey(const wire::Json& json) {
  const auto& order = *TRY(wire::as_object(json));
  const auto identity = TRY(state_.identity());
  const std::string nonce = TRY(wire::get_string(order, "nonce"));
  const std::string device = TRY(wire::get_string(order, "device_id"));
  // The server is proven by TLS; an order for another device is a fault of its, and is not obeyed.
  if (!identity || device != identity->device_id || nonce.size() != kNonceDigits) {
    return fail(Code::payload_malformed, "the order to erase is not for this device");
  }
  if (!std::exchange(ordered_, true)) handlers_.stop();
  TRY(with_context(state_.erase_data(), "destroying the data"));
  const std::string statement =
      wire::json_text(wire::JsonObject{{"device_id", device},
                                       {"nonce", nonce},
                                       {"time", to_rfc3339(system_.clock.wall())},
                                       {"erased", wire::JsonArray{"spool", "state", "keys"}}});
  const auto credential = TRY(state_.credential(identity->current));
  const Bytes signature = TRY(credential.key.sign(view_of(statement)));
  http::ClientRequest post;
  post.method = "POST";
  post.target = std::string(kErasePath);
  post.headers = {{"Content-Type", "application/json"}};
  post.body = bytes_of(wire::json_text(wire::JsonObject{
      {"statement", to_base64(view_of(statement))}, {"signature", to_base64(signature)}}));
  send(std::move(post), &Erasure::stored);
  return {};
}

void Erasure::stored(Result<http::ClientResponse> response) {
  if (!response) return again(response.error());
  if (response->status != 204) return again(http::error_of(*response));
  if (const auto gone = state_.erase_identity(); !gone) return again(gone.error());
  handlers_.erased();
}

void Erasure::again(const Error& why) {
  handlers_.failed(why);
  loop_.cancel(timer_);
  timer_ = loop_.after(kAskInterval, [this, alive = alive_] {
    if (*alive) ask();
  });
}

}  // namespace holdfast::agent
