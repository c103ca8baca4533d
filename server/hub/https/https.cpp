#include "server/hub/https/https.hpp"

#include <array>

#include "libs/est/est.hpp"
#include "libs/wire/telemetry.hpp"

namespace holdfast::hub {
namespace {

constexpr std::size_t kAttestBytesMax = 65'536;  // five certificates and what the TPM says
constexpr std::size_t kUnroutedBodyMax = 4'096;  // read before a 405 is answered

constexpr std::array kRoutes{
    DeviceRoute{"est_cacerts", "GET", "/.well-known/est/cacerts", 0, Takes::nothing, Media::none,
                serve_cacerts},
    DeviceRoute{"est_csrattrs", "GET", "/.well-known/est/csrattrs", 0, Takes::nothing, Media::none,
                serve_csrattrs},
    DeviceRoute{"est_simpleenroll", "POST", "/.well-known/est/simpleenroll", kCsrBytesMax,
                Takes::claim, Media::pkcs10, serve_enroll},
    DeviceRoute{"est_simplereenroll", "POST", "/.well-known/est/simplereenroll", kCsrBytesMax,
                Takes::renewal, Media::pkcs10, serve_reenroll},
    DeviceRoute{"attest_begin", "POST", "/device/v1/attestation", kAttestBytesMax, Takes::nothing,
                Media::json, serve_attest_begin},
    DeviceRoute{"attest_finish", "POST", "/device/v1/attestation/{id}", kAttestBytesMax,
                Takes::nothing, Media::json, serve_attest_finish},
    DeviceRoute{"attest_check_begin", "POST", "/device/v1/attestation-check", 0, Takes::certificate,
                Media::none, serve_check_begin},
    DeviceRoute{"attest_check_finish", "POST", "/device/v1/attestation-check/{id}", kAttestBytesMax,
                Takes::certificate, Media::json, serve_check_finish},
    DeviceRoute{"device_hello", "POST", "/device/v1/hello", kPayloadBytesMax, Takes::certificate,
                Media::json, serve_hello},
    DeviceRoute{"device_inventory", "POST", "/device/v1/inventory", kPayloadBytesMax,
                Takes::certificate, Media::json, serve_inventory},
    DeviceRoute{"device_log", "POST", "/device/v1/log", kPayloadBytesMax, Takes::certificate,
                Media::json, serve_log},
    DeviceRoute{"device_event", "POST", "/device/v1/event/{name}", kPayloadBytesMax,
                Takes::certificate, Media::json, serve_event},
    DeviceRoute{"device_telemetry", "POST", "/device/v1/telemetry/{stream}", kPayloadBytesMax,
                Takes::certificate, Media::telemetry, serve_telemetry},
    DeviceRoute{"device_twin", "GET", "/device/v1/twin", 0, Takes::certificate, Media::none,
                serve_twin},
    DeviceRoute{"device_twin_reported", "PUT", "/device/v1/twin/reported", kTwinBytesMax,
                Takes::certificate, Media::json, serve_reported},
    DeviceRoute{"device_next", "GET", "/device/v1/next", 0, Takes::certificate, Media::none,
                serve_next},
    DeviceRoute{"device_ack", "POST", "/device/v1/ack/{id}", 0, Takes::certificate, Media::none,
                serve_ack},
    DeviceRoute{"device_reply", "POST", "/device/v1/reply/{id}", kReplyBytesMax, Takes::certificate,
                Media::json, serve_reply},
    DeviceRoute{"erase_order", "GET", "/device/v1/erase", 0, Takes::key, Media::none,
                serve_erase_order},
    DeviceRoute{"erase_proof", "POST", "/device/v1/erase", 16'384, Takes::key, Media::json,
                serve_erase_proof},
    DeviceRoute{"pki", "GET", "/pki/{name}", 0, Takes::nothing, Media::none, serve_pki},
    DeviceRoute{"ocsp", "POST", "/ocsp", 4'096, Takes::nothing, Media::ocsp, serve_ocsp},
    DeviceRoute{"ocsp_get", "GET", "/ocsp/{a}", 0, Takes::nothing, Media::none, serve_ocsp_get},
    DeviceRoute{"ocsp_get_2", "GET", "/ocsp/{a}/{b}", 0, Takes::nothing, Media::none,
                serve_ocsp_get},
    DeviceRoute{"ocsp_get_3", "GET", "/ocsp/{a}/{b}/{c}", 0, Takes::nothing, Media::none,
                serve_ocsp_get},
    DeviceRoute{"agent_download", "GET", "/agent/{platform}/holdfast-agent", 0, Takes::nothing,
                Media::none, serve_agent},
    DeviceRoute{"health", "GET", "/healthz", 0, Takes::nothing, Media::none, serve_health},
};

bool takes_media(Media media, std::string_view type) {
  if (type.empty()) return true;
  switch (media) {
    case Media::none:
      return true;
    case Media::json:
      return type == "application/json";
    case Media::telemetry:
      return wire::format_of(type).has_value();
    case Media::pkcs10:
      return type == est::kTypePkcs10;
    case Media::ocsp:
      return type == "application/ocsp-request";
  }
  return false;
}

bool proves_by_certificate(Takes takes) {
  return takes == Takes::certificate || takes == Takes::renewal || takes == Takes::key;
}

}  // namespace

std::span<const DeviceRoute> device_routes() {
  return kRoutes;
}

Duration RequestRates::take(DeviceId device, MonoTime now) {
  return devices_.with([&](auto& devices) {
    if (devices.size() >= kDevicesMax) {
      std::erase_if(devices, [&](const auto& each) { return Bucket(each.second).full(now); });
      if (devices.size() >= kDevicesMax) devices.clear();
    }
    auto& bucket = devices.try_emplace(device, rate_, now).first->second;
    if (bucket.may(now)) return Duration{};
    return bucket.wait(now);
  });
}

Https::Https(std::shared_ptr<Surroundings> around, std::shared_ptr<const core::Downloads> downloads,
             std::shared_ptr<RequestRates> rates, std::shared_ptr<void> token)
    : around_(std::move(around)),
      downloads_(std::move(downloads)),
      rates_(std::move(rates)),
      token_(std::move(token)),
      overloaded_(around_->counters->metrics.counter("holdfast_hub_requests_overloaded_total",
                                                     "HTTP requests that found all workers busy")) {
  for (const auto& row : kRoutes) {
    const auto added = router_.add(
        {std::string(row.id), std::string(row.method), std::string(row.path), row.body_max});
    if (added) rows_.emplace(row.id, &row);  // the table is fixed, and a test serves every row
  }
}

const DeviceRoute* Https::route_of(const http::Router::Match& match) const {
  return match.route == nullptr ? nullptr : rows_.at(match.route->id);
}

Result<std::size_t> Https::admit(const http::Request& head) const {
  const auto match = router_.find(head.method, head.segments);
  const auto* route = route_of(match);
  if (route == nullptr) {
    if (match.error == Code::not_found && !match.options)
      return fail(Code::not_found, "there is nothing at this path");
    return kUnroutedBodyMax;
  }
  if (proves_by_certificate(route->takes) && !head.peer.certificate_der) {
    return fail(Code::certificate_required, "this route takes a device's certificate");
  }
  if (!takes_media(route->media, head.media_type()) || head.headers.has("Content-Encoding")) {
    return fail(Code::unsupported_media_type, "not a content type of this route");
  }
  return route->body_max;
}

Result<std::size_t> Https::admit_clear(const http::Request& head) const {
  const auto match = router_.find(head.method, head.segments);
  const auto* route = route_of(match);
  const bool is_public =
      route != nullptr && (route->path.starts_with("/pki/") || route->path.starts_with("/ocsp"));
  if (!is_public) return fail(Code::not_found, "only /pki and /ocsp are served without TLS");
  return admit(head);
}

void Https::handle(http::Request request, http::Responder responder) {
  auto match = router_.find(request.method, request.segments);
  const auto* route = route_of(match);
  if (route == nullptr) return responder.send(http::Router::refuse(match, request));
  request.params = std::move(match.params);
  auto asked = std::make_shared<Asked>(Asked{std::move(request), std::move(responder), {}, token_});
  const bool taken = around_->workers.post([self = shared_from_this(), route, asked] {
    self->authenticate_and_serve(*route, std::move(*asked));
  });
  if (taken) return;
  overloaded_.add();
  refuse(*asked, failure(Code::overloaded, "all workers are busy"));
}

void Https::authenticate_and_serve(const DeviceRoute& route, Asked asked) {
  if (proves_by_certificate(route.takes)) {
    const auto& der = asked.request.peer.certificate_der;
    if (!der)
      return refuse(asked,
                    failure(Code::certificate_required, "this route takes a device's certificate"));
    if (route.takes == Takes::key) return route.serve(*this, std::move(asked));
    const auto purpose =
        route.takes == Takes::renewal ? identity::Purpose::renew : identity::Purpose::connect;
    const auto admission = around_->identity.admit(*der, purpose, asked.request.peer.address);
    if (!admission) return refuse(asked, admission.error());
    asked.device = admission->device;
    asked.until = admission->not_after;
    const auto now = around_->now();
    if (const auto wait = rates_->take(asked.device, now.mono); wait > Duration{}) {
      return refuse(asked, failure(Code::rate_limited, "more than 100 requests a second"), wait);
    }
    if (route.takes == Takes::certificate) {
      around_->devices.https_seen(asked.device, asked.request.peer.address, now.wall);
    }
  }
  route.serve(*this, std::move(asked));
}

void refuse(Asked& asked, const Error& error, std::optional<Duration> wait) {
  http::ProblemContext context{asked.request.path, asked.request.request_id, {}};
  if (wait) context.retry_after_s = wait->us / 1'000'000 + 1;
  asked.responder.send(http::problem(error, context));
}

}  // namespace holdfast::hub
