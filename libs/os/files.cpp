#include "libs/os/files.hpp"

#include <algorithm>

namespace holdfast::os {
namespace {

constexpr std::size_t kReadChunk = 16 * 1024;
constexpr int kDepthMax = 64;  // folders in folders that remove_tree goes down

Status write_whole(Files& files, const std::string& path, View content) {
  const auto file = TRY(files.open(path, Open::create));
  TRY(file->truncate(0));
  if (!content.empty()) TRY(file->write_at(0, content));
  return file->sync();
}

Status remove_below(Files& files, const std::string& path, int depth) {
  if (depth > kDepthMax) return fail(Code::io_error, "folders are nested too deep: " + path);
  for (const Entry& entry : TRY(files.list(path))) {
    const std::string inner = join(path, entry.name);
    if (entry.folder) {
      TRY(remove_below(files, inner, depth + 1));
    } else {
      TRY(files.remove(inner));
    }
  }
  return files.remove(path);
}

}  // namespace

Result<Bytes> read_file(Files& files, const std::string& path, std::size_t size_max) {
  const auto file = TRY(files.open(path, Open::read));
  const std::uint64_t size = TRY(file->size());
  Bytes out;
  if (size > 0 && size <= size_max) out = TRY(file->read_at(0, static_cast<std::size_t>(size)));
  // Up to the end, for files of /proc, which have no size, and for those that grew meanwhile.
  while (size <= size_max && out.size() <= size_max) {
    const std::size_t room = size_max - out.size() + 1;
    const Bytes more = TRY(file->read_at(out.size(), std::min(kReadChunk, room)));
    if (more.empty()) return out;
    append(out, more);
  }
  return fail(Code::invalid_argument,
              path + " is larger than " + std::to_string(size_max) + " bytes, and is not read");
}

Status replace_file(Files& files, const std::string& path, View content) {
  const std::string next = path + ".tmp";
  if (auto written = write_whole(files, next, content); !written) {
    // The error is what the caller needs; a left-over .tmp is overwritten next time.
    (void)files.remove(next);
    return written;
  }
  TRY(files.rename(next, path));
  return files.sync_dir(folder_of(path));
}

bool exists(Files& files, const std::string& path) {
  return files.stat(path).has_value();
}

Status remove_tree(Files& files, const std::string& path) {
  const auto entry = files.stat(path);
  if (!entry) {
    if (entry.error().code == Code::not_found) return {};
    return std::unexpected(entry.error());
  }
  if (!entry->folder) return files.remove(path);
  return remove_below(files, path, 0);
}

std::string folder_of(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  if (slash == 0) return "/";
  return std::string(path.substr(0, slash));
}

std::string join(std::string_view folder, std::string_view name) {
  if (folder.empty()) return std::string(name);
  std::string out(folder);
  if (!out.ends_with('/')) out += '/';
  return out + std::string(name);
}

}  // namespace holdfast::os
