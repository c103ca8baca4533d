// The tree on disk in the layout of C2SP tlog-tiles (tiles of height 8), below one folder:
//
//   tile/<level>/<index>           256 hashes: the nodes (8 * level, index * 256 + 0..255)
//   tile/<level>/<index>.p/<width>  a tile that is not full yet
//   tile/entries/<index>[.p/<width>]  256 entries: length u16 big-endian and bytes, each
//   checkpoint                     the newest signed note
//
// <index> is written in groups of three digits: 1234067 is x001/x234/067. Tiles are written once,
// full ones never change; partial ones are replaced by wider ones. All of it can be made again from
// the entries.
// Errors: corrupt (a tile is missing or has the wrong size), and those of os::Files.
// Threads: one writer; reads from any thread beside it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libs/os/files.hpp"
#include "libs/tlog/merkle.hpp"

namespace holdfast::tlog {

inline constexpr std::uint64_t kTileWidth = 256;
inline constexpr std::size_t kEntryBytesMax = 65'535;

// "tile/0/x001/x234/067", "tile/1/000.p/5"; width 256 is a full tile.
std::string tile_path(unsigned level, std::uint64_t index, std::uint64_t width);
std::string entries_path(std::uint64_t index, std::uint64_t width);

class Tiles {
 public:
  Tiles(os::Files& files, std::string folder) : files_(files), folder_(std::move(folder)) {}

  // Grows the tree from `size` by these entries; durable when it returns. What lies behind `size`
  // on disk, from a write that a crash cut, is written over.
  Status extend(std::uint64_t size, const std::vector<Bytes>& entries);
  // Removes the partial tiles of the tree of `old_size` that are not part of the one of `size`.
  Status drop_partials(std::uint64_t old_size, std::uint64_t size);

  // In the tree of `size`:
  Result<Hash> node(unsigned level, std::uint64_t index, std::uint64_t size) const;
  Result<Hash> root(std::uint64_t size) const;
  Result<std::vector<Hash>> inclusion(std::uint64_t index, std::uint64_t size) const;
  // The entries of the tile `index`.
  Result<std::vector<Bytes>> entries(std::uint64_t index, std::uint64_t size) const;

  Status write_checkpoint(std::string_view note);
  Result<std::string> read_checkpoint() const;  // not_found if there is none

 private:
  Result<std::vector<Hash>> read_tile(unsigned level, std::uint64_t index,
                                      std::uint64_t size) const;
  Status extend_level(unsigned level, std::uint64_t first, std::vector<Hash> hashes);
  Status write_entries(std::uint64_t size, const std::vector<Bytes>& entries);
  Status write(const std::string& path, View content);

  os::Files& files_;
  std::string folder_;
};

// Splits an entry bundle; corrupt if it does not hold exactly `width` entries.
Result<std::vector<Bytes>> parse_bundle(View bundle, std::uint64_t width);

}  // namespace holdfast::tlog
