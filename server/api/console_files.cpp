#include "server/api/console_files.hpp"

#include <array>

#include "libs/crypto/hash.hpp"
#include "libs/http/accept.hpp"
#include "libs/http/conditional.hpp"

namespace holdfast::api {
namespace {

constexpr std::size_t kDepthMax = 8;

// First segments that are never the page router's: a wrong address there is a 404, not a page.
bool belongs_to_api(const http::Request& request) {
  if (request.segments.empty()) return false;
  constexpr std::array<std::string_view, 7> kFirst = {"v1",      "agent",  "problems",   "metrics",
                                                      "healthz", "readyz", ".well-known"};
  return std::ranges::find(kFirst, request.segments.front()) != kFirst.end();
}

// "assets/x.js"; nullopt for what cannot be the path of a file.
std::optional<std::string> path_of(const http::Request& request) {
  std::string path;
  for (const std::string& segment : request.segments) {
    if (segment.empty() || segment.contains('/')) return std::nullopt;
    path += (path.empty() ? "" : "/") + segment;
  }
  return path;
}

}  // namespace

std::string_view media_type_of(std::string_view path) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kTypes = {{
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".json", "application/json"},
      {".webmanifest", "application/manifest+json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".ico", "image/x-icon"},
      {".woff2", "font/woff2"},
      {".wasm", "application/wasm"},
      {".txt", "text/plain; charset=utf-8"},
      {".map", "application/json"},
  }};
  for (const auto& [ending, type] : kTypes) {
    if (path.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

Result<ConsoleFiles> ConsoleFiles::load(os::Files& files, const std::string& folder) {
  ConsoleFiles out;
  std::size_t bytes = 0;
  TRY(out.read_folder(files, folder, "", bytes));
  if (!out.files_.contains("index.html")) {
    return fail(Code::not_found, "There is no console in " + folder + ": index.html is missing.");
  }
  // The compressed forms move to the file that they are of.
  for (auto it = out.files_.begin(); it != out.files_.end();) {
    const bool brotli = it->first.ends_with(".br");
    const bool gzip = it->first.ends_with(".gz");
    const auto of = brotli || gzip ? out.files_.find(it->first.substr(0, it->first.size() - 3))
                                   : out.files_.end();
    if (of == out.files_.end()) {
      ++it;
      continue;
    }
    (brotli ? of->second.brotli : of->second.gzip) = std::move(it->second.plain);
    it = out.files_.erase(it);
  }
  return out;
}

Status ConsoleFiles::read_folder(os::Files& files, const std::string& folder,
                                 const std::string& prefix, std::size_t& bytes) {
  if (static_cast<std::size_t>(std::ranges::count(prefix, '/')) > kDepthMax) {
    return fail(Code::quota_exceeded, "The console's folders are nested too deep: " + folder);
  }
  for (const os::Entry& entry : TRY(files.list(folder))) {
    const std::string path = os::join(folder, entry.name);
    if (entry.folder) {
      TRY(read_folder(files, path, prefix + entry.name + '/', bytes));
      continue;
    }
    bytes += entry.size;
    if (bytes > kConsoleBytesMax || files_.size() == kConsoleFilesMax) {
      return fail(Code::quota_exceeded, "The console in " + folder + " is too large to serve.");
    }
    Bytes content = TRY(os::read_file(files, path, kConsoleBytesMax));
    File& file = files_[prefix + entry.name];
    file.type = media_type_of(entry.name);
    file.plain.etag = '"' + to_hex(View(crypto::sha256(content)).first(16)) + '"';
    file.plain.bytes = std::make_shared<const Bytes>(std::move(content));
  }
  return {};
}

std::optional<http::Response> ConsoleFiles::answer(const http::Request& request) const {
  if (files_.empty() || (request.method != "GET" && request.method != "HEAD")) return std::nullopt;
  const auto path = path_of(request);
  if (!path || belongs_to_api(request)) return std::nullopt;
  if (const auto found = files_.find(*path); found != files_.end()) {
    return response_of(found->first, found->second, request);
  }
  // A page of the router, unless it looks like a file that is missing.
  const bool like_file = !request.segments.empty() && request.segments.back().contains('.');
  if (like_file || path->starts_with("assets/")) return std::nullopt;
  const auto index = files_.find("index.html");
  return response_of(index->first, index->second, request);
}

http::Response ConsoleFiles::response_of(const std::string& path, const File& file,
                                         const http::Request& request) const {
  http::Response response;
  const std::string_view accepted = request.header("Accept-Encoding").value_or("");
  const Body* body = &file.plain;
  if (file.brotli && http::accepts_encoding(accepted, "br")) {
    body = &*file.brotli;
    response.headers.set("Content-Encoding", "br");
  } else if (file.gzip && http::accepts_encoding(accepted, "gzip")) {
    body = &*file.gzip;
    response.headers.set("Content-Encoding", "gzip");
  }
  response.headers.set("Content-Type", file.type);
  response.headers.set("ETag", body->etag);
  response.headers.set("Vary", "Accept-Encoding");
  response.headers.set("Cache-Control", path.starts_with("assets/")
                                            ? "public, max-age=31536000, immutable"
                                            : "no-cache");
  response.headers.set("Content-Security-Policy", kConsolePolicy);
  response.headers.set("Cross-Origin-Opener-Policy", "same-origin");
  if (http::none_match_hits(request, body->etag)) {
    response.status = 304;
  } else {
    response.shared_body = body->bytes;
  }
  return response;
}

}  // namespace holdfast::api
