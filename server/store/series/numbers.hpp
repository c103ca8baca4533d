// Numbers and bitmaps of a column (docs/spec/series.md, numbers, doubles, booleans): doubles as
// scaled integers where that gives back each bit, else raw. Pure.
//
// Errors: corrupt. Threads: a Compressor is used by one at a time.
#pragma once

#include <span>
#include <vector>

#include "server/store/series/compress.hpp"

namespace holdfast::series {

// Kinds are 3 (int64) and 4 (f64), as in reading.hpp.
void put_numbers(Bytes& out, std::span<const std::uint8_t> kinds,
                 std::span<const std::uint64_t> bits, Compressor& compressor);
// Fills both, which are of equal size and not empty.
Status take_numbers(ByteReader& in, std::span<std::uint8_t> kinds, std::span<std::uint64_t> bits);

void put_bitmap(Bytes& out, const std::vector<bool>& bits);
Result<std::vector<bool>> take_bitmap(ByteReader& in, std::size_t count);

}  // namespace holdfast::series
