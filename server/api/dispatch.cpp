#include "server/api/dispatch.hpp"

#include <cassert>

#include "server/core/peer.hpp"

namespace holdfast::api {
namespace {

std::size_t body_max_of(const OperationRow& row, std::size_t body_max) {
  if (row.id == "verify_audit") return kVerifyBodyMax;
  const bool takes_body = row.method == "POST" || row.method == "PUT" || row.method == "PATCH";
  return takes_body ? body_max : 0;
}

// The body as JSON; null when there is none, which the handler judges.
Result<wire::Json> body_of(const http::Request& request) {
  if (request.body.empty()) return wire::Json(nullptr);
  const std::string type = request.media_type();
  const bool patch = request.method == "PATCH";
  if (type != "application/json" && !(patch && type == "application/merge-patch+json")) {
    return fail(Code::unsupported_media_type,
                std::string("Send the body as ") +
                    (patch ? "application/merge-patch+json." : "application/json."));
  }
  return wire::parse_json(View(request.body));
}

// What authentication looks at.
http::Request head_of(const http::Request& request) {
  http::Request head;
  head.method = request.method;
  head.headers = request.headers;
  head.peer = request.peer;
  head.request_id = request.request_id;
  return head;
}

}  // namespace

Result<http::Router> contract_router(std::size_t body_max) {
  http::Router router;
  for (const OperationRow& row : kOperationTable) {
    TRY(router.add({std::string(row.id), std::string(row.method), std::string(row.path),
                    body_max_of(row, body_max)}));
  }
  return router;
}

const OperationRow& operation_named(std::string_view id) {
  for (const OperationRow& row : kOperationTable) {
    if (row.id == id) return row;
  }
  assert(false && "the router holds operations of the contract only");
  return kOperationTable.front();
}

struct Dispatch::Work {
  http::Request request;
  http::Responder responder;
  const OperationRow* row;
  MonoTime since;
};

Result<std::unique_ptr<Dispatch>> Dispatch::make(core::Store& store, core::People& people,
                                                 const core::Operations& operations,
                                                 os::Workers& workers, const Log& log,
                                                 Metrics& metrics, Fallback fallback,
                                                 std::size_t body_max) {
  http::Router router = TRY(contract_router(body_max));
  return std::unique_ptr<Dispatch>(new Dispatch(store, people, operations, workers, log, metrics,
                                                std::move(fallback), std::move(router)));
}

Dispatch::Dispatch(core::Store& store, core::People& people, const core::Operations& operations,
                   os::Workers& workers, const Log& log, Metrics& metrics, Fallback fallback,
                   http::Router router)
    : store_(store),
      people_(people),
      operations_(operations),
      workers_(workers),
      log_(log),
      fallback_(std::move(fallback)),
      router_(std::move(router)),
      idempotent_(store, operations, metrics),
      streams_(metrics),
      overloaded_(metrics.counter("holdfast_api_overloaded_total",
                                  "Requests refused because all workers were busy")),
      forbidden_(metrics.counter("holdfast_api_forbidden_total",
                                 "Requests refused for want of a permission")),
      failed_(
          metrics.counter("holdfast_api_failed_total", "Requests that failed inside the server")) {
  for (int hundreds = 0; hundreds < 6; ++hundreds) {
    by_class_.push_back(&metrics.counter("holdfast_api_answers_total", "Answers by class of status",
                                         "class=\"" + std::to_string(hundreds) + "xx\""));
  }
}

void Dispatch::handle(http::Request request, http::Responder responder) {
  auto match = router_.find(request.method, request.segments);
  if (!match.route) {
    if (match.allow.empty()) {
      if (auto response = fallback_(request)) return responder.send(std::move(*response));
    }
    return responder.send(http::Router::refuse(match, request));
  }
  request.params = std::move(match.params);
  // Shared, so that the responder is still at hand when the workers take no more.
  auto work = std::make_shared<Work>(std::move(request), std::move(responder),
                                     &operation_named(match.route->id), store_.clock().mono());
  if (workers_.post([this, work] { run(*work); })) return;
  overloaded_.add();
  work->responder.send(http::problem(Error{Code::overloaded, "All workers are busy.", {}, {}, {}},
                                     {work->request.path, work->request.request_id, 1}));
}

// On a worker, as it asks the database; one at a time, and later when all workers are busy.
void Dispatch::check_streams() {
  checks_.with([this](Checks& checks) {
    if (checks.busy || checks.ended) return;
    checks.busy = workers_.post([this] {
      streams_.check();
      checks_.with([](Checks& after) { after.busy = false; });
    });
  });
}

void Dispatch::end_checks() {
  checks_.with([](Checks& checks) { checks.ended = true; });
}

// Steps that a request takes on a worker; an error of any is its answer.
void Dispatch::run(Work& work) {
  const OperationRow& row = *work.row;
  const auto* entry = operations_.find(row.id);
  auto caller = authenticate(row, work.request, core::People::Purpose::request);
  if (!caller) return finish(work, {}, std::unexpected(std::move(caller.error())));
  if (!row.permission.empty()) {
    if (auto may = core::require(*caller, row.permission); !may) {
      return finish(work, *caller, std::unexpected(std::move(may.error())));
    }
  }
  if (!entry) {
    return finish(
        work, *caller,
        fail(Code::unsupported, "This server does not offer " + std::string(row.id) + "."));
  }
  auto body = body_of(work.request);
  if (!body) return finish(work, *caller, std::unexpected(std::move(body.error())));
  const core::Call call{*caller, work.request, *body, store_.clock().wall()};
  if (entry->stream) {
    auto again = [this, &row, head = head_of(work.request)] {
      return authenticate(row, head, core::People::Purpose::look);
    };
    return entry->stream(call,
                         streams_.watch(std::move(work.responder), *caller, std::move(again)));
  }
  auto result = answer(row, *entry, call);
  if (result && entry->follow && entry->follow(call, *result, work.responder)) return;
  finish(work, *caller, std::move(result));
}

// An operation that is open to all looks at no credentials: a stale cookie must not keep anyone
// from signing in.
Result<core::Caller> Dispatch::authenticate(const OperationRow& row, const http::Request& request,
                                            core::People::Purpose purpose) {
  const std::string address = core::host_of(request.peer.address);
  if (row.permission.empty()) {
    TRY(check_intent(request, Means::none));
    core::Caller nobody;
    nobody.address = address;
    nobody.request_id = request.request_id;
    return nobody;
  }
  const Credentials credentials = TRY(credentials_of(request));
  switch (credentials.means) {
    case Means::bearer:
      return people_.authenticate_bearer(credentials.secret, address, request.request_id, purpose);
    case Means::session: {
      auto caller =
          people_.authenticate_session(credentials.secret, address, request.request_id, purpose);
      if (caller) TRY(check_intent(request, Means::session));
      return caller;
    }
    case Means::none:
      break;
  }
  return fail(Code::unauthenticated, "Sign in, or send `Authorization: Bearer <token>`.");
}

Result<http::Response> Dispatch::answer(const OperationRow& row,
                                        const core::Operations::Entry& entry,
                                        const core::Call& call) {
  if (!row.idempotent) return entry.handler(call);
  return idempotent_.call(call.caller, row.id, call.request, [&](const core::Caller& once) {
    return entry.handler(core::Call{once, call.request, call.body, call.now});
  });
}

void Dispatch::finish(Work& work, const core::Caller& caller, Result<http::Response> result) {
  const std::string& request_id = work.request.request_id;
  if (!result) {
    const Error& error = result.error();
    if (error.code == Code::forbidden) forbidden_.add();
    if (row_of(error.code).http_status >= 500) {
      failed_.add();
      log_.error("request failed", {{"operation", work.row->id},
                                    {"code", row_of(error.code).name},
                                    {"error", error.text()},
                                    {"caller", caller.id},
                                    {"request_id", request_id}});
    }
    result = http::problem(error, {work.request.path, request_id, {}});
  }
  if (!result->headers.has("Cache-Control")) result->headers.set("Cache-Control", "no-store");
  const auto hundreds = static_cast<std::size_t>(result->status / 100);
  if (hundreds < by_class_.size()) by_class_[hundreds]->add();
  if (work.row->mutation) {
    log_.info("request",
              {{"operation", work.row->id},
               {"status", std::to_string(result->status)},
               {"caller", caller.id},
               {"request_id", request_id},
               {"ms", std::to_string((store_.clock().mono().us - work.since.us) / 1000)}});
  }
  work.responder.send(std::move(*result));
}

}  // namespace holdfast::api
