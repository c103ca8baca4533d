// Any bytes as a segment file: header, frames and records. Frames pass the CRC and the tag only if
// the fuzzer may forge them, so their plain text is fuzzed by itself as well.
#include "server/store/journal/segment.hpp"
#include "libs/os/files.hpp"
#include "server/store/journal/windows.hpp"

namespace {

using holdfast::Bytes;
using holdfast::Result;
using holdfast::Status;
using holdfast::View;

class MemoryFile final : public holdfast::os::File {
 public:
  explicit MemoryFile(View bytes) : bytes_(bytes) {}
  Result<Bytes> read_at(std::uint64_t offset, std::size_t size) const override {
    if (offset >= bytes_.size()) return Bytes{};
    const View part = bytes_.subspan(offset);
    const View taken = part.first(std::min(size, part.size()));
    return Bytes(taken.begin(), taken.end());
  }
  Status write_at(std::uint64_t, View) override { return {}; }
  Status sync() override { return {}; }
  Status truncate(std::uint64_t) override { return {}; }
  Result<std::uint64_t> size() const override { return bytes_.size(); }
  int descriptor() const override { return -1; }

 private:
  View bytes_;
};

void check_records(View plain) {
  using namespace holdfast::journal;
  RecordWriter again;
  std::uint32_t count = 0;
  const auto read = for_each_record(plain, {1, 0}, [&](const Stored& stored) {
    ++count;
    if (stored.kind == Kind::window) static_cast<void>(Windows(8).decode(stored.body));
    again.add(
        {stored.kind, stored.device, stored.subject, stored.ticks, stored.delivery, stored.body},
        stored.time);
    return true;
  });
  if (!read) return;
  // What was read and written again reads the same.
  std::uint32_t repeated = 0;
  const Bytes bytes = again.take();
  if (!for_each_record(bytes, {1, 0}, [&](const Stored&) { return ++repeated != 0; }) ||
      repeated != count)
    __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::journal;
  const View bytes(data, size);
  static_cast<void>(decode_header(bytes));
  static_cast<void>(find_frame(bytes));
  check_records(bytes);

  // The same bytes as plain text of a good frame amid garbage.
  auto cipher = FrameCipher::make(1, Bytes(32, 1));
  if (!cipher) return 0;
  Bytes file(kSegmentHeaderBytes, 0);
  holdfast::append(file, bytes.first(size / 2));
  file.resize((file.size() + 7) / 8 * 8);
  if (size < 1024 * 1024)
    static_cast<void>(
        cipher->seal(static_cast<std::uint32_t>(file.size()), {0, 64, 0, 1}, bytes, file));
  const MemoryFile memory{file};
  static_cast<void>(
      scan_segment(memory, *cipher, kSegmentHeaderBytes, std::nullopt, [](Frame) { return true; }));
  return 0;
}
