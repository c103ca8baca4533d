#include "agent/doctor/doctor.hpp"

#include <algorithm>

#include "libs/crypto/x509.hpp"

namespace holdfast::agent {

namespace {

// The mend of `unavailable` is meant for callers of an API; on site the network is to be looked at.
Error on_site(Error error) {
  if (error.code == Code::unavailable) error.code = Code::unreachable;
  return error;
}

}  // namespace

std::string doctor_text(const std::vector<Examined>& all) {
  std::string out;
  for (const Examined& each : all) {
    out += (each.result ? "ok      " : "FAILED  ") + each.layer;
    if (!each.detail.empty()) out += ": " + each.detail;
    out += "\n";
    if (each.result) continue;
    out += "        " + each.result.error().text() + "\n";
    out += "        mend: " + std::string(row_of(each.result.error().code).mend) + "\n";
  }
  return out;
}

Status examine_clock(WallTime now, WallTime not_before, WallTime not_after) {
  if (!clock_trusted(now)) return {};  // known not to be set: dates are left out
  if (now < not_before) {
    return fail(Code::certificate_invalid,
                "the clock is before the certificate's beginning; set the clock (NTP)");
  }
  if (now >= not_after) {
    return fail(
        Code::certificate_expired,
        "the certificate has expired, unless the clock is wrong; set the clock, or join again "
        "with a new code");
  }
  return {};
}

Doctor::Doctor(os::System system, os::Loop& loop, crypto::Transport& transport, std::string state,
               std::string seal_path)
    : system_(system),
      loop_(loop),
      transport_(transport),
      state_path_(std::move(state)),
      seal_path_(std::move(seal_path)) {}

Doctor::~Doctor() {
  *alive_ = false;
}

void Doctor::add(std::string layer, std::string detail, Status result) {
  all_.push_back({std::move(layer), std::move(detail), std::move(result)});
}

void Doctor::run(Done done) {
  done_ = std::move(done);
  auto state = examine_state();
  const bool joined = state.has_value();
  add("identity", joined ? identity_.device_id : state_path_, std::move(state));
  if (!joined) return finish();
  const WallTime now = system_.clock.wall();
  if (const auto leaf = crypto::parse_certificate(identity_.current.certificate_der)) {
    const std::string detail =
        to_rfc3339(now) +
        (clock_trusted(now) ? "" : ", not set: the server's time is used in its place");
    add("clock", detail, examine_clock(now, leaf->not_before, leaf->not_after));
  }
  examine_tcp("name and TCP, enrolment", identity_.device, [this] {
    examine_tcp("name and TCP, MQTT", identity_.mqtt,
                [this] { examine_tls([this] { examine_welcome([this] { finish(); }); }); });
  });
}

Status Doctor::examine_state() {
  // Looking must not make anything.
  if (!os::exists(system_.files, os::join(state_path_, "identity.json"))) {
    return fail(Code::certificate_required, "this machine is not joined: holdfast-agent join -");
  }
  state_ = TRY(StateFolder::open(system_, state_path_, seal_path_));
  const auto identity = TRY(state_->identity());
  if (!identity) return fail(Code::certificate_required, "this machine is not joined");
  identity_ = *identity;
  credential_ = TRY(state_->credential(identity_.current));
  return {};
}

void Doctor::examine_tcp(const std::string& layer, const std::string& address, os::Task next) {
  const auto endpoint = os::parse_endpoint(address);
  if (!endpoint) {
    add(layer, address, std::unexpected(endpoint.error()));
    return loop_.post(std::move(next));
  }
  system_.network.connect(
      loop_, *endpoint, loop_.clock().mono() + kLayerLimit,
      [this, alive = alive_, layer, address, next = std::move(next)](auto stream) mutable {
        if (!*alive) return;
        add(layer, address, stream ? Status() : Status(std::unexpected(on_site(stream.error()))));
        next();
      });
}

crypto::ClientSettings Doctor::settings(const std::string& host) const {
  crypto::ClientSettings out;
  out.trust_der = {identity_.root_der};
  out.check_times = clock_trusted(system_.clock.wall());
  out.server_name = host;
  out.credential = credential_;
  return out;
}

void Doctor::examine_tls(os::Task next) {
  const os::Endpoint mqtt = os::parse_endpoint(identity_.mqtt).value_or(os::Endpoint{});
  transport_.connect(loop_, mqtt, settings(mqtt.host), loop_.clock().mono() + kLayerLimit,
                     [this, alive = alive_, next = std::move(next)](auto stream) mutable {
                       if (!*alive) return;
                       add("TLS, MQTT", stream ? (*stream)->peer().protocol : "",
                           stream ? Status() : Status(std::unexpected(on_site(stream.error()))));
                       next();
                     });
}

void Doctor::examine_welcome(os::Task next) {
  const os::Endpoint device = os::parse_endpoint(identity_.device).value_or(os::Endpoint{});
  client_ = std::make_unique<http::Client>(loop_, transport_, device, settings(device.host));
  http::ClientRequest request;
  request.target = "/device/v1/twin";
  request.deadline = loop_.clock().mono() + kLayerLimit;
  client_->send(std::move(request), [this, next = std::move(next)](auto response) mutable {
    Status result;
    if (!response) result = std::unexpected(response.error());
    if (response && response->status >= 400) result = std::unexpected(http::error_of(*response));
    add("welcome as a device", "", std::move(result));
    loop_.post([alive = alive_, next = std::move(next)]() mutable {
      if (*alive) next();
    });
  });
}

void Doctor::finish() {
  loop_.post([this, alive = alive_] {
    if (!*alive || !done_) return;
    Done done = std::exchange(done_, nullptr);
    done(all_);
  });
}

}  // namespace holdfast::agent
