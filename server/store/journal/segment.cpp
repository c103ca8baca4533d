#include "server/store/journal/segment.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstdio>

namespace holdfast::journal {
namespace {

constexpr std::size_t kReadBytes = 1024 * 1024;

// A part of the file in memory, moved forward as it is read. What cannot be read counts as zeros:
// frames there do not hold, which is what damage looks like.
class Window {
 public:
  Window(const os::File& file, std::uint64_t size) : file_(file), size_(size) {}

  // At least `want` bytes from `offset`, fewer at the end of the file.
  View at(std::uint64_t offset, std::size_t want) {
    if (offset >= size_) return {};
    const std::size_t need =
        static_cast<std::size_t>(std::min<std::uint64_t>(want, size_ - offset));
    if (offset < start_ || offset + need > start_ + bytes_.size()) refill(offset, need);
    return View(bytes_).subspan(static_cast<std::size_t>(offset - start_));
  }

 private:
  void refill(std::uint64_t offset, std::size_t need) {
    const std::size_t size = static_cast<std::size_t>(
        std::min<std::uint64_t>(std::max(need, kReadBytes), size_ - offset));
    auto bytes = file_.read_at(offset, size);
    bytes_ = bytes ? std::move(*bytes) : Bytes{};
    bytes_.resize(size, 0);
    start_ = offset;
  }

  const os::File& file_;
  std::uint64_t size_;
  std::uint64_t start_ = 0;
  Bytes bytes_;
};

// Looks for frames that hold in one file.
class Scanner {
 public:
  Scanner(const os::File& file, std::uint64_t size, FrameCipher& cipher)
      : window_(file, size), size_(size), cipher_(cipher) {}

  std::uint64_t size() const { return size_; }

  std::optional<FrameHeader> header_at(std::uint64_t offset) {
    const View head = window_.at(offset, kFrameHeaderBytes);
    if (head.size() < kFrameHeaderBytes || head[0] != 'H') return std::nullopt;
    const std::uint32_t length = load_le<std::uint32_t>(head.data() + 8);
    if (length > kSealedBytesMax) return std::nullopt;
    const View frame = window_.at(offset, kFrameHeaderBytes + length);
    // The window may reach beyond what is committed; the frame may not.
    return find_frame(frame.first(std::min<std::size_t>(frame.size(), kFrameHeaderBytes + length)));
  }

  // The frame's records, if the tag fits and they are records.
  std::optional<Frame> frame_at(std::uint64_t offset) {
    const auto header = header_at(offset);
    if (!header) return std::nullopt;
    auto plain = cipher_.open(static_cast<std::uint32_t>(offset), *header,
                              window_.at(offset, kFrameHeaderBytes + header->length));
    if (!plain) return std::nullopt;
    std::uint32_t count = 0;
    const auto good = for_each_record(*plain, {}, [&](const Stored&) { return ++count != 0; });
    if (!good || count != header->count) return std::nullopt;
    last_ = *header;
    return Frame{static_cast<std::uint32_t>(offset), header->first, header->count,
                 std::move(*plain)};
  }
  const FrameHeader& last_header() const { return last_; }

  // Does a commit that began after `offset` hold? Then what lies at `offset` was synced before it.
  bool commit_beyond(std::uint64_t offset) {
    for (std::uint64_t at = offset + 8; at + kFrameHeaderBytes <= size_; at += 8) {
      const auto header = header_at(at);
      if (header && header->group > offset && frame_at(at)) return true;
    }
    return false;
  }

 private:
  Window window_;
  std::uint64_t size_;
  FrameCipher& cipher_;
  FrameHeader last_;
};

}  // namespace

std::string segment_name(SegmentId number, std::string_view suffix) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(number));
  return std::string(digits) + std::string(suffix);
}

