// Headroom: a file of zeros whose removal gives a full disk back some room, so that audit, commands
// and retention go on while readings wait (docs/spec/journal.md, Files).
// Threads: the committer's.
#pragma once

#include <string>

#include "libs/os/files.hpp"

namespace holdfast::journal {

class Headroom final {
 public:
  Headroom(os::Files& files, std::string path, std::uint64_t bytes)
      : files_(files), path_(std::move(path)), bytes_(bytes) {}

  // Makes the file if it is missing and leaves at least as much room besides; else does nothing.
  void reserve();
  // Removes it: the disk is full.
  void release();
  // Is there room for `bytes` more, without touching what is kept free for others?
  bool room_for(std::uint64_t bytes) const;
  bool reserved() const { return reserved_; }

 private:
  Status make();
  os::Files& files_;
  std::string path_;
  std::uint64_t bytes_;
  bool reserved_ = false;
};

}  // namespace holdfast::journal
