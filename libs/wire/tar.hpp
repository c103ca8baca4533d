// POSIX tar archives (IEEE 1003.1-2008 pax, ustar interchange format): regular files only, as backups
// are made of. Headers are blocks of 512 bytes; content follows, padded to whole blocks; two zero
// blocks end the archive. Sizes of 8 GiB and more take a pax header before the file's own.
// Errors: Code::corrupt for what is no header; Code::invalid_argument for a name that tar cannot hold.
// Pure; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "libs/base/bytes.hpp"
#include "libs/base/time.hpp"

namespace holdfast::wire {

inline constexpr std::size_t kTarBlock = 512;
inline constexpr std::size_t kTarNameMax = 100;  // bytes; relative, no empty, "." or ".." parts

struct TarMember {
  std::string name;
  std::uint64_t size = 0;
  WallTime modified;
};

// One or three blocks: the header, with a pax header before it where the size needs one.
Result<Bytes> tar_header(const TarMember& member);
// Zero bytes between the end of the content and the next header.
std::size_t tar_padding(std::uint64_t size);
Bytes tar_end();  // two zero blocks

// Reads headers one after another; the caller reads or skips the content in between.
class TarHeaders {
 public:
  enum class Kind { file, more, end };  // more: a pax header, whose content is given to extend()
  struct Next {
    Kind kind = Kind::end;
    TarMember member;  // of kind more: only its size counts
  };
  Result<Next> next(View block);
  Status extend(View pax);  // the content of a header of kind more

 private:
  std::optional<std::uint64_t> size_;
};

// May a name from an archive be joined to a folder? Relative, without empty, "." or ".." parts.
bool safe_tar_name(std::string_view name);

}  // namespace holdfast::wire
