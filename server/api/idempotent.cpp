#include "server/api/idempotent.hpp"

#include <algorithm>

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

// How the answer of an operation that was carried out is made again: what `reader` answers for its
// object, as `member` or as the whole answer, and the members that its change kept.
struct Anew {
  std::string_view operation;
  std::string_view reader;  // operation id; empty: all was kept
  std::string_view param;   // of the reader's path
  int status = 200;
  std::string_view member = "";
  std::string_view location = "";  // before the object's id
};
constexpr Anew kAnews[] = {
    {"create_site", "get_site", "site_id", 201},
    {"create_type", "get_type", "type_id", 201},
    {"create_user", "get_user", "user_id", 201, "", "/v1/users/"},
    {"create_token", "get_token", "token_id", 201, "token", "/v1/tokens/"},
    {"create_claim", "", "", 201},
    {"run_command", "get_command", "command_id", 201},
    {"cancel_command", "get_command", "command_id"},
    {"quarantine_device", "get_device", "device_id"},
    {"release_device", "get_device", "device_id"},
    {"revoke_device", "get_device", "device_id"},
    {"decommission_device", "get_decommission", "device_id"},
    {"replace_device", "", "", 201},
    {"retry_job", "get_job", "job_id"},
};

const Anew* anew_of(std::string_view operation) {
  const auto at = std::ranges::find(kAnews, operation, &Anew::operation);
  return at == std::end(kAnews) ? nullptr : &*at;
}

Result<http::Response> read_object(const core::Operations& operations, const Anew& row,
                                   const core::Caller& caller, const http::Request& request,
                                   const std::string& object, WallTime now) {
  const auto* reader = operations.find(row.reader);
  if (reader == nullptr || !reader->handler) {
    return fail(Code::internal, "nothing answers " + std::string(row.reader));
  }
  http::Request look;
  look.method = "GET";
  look.path = request.path;
  look.headers = request.headers;
  look.peer = request.peer;
  look.request_id = request.request_id;
  look.params.emplace_back(row.param, object);
  return reader->handler(core::Call{caller, look, nullptr, now});
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

Idempotent::Idempotent(core::Store& store, const core::Operations& operations, Metrics& metrics)
    : store_(store),
      operations_(operations),
      replayed_(metrics.counter("holdfast_api_replayed_total",
                                "Answers given again for the same Idempotency-Key")),
      made_anew_(
          metrics.counter("holdfast_api_made_anew_total",
                          "Answers that were lost and made anew for their Idempotency-Key")) {}

bool Idempotent::can_make_anew(std::string_view operation) {
  return anew_of(operation) != nullptr;
}

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
    if (stored->lost()) return make_anew(caller, call, operation, request, *stored);
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

Result<http::Response> Idempotent::make_anew(const core::Caller& caller,
                                             const core::IdempotentCall& call,
                                             std::string_view operation,
                                             const http::Request& request,
                                             const core::StoredAnswer& lost) {
  const Anew* row = anew_of(operation);
  const auto gone = [&](std::string_view why) {
    return fail(Code::conflict,
                "the first request with this Idempotency-Key was carried out and "
                "its answer was lost when the server stopped: look for " +
                    (lost.object.empty() ? "what it made" : lost.object) + std::string(why));
  };
  if (row == nullptr || lost.object.empty()) return gone("");
  http::Response response;
  wire::JsonObject body;
  if (!row->reader.empty()) {
    auto read = read_object(operations_, *row, caller, request, lost.object, store_.clock().wall());
    if (!read) return gone(": " + read.error().message);
    response = *std::move(read);
    const auto json = TRY(wire::parse_json(text_of(response.body)));
    if (row->member.empty()) {
      body = *TRY(wire::as_object(json));
    } else {
      body[row->member] = json;
    }
  }
  if (!lost.kept.empty()) {
    const auto kept = TRY(wire::parse_json(lost.kept));
    for (const auto& each : *TRY(wire::as_object(kept))) body[each.key()] = each.value();
  }
  const auto etag = response.headers.get("ETag");
  http::Response anew = http::json(row->status, wire::json_text(body));
  if (etag) anew.headers.set("ETag", *etag);
  if (!row->location.empty()) {
    anew.headers.set("Location", std::string(row->location) + lost.object);
  }
  anew.headers.set("Idempotent-Replayed", "true");
  TRY(keep(caller, call, anew));  // from now on it is this one
  made_anew_.add();
  return anew;
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
