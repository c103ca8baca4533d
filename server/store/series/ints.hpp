// Packs sequences of 64-bit integers (docs/spec/series.md, ints): a common divisor, differences,
// and blocks of 128 in as few bits as most of them need. Pure; thread-safe.
//
// Errors: corrupt. Decoding never makes more numbers than it is asked for.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "libs/base/bytes.hpp"

namespace holdfast::series {

void put_ints(Bytes& out, std::span<const std::int64_t> values);
// Fills `out` entirely.
Status take_ints(ByteReader& in, std::span<std::int64_t> out);

}  // namespace holdfast::series
