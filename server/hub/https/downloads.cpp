#include "server/hub/https/downloads.hpp"

#include <algorithm>

#include "libs/crypto/hash.hpp"
#include "libs/http/conditional.hpp"
#include "server/hub/https/https.hpp"

namespace holdfast::hub {
namespace {

constexpr std::size_t kPiece = 256 * 1024;

Result<Download> load(os::Files& files, const AgentBinary& binary) {
  Download download;
  download.platform = binary.platform;
  download.file = TRY(files.open(binary.path, os::Open::read));
  crypto::Hasher hasher(crypto::Digest::sha256);
  for (;;) {
    const auto piece = TRY(download.file->read_at(download.size, kPiece));
    if (piece.empty()) break;
    hasher.update(piece);
    download.size += piece.size();
  }
  download.digest_base64 = to_base64(hasher.finish());
  return download;
}

}  // namespace

std::shared_ptr<const Downloads> Downloads::make(os::Files& files,
                                                 const std::vector<AgentBinary>& agents,
                                                 const Log& log) {
  auto downloads = std::make_shared<Downloads>();
  for (const auto& binary : agents) {
    auto loaded = load(files, binary);
    if (loaded) {
      downloads->all_.push_back(std::move(*loaded));
    } else {
      log.warning("the agent cannot be offered for download",
                  {{"platform", binary.platform}, {"why", loaded.error().text()}});
    }
  }
  return downloads;
}

const Download* Downloads::find(std::string_view platform) const {
  const auto found = std::ranges::find(all_, platform, &Download::platform);
  return found == all_.end() ? nullptr : &*found;
}

void serve_agent(Https& https, Asked asked) {
  const auto* download = https.downloads().find(asked.request.param("platform"));
  if (download == nullptr)
    return refuse(asked, failure(Code::not_found, "there is no agent for this platform"));
  http::Response response;
  response.headers.set("Content-Type", "application/octet-stream");
  response.headers.set("Repr-Digest", "sha-256=:" + download->digest_base64 + ":");
  const std::string tag = "\"" + download->digest_base64 + "\"";
  response.headers.set("ETag", tag);
  if (http::none_match_hits(asked.request, tag)) {
    response.status = 304;
    return asked.responder.send(std::move(response));
  }
  response.source_size = download->size;
  response.source = [file = download->file,
                     at = std::uint64_t{0}](std::size_t most) mutable -> Result<Bytes> {
    auto piece = TRY(file->read_at(at, most));
    at += piece.size();
    return piece;
  };
  asked.responder.send(std::move(response));
}

void serve_health(Https&, Asked asked) {
  asked.responder.send(http::json(200, R"({"status":"ok"})"));
}

}  // namespace holdfast::hub
