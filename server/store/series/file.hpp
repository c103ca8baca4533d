// Series files (docs/spec/series.md, Files and File): names, directories, and one open for reading.
//
// A unit is what one device reported about one subject; its blocks open with the subject's key
// only. Errors: corrupt, io_error, not_found (the unit's key is gone). Threads: a SeriesFile is
// shared by any number; it never changes.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/os/files.hpp"
#include "server/store/journal/key_source.hpp"
#include "server/store/journal/record.hpp"
#include "server/store/series/column.hpp"

namespace holdfast::series {

using journal::Key;
using journal::KeyId;
using journal::KeySource;
using journal::SegmentId;

inline constexpr std::size_t kFileHeaderBytes = 64;
inline constexpr std::size_t kUnitBytes = 52;
inline constexpr std::size_t kTrailerBytes = 32;
inline constexpr std::size_t kInlineMax = 256;    // plain bytes that lie in the directory itself
inline constexpr std::size_t kEdgeTextMax = 256;  // of a first or last value
inline constexpr std::size_t kDirectoryBytesMax = 16 * 1024 * 1024;
inline constexpr std::size_t kSaltBytes = 16;

// What a file holds, as its name and its header say.
struct FileName {
  std::int64_t day = 0;
  ClassId retention = 0;
  SegmentId first = 0;
  SegmentId last = 0;
  bool rollup = false;  // of the points, not the points themselves
  auto operator<=>(const FileName&) const = default;
  // Does this one hold all that the other does? A roll-up stands for points, never the reverse.
  bool covers(const FileName& other) const {
    return day == other.day && retention == other.retention && first <= other.first &&
           other.last <= last && rollup >= other.rollup && *this != other;
  }
};
std::string file_name_text(
    const FileName& name);  // "000-0000000000000001-0000000000000009.hfc" or .hfr, without the day
std::optional<FileName> parse_file_name(std::int64_t day, std::string_view name);
std::optional<std::int64_t> parse_day(std::string_view text);  // "2026-11-24"

struct Unit {
  Ulid device{};
  Ulid subject{};
  KeyId key = 0;
  std::uint64_t directory_offset = 0;
  std::uint32_t directory_length = 0;
};

struct Ref {
  std::uint64_t offset = 0;
  std::uint32_t length = 0;
  Bytes inlined;  // the plain bytes, when they lie in the directory
};

struct ColumnInfo {
  std::string field;
  std::uint8_t kinds = 0;  // bit k: kind k occurs
  std::uint32_t values = 0;
  std::uint32_t numbers = 0;
  double min = 0, max = 0, sum = 0;
  std::optional<Value> first, last;  // nothing: a text too long for the directory
  Ref ref;
};
struct GroupInfo {
  std::uint32_t rows = 0;
  std::int64_t first = 0, last = 0;  // times
  Ref times;
  std::vector<ColumnInfo> columns;  // by field

  const ColumnInfo* find(std::string_view field) const;
};
struct StreamInfo {
  std::string name;
  std::vector<GroupInfo> groups;  // by time
};
struct Directory {
  std::vector<StreamInfo> streams;  // by name
  const StreamInfo* find(std::string_view stream) const;
  std::size_t memory() const;
};
Bytes encode_directory(const Directory& directory);
Result<Directory> decode_directory(View plain);

using Salt = std::array<std::uint8_t, kSaltBytes>;
// The key of one subject's blocks in the file with this salt, and the nonce of the block at an
// offset.
Result<Bytes> unit_key(const Key& subject_key, const Salt& salt);
std::array<std::uint8_t, crypto::kAeadNonceBytes> block_nonce(std::uint64_t offset);

struct FileHeader {
  FileName name;
  Salt salt{};
};
Bytes encode_file_header(const FileHeader& header);
Result<FileHeader> decode_file_header(View bytes);
struct Trailer {
  std::uint64_t footer_offset = 0;
  std::uint32_t units = 0;
  std::uint32_t footer_crc = 0;
};
Bytes encode_trailer(const Trailer& trailer);
Result<Trailer> decode_trailer(View bytes);
void put_unit(Bytes& out, const Unit& unit);
Result<std::vector<Unit>> decode_footer(View bytes, const Trailer& trailer);

// A unit ready to be read: its directory and what opens its blocks.
struct OpenUnit {
  Unit unit;
  Directory directory;
  Bytes key;  // of AES-256-GCM
  ~OpenUnit() { crypto::wipe(key); }
};

// Opens blocks of one unit for one thread.
class SeriesFile;
class BlockReader final {
 public:
  // The compressor must outlive it.
  static Result<std::unique_ptr<BlockReader>> make(const SeriesFile& file, const OpenUnit& unit,
                                                   Compressor& compressor);
  Result<Bytes> read(const Ref& ref);  // plain
  Result<Times> times(const GroupInfo& group);
  Result<Column> column(const GroupInfo& group, const ColumnInfo& column);

 private:
  BlockReader(const SeriesFile& file, std::unique_ptr<crypto::AeadKey> key, Compressor& compressor)
      : file_(file), key_(std::move(key)), compressor_(compressor) {}
  const SeriesFile& file_;
  std::unique_ptr<crypto::AeadKey> key_;
  Compressor& compressor_;
};

class SeriesFile final {
 public:
  // Checks header and trailer, and that they are what `name` says.
  static Result<std::shared_ptr<SeriesFile>> open(os::Files& files, const std::string& path,
                                                  const FileName& name);
  ~SeriesFile();
  SeriesFile(const SeriesFile&) = delete;
  SeriesFile& operator=(const SeriesFile&) = delete;

  const FileName& name() const { return header_.name; }
  const std::string& path() const { return path_; }
  std::uint64_t bytes() const { return bytes_; }
  std::uint32_t units() const { return trailer_.units; }

  Result<std::vector<Unit>> footer() const;
  // not_found: the key was destroyed.
  Result<std::shared_ptr<const OpenUnit>> open_unit(const Unit& unit, KeySource& keys,
                                                    Compressor& compressor) const;
  Result<Bytes> read(std::uint64_t offset, std::size_t size) const;
  // Removed from disk when the last user is gone.
  void remove_when_unused() { obsolete_ = true; }

 private:
  SeriesFile(os::Files& files, std::string path) : files_(files), path_(std::move(path)) {}
  os::Files& files_;
  std::string path_;
  std::unique_ptr<os::File> file_;
  std::uint64_t bytes_ = 0;
  FileHeader header_;
  Trailer trailer_;
  std::atomic<bool> obsolete_ = false;
};
using FilePtr = std::shared_ptr<SeriesFile>;

}  // namespace holdfast::series
