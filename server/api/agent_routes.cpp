#include "server/api/agent_routes.hpp"

#include "libs/crypto/hash.hpp"

namespace holdfast::api {
namespace {

using core::Call;
using http::Response;

std::string path_of(const AgentDownload& download) {
  return "/agent/" + download.platform + "/holdfast-agent";
}

wire::JsonObject downloads_json(const AgentDownloads& downloads) {
  wire::JsonArray platforms;
  wire::JsonArray instructions;
  const std::string url = downloads.device_url();
  for (const AgentDownload& one : downloads.all) {
    platforms.push_back(wire::JsonObject{{"platform", one.platform},
                                         {"path", path_of(one)},
                                         {"sha256", one.sha256},
                                         {"size_bytes", one.bytes->size()}});
    wire::JsonArray commands;
    for (const std::string& line : join_commands(one, url)) commands.emplace_back(line);
    instructions.push_back(wire::JsonObject{{"platform", one.platform},
                                            {"title", "Download the agent, join, and run it"},
                                            {"commands", std::move(commands)}});
  }
  return {{"version", downloads.version},
          {"platforms", std::move(platforms)},
          {"device_url", url},
          {"ca_fingerprint_sha256", downloads.ca_fingerprint},
          {"ca_pem", downloads.ca_pem},
          {"instructions", std::move(instructions)}};
}

}  // namespace

Result<AgentDownload> load_agent(os::Files& files, std::string platform, const std::string& path) {
  auto bytes = std::make_shared<const Bytes>(TRY(os::read_file(files, path, kDownloadBytesMax)));
  const auto digest = crypto::sha256(*bytes);
  return AgentDownload{std::move(platform), bytes, to_hex(digest),
                       "sha-256=:" + to_base64(digest) + ":"};
}

std::vector<std::string> join_commands(const AgentDownload& download,
                                       const std::string& device_url) {
  return {"curl -fsSk -o holdfast-agent " + device_url + path_of(download),
          "echo '" + download.sha256 + "  holdfast-agent' | sha256sum -c",
          "install -m 0755 holdfast-agent /usr/local/bin/", "holdfast-agent join - <<< '{code}'",
          "holdfast-agent run"};
}

Status add_agent_routes(core::Operations& operations, const AgentDownloads& downloads) {
  TRY(operations.add("get_agent_downloads", [&](const Call&) -> Result<Response> {
    return http::json(200, wire::json_text(downloads_json(downloads)));
  }));
  return operations.add("download_agent", [&](const Call& call) -> Result<Response> {
    for (const AgentDownload& one : downloads.all) {
      if (one.platform != call.path("platform")) continue;
      Response response = http::content(200, "application/octet-stream", "");
      response.shared_body = one.bytes;
      response.headers.set("Repr-Digest", one.digest);
      return response;
    }
    return fail(Code::not_found, "there is no agent for " + std::string(call.path("platform")));
  });
}

}  // namespace holdfast::api
