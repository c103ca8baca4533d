// Files of sealed events (docs/spec/events.md, Files and File): writing one, and one open for
// reading. Errors: corrupt, io_error, not_found (the key is gone). Threads: an EventFile is shared
// by any number and never changes; a FileReader or FileWriter is used by one.
#pragma once

#include <atomic>
#include <memory>

#include "libs/os/files.hpp"
#include "server/store/events/group.hpp"
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
  std::uint64_t directory_offset = 0;
  std::uint32_t directory_length = 0;
  std::uint32_t groups = 0;
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
  const std::vector<Group>& groups() const { return groups_; }
  Span received() const;
  // Removed from disk when the last user is gone.
  void remove_when_unused() { obsolete_ = true; }
  // Something of it could not be read; true for who says so first.
  bool set_damaged() { return !damaged_.exchange(true); }
  bool damaged() const { return damaged_; }

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
  std::vector<Group> groups_;
  std::atomic<bool> obsolete_ = false;
  std::atomic<bool> damaged_ = false;
};
using FilePtr = std::shared_ptr<EventFile>;

// Opens parts of one file.
class FileReader final {
 public:
  static Result<std::unique_ptr<FileReader>> make(const EventFile& file);
  Result<std::unique_ptr<Block>> block(const Group& group, std::size_t number);  // meta only
  Status add_messages(const Group& group, std::size_t number, Block& block);
  Status add_fields(const Group& group, std::size_t number, Block& block);
  // Which blocks may have the term.
  Result<BlockMask> look_up(const Group& group, std::uint64_t term);
  // All rows of a group, in order of position, with what they point into.
  struct Rows {
    std::vector<Row> rows;
    std::vector<std::unique_ptr<Block>> blocks;
  };
  Result<Rows> rows(const Group& group);

 private:
  friend class EventFile;
  FileReader(const EventFile& file, std::unique_ptr<crypto::AeadKey> key)
      : file_(file), key_(std::move(key)) {}
  friend class FileWriter;
  Result<Bytes> packed(std::uint64_t offset, std::uint32_t length);
  Result<Bytes> part(std::uint64_t offset, std::uint32_t length);
  const EventFile& file_;
  std::unique_ptr<crypto::AeadKey> key_;
  series::Compressor compressor_;
};
class FileWriter final {
 public:
  // `events`: about how many will come, to make groups of even size; 0: not known.
  static Result<std::unique_ptr<FileWriter>> create(os::Files& files, const std::string& path,
                                                    const FileName& name, const Key& key,
                                                    std::uint64_t events = 0);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;
  // In order of position. What the row points into must stay until publish(), or be held.
  Status add(const Row& row);
  void hold(std::shared_ptr<const void> what) { held_.push_back(std::move(what)); }
  // A group of another file as it is, behind all that was added.
  Status copy(FileReader& from, const Group& group);
  // Directory, trailer, sync, and the final name; the folder is not synced.
  Status publish();
  std::uint64_t events() const { return events_; }

 private:
  FileWriter(os::Files& files, std::string path) : files_(files), path_(std::move(path)) {}
  Status end_group();
  Result<BlockHead> put_block(RowPointers rows);
  Result<std::uint32_t> put_part(View plain);
  Result<std::uint32_t> put_packed(View packed);
  Status flush(std::size_t keep_below);

  os::Files& files_;
  std::string path_;
  std::unique_ptr<os::File> file_;
  std::unique_ptr<crypto::AeadKey> key_;
  series::Compressor compressor_;
  FilterBuilder filter_;
  std::vector<Row> rows_;  // of the group now
  std::size_t rows_bytes_ = 0;
  std::size_t group_events_ = kGroupEvents;
  std::vector<std::shared_ptr<const void>> held_;
  std::vector<Group> groups_;
  Bytes buffer_;
  std::uint64_t written_ = 0;
  std::uint64_t events_ = 0;
  bool published_ = false;
};

}  // namespace holdfast::events
