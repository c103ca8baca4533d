#include "server/store/series/compress.hpp"

#include <zstd.h>

namespace holdfast::series {

struct Compressor::Contexts {
  ZSTD_CCtx* in = nullptr;  // each made when first needed: they are large
  ZSTD_DCtx* out = nullptr;
  Bytes scratch;
  ~Contexts() {
    ZSTD_freeCCtx(in);
    ZSTD_freeDCtx(out);
  }
  // The zstd frame in `scratch`; 0 if there is none.
  std::size_t compress(View plain, int level) {
    if (in == nullptr) in = ZSTD_createCCtx();
    scratch.resize(ZSTD_compressBound(plain.size()));
    const std::size_t size =
        ZSTD_compressCCtx(in, scratch.data(), scratch.size(), plain.data(), plain.size(), level);
    return ZSTD_isError(size) != 0 ? 0 : size;
  }
};

Compressor::Compressor() : contexts_(std::make_unique<Contexts>()) {}
Compressor::~Compressor() = default;

Bytes Compressor::pack(View plain, int level) {
  const std::size_t size = plain.size() < 32 ? 0 : contexts_->compress(plain, level);
  Bytes out;
  if (size != 0 && size + 4 < plain.size()) {
    out.reserve(size + 6);
    out.push_back(1);
    put_varint(out, plain.size());
    append(out, View(contexts_->scratch).first(size));
  } else {
    out.reserve(plain.size() + 1);
    out.push_back(0);
    append(out, plain);
  }
  return out;
}

std::size_t Compressor::size_of(View plain) {
  return contexts_->compress(plain, 3);
}

Result<Bytes> Compressor::unpack(View packed, std::size_t size_max) {
  ByteReader in(packed);
  const std::uint8_t form = TRY(in.le<std::uint8_t>());
  if (form == 0 && in.left() <= size_max) {
    const View plain = TRY(in.take(in.left()));
    return Bytes(plain.begin(), plain.end());
  }
  if (form != 1) return fail(Code::corrupt, "a block has an unknown form");
  const std::uint64_t size = TRY(in.varint());
  if (size > size_max) return fail(Code::corrupt, "a block is larger than any can be");
  const View frame = TRY(in.take(in.left()));
  if (contexts_->out == nullptr) contexts_->out = ZSTD_createDCtx();
  Bytes out(size);
  const std::size_t got =
      ZSTD_decompressDCtx(contexts_->out, out.data(), out.size(), frame.data(), frame.size());
  if (ZSTD_isError(got) != 0 || got != size)
    return fail(Code::corrupt, "a block does not decompress");
  return out;
}

}  // namespace holdfast::series