std::optional<SegmentId> segment_number(std::string_view name, std::string_view suffix) {
  if (name.size() != 16 + suffix.size() || !name.ends_with(suffix)) return std::nullopt;
  SegmentId number = 0;
  const auto end = std::from_chars(name.data(), name.data() + 16, number, 16);
  if (end.ec != std::errc{} || end.ptr != name.data() + 16 || number == 0) return std::nullopt;
  return number;
}

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::create(os::Files& files,
                                                             const std::string& path,
                                                             const SegmentHeader& header,
                                                             const Key& key,
                                                             std::uint32_t fill_bytes) {
  const std::string folder = os::folder_of(path);
  const std::string temporary = path + ".tmp";
  std::unique_ptr<SegmentWriter> writer(
      new SegmentWriter(header, TRY(FrameCipher::make(header.number, key.view())), fill_bytes));
  auto made = [&]() -> Status {
    writer->file_ = TRY(files.open(temporary, os::Open::create));
    TRY(writer->file_->truncate(0));
    TRY(writer->file_->write_at(0, encode_header(header)));
    writer->filled_ = kSegmentHeaderBytes;
    TRY(writer->fill(kSegmentHeaderBytes + fill_bytes));
    TRY(writer->file_->sync());
    TRY(files.rename(temporary, path));
    return files.sync_dir(folder);
  }();
  if (made) return writer;
  // What is left would look like a segment without records at the next start; it does no harm.
  static_cast<void>(files.remove(temporary));
  static_cast<void>(files.remove(path));
  return std::unexpected(made.error());
}

Status SegmentWriter::fill(std::uint32_t to) {
  static const Bytes kZeros(64 * 1024, 0);
  while (filled_ < to) {
    const std::size_t step = std::min<std::size_t>(kZeros.size(), to - filled_);
    TRY(file_->write_at(filled_, View(kZeros).first(step)));
    filled_ += static_cast<std::uint32_t>(step);
  }
  return {};
}

Result<std::uint32_t> SegmentWriter::stage(View plain, std::uint32_t count) {
  const std::uint32_t offset = staged_end();
  const FrameHeader header{0, group_, records_ + staged_records_, count};
  TRY(cipher_.seal(offset, header, plain, staged_));
  staged_records_ += count;
  return offset;
}

Status SegmentWriter::commit(bool sync_too) {
  const std::uint32_t end = staged_end();
  TRY(file_->write_at(length_, staged_));
  if (end >= filled_) {
    filled_ = end;
    TRY(fill(end + fill_bytes_ / 2));
  }
  if (sync_too) TRY(file_->sync());
  length_ = end;
  records_ += staged_records_;
  staged_records_ = 0;
  staged_.clear();
  if (sync_too) group_ = length_;
  return {};
}

Status SegmentWriter::sync() {
  TRY(file_->sync());
  group_ = length_;
  return {};
}

Status SegmentWriter::fill_ahead() {
  if (filled_ - length_ >= fill_bytes_ / 2) return {};
  TRY(fill(length_ + fill_bytes_));
  return file_->sync();
}

void SegmentWriter::close() {
  static_cast<void>(file_->truncate(length_));
  static_cast<void>(file_->sync());
}

Result<Scan> scan_segment(const os::File& file, FrameCipher& cipher, std::uint32_t from,
                          std::optional<std::uint32_t> length,
                          const std::function<bool(Frame)>& use) {
  const std::uint64_t file_size = TRY(file.size());
  const std::uint64_t end = std::min<std::uint64_t>(length.value_or(UINT32_MAX), file_size);
  Scanner scanner(file, end, cipher);
  Scan out;
  out.length = from;
  bool salvage = length.has_value();
  for (std::uint64_t at = from; at + kFrameHeaderBytes <= end;) {
    auto frame = scanner.frame_at(at);
    if (frame && frame->first >= out.records) {
      at += scanner.last_header().file_bytes();
      out.damaged = out.damaged || (out.records != frame->first && from == kSegmentHeaderBytes);
      out.records = frame->first + frame->count;
      out.length = static_cast<std::uint32_t>(at);
      if (!use(std::move(*frame))) return out;
      continue;
    }
    if (!salvage && !scanner.commit_beyond(at)) return out;  // a torn tail, or the zeros ahead
    salvage = true;
    out.damaged = true;
    at += 8;
  }
  if (length && out.length != *length) out.damaged = true;
  return out;
}

}  // namespace holdfast::journal
