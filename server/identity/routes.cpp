#include "server/identity/routes.hpp"

#include "server/core/answers.hpp"
#include "server/identity/json.hpp"
#include "server/identity/members.hpp"

namespace holdfast::identity {
namespace {

using core::Call;
using http::Response;

Result<NewClaim> new_claim(const wire::Json& json) {
  const auto& body = *TRY(wire::as_object(json));
  TRY(wire::only_members(body, {"expires_in_s", "device_serial", "type_id", "site_id", "name", "tags"}));
  NewClaim wanted;
  if (const auto life = TRY(wire::find_int(body, "expires_in_s"))) {
    // Checked by create_claim; bounded here so that it cannot overflow on the way.
    wanted.life = seconds(std::clamp<std::int64_t>(*life, 0, 1'000'000'000));
  }
  wanted.device_serial = TRY(wire::find_string(body, "device_serial")).value_or("");
  if (wanted.device_serial.size() > 128) {
    return std::unexpected(Error{Code::invalid_argument, "a serial has at most 128 bytes", {}, {}, "/device_serial"});
  }
  wanted.type = TRY(id_member<TypeId>(body, "type_id"));
  wanted.site = TRY(id_member<SiteId>(body, "site_id"));
  wanted.name = TRY(wire::find_string(body, "name")).value_or("");
  wanted.tags = TRY(tags_member(body));
  return wanted;
}

Result<Response> create(Registrar& registrar, const Call& call) {
  const ClaimSecret made = TRY(registrar.create_claim(call.caller, TRY(new_claim(call.body))));
  Response response =
      http::json(201, wire::json_text(new_claim_json(made.claim, made.secret, made.code)));
  response.headers.set("Cache-Control", "no-store");
  return response;
}

Result<Response> list(Registrar& registrar, const Call& call) {
  const core::Page page = TRY(core::page_of(call));
  ClaimQuery query;
  query.limit = page.limit + 1;
  query.now = call.now;
  if (!page.cursor.empty()) query.before = TRY(ClaimId::parse(page.cursor));
  if (const auto state = call.query("state")) {
    query.state = claim_state_named(*state);
    if (!query.state) return std::unexpected(core::bad_parameter("state", "there is no state \"" + std::string(*state) + "\""));
  }
  return core::list_response(
      TRY(registrar.claims(call.caller, query)), page.limit,
      [&](const Claim& claim) { return wire::Json(claim_json(claim, call.now)); },
      [](const Claim& claim) { return claim.id.text(); });
}

// One page that follows a claim: sends it as it is after every change, and ends with the claim.
struct Follower {
  Registrar& registrar;
  core::Caller caller;
  ClaimId id;
  std::shared_ptr<http::EventStream> stream;
  std::uint64_t watcher = 0;
  std::uint64_t sent = 0;

  // Answers whether there is more to come.
  bool send(WallTime now) {
    const auto claim = registrar.claim(caller, id);
    if (!claim) {
      stream->close();
      return false;
    }
    http::Event event;
    event.id = std::to_string(++sent);
    event.name = "claim";
    event.data = wire::json_text(claim_json(*claim, now));
    const bool taken = stream->send(event).has_value();
    const ClaimState state = claim->state_at(now);
    const bool over = claim->step(Step::first_reading).at || state == ClaimState::expired || state == ClaimState::revoked;
    if (over) stream->close();
    return taken && !over;
  }
};

void follow(Registrar& registrar, os::Workers& workers, const Call& call, http::Responder responder) {
  const auto found = [&]() -> Result<Claim> {
    return registrar.claim(call.caller, TRY(call.id<ClaimId>("claim_id", "claim.read")));
  }();
  if (!found) return responder.fail(found.error());
  auto follower = std::make_shared<Guarded<Follower>>(registrar, call.caller, found->id, responder.events());
  const auto send = [follower, &registrar] {
    const auto [more, watcher] = follower->with([&](Follower& self) {
      return std::pair{!self.stream->closed() && self.send(registrar.now()), self.watcher};
    });
    if (!more && watcher != 0) registrar.forget(watcher);
  };
  const auto watcher = registrar.watch(found->id, [send, &workers] { (void)workers.post(send); });
  if (!watcher) return follower->with([](Follower& self) { self.stream->close(); });
  follower->with([&](Follower& self) {
    self.watcher = *watcher;
    self.stream->on_closed([&registrar, number = *watcher] { registrar.forget(number); });
  });
  send();
}

}  // namespace

Status add_routes(core::Operations& operations, Registrar& registrar, os::Workers& workers) {
  TRY(add_lifecycle_routes(operations, registrar));
  TRY(add_approval_routes(operations, registrar));
  TRY(operations.add("create_claim", [&](const Call& call) { return create(registrar, call); }));
  TRY(operations.add("list_claims", [&](const Call& call) { return list(registrar, call); }));
  TRY(operations.add("get_claim", [&](const Call& call) -> Result<Response> {
    const auto id = TRY(call.id<ClaimId>("claim_id", "claim.read"));
    return http::json(200, wire::json_text(claim_json(TRY(registrar.claim(call.caller, id)), call.now)));
  }));
  TRY(operations.add("revoke_claim", [&](const Call& call) -> Result<Response> {
    const auto id = TRY(call.id<ClaimId>("claim_id", "claim.write"));
    TRY(registrar.revoke_claim(call.caller, id));
    return http::no_content();
  }));
  TRY(add_attest_routes(operations, registrar.attestor()));
  return operations.add_stream("stream_claim_progress", [&](const Call& call, http::Responder responder) {
    follow(registrar, workers, call, std::move(responder));
  });
}

}  // namespace holdfast::identity
