// Remote: the server as commands see it, through nothing but contract/openapi.yaml. It adds the
// credentials and an Idempotency-Key to each POST, turns problems into errors, follows pages, and
// keeps streams going across cuts.
// Threads: one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "libs/http/client.hpp"
#include "libs/http/sse.hpp"
#include "libs/http/target.hpp"
#include "libs/os/entropy.hpp"
#include "libs/wire/json.hpp"

namespace holdfast::cli {

// Where the server is, how it is known, and who we are.
struct Target {
  std::string url;
  os::Endpoint server;
  std::vector<Bytes> trust_der;
  std::optional<Bytes> fingerprint;
  std::string token;
  std::string cookie;
  std::string origin;  // where the address came from, for messages: "HOLDFAST_SERVER"
};

// The way to a server; tests give their own.
class Line {
 public:
  virtual ~Line() = default;
  virtual Result<http::ClientResponse> send(http::ClientRequest request, Duration limit) = 0;
  virtual void pause(Duration duration) = 0;  // before another try
};

struct Reply {
  int status = 0;
  http::Headers headers;
  wire::Json json;  // null when the answer is no JSON
  std::string text;

  std::string etag() const { return std::string(headers.get("ETag").value_or("")); }
};

class Remote final {
 public:
  Remote(std::unique_ptr<Line> line, Target target, os::Entropy& entropy, Duration limit)
      : line_(std::move(line)), target_(std::move(target)), entropy_(entropy), limit_(limit) {}

  Result<Reply> get(std::string_view path, const http::Params& query = {});
  Result<Reply> send(std::string_view method, std::string_view path, const wire::Json& body,
                     const http::Headers& headers = {});
  // Reads the object for its ETag, then sends the change with If-Match.
  Result<Reply> change(std::string_view method, std::string_view path, const wire::Json& body);
  Result<Reply> raw(http::ClientRequest request, Duration limit);

  // Calls for each item of all pages, or of one page when the query has a limit; answers the cursor
  // that follows, null at the end. False from `item` ends early.
  using ItemFn = std::function<bool(const wire::Json& item)>;
  Result<wire::Json> items(std::string_view path, http::Params query, const ItemFn& item,
                           std::string_view member = "items");

  // Calls for each event until it answers false; comes back by itself when the stream is cut.
  using EventFn = std::function<bool(const http::Event& event)>;
  Status follow(std::string_view path, const http::Params& query, const EventFn& event);

  const Target& target() const { return target_; }
  // What the server said of the last failure, beyond the error.
  const std::optional<http::ProblemText>& problem() const { return problem_; }

 private:
  http::ClientRequest make(std::string_view method, std::string_view path);
  Result<Reply> finish(Result<http::ClientResponse> response);

  std::unique_ptr<Line> line_;
  const Target target_;
  os::Entropy& entropy_;
  const Duration limit_;
  std::optional<http::ProblemText> problem_;
};

}  // namespace holdfast::cli
