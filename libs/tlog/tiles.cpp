#include "libs/tlog/tiles.hpp"

#include <algorithm>
#include <cstdio>

#include "libs/tlog/note.hpp"

namespace holdfast::tlog {

namespace {

constexpr unsigned kTileHeight = 8;
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kBundleBytesMax = kTileWidth * (2 + kEntryBytesMax);

std::string index_text(std::uint64_t index) {
  char digits[8];
  std::snprintf(digits, sizeof digits, "%03u", static_cast<unsigned>(index % 1'000));
  std::string text = digits;
  for (index /= 1'000; index > 0; index /= 1'000) {
    std::snprintf(digits, sizeof digits, "x%03u/", static_cast<unsigned>(index % 1'000));
    text = digits + text;
  }
  return text;
}

std::string widened(std::string path, std::uint64_t width) {
  if (width != kTileWidth) path += ".p/" + std::to_string(width);
  return path;
}

// How many nodes of the tile's lowest level the tree of `size` has, and how many of them lie in
// tile `index`.
std::uint64_t nodes_at(unsigned level, std::uint64_t size) {
  const unsigned shift = kTileHeight * level;
  return shift >= 64 ? 0 : size >> shift;
}
std::uint64_t width_of(unsigned level, std::uint64_t index, std::uint64_t size) {
  const std::uint64_t nodes = nodes_at(level, size);
  const std::uint64_t before = index * kTileWidth;
  return nodes <= before ? 0 : std::min(kTileWidth, nodes - before);
}

Bytes joined(const std::vector<Hash>& hashes) {
  Bytes bytes;
  bytes.reserve(hashes.size() * kHashBytes);
  for (const Hash& hash : hashes) append(bytes, hash);
  return bytes;
}

// A new folder's name is on disk after a sync of its parent, and so on upwards.
Status make_durable_folder(os::Files& files, const std::string& folder) {
  std::vector<std::string> missing;
  for (std::string at = folder; !at.empty() && at != "/" && !os::exists(files, at);
       at = os::folder_of(at)) {
    missing.push_back(at);
  }
  if (missing.empty()) return {};
  TRY(files.make_folder(folder));
  for (const std::string& made : missing) TRY(files.sync_dir(os::folder_of(made)));
  return {};
}

// The root of a run of 2^n nodes.
Hash fold(std::vector<Hash> hashes) {
  while (hashes.size() > 1) {
    for (std::size_t i = 0; i < hashes.size() / 2; ++i)
      hashes[i] = node_hash(hashes[2 * i], hashes[2 * i + 1]);
    hashes.resize(hashes.size() / 2);
  }
  return hashes.front();
}

}  // namespace

std::string tile_path(unsigned level, std::uint64_t index, std::uint64_t width) {
  return widened("tile/" + std::to_string(level) + "/" + index_text(index), width);
}

std::string entries_path(std::uint64_t index, std::uint64_t width) {
  return widened("tile/entries/" + index_text(index), width);
}

Result<std::vector<Bytes>> parse_bundle(View bundle, std::uint64_t width) {
  ByteReader reader(bundle);
  std::vector<Bytes> entries;
  while (!reader.done()) {
    if (entries.size() == width)
      return fail(Code::corrupt, "an entry bundle holds more than its width");
    const auto length = TRY(reader.be<std::uint16_t>());
    const View bytes = TRY(reader.take(length));
    entries.emplace_back(bytes.begin(), bytes.end());
  }
  if (entries.size() != width)
    return fail(Code::corrupt, "an entry bundle holds less than its width");
  return entries;
}

Status Tiles::write(const std::string& path, View content) {
  const std::string full = os::join(folder_, path);
  TRY(make_durable_folder(files_, os::folder_of(full)));
  return os::replace_file(files_, full, content);
}

Status Tiles::write_entries(std::uint64_t size, const std::vector<Bytes>& entries) {
  std::uint64_t index = size / kTileWidth;
  std::vector<Bytes> bundle;
  if (size % kTileWidth != 0) bundle = TRY(this->entries(index, size));
  std::size_t taken = 0;
  while (taken < entries.size()) {
    while (taken < entries.size() && bundle.size() < kTileWidth) bundle.push_back(entries[taken++]);
    Bytes bytes;
    for (const Bytes& entry : bundle) {
      if (entry.size() > kEntryBytesMax)
        return fail(Code::internal, "an entry is longer than a bundle can say");
      store_be(bytes, static_cast<std::uint16_t>(entry.size()));
      append(bytes, entry);
    }
    TRY(write(entries_path(index, bundle.size()), bytes));
    ++index;
    bundle.clear();
  }
  return {};
}

// `hashes` are the nodes from `first` on; each tile that they fill gives one node of the next
// level.
Status Tiles::extend_level(unsigned level, std::uint64_t first, std::vector<Hash> hashes) {
  while (!hashes.empty()) {
    std::uint64_t index = first / kTileWidth;
    const std::uint64_t next_first = index;
    std::vector<Hash> tile;
    if (first % kTileWidth != 0)
      tile = TRY(read_tile(level, index, first << (kTileHeight * level)));
    std::vector<Hash> next;
    std::size_t taken = 0;
    while (taken < hashes.size()) {
      while (taken < hashes.size() && tile.size() < kTileWidth) tile.push_back(hashes[taken++]);
      TRY(write(tile_path(level, index, tile.size()), joined(tile)));
      if (tile.size() == kTileWidth) next.push_back(fold(tile));
      ++index;
      tile.clear();
    }
    ++level;
    first = next_first;
    hashes = std::move(next);
  }
  return {};
}

Status Tiles::extend(std::uint64_t size, const std::vector<Bytes>& entries) {
  if (entries.empty()) return {};
  TRY(write_entries(size, entries));
  std::vector<Hash> leaves;
  leaves.reserve(entries.size());
  for (const Bytes& entry : entries) leaves.push_back(leaf_hash(entry));
  return extend_level(0, size, std::move(leaves));
}

Status Tiles::drop_partials(std::uint64_t old_size, std::uint64_t size) {
  const auto drop = [&](const std::string& path) -> Status {
    const std::string full = os::join(folder_, path);
    const Status removed = files_.remove(full);
    if (!removed && removed.error().code != Code::not_found) return removed;
    (void)files_.remove(os::folder_of(full));  // the ".p" folder, when it is empty
    return {};
  };
  for (unsigned level = 0; nodes_at(level, old_size) > 0; ++level) {
    const std::uint64_t index = nodes_at(level, old_size) / kTileWidth;
    const std::uint64_t width = width_of(level, index, old_size);
    if (width == 0 || width == width_of(level, index, size)) continue;
    TRY(drop(tile_path(level, index, width)));
    if (level == 0) TRY(drop(entries_path(index, width)));
  }
  return {};
}

Result<std::vector<Hash>> Tiles::read_tile(unsigned level, std::uint64_t index,
                                           std::uint64_t size) const {
  const std::uint64_t width = width_of(level, index, size);
  if (width == 0) return fail(Code::internal, "the tree has no such tile");
  const std::string path = os::join(folder_, tile_path(level, index, width));
  const Bytes bytes =
      TRY(with_context(os::read_file(files_, path, kTileWidth * kHashBytes), "reading a tile"));
  if (bytes.size() != width * kHashBytes)
    return fail(Code::corrupt, path + " is not as long as a tile of its width");
  std::vector<Hash> hashes(width);
  for (std::size_t i = 0; i < width; ++i)
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(i * kHashBytes), kHashBytes,
                hashes[i].begin());
  return hashes;
}

Result<Hash> Tiles::node(unsigned level, std::uint64_t index, std::uint64_t size) const {
  const unsigned tile_level = level / kTileHeight;
  const unsigned above = level % kTileHeight;  // levels above the tile's lowest
  const std::uint64_t first = index << above;
  const auto tile = TRY(read_tile(tile_level, first / kTileWidth, size));
  const std::size_t begin = first % kTileWidth;
  const std::size_t count = std::size_t{1} << above;
  if (begin + count > tile.size()) return fail(Code::internal, "the tree has no such node");
  return fold({tile.begin() + static_cast<std::ptrdiff_t>(begin),
               tile.begin() + static_cast<std::ptrdiff_t>(begin + count)});
}

Result<Hash> Tiles::root(std::uint64_t size) const {
  return root_of(size,
                 [&](unsigned level, std::uint64_t index) { return node(level, index, size); });
}

Result<std::vector<Hash>> Tiles::inclusion(std::uint64_t index, std::uint64_t size) const {
  return inclusion_path(index, size,
                        [&](unsigned level, std::uint64_t at) { return node(level, at, size); });
}

Result<std::vector<Bytes>> Tiles::entries(std::uint64_t index, std::uint64_t size) const {
  const std::uint64_t width = width_of(0, index, size);
  const std::string path = os::join(folder_, entries_path(index, width));
  const Bytes bundle =
      TRY(with_context(os::read_file(files_, path, kBundleBytesMax), "reading entries"));
  return with_context(parse_bundle(bundle, width), path);
}

Status Tiles::write_checkpoint(std::string_view note) {
  return write("checkpoint", view_of(note));
}

Result<std::string> Tiles::read_checkpoint() const {
  const Bytes note = TRY(os::read_file(files_, os::join(folder_, "checkpoint"), kNoteBytesMax));
  return string_of(note);
}

}  // namespace holdfast::tlog
