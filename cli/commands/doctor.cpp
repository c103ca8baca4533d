#include "cli/commands/doctor.hpp"

#include <ctime>

namespace holdfast::cli {
namespace {

constexpr Duration kClockApartMost = minutes(5);

// "Tue, 24 Nov 2026 12:15:21 GMT" (RFC 9110 section 5.6.7).
std::optional<WallTime> http_date(std::string_view text) {
  std::tm parts{};
  const std::string copy(text);
  if (!::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts)) return std::nullopt;
  return WallTime{static_cast<std::int64_t>(::timegm(&parts)) * 1'000'000};
}

// The address, and how it is known who answers there.
Finding settings_of(Run& run) {
  const auto target = run.target();
  if (!target) return {"settings", std::unexpected(target.error()), ""};
  std::string evidence = target->url + " from " + target->origin;
  if (target->fingerprint) {
    evidence += ", CA by fingerprint";
  } else if (!target->trust_der.empty()) {
    evidence += ", CA from a file";
  }
  if (target->trust_der.empty() && !target->fingerprint) {
    return {"settings",
            fail(Code::server_untrusted,
                 "It is not known which CA the server has: give --ca FILE, set HOLDFAST_CA, or "
                 "sign in with "
                 "--fingerprint."),
            evidence};
  }
  return {"settings", {}, evidence};
}

// Name, port, TLS and HTTP in one request; the error tells how far it came.
Finding server_answers(Run& run, WallTime& server_time) {
  const auto remote = run.remote();
  if (!remote) return {"connection", std::unexpected(remote.error()), ""};
  const auto health = (*remote)->get("/healthz");
  if (!health) {
    const Code code = health.error().code;
    const bool tls = code == Code::server_untrusted || code == Code::tls_failed ||
                     code == Code::certificate_invalid || code == Code::certificate_expired;
    return {tls ? "certificate" : "connection", std::unexpected(health.error()), ""};
  }
  const auto date = http_date(health->headers.get("Date").value_or(""));
  server_time = date.value_or(run.now());
  return {"connection", {}, "it answers, and its certificate is valid"};
}

Finding clocks(Run& run, WallTime server_time) {
  const Duration apart = run.now() - server_time;
  const bool far = apart > kClockApartMost || Duration{-apart.us} > kClockApartMost;
  const std::string evidence = std::to_string(apart.us / 1'000'000) + " s apart";
  if (!far) return {"clock", {}, evidence};
  return {"clock",
          fail(Code::conflict, "The clocks of this machine and of the server are " + evidence +
                                   ": set them by NTP; certificates depend on them."),
          evidence};
}

Finding asked(Run& run, std::string_view layer, std::string_view path,
              std::initializer_list<std::string_view> members) {
  const auto remote = run.remote();
  if (!remote) return {std::string(layer), std::unexpected(remote.error()), ""};
  const auto reply = (*remote)->get(path);
  if (!reply) return {std::string(layer), std::unexpected(reply.error()), ""};
  std::string evidence;
  for (std::string_view member : members) {
    const std::string text = text_at(reply->json, member);
    if (!text.empty()) evidence += (evidence.empty() ? "" : ", ") + text;
  }
  return {std::string(layer), {}, evidence};
}

}  // namespace

std::vector<Finding> examine(Run& run) {
  std::vector<Finding> out;
  WallTime server_time;
  out.push_back(settings_of(run));
  if (!out.back().status) return out;
  out.push_back(server_answers(run, server_time));
  if (!out.back().status) return out;
  out.push_back(clocks(run, server_time));
  out.push_back(asked(run, "readiness", "/readyz", {"status"}));
  out.push_back(asked(run, "sign-in", "/v1/session", {"actor.name", "roles", "expires_at"}));
  if (!out.back().status) return out;
  out.push_back(asked(run, "version", "/v1/version", {"version", "commit"}));
  out.push_back(asked(run, "devices", "/v1/agent", {"device_url"}));
  return out;
}

Status doctor(Run& run) {
  const auto findings = examine(run);
  Status first;
  wire::JsonArray items;
  for (const Finding& finding : findings) {
    const bool fine = finding.status.has_value();
    if (run.json()) {
      items.push_back(wire::JsonObject{{"layer", finding.layer},
                                       {"ok", fine},
                                       {"evidence", finding.evidence},
                                       {"problem", fine ? "" : finding.status.error().text()}});
    } else {
      run.line((fine ? "ok    " : "FAIL  ") + finding.layer +
               (finding.evidence.empty() ? "" : ": ") + finding.evidence);
    }
    if (!fine && first) first = finding.status;
  }
  if (run.json()) run.print(wire::JsonObject{{"items", std::move(items)}});
  return first;
}

}  // namespace holdfast::cli
