// Files of sealed events (docs/spec/events.md, Files and File): writing one, and one open for
// reading. Errors: corrupt, io_error, not_found (the key is gone). Threads: an EventFile is shared
// by any number and never changes; a FileReader or FileWriter is used by one.
#pragma once

#include <atomic>
#include <memory>

#include "libs/os/files.hpp"
#include "server/store/events/block.hpp"
#include "server/store/journal/key_source.hpp"
#include "server/store/series/compress.hpp"

namespace holdfast::events {

using journal::Key;
using journal::KeyId;
using journal::KeySource;
using journal::SegmentId;

inline constexpr std::size_t kFileHeaderBytes = 64;
inline constexpr std::size_t kTrailerBytes = 40;

struct FileName {
  SegmentId first = 0;
  SegmentId last = 0;
  auto operator<=>(const FileName&) const = default;
  bool covers(const FileName& other) const {
    return first <= other.first && other.last <= last && *this != other;
  }
};
std::string file_name_text(const FileName& name);  // "0000000000000001-0000000000000009.hfe"
std::optional<FileName> parse_file_name(std::string_view text);
std::string key_purpose(const FileName& name);  // "events:0000000000000001-0000000000000009"

struct FileHeader {
  FileName name;
  KeyId key = 0;
};
Bytes encode_file_header(const FileHeader& header);
Result<FileHeader> decode_file_header(View bytes);
Result<FileHeader> read_file_header(os::Files& files, const std::string& path);
struct Trailer {
  std::uint64_t index_offset = 0;
  std::uint32_t index_length = 0;
  std::uint32_t blocks = 0;
  std::uint64_t events = 0;
};
Bytes encode_trailer(const Trailer& trailer);
Result<Trailer> decode_trailer(View bytes);

class EventFile final {
 public:
  static Result<std::shared_ptr<EventFile>> open(os::Files& files, const std::string& path,
                                                 const FileName& name, KeySource& keys);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  const FileName& name() const { return header_.name; }
  const std::string& path() const { return path_; }
  KeyId key() const { return header_.key; }
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t events() const { return trailer_.events; }
  const std::vector<IndexEntry>& index() const { return index_; }
  // Removed from disk when the last user is gone.
  void remove_when_unused() { obsolete_ = true; }

 private:
  friend class FileReader;
  EventFile(os::Files& files, std::string path) : files_(files), path_(std::move(path)) {}
  os::Files& files_;
  std::string path_;
  std::unique_ptr<os::File> file_;
  std::uint64_t bytes_ = 0;
  FileHeader header_;
  Trailer trailer_;
  Key secret_;
  std::vector<IndexEntry> index_;
  std::atomic<bool> obsolete_ = false;
};
using FilePtr = std::shared_ptr<EventFile>;

// Opens the parts of one file's blocks.
class FileReader final {
 public:
  static Result<std::unique_ptr<FileReader>> make(const EventFile& file);
  Result<Meta> meta(const IndexEntry& entry);
  Result<Bytes> messages(const IndexEntry& entry);  // for decode_texts()
  Result<Bytes> fields(const IndexEntry& entry);
  Result<std::vector<Row>> rows(const IndexEntry& entry);  // all of the block

 private:
  friend class EventFile;
  FileReader(const EventFile& file, std::unique_ptr<crypto::AeadKey> key)
      : file_(file), key_(std::move(key)) {}
  Result<Bytes> part(std::uint64_t offset, std::uint32_t length);
  const EventFile& file_;
  std::unique_ptr<crypto::AeadKey> key_;
  series::Compressor compressor_;
};
// Row i of a block whose parts are decoded.
Row make_row(const Meta& meta, std::size_t i, std::string_view message, std::string_view fields);

class FileWriter final {
 public:
  static Result<std::unique_ptr<FileWriter>> create(os::Files& files, const std::string& path,
                                                    const FileName& name, const Key& key);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;
  Status add(Row row);  // in order of position
  // Index, trailer, sync, and the final name; the folder is not synced.
  Status publish();
  std::uint64_t events() const { return events_; }

 private:
  FileWriter(os::Files& files, std::string path) : files_(files), path_(std::move(path)) {}
  Status end_block();
  Result<std::uint32_t> put_part(View plain);
  Status flush(std::size_t keep_below);

  os::Files& files_;
  std::string path_;
  std::unique_ptr<os::File> file_;
  std::unique_ptr<crypto::AeadKey> key_;
  series::Compressor compressor_;
  std::vector<Row> rows_;
  std::vector<IndexEntry> index_;
  Bytes buffer_;
  std::uint64_t written_ = 0;
  std::uint64_t events_ = 0;
  bool published_ = false;
};

}  // namespace holdfast::events
