// Event streams: any bytes parse, in any pieces to the same events; and what we write reads back.
#include <cassert>

#include "libs/http/sse.hpp"

using holdfast::View;
using holdfast::http::Event;
using holdfast::http::EventParser;

namespace {

std::vector<Event> parse(View bytes, std::size_t piece) {
  EventParser parser;
  std::vector<Event> out;
  while (!bytes.empty()) {
    const View part = bytes.first(std::min(piece, bytes.size()));
    bytes = bytes.subspan(part.size());
    if (!parser.feed(part, [&](Event event) { out.push_back(std::move(event)); })) break;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const View bytes(data + 1, size - 1);
  const auto events = parse(bytes, size);
  assert(events == parse(bytes, data[0] % 32U + 1U));
  std::string again;
  std::vector<Event> sent;
  for (const Event& event : events) {
    again += format_event(event);
    if (!event.name.empty() || !event.data.empty()) sent.push_back(event);
  }
  assert(parse(holdfast::view_of(again), again.size() + 1) == sent);
  return 0;
}
