#include "server/core/downloads.hpp"

#include <algorithm>

#include "libs/crypto/hash.hpp"
#include "libs/http/conditional.hpp"

namespace holdfast::core {
namespace {

constexpr std::size_t kPiece = 256 * 1024;

Result<Download> load_program(os::Files& files, const AgentBinary& binary) {
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
  download.sha256 = hasher.finish();
  return download;
}

}  // namespace

std::string Download::path() const {
  return "/agent/" + platform + "/holdfast-agent";
}

http::Response Download::answer(const http::Request& request) const {
  http::Response response;
  const std::string digest = to_base64(sha256);
  const std::string tag = "\"" + digest + "\"";
  response.headers.set("Content-Type", "application/octet-stream");
  response.headers.set("Repr-Digest", "sha-256=:" + digest + ":");
  response.headers.set("ETag", tag);
  if (http::none_match_hits(request, tag)) {
    response.status = 304;
    return response;
  }
  response.source_size = size;
  response.source = [held = file,
                     at = std::uint64_t{0}](std::size_t most) mutable -> Result<Bytes> {
    auto piece = TRY(held->read_at(at, most));
    at += piece.size();
    return piece;
  };
  return response;
}

std::shared_ptr<const Downloads> Downloads::make(os::Files& files,
                                                 const std::vector<AgentBinary>& agents,
                                                 const Log& log) {
  auto downloads = std::make_shared<Downloads>();
  for (const AgentBinary& binary : agents) {
    auto loaded = load_program(files, binary);
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

}  // namespace holdfast::core
