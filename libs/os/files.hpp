// Files: all of the disk that Holdfast sees, small enough to simulate with torn writes, full disks
// and power cuts. Paths are absolute or relative UTF-8 strings with '/'. Thread-safe, except that
// one File is used by one thread at a time for writing; read_at may run beside it from any thread.
//
// Durability: data is on disk after sync(); a created, renamed or removed name is on disk after
// sync_dir() of its folder. After an error of sync() the file's unsynced content is unknown: write
// a new file, never retry on the same one.
// Errors: not_found, already_exists, disk_full (ENOSPC, EDQUOT), io_error, forbidden.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/base/time.hpp"

namespace holdfast::os {

class File {
 public:
  virtual ~File() = default;  // closes, without sync
  // Up to size bytes from offset; fewer only at the end of the file.
  virtual Result<Bytes> read_at(std::uint64_t offset, std::size_t size) const = 0;
  virtual Status write_at(std::uint64_t offset, View bytes) = 0;  // all or an error
  virtual Status sync() = 0;                                      // fdatasync
  virtual Status truncate(std::uint64_t size) = 0;
  virtual Result<std::uint64_t> size() const = 0;
  virtual int descriptor() const = 0;  // -1 in a simulation
};

enum class Open {
  read,        // must exist
  write,       // read and write; must exist
  create,      // read and write; made if missing, mode 0600
  create_new,  // fails with already_exists
};

struct Entry {
  std::string name;  // without the folder
  bool folder = false;
  std::uint64_t size = 0;  // of a folder: 0
};

struct Space {
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;
};

class Files {
 public:
  virtual ~Files() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, Open mode) = 0;
  virtual Status rename(const std::string& from,
                        const std::string& to) = 0;    // replaces, atomically
  virtual Status remove(const std::string& path) = 0;  // a file or an empty folder
  virtual Result<std::vector<Entry>> list(const std::string& folder) = 0;  // sorted by name
  virtual Status make_folder(const std::string& path) = 0;  // 0700, parents too; fine if there
  virtual Status sync_dir(const std::string& folder) = 0;
  virtual Result<Entry> stat(const std::string& path) = 0;
  virtual Result<Space> space(const std::string& path) = 0;
};

// Built on the above, for real and simulated files alike.
// To the end; invalid_argument when there is more than size_max.
Result<Bytes> read_file(Files& files, const std::string& path, std::size_t size_max);
// New content or old, never a mixture, also across a power cut: writes `path.tmp`, syncs, renames,
// syncs the folder.
Status replace_file(Files& files, const std::string& path, View content);
bool exists(Files& files, const std::string& path);
Status remove_tree(Files& files, const std::string& path);
std::string folder_of(std::string_view path);
std::string join(std::string_view folder, std::string_view name);

}  // namespace holdfast::os
