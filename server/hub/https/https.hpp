// Https: what devices ask for over HTTP/1.1 (contract/device-protocol.md, sections 3 and 9):
// enrolment (EST, RFC 7030), the device routes, downloads. Each route says what proves the caller:
// nothing, a claim, or a certificate whose device may connect, or may renew. A certificate is
// looked up anew for every request.
//
// Answers: problems (RFC 9457) by the table of contract/problems.yaml.
// Threads: admit() and handle() on a loop; the work runs on workers, which keep this alive.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "libs/http/responder.hpp"
#include "libs/http/router.hpp"
#include "server/core/downloads.hpp"
#include "server/hub/connection.hpp"

namespace holdfast::hub {

enum class Takes : std::uint8_t {
  nothing,
  claim,
  certificate,
  renewal,
  key,  // a certificate of ours, revoked or not: it proves the key, and the domain decides
};
enum class Media : std::uint8_t { none, json, telemetry, pkcs10, ocsp };  // of the request's body

class Https;

// A request whose caller is known.
struct Asked {
  http::Request request;
  http::Responder responder;
  DeviceId device;              // with a certificate
  std::shared_ptr<void> token;  // counts what is on its way
  WallTime until{INT64_MAX};    // the end of that certificate
};

struct DeviceRoute {
  std::string_view id;
  std::string_view method;
  std::string_view path;
  std::size_t body_max = 0;
  Takes takes = Takes::nothing;
  Media media = Media::none;
  void (*serve)(Https&, Asked) = nullptr;  // on a worker
};
std::span<const DeviceRoute> device_routes();

// How often each device may ask. Thread-safe; bounded: beyond it, quiet devices are forgotten.
class RequestRates final {
 public:
  explicit RequestRates(Rate rate) : rate_(rate) {}
  // How long to wait; zero: go on.
  Duration take(DeviceId device, MonoTime now);

 private:
  static constexpr std::size_t kDevicesMax = 100'000;
  const Rate rate_;
  Guarded<std::unordered_map<DeviceId, Bucket>> devices_;
};

class Https final : public std::enable_shared_from_this<Https> {
 public:
  Https(std::shared_ptr<Surroundings> around, std::shared_ptr<const core::Downloads> downloads,
        std::shared_ptr<RequestRates> rates, std::shared_ptr<void> token);
  Https(const Https&) = delete;
  Https& operator=(const Https&) = delete;

  // The bytes that the body may have, told from the header.
  Result<std::size_t> admit(const http::Request& head) const;
  // On a listener in the clear: only what is public and signed in itself; the rest is not_found.
  Result<std::size_t> admit_clear(const http::Request& head) const;
  void handle(http::Request request, http::Responder responder);

  Surroundings& around() { return *around_; }
  const std::shared_ptr<Surroundings>& shared_around() const { return around_; }
  const core::Downloads* downloads() const { return downloads_.get(); }  // null: none

 private:
  const DeviceRoute* route_of(const http::Router::Match& match) const;
  void authenticate_and_serve(const DeviceRoute& route, Asked asked);

  const std::shared_ptr<Surroundings> around_;
  const std::shared_ptr<const core::Downloads> downloads_;
  const std::shared_ptr<RequestRates> rates_;
  const std::shared_ptr<void> token_;
  http::Router router_;
  std::map<std::string_view, const DeviceRoute*> rows_;
  Counter& overloaded_;
};

// Answers with the problem; Retry-After where trying again helps.
void refuse(Asked& asked, const Error& error, std::optional<Duration> wait = {});

// est.cpp
void serve_cacerts(Https& https, Asked asked);
void serve_csrattrs(Https& https, Asked asked);
void serve_enroll(Https& https, Asked asked);
void serve_reenroll(Https& https, Asked asked);
// attest.cpp
void serve_attest_begin(Https& https, Asked asked);
void serve_attest_finish(Https& https, Asked asked);
void serve_check_begin(Https& https, Asked asked);
void serve_check_finish(Https& https, Asked asked);
// device.cpp
void serve_hello(Https& https, Asked asked);
void serve_inventory(Https& https, Asked asked);
void serve_log(Https& https, Asked asked);
void serve_event(Https& https, Asked asked);
void serve_telemetry(Https& https, Asked asked);
void serve_reply(Https& https, Asked asked);
void serve_twin(Https& https, Asked asked);
void serve_reported(Https& https, Asked asked);
void serve_ack(Https& https, Asked asked);
// poll.cpp
void serve_next(Https& https, Asked asked);
// erase.cpp
void serve_erase_order(Https& https, Asked asked);
void serve_erase_proof(Https& https, Asked asked);
// pki.cpp
void serve_pki(Https& https, Asked asked);
void serve_ocsp(Https& https, Asked asked);
void serve_ocsp_get(Https& https, Asked asked);
// downloads.cpp
void serve_agent(Https& https, Asked asked);
void serve_health(Https& https, Asked asked);

}  // namespace holdfast::hub
