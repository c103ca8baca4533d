#include "server/api/agent_routes.hpp"

#include "server/core/answers.hpp"

namespace holdfast::api {
namespace {

using core::Call;
using http::Response;

wire::JsonObject downloads_json(const AgentPage& page) {
  wire::JsonArray platforms;
  wire::JsonArray instructions;
  const std::string url = page.device_url();
  for (const core::Download& one : page.downloads->all()) {
    platforms.push_back(wire::JsonObject{{"platform", one.platform},
                                         {"path", one.path()},
                                         {"sha256", to_hex(one.sha256)},
                                         {"size_bytes", one.size}});
    wire::JsonArray commands;
    for (const std::string& line : join_commands(one, url)) commands.emplace_back(line);
    instructions.push_back(wire::JsonObject{{"platform", one.platform},
                                            {"title", "Download the agent, join, and run it"},
                                            {"commands", std::move(commands)}});
  }
  return {{"version", page.version}, {"platforms", std::move(platforms)},
          {"device_url", url},       {"ca_fingerprint_sha256", page.ca_fingerprint},
          {"ca_pem", page.ca_pem},   {"instructions", std::move(instructions)}};
}

}  // namespace

std::vector<std::string> join_commands(const core::Download& download,
                                       const std::string& device_url) {
  return {"curl -fsSk -o holdfast-agent " + device_url + download.path(),
          "echo '" + to_hex(download.sha256) + "  holdfast-agent' | sha256sum -c",
          "install -m 0755 holdfast-agent /usr/local/bin/", "holdfast-agent join - <<< '{code}'",
          "holdfast-agent run"};
}

Status add_agent_routes(core::Operations& operations, const AgentPage& page) {
  TRY(operations.add("get_agent_downloads", [&](const Call&) -> Result<Response> {
    return core::json_response(200, downloads_json(page));
  }));
  return operations.add("download_agent", [&](const Call& call) -> Result<Response> {
    const core::Download* found = page.downloads->find(call.path("platform"));
    if (found != nullptr) return found->answer(call.request);
    return fail(Code::not_found, "there is no agent for " + std::string(call.path("platform")));
  });
}

}  // namespace holdfast::api
