// Writes one series file: units in order of device and subject, their streams in order of name,
// rows in order of time. The file appears under its name with publish(), complete and synced; a
// writer that is dropped before leaves only a temporary name. Threads: one at a time.
#pragma once

#include "libs/os/entropy.hpp"
#include "server/store/series/file.hpp"
#include "server/store/series/rows.hpp"

namespace holdfast::series {

class FileWriter final {
 public:
  static Result<std::unique_ptr<FileWriter>> create(os::Files& files, os::Entropy& entropy,
                                                    const std::string& path, const FileName& name);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;
  Status begin_unit(const Ulid& device, const Ulid& subject, const Key& key);
  // Any number of rows, ordered; split into groups here. Times of one stream never step back.
  Status add_rows(std::string_view stream, const Rows& rows);
  Status end_unit();
  // Footer, trailer, sync, and the final name; the folder is not synced.
  Status publish();
  std::uint64_t points() const { return points_; }

 private:
  FileWriter(os::Files& files, std::string path) : files_(files), path_(std::move(path)) {}
  Status add_group(StreamInfo& stream, const Rows& rows);
  Result<Ref> put_block(View plain);
  Status put_sealed(View plain, Ref& ref);
  Status flush(std::size_t keep_below);

  os::Files& files_;
  std::string path_;
  std::unique_ptr<os::File> file_;
  FileHeader header_;
  Bytes buffer_;               // not yet written
  std::uint64_t written_ = 0;  // the buffer's place in the file
  std::vector<Unit> units_;
  std::unique_ptr<crypto::AeadKey> key_;
  Directory directory_;
  Compressor compressor_;
  std::uint64_t points_ = 0;
  bool published_ = false;
};

}  // namespace holdfast::series
