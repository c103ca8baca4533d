// ChunkReader: the chunked coding (RFC 9112 section 7.1), for requests and responses alike. Strict
// and bounded: a chunk line of at most kLineMax bytes, a trailer of at most kTrailerMax, which is
// read and dropped. Pure; belongs to one message.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "libs/base/bytes.hpp"
#include "libs/base/result.hpp"

namespace holdfast::http {

// Gets each piece of a body, in order; an error that it returns ends the parse with that error.
using BodyFn = std::function<Status(View piece)>;

class ChunkReader {
 public:
  static constexpr std::size_t kLineMax = 1024;
  static constexpr std::size_t kTrailerMax = 16 * 1024;

  // `malformed` is the code for what breaks the grammar; too long a line is header_too_large.
  explicit ChunkReader(Code malformed) : malformed_(malformed) {}

  // Takes what belongs to this body and returns how many bytes that was: all, until done().
  Result<std::size_t> feed(View bytes, const BodyFn& body);
  bool done() const { return state_ == State::done; }

 private:
  enum class State { size, data, end_of_data, trailer, done };
  Result<std::size_t> take_line(View bytes);
  Status line(std::string_view text);

  Code malformed_;
  State state_ = State::size;
  std::string line_;        // a line so far
  std::uint64_t left_ = 0;  // bytes of the chunk to come
  std::size_t trailer_ = 0;
};

}  // namespace holdfast::http
