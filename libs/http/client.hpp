// Client: asynchronous HTTP/1.1 client of one server, over authenticated streams. Requests run side
// by side on up to connections_max connections, which are kept alive and used again; more wait in
// order. An idempotent request that met a kept connection just as the server closed it is sent once
// more on a new one. Redirects are not followed.
// Errors: unreachable and server_untrusted (connecting), deadline_exceeded, closed, protocol_error,
// payload_too_large, overloaded (too many waiting), cancelled. An answer of 4xx or 5xx is no error
// here; error_of() makes one of it.
// Threads: all on the loop; callbacks too, never before send() has returned.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "libs/base/bytes.hpp"
#include "libs/crypto/transport.hpp"
#include "libs/http/headers.hpp"
#include "libs/http/response_parser.hpp"
#include "libs/os/loop.hpp"
#include "libs/os/network.hpp"

namespace holdfast::http {

struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";  // encoded: see with_query()
  Headers headers;           // Host and Content-Length are added
  Bytes body;
  MonoTime deadline = kNever;             // for the whole answer
  std::optional<Duration> silence_limit;  // between two pieces of the answer: for event streams
  std::size_t body_max =
      16 * 1024 * 1024;  // bytes of the answer's body; streamed ones have no bound
  // Called when status and headers are known; an error gives up. May be null.
  std::function<Status(const ResponseHead&)> on_head;
  // Gets the body of a 2xx answer piece by piece instead of ClientResponse::body, which still gets
  // that of other answers; an error gives up. May be null.
  std::function<Status(View)> on_body;
};

struct ClientResponse {
  int status = 0;
  Headers headers;
  Bytes body;
  std::string_view text() const { return text_of(body); }
};

// For event streams, which end by silence_limit: as the limit of SyncClient::send().
inline constexpr Duration kNoLimit{INT64_MAX};

struct ClientOptions {
  std::size_t connections_max = 4;
  std::size_t waiting_max = 256;         // requests without a connection yet
  Duration connect_limit = seconds(10);  // within the request's deadline
  Duration idle_limit = seconds(12);     // below the server's 15 s, to lose fewer races
};

using ResponseFn = std::move_only_function<void(Result<ClientResponse>)>;
enum class RequestTag : std::uint64_t { none = 0 };

class ClientPool;

class Client final {
 public:
  Client(os::Loop& loop, crypto::Transport& transport, os::Endpoint server,
         crypto::ClientSettings settings, ClientOptions options = {});
  ~Client();  // drops what runs, without calling back
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  RequestTag send(ClientRequest request, ResponseFn done);
  // The request is answered with Code::cancelled, unless it has been answered.
  void cancel(RequestTag request);
  // Connections made from now on use these (a renewed certificate); kept ones close when idle.
  void replace(crypto::ClientSettings settings);

 private:
  std::shared_ptr<ClientPool> pool_;
};

// The problem (RFC 9457) in an answer of 4xx or 5xx as an Error; without one, the nearest code for
// the status. Unknown codes become the code of their status, with the text kept.
Error error_of(const ClientResponse& response);
// The members of a problem that an Error has no place for.
struct ProblemText {
  std::string code, title, detail, mend, request_id, permission;
  std::optional<double> retry_after_s;
};
std::optional<ProblemText> problem_of(const ClientResponse& response);

struct Url {
  os::Endpoint server;  // port 443 when none is given
  std::string path;     // "" when none is given
};
// "https://host:port/path"; other schemes are invalid_argument.
Result<Url> parse_url(std::string_view text);

}  // namespace holdfast::http
