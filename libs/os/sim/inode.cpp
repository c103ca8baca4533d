#include "libs/os/sim/inode.hpp"

#include <algorithm>
#include <span>

namespace holdfast::os::sim {
namespace {

void put(Bytes& content, std::uint64_t at, View bytes) {
  const auto end = static_cast<std::size_t>(at) + bytes.size();
  if (content.size() < end) content.resize(end);
  std::ranges::copy(bytes, content.begin() + static_cast<std::ptrdiff_t>(at));
}

void redo(Bytes& content, const Change& change) {
  if (change.truncates()) {
    content.resize(static_cast<std::size_t>(change.at));
  } else {
    put(content, change.at, change.bytes);
  }
}

// Calls use(sector, offset, bytes) for each part of the write that lies in one sector.
template <class F>
void for_sectors(const Change& write, F&& use) {
  std::uint64_t at = write.at;
  View left = write.bytes;
  while (!left.empty()) {
    const std::uint64_t in_sector = kSectorSize - at % kSectorSize;
    const View part = left.first(std::min(static_cast<std::size_t>(in_sector), left.size()));
    use(at / kSectorSize, at, part);
    at += part.size();
    left = left.subspan(part.size());
  }
}

// The first changes whole, the next torn: some of its sectors, from the front.
Bytes keep_prefix(Bytes content, std::span<const Change> changes, Random& random) {
  const auto whole = static_cast<std::size_t>(random.below(changes.size()));
  for (const Change& change : changes.first(whole)) redo(content, change);
  const Change& torn = changes[whole];
  std::uint64_t sectors = random.below(torn.bytes.size() / kSectorSize + 2);
  for_sectors(torn, [&](std::uint64_t, std::uint64_t at, View part) {
    if (sectors == 0) return;
    --sectors;
    put(content, at, part);
  });
  return content;
}

// Each sector at any moment of its history, and the size likewise. A truncate is a change of the
// file's size: those before it in time do not outlive it.
Bytes keep_any(Bytes content, std::span<const Change> changes, Random& random) {
  std::vector<std::size_t> ends;  // where the durable history may stop
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (changes[i].truncates()) ends.push_back(i);
  }
  ends.push_back(changes.size());
  changes = changes.first(ends[static_cast<std::size_t>(random.below(ends.size()))]);

  std::map<std::uint64_t, std::uint64_t> writes;  // of each sector
  for (const Change& change : changes) {
    for_sectors(change, [&](std::uint64_t sector, std::uint64_t, View) { ++writes[sector]; });
  }
  for (auto& [sector, count] : writes) count = random.below(count + 1);  // how many are kept

  std::vector<std::uint64_t> sizes{content.size()};
  for (const Change& change : changes) {
    if (change.truncates()) {
      redo(content, change);
      sizes.assign(1, change.at);
      continue;
    }
    for_sectors(change, [&](std::uint64_t sector, std::uint64_t at, View part) {
      std::uint64_t& left = writes[sector];
      if (left == 0) return;
      --left;
      put(content, at, part);
    });
    sizes.push_back(std::max<std::uint64_t>(sizes.back(), change.at + change.bytes.size()));
  }
  content.resize(
      static_cast<std::size_t>(sizes[static_cast<std::size_t>(random.below(sizes.size()))]));
  return content;
}

}  // namespace

void Inode::change(Change change) {
  redo(seen, change);
  unsynced_bytes += change.bytes.size();
  unsynced.push_back(std::move(change));
  if (unsynced.size() <= kUnsyncedWritesMax && unsynced_bytes <= kUnsyncedBytesMax) return;
  const auto half = static_cast<std::ptrdiff_t>((unsynced.size() + 1) / 2);
  for (const Change& old : std::span(unsynced).first(static_cast<std::size_t>(half))) {
    redo(durable, old);
    unsynced_bytes -= old.bytes.size();
  }
  unsynced.erase(unsynced.begin(), unsynced.begin() + half);
}

void Inode::sync() {
  for (const Change& change : unsynced) redo(durable, change);
  unsynced.clear();
  unsynced_bytes = 0;
}

Bytes Inode::settle(Random& random) const {
  if (unsynced.empty()) return durable;
  Bytes content = durable;
  switch (random.below(4)) {
    case 0:
      return content;
    case 1:
      for (const Change& change : unsynced) redo(content, change);
      return content;
    case 2:
      return keep_prefix(std::move(content), unsynced, random);
    default:
      return keep_any(std::move(content), unsynced, random);
  }
}

}  // namespace holdfast::os::sim
