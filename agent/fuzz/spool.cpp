// Files and records of the spool.
#include <cstdlib>

#include "agent/spool/record.hpp"

using namespace holdfast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const View input(data, size);
  // As given, and behind the magic that a mutation seldom finds.
  Bytes file = bytes_of(agent::kSpoolMagic);
  append(file, input);
  for (const View each : {input, View(file)}) {
    const auto scan = agent::scan_frames(each);
    Bytes again = bytes_of(agent::kSpoolMagic);
    for (const auto& frame : scan.frames) {
      if (frame.offset + frame.sealed.size() > each.size()) std::abort();
      agent::append_frame(again, frame.type, frame.sequence, frame.sealed);
    }
    // What was read writes back to the same bytes.
    if (!scan.frames.empty() && text_of(each.first(again.size())) != text_of(again)) std::abort();
  }
  if (const auto record = agent::decode_record(input)) {
    const auto again = agent::decode_record(agent::encode_record(*record));
    if (!again || *again != *record) std::abort();
  }
  return 0;
}
