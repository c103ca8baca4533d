// ConsoleFiles: the built console, held in memory and served with a strict policy. Loaded once,
// then read-only: thread-safe, and quick enough for a loop.
//
// Paths of the page router (anything without a dot that is no path of the API) get index.html. What
// lies in assets/ has its digest in its name and is kept by browsers for a year; the rest is asked
// for again each time, with an ETag. `NAME.br` and `NAME.gz` beside NAME are its compressed forms.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "libs/http/message.hpp"
#include "libs/os/files.hpp"

namespace holdfast::api {

inline constexpr std::size_t kConsoleBytesMax = 64 * 1024 * 1024;  // all files together
inline constexpr std::size_t kConsoleFilesMax = 10'000;

// No script but our own files, no frame around us, no string turned into code or markup.
inline constexpr std::string_view kConsolePolicy =
    "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; "
    "form-action 'self'; require-trusted-types-for 'script'; trusted-types 'none'";

class ConsoleFiles {
 public:
  ConsoleFiles() = default;  // no console: everything is left
  // quota_exceeded beyond the bounds; not_found without an index.html.
  static Result<ConsoleFiles> load(os::Files& files, const std::string& folder);

  // nullopt: not ours to answer.
  std::optional<http::Response> answer(const http::Request& request) const;
  std::size_t size() const { return files_.size(); }

 private:
  struct Body {
    std::shared_ptr<const Bytes> bytes;
    std::string etag;
  };
  struct File {
    std::string type;
    Body plain;
    std::optional<Body> brotli, gzip;
  };
  Status read_folder(os::Files& files, const std::string& folder, const std::string& prefix,
                     std::size_t& bytes);
  http::Response response_of(const std::string& path, const File& file,
                             const http::Request& request) const;

  std::map<std::string, File> files_;  // by path without the first slash
};

std::string_view media_type_of(std::string_view path);

}  // namespace holdfast::api
