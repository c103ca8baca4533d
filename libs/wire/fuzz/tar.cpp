// Tar headers from a foreign archive: no input may lead outside, overflow or crash.
#include "libs/wire/tar.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast;
  wire::TarHeaders headers;
  View rest(data, size);
  while (rest.size() >= wire::kTarBlock) {
    const auto next = headers.next(rest.first(wire::kTarBlock));
    rest = rest.subspan(wire::kTarBlock);
    if (!next || next->kind == wire::TarHeaders::Kind::end) break;
    if (next->kind == wire::TarHeaders::Kind::more) (void)headers.extend(rest.first(std::min<std::size_t>(rest.size(), next->member.size)));
    if (next->kind == wire::TarHeaders::Kind::file && !wire::safe_tar_name(next->member.name)) __builtin_trap();
    if (next->member.size > rest.size()) break;
    rest = rest.subspan(static_cast<std::size_t>(next->member.size));
  }
  return 0;
}
