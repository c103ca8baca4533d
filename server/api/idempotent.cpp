#include "server/api/idempotent.hpp"

#include "libs/crypto/hash.hpp"

namespace holdfast::api {
namespace {

// The headers that belong to the answer itself; all others are made anew.
constexpr std::string_view kKept[] = {"Content-Type", "ETag", "Location"};

std::string headers_text(const http::Response& response) {
  std::string out;
  for (std::string_view name : kKept) {
    if (const auto value = response.headers.get(name)) {
      out += std::string(name) + ": " + std::string(*value) + '\n';
    }
  }
  return out;
}

http::Response replay(const core::StoredAnswer& stored) {
  http::Response response;
  response.status = stored.status;
  response.body = bytes_of(stored.body);
  std::string_view rest = stored.headers;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    const std::size_t colon = line.find(": ");
    if (colon != std::string_view::npos) {
      response.headers.add(line.substr(0, colon), line.substr(colon + 2));
    }
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  response.headers.set("Idempotent-Replayed", "true");
  return response;
}

// A call is running as long as this lives.
class Running {
 public:
  Running(Guarded<std::set<std::string>>& all, std::string name)
      : all_(all),
        name_(std::move(name)),
        first_(all_.with([&](auto& set) { return set.insert(name_).second; })) {}
  ~Running() {
    if (first_) all_.with([&](auto& set) { set.erase(name_); });
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  bool first() const { return first_; }

 private:
  Guarded<std::set<std::string>>& all_;
  const std::string name_;
  const bool first_;
};

}  // namespace

Idempotent::Idempotent(core::Store& store, Metrics& metrics)
    : store_(store),
      replayed_(metrics.counter("holdfast_api_replayed_total",
                                "Answers given again for the same Idempotency-Key")) {}

Result<http::Response> Idempotent::call(const core::Caller& caller, std::string_view operation,
                                        const http::Request& request, const Run& run) {
  const auto key = request.header("Idempotency-Key");
  if (!key) return run(caller);
  core::IdempotentCall call;
  call.caller = caller.id;
  call.operation = std::string(operation) + ' ' + request.path;
  call.key = *key;
  const auto digest = crypto::sha256(request.body);
  call.body_digest.assign(digest.begin(), digest.end());
  const Running running(running_, call.caller + '\n' + call.operation + '\n' + call.key);
  if (!running.first()) {
    return fail(Code::conflict,
                "The first request with this Idempotency-Key is still being carried out.");
  }
  if (const auto stored = TRY(find(call))) {
    replayed_.add();
    return replay(*stored);
  }
  core::Caller once = caller;
  once.once = std::make_shared<const core::IdempotentCall>(call);
  http::Response response = TRY(run(once));
  const bool worth_keeping = response.status < 300 && !response.source &&
                             response.size() <= core::kIdempotencyAnswerBytesMax;
  if (worth_keeping) TRY(keep(caller, call, response));
  return response;
}

Result<std::optional<core::StoredAnswer>> Idempotent::find(const core::IdempotentCall& call) {
  std::optional<core::StoredAnswer> stored;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    stored = TRY(core::find_answer(tx, store_.sealer(), call, store_.clock().wall()));
    return {};
  }));
  return stored;
}

Status Idempotent::keep(const core::Caller& caller, const core::IdempotentCall& call,
                        const http::Response& response) {
  return store_.record(caller, "idempotency.keep", [&](core::Change& change) {
    return core::keep_answer(change, call,
                             {response.status, headers_text(response), string_of(response.body)});
  });
}

}  // namespace holdfast::api
