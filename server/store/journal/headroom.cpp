#include "server/store/journal/headroom.hpp"

#include <algorithm>

namespace holdfast::journal {

void Headroom::reserve() {
  if (reserved_ || bytes_ == 0) return;
  const auto there = files_.stat(path_);
  if (there && there->size == bytes_) {
    reserved_ = true;
    return;
  }
  const auto space = files_.space(os::folder_of(path_));
  if (!space || space->free_bytes / 2 < bytes_) return;
  if (make()) {
    reserved_ = true;
  } else {
    static_cast<void>(files_.remove(path_));
  }
}

Status Headroom::make() {
  const auto file = TRY(files_.open(path_, os::Open::create));
  const Bytes zeros(256 * 1024, 0);
  for (std::uint64_t at = 0; at < bytes_;) {
    const auto step = std::min<std::uint64_t>(zeros.size(), bytes_ - at);
    TRY(file->write_at(at, View(zeros).first(static_cast<std::size_t>(step))));
    at += step;
  }
  return file->sync();
}

void Headroom::release() {
  reserved_ = false;
  static_cast<void>(files_.remove(path_));
  static_cast<void>(files_.sync_dir(os::folder_of(path_)));
}

bool Headroom::room_for(std::uint64_t bytes) const {
  const auto space = files_.space(os::folder_of(path_));
  if (!space) return true;
  const std::uint64_t kept = reserved_ ? 0 : bytes_;
  return space->free_bytes >= bytes + kept;
}

}  // namespace holdfast::journal
