// zstd at level 3 with contexts that are made once. Not thread-safe: one each thread.
// Packed form: 0 and the bytes as they are, or 1, their number (varint) and the zstd frame.
// Errors: corrupt, also for more than `size_max` bytes.
#pragma once

#include <memory>

#include "libs/base/bytes.hpp"

namespace holdfast::series {

class Compressor final {
 public:
  Compressor();
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  Bytes pack(View plain, int level = 3);  // the smaller of the two forms
  std::size_t size_of(View plain);        // how long the zstd frame would be
  Result<Bytes> unpack(View packed, std::size_t size_max);

 private:
  struct Contexts;
  std::unique_ptr<Contexts> contexts_;
};

}  // namespace holdfast::series
