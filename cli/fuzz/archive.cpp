// A backup's archive may come from anywhere: any bytes, in any pieces, give the same verdict, and
// no name leads out of the folder.
#include <cassert>

#include "cli/archive.hpp"

namespace {

bool read(holdfast::View bytes, std::size_t piece, std::size_t& content) {
  holdfast::cli::ArchiveReader reader;
  content = 0;
  reader.on_member = [](const std::string& name, std::uint64_t) -> holdfast::Status {
    assert(holdfast::wire::safe_tar_name(name));
    return {};
  };
  reader.on_content = [&](holdfast::View part) -> holdfast::Status {
    content += part.size();
    return {};
  };
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min(piece, bytes.size()));
    bytes = bytes.subspan(part.size());
    if (!reader.feed(part)) return false;
  }
  return reader.end().has_value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const holdfast::View bytes(data + 1, size - 1);
  std::size_t whole = 0;
  std::size_t pieces = 0;
  const bool one = read(bytes, size, whole);
  const bool many = read(bytes, data[0] % 200U + 1U, pieces);
  assert(one == many);
  assert(!one || whole == pieces);
  return 0;
}
