// ResponseParser: reads one HTTP/1.1 response (RFC 9112) from bytes that arrive in any pieces.
// Small and strict, for agent, gateway and command line, which link no Beast. Interim answers (1xx)
// are skipped. Errors: protocol_error (not HTTP, or two framings at once), header_too_large,
// payload_too_large, closed (the stream ended early). Belongs to one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "libs/base/bytes.hpp"
#include "libs/base/result.hpp"
#include "libs/http/chunk_reader.hpp"
#include "libs/http/headers.hpp"

namespace holdfast::http {

struct ResponseHead {
  int status = 0;
  Headers headers;
  bool keep_alive = false;                      // the connection may carry another request
  std::optional<std::uint64_t> content_length;  // bytes; absent for chunked and close-delimited
};

class ResponseParser {
 public:
  static constexpr std::size_t kHeaderMax = 32 * 1024;  // bytes
  static constexpr std::size_t kHeaderCountMax = 128;
  static constexpr std::size_t kInterimMax = 16;  // 1xx answers before the real one

  // After HEAD a response has no body whatever its headers say.
  explicit ResponseParser(bool to_head = false) : to_head_(to_head) {}

  // Takes what belongs to this response and returns how many bytes that was; the rest is the next
  // response's. Stops taking when done().
  Result<std::size_t> feed(View bytes, const BodyFn& body);
  // The stream ended: fine for a close-delimited body, else Code::closed.
  Status end();

  bool head_done() const { return state_ != State::head; }
  bool done() const { return state_ == State::done; }
  bool started() const { return started_; }  // at least one byte was seen
  const ResponseHead& head() const { return head_; }

 private:
  enum class State { head, length, chunked, until_close, done };
  Result<std::size_t> step(View bytes, const BodyFn& body);
  Result<std::size_t> take_head(View bytes);
  Status parse_head();
  Status status_line(std::string_view line);
  Status header_line(std::string_view line);
  Status framing();

  bool to_head_;
  bool started_ = false;
  bool http11_ = true;
  State state_ = State::head;
  ResponseHead head_;
  std::string buffer_;      // the header so far
  std::uint64_t left_ = 0;  // bytes of the body to come
  ChunkReader chunks_{Code::protocol_error};
  std::size_t interim_ = 0;
};

}  // namespace holdfast::http
