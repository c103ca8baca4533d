// An answer in any pieces parses to the same result as in one.
#include <cassert>
#include <string>

#include "libs/http/response_parser.hpp"

namespace {

struct Outcome {
  bool failed = false;
  bool done = false;
  int status = 0;
  std::string body;
  bool operator==(const Outcome&) const = default;
};

Outcome parse(holdfast::View bytes, std::size_t piece, bool to_head) {
  holdfast::http::ResponseParser parser(to_head);
  Outcome out;
  while (!bytes.empty() && !parser.done()) {
    const auto part = bytes.first(std::min(piece, bytes.size()));
    bytes = bytes.subspan(part.size());
    const auto took = parser.feed(part, [&](holdfast::View body) -> holdfast::Status {
      out.body += holdfast::text_of(body);
      return {};
    });
    if (!took) {
      out.failed = true;
      return out;
    }
    assert(*took <= part.size());
    assert(*took == part.size() || parser.done());
  }
  out.failed = !parser.done() && !parser.end();
  out.done = parser.done();
  if (parser.head_done()) out.status = parser.head().status;
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const bool to_head = data[0] & 1;
  const std::size_t piece = data[1] % 32 + 1;
  const holdfast::View bytes(data + 2, size - 2);
  const Outcome whole = parse(bytes, size, to_head);
  const Outcome pieces = parse(bytes, piece, to_head);
  assert(whole.failed == pieces.failed);
  assert(whole.failed || whole == pieces);
  return 0;
}
