#include "server/api/system_routes.hpp"

#include "server/api/problem_page.hpp"

namespace holdfast::api {
namespace {

using core::Call;
using http::Response;
using wire::Json;
using wire::JsonArray;
using wire::JsonObject;

constexpr std::string_view kApiVersion = "1.0.0";  // info.version of contract/openapi.yaml

Response config_response(const config::Config& configuration) {
  JsonArray items;
  for (const config::Setting& setting : configuration.schema()) {
    items.push_back(JsonObject{{"key", setting.key},
                               {"value", setting_json(configuration, setting)},
                               {"source", config::name_of(configuration.source(setting.key))},
                               {"secret", setting.secret},
                               {"description", setting.help}});
  }
  return http::json(200, wire::json_text(JsonObject{{"items", std::move(items)}}));
}

Response version_response(const SystemInfo& info) {
  return http::json(200, wire::json_text(JsonObject{{"version", info.version},
                                                    {"commit", info.commit},
                                                    {"api", kApiVersion},
                                                    {"device_protocol", info.device_protocol},
                                                    {"started_at", to_rfc3339(info.started_at)}}));
}

Response fine() {
  return http::json(200, "{\"status\":\"ok\"}");
}

}  // namespace

Json setting_json(const config::Config& configuration, const config::Setting& setting) {
  if (setting.secret) return nullptr;
  switch (setting.type) {
    case config::Type::integer:
    case config::Type::size:
      return configuration.integer(setting.key);
    case config::Type::real:
      return configuration.real(setting.key);
    case config::Type::boolean:
      return configuration.boolean(setting.key);
    case config::Type::duration:
      return Json(to_text(configuration.duration(setting.key)));
    case config::Type::list: {
      JsonArray out;
      for (const std::string& item : configuration.list(setting.key)) out.push_back(Json(item));
      return out;
    }
    case config::Type::text:
    case config::Type::path:
    case config::Type::address:
    case config::Type::choice:
      break;
  }
  return Json(configuration.text(setting.key));
}

Status add_system_routes(core::Operations& operations, const SystemInfo& info,
                         const Metrics& metrics, const config::Config& configuration) {
  TRY(operations.add("get_health", [](const Call&) -> Result<Response> { return fine(); }));
  TRY(operations.add("get_readiness", [&](const Call&) -> Result<Response> {
    if (auto ready = info.ready ? info.ready() : Status{}; !ready) {
      return fail(Code::unavailable, ready.error().text());
    }
    return fine();
  }));
  TRY(operations.add("get_server_metrics", [&](const Call&) -> Result<Response> {
    return http::content(200, "text/plain; version=0.0.4; charset=utf-8", metrics.text());
  }));
  TRY(operations.add("get_version",
                     [&](const Call&) -> Result<Response> { return version_response(info); }));
  TRY(operations.add("get_config", [&](const Call&) -> Result<Response> {
    return config_response(configuration);
  }));
  return operations.add("get_problem_page", [](const Call& call) -> Result<Response> {
    return problem_page(call.path("code"), call.request.header("Accept").value_or(""));
  });
}

}  // namespace holdfast::api
