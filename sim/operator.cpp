#include "sim/operator.hpp"

#include "libs/crypto/x509.hpp"

namespace holdfast::sim {

Operator::Operator(os::sim::Simulation& world, ServerHost& server)
    : world_(world),
      server_(server),
      node_(world.node("operator")),
      transport_(crypto::make_plain_transport(node_.system().network, metrics_)) {}

Status Operator::connect() {
  if (client_) return {};
  const std::string pem = server_.root_pem();
  if (pem.empty()) return fail(Code::unavailable, "the server has no root certificate yet");
  crypto::ClientSettings settings;
  settings.trust_der = TRY(crypto::certificates_from_pem(pem));
  settings.server_name = std::string(kServerName);
  settings.check_times = false;  // a person who looks at the certificate anyway
  client_ = std::make_unique<http::Client>(
      node_.loop(), *transport_, os::Endpoint{std::string(kServerName), kApiPort},
      std::move(settings));
  return {};
}

void Operator::ask(const std::string& method, const std::string& target, const wire::Json& body,
                   const std::string& key, Done done) {
  const std::string token = server_.admin_token();
  Status ready = connect();
  if (ready && token.empty()) ready = fail(Code::unavailable, "there is no token yet");
  if (!ready) {
    return node_.loop().post([error = ready.error(), done = std::move(done)]() mutable {
      done(std::unexpected(error));
    });
  }
  http::ClientRequest request;
  request.method = method;
  request.target = target;
  request.headers.set("Authorization", "Bearer " + token);
  if (!key.empty()) request.headers.set("Idempotency-Key", key);
  if (!body.is_null()) {
    request.headers.set("Content-Type", "application/json");
    const std::string text = wire::json_text(body);
    append(request.body, view_of(text));
  }
  request.deadline = world_.now() + kAnswerLimit;
  client_->send(std::move(request), [this, done = std::move(done)](
                                        Result<http::ClientResponse> response) mutable {
    if (!response) return done(std::unexpected(response.error()));
    if (response->status >= 400) return done(std::unexpected(http::error_of(*response)));
    ++answered_;
    if (response->body.empty()) return done(wire::Json(nullptr));
    wire::JsonLimits limits;
    limits.bytes_max = 16 << 20;
    done(wire::parse_json(response->text(), limits));
  });
}

Result<wire::Json> Operator::insist(const std::string& method, const std::string& target,
                                    const wire::Json& body, const std::string& key,
                                    Duration patience, const std::function<void()>& between) {
  const MonoTime end = world_.now() + patience;
  while (true) {
    // Shared: an answer may come when nobody waits any more.
    auto answer = std::make_shared<std::optional<Result<wire::Json>>>();
    ask(method, target, body, key, [answer](Result<wire::Json> got) { *answer = std::move(got); });
    const MonoTime give_up = world_.now() + kAnswerLimit + seconds(5);
    while (!answer->has_value() && world_.now() < give_up) {
      world_.run_until([&] { return answer->has_value(); }, milliseconds(250));
      if (!answer->has_value()) between();
    }
    if (!answer->has_value()) return fail(Code::internal, "the client forgot its request");
    if ((*answer)->has_value() || world_.now() >= end) return **answer;
    world_.run_for(seconds(1));
    between();
  }
}

Result<wire::JsonArray> Operator::all(const std::string& path, http::Params query,
                                      std::string_view member,
                                      const std::function<void()>& between) {
  wire::JsonArray out;
  const std::size_t given = query.size();
  while (true) {
    const wire::Json page =
        TRY(insist("GET", http::with_query(path, query), nullptr, "", kPatience, between));
    const wire::JsonObject& object = *TRY(wire::as_object(page));
    for (const wire::Json& item : *TRY(wire::get_array(object, member))) out.push_back(item);
    const auto next = TRY(wire::find_string(object, "next_cursor"));
    if (!next) return out;
    if (query.size() > given && query.back().second == *next) {
      return fail(Code::protocol_error, path + " gives the same next_cursor for ever");
    }
    query.resize(given);
    query.emplace_back("cursor", *next);
  }
}

}  // namespace holdfast::sim
