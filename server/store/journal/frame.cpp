#include "server/store/journal/frame.hpp"

#include <array>
#include <cassert>

namespace holdfast::journal {
namespace {

constexpr std::string_view kSegmentMagic = "HFJRNL01";
constexpr std::uint32_t kFrameMagic = 0x464A4648;  // "HFJF"
constexpr std::size_t kCrcAt = 4;                  // of a frame; what it covers follows

std::array<std::uint8_t, crypto::kAeadNonceBytes> nonce_of(std::uint32_t offset) {
  std::array<std::uint8_t, crypto::kAeadNonceBytes> nonce{};
  for (unsigned i = 0; i < 4; ++i) nonce[4 + i] = static_cast<std::uint8_t>(offset >> (8 * i));
  return nonce;
}

void patch_le(Bytes& out, std::size_t at, std::uint32_t value) {
  for (unsigned i = 0; i < 4; ++i) out[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

}  // namespace

Bytes encode_header(const SegmentHeader& header) {
  Bytes out;
  out.reserve(kSegmentHeaderBytes);
  append(out, view_of(kSegmentMagic));
  store_le(out, header.number);
  store_le(out, header.key);
  store_le(out, header.created.us);
  store_le(out, header.previous);
  store_le(out, header.previous_length);
  store_le(out, std::uint32_t{0});  // flags
  out.resize(kSegmentHeaderBytes - 4, 0);
  store_le(out, crc32c(out));
  return out;
}

Result<SegmentHeader> decode_header(View bytes) {
  ByteReader in(bytes);
  const View covered = TRY(in.take(kSegmentHeaderBytes - 4));
  if (TRY(in.le<std::uint32_t>()) != crc32c(covered))
    return fail(Code::corrupt, "the segment's header is damaged");
  ByteReader header(covered);
  if (text_of(TRY(header.take(kSegmentMagic.size()))) != kSegmentMagic) {
    return fail(Code::corrupt, "not a journal segment of this version");
  }
  SegmentHeader out;
  out.number = TRY(header.le<std::uint64_t>());
  out.key = TRY(header.le<std::uint64_t>());
  out.created.us = TRY(header.le<std::int64_t>());
  out.previous = TRY(header.le<std::uint64_t>());
  out.previous_length = TRY(header.le<std::uint32_t>());
  if (TRY(header.le<std::uint32_t>()) != 0)
    return fail(Code::corrupt, "the segment has flags of a newer version");
  return out;
}

std::optional<FrameHeader> find_frame(View bytes) {
  if (bytes.size() < kFrameHeaderBytes || load_le<std::uint32_t>(bytes.data()) != kFrameMagic)
    return std::nullopt;
  FrameHeader header;
  header.length = load_le<std::uint32_t>(bytes.data() + 8);
  header.group = load_le<std::uint32_t>(bytes.data() + 12);
  header.first = load_le<std::uint32_t>(bytes.data() + 16);
  header.count = load_le<std::uint32_t>(bytes.data() + 20);
  if (header.length < crypto::kAeadTagBytes || header.length > kSealedBytesMax ||
      header.length > bytes.size() - kFrameHeaderBytes) {
    return std::nullopt;
  }
  const View covered = bytes.subspan(kCrcAt + 4, kFrameHeaderBytes - kCrcAt - 4 + header.length);
  if (load_le<std::uint32_t>(bytes.data() + kCrcAt) != crc32c(covered)) return std::nullopt;
  return header;
}

Result<FrameCipher> FrameCipher::make(SegmentId segment, View key32) {
  return FrameCipher(segment, TRY(crypto::AeadKey::make(key32)));
}

Bytes FrameCipher::associated(const FrameHeader& header) const {
  Bytes out;
  out.reserve(24);
  store_le(out, segment_);
  store_le(out, header.length);
  store_le(out, header.group);
  store_le(out, header.first);
  store_le(out, header.count);
  return out;
}

Status FrameCipher::seal(std::uint32_t offset, FrameHeader header, View plain, Bytes& out) {
  header.length = static_cast<std::uint32_t>(plain.size() + crypto::kAeadTagBytes);
  assert(header.length <= kSealedBytesMax && offset % 8 == 0);
  const std::size_t start = out.size();
  out.reserve(start + header.file_bytes());
  store_le(out, kFrameMagic);
  store_le(out, std::uint32_t{0});
  store_le(out, header.length);
  store_le(out, header.group);
  store_le(out, header.first);
  store_le(out, header.count);
  if (auto sealed = key_->seal(nonce_of(offset), associated(header), plain, out); !sealed) {
    out.resize(start);
    return sealed;
  }
  const View covered = View(out).subspan(start + kCrcAt + 4);
  patch_le(out, start + kCrcAt, crc32c(covered));
  out.resize(start + header.file_bytes(), 0);
  return {};
}

Result<Bytes> FrameCipher::open(std::uint32_t offset, const FrameHeader& header, View frame) {
  assert(frame.size() >= kFrameHeaderBytes + header.length);
  Bytes plain;
  TRY(key_->open(nonce_of(offset), associated(header),
                 frame.subspan(kFrameHeaderBytes, header.length), plain));
  return plain;
}

}  // namespace holdfast::journal
