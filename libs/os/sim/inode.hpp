// Inode: one file or folder of a simulated disk, as its program sees it and as it is on disk.
// Inside the simulation only. Threads: one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/os/sim/random.hpp"

namespace holdfast::os::sim {

inline constexpr std::uint64_t kSectorSize = 512;  // bytes that are written whole or not at all
// Beyond these the oldest unsynced changes reach the disk by themselves, as by any kernel.
inline constexpr std::size_t kUnsyncedWritesMax = 1024;       // a file
inline constexpr std::uint64_t kUnsyncedBytesMax = 16 << 20;  // a file

struct Change {          // a write, or a truncate when there are no bytes
  std::uint64_t at = 0;  // offset, or the new size
  Bytes bytes;
  bool truncates() const { return bytes.empty(); }
};

struct Inode {
  bool folder = false;
  bool linked = true;  // has a name: counts against the disk's capacity
  std::string label;   // the path it was made under, for the trace

  Bytes seen;     // what readers get
  Bytes durable;  // what is on disk for certain
  std::vector<Change> unsynced;
  std::uint64_t unsynced_bytes = 0;

  std::map<std::string, std::shared_ptr<Inode>> names;
  std::map<std::string, std::shared_ptr<Inode>> durable_names;

  void change(Change change);
  void sync();
  // What a power cut, or a failing sync, leaves on disk: durable, with any of the unsynced changes.
  Bytes settle(Random& random) const;
};

}  // namespace holdfast::os::sim
