// The bytes of a segment file: its header and its frames (docs/spec/journal.md, Segment).
//
// Errors: corrupt. Pure but for the cipher's context: a FrameCipher is used by one thread at a
// time.
#pragma once

#include <memory>
#include <optional>

#include "libs/base/bytes.hpp"
#include "libs/crypto/aead.hpp"
#include "server/store/journal/key_source.hpp"
#include "server/store/journal/record.hpp"

namespace holdfast::journal {

inline constexpr std::size_t kSegmentHeaderBytes = 64;
inline constexpr std::size_t kFrameHeaderBytes = 24;
inline constexpr std::size_t kSealedBytesMax = 8 * 1024 * 1024;  // of one frame

struct SegmentHeader {
  SegmentId number = 0;
  KeyId key = 0;
  WallTime created;
  SegmentId previous = 0;
  std::uint32_t previous_length = 0;
  bool operator==(const SegmentHeader&) const = default;
};
Bytes encode_header(const SegmentHeader& header);
Result<SegmentHeader> decode_header(View bytes);

struct FrameHeader {
  std::uint32_t length = 0;  // of the sealed part
  std::uint32_t group = 0;
  std::uint32_t first = 0;
  std::uint32_t count = 0;

  std::size_t file_bytes() const { return (kFrameHeaderBytes + length + 7) / 8 * 8; }
};
// Checks magic, CRC and bounds of the frame at the start of `bytes`. Empty: no frame holds here.
std::optional<FrameHeader> find_frame(View bytes);

class FrameCipher final {
 public:
  static Result<FrameCipher> make(SegmentId segment, View key32);
  // Appends the whole frame, padded, to `out`.
  Status seal(std::uint32_t offset, FrameHeader header, View plain, Bytes& out);
  // `frame` begins with a header that find_frame() accepted.
  Result<Bytes> open(std::uint32_t offset, const FrameHeader& header, View frame);

 private:
  FrameCipher(SegmentId segment, std::unique_ptr<crypto::AeadKey> key)
      : segment_(segment), key_(std::move(key)) {}
  Bytes associated(const FrameHeader& header) const;

  SegmentId segment_;
  std::unique_ptr<crypto::AeadKey> key_;
};

}  // namespace holdfast::journal
