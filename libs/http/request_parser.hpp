// RequestParser: reads one HTTP/1.1 request (RFC 9112) on Beast's parser, which is seen nowhere
// else. Private to the server. It adds what Beast leaves open: bounds on header and body counted
// here, one framing only (a Transfer-Encoding other than exactly "chunked" is refused), one Host
// header. Errors: malformed_body, header_too_large, uri_too_long, body_too_large, protocol_error
// (version). Belongs to one connection.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "libs/http/message.hpp"

namespace holdfast::http {

class RequestParser {
 public:
  static constexpr std::size_t kHeaderCountMax = 100;

  explicit RequestParser(std::size_t header_max);
  ~RequestParser();

  // Takes what it can use and returns how much that was. The caller keeps the rest and passes it
  // again, with more behind it. Stops after the header, so that the body can be refused unread
  // (finish_head() and set_body_max() come next), and after the request.
  Result<std::size_t> feed(View bytes);

  bool head_done() const;
  bool done() const;
  // Checks and completes the header: target, Host, framing. Once, after head_done().
  Status finish_head();
  // From then on a body of more bytes is body_too_large; at once if Content-Length says so.
  Status set_body_max(std::size_t bytes);

  Request& request();  // the body grows in it
  bool keep_alive() const;
  bool expects_continue() const;
  bool has_body() const;  // by its header

 private:
  struct Reader;
  Result<std::size_t> feed_head(View bytes);
  std::unique_ptr<Reader> reader_;
};

}  // namespace holdfast::http
