// ArchiveReader: a backup's archive as it comes, checked: a tar whose last member COMPLETE holds
// the digest of all that stands before it. Give it the bytes in any pieces; what it tells of
// members is worth something only after end() was fine. Errors: backup_incomplete, corrupt. Belongs
// to one thread.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "libs/base/bytes.hpp"
#include "libs/crypto/hash.hpp"
#include "libs/wire/tar.hpp"

namespace holdfast::cli {

inline constexpr std::uint64_t kArchiveHeaderMax =
    64 * 1024;  // bytes of COMPLETE and of pax headers

struct ArchiveInfo {
  std::string backup_id;
  std::string created_at;
  std::string version;
  std::uint64_t members = 0;
  std::uint64_t bytes = 0;
};

class ArchiveReader {
 public:
  // Any may be null. Names are safe to join to a folder.
  std::function<Status(const std::string& name, std::uint64_t size)> on_member;
  std::function<Status(View content)> on_content;
  std::function<Status()> on_end;  // of a member

  Status feed(View bytes);
  Result<ArchiveInfo> end();

 private:
  enum class State { header, pax, content, padding, complete, complete_padding, over };
  Result<std::size_t> step(View bytes);
  Status header();
  Status begin_file(const wire::TarMember& member);
  std::size_t gather(View bytes, std::size_t whole);
  void hash(View bytes);

  State state_ = State::header;
  wire::TarHeaders headers_;
  Bytes gathered_;           // a header, a pax header's content, COMPLETE
  std::uint64_t left_ = 0;   // bytes of content to come
  std::size_t padding_ = 0;  // and after it
  std::uint64_t size_ = 0;   // of the member
  std::uint64_t members_ = 0;
  std::uint64_t bytes_ = 0;
  crypto::Hasher hasher_{crypto::Digest::sha256};
  Bytes complete_;
};

}  // namespace holdfast::cli
