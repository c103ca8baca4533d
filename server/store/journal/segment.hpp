// Segment files: writing one, commit by commit, and reading one after a crash
// (docs/spec/journal.md, Segment and Reading after a crash).
//
// Errors of writing: disk_full, io_error. After any of them the writer is dead: close it and begin
// a new segment; the committed length stays what it was. Threads: one at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "libs/os/files.hpp"
#include "server/store/journal/frame.hpp"

namespace holdfast::journal {

std::string segment_name(SegmentId number, std::string_view suffix);  // "000000000000000a.hfj"
// The number of a name with this suffix; nothing for other names.
std::optional<SegmentId> segment_number(std::string_view name, std::string_view suffix);

class SegmentWriter final {
 public:
  // Makes the file under a temporary name, filled ahead by `fill_bytes`, syncs it, gives it its
  // name and syncs the folder.
  static Result<std::unique_ptr<SegmentWriter>> create(os::Files& files, const std::string& path,
                                                       const SegmentHeader& header, const Key& key,
                                                       std::uint32_t fill_bytes);

  // Adds a frame of `count` records to the commit under construction; it begins at the offset that
  // is returned.
  Result<std::uint32_t> stage(View plain, std::uint32_t count);
  // Writes what was staged; with `sync`, makes it and everything before it durable.
  Status commit(bool sync);
  Status sync();
  // Fills further ahead when less than half a step is left: for idle moments.
  Status fill_ahead();
  // Cuts the file to its committed length; best effort, its errors change nothing.
  void close();

  const SegmentHeader& header() const { return header_; }
  std::uint32_t length() const { return length_; }    // committed
  std::uint32_t records() const { return records_; }  // committed
  std::uint32_t staged_end() const { return length_ + static_cast<std::uint32_t>(staged_.size()); }
  bool unsynced() const { return group_ != length_; }

 private:
  SegmentWriter(SegmentHeader header, FrameCipher cipher, std::uint32_t fill_bytes)
      : header_(header), cipher_(std::move(cipher)), fill_bytes_(fill_bytes) {}
  Status fill(std::uint32_t to);

  SegmentHeader header_;
  FrameCipher cipher_;
  std::unique_ptr<os::File> file_;
  std::uint32_t fill_bytes_;
  std::uint32_t filled_ = 0;  // the file's size
  std::uint32_t length_ = kSegmentHeaderBytes;
  std::uint32_t group_ = kSegmentHeaderBytes;  // where what is not synced yet begins
  std::uint32_t records_ = 0;
  std::uint32_t staged_records_ = 0;
  Bytes staged_;
};

struct Frame {
  std::uint32_t offset = 0;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  Bytes plain;
};

struct Scan {
  std::uint32_t length = kSegmentHeaderBytes;  // of what holds
  std::uint32_t records = 0;                   // one beyond the last record's number
  bool damaged = false;                        // something committed is not there
};

// Reads frames from `from` on. `length`: the committed length if it is known, else the file's tail
// may be torn. `use` returns false to end early. Records are checked before `use` sees them.
Result<Scan> scan_segment(const os::File& file, FrameCipher& cipher, std::uint32_t from,
                          std::optional<std::uint32_t> length,
                          const std::function<bool(Frame)>& use);

}  // namespace holdfast::journal
