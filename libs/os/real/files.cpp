#include "libs/os/real/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cstdio>

#include "libs/os/real/errno.hpp"

namespace holdfast::os::real {
namespace {

constexpr std::size_t kReadUncheckedMax = 64 * 1024;  // bytes allocated without asking for the size

class RealFile final : public File {
 public:
  RealFile(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<Bytes> read_at(std::uint64_t offset, std::size_t size) const override {
    if (size > kReadUncheckedMax) {
      const std::uint64_t end = TRY(this->size());
      size = static_cast<std::size_t>(std::min<std::uint64_t>(size, end - std::min(end, offset)));
    }
    Bytes out(size);
    std::size_t done = 0;
    while (done < size) {
      const auto count = retry_interrupted([&] {
        return ::pread(fd_.get(), out.data() + done, size - done,
                       static_cast<off_t>(offset + done));
      });
      if (count < 0) return file_error(errno, "read", path_);
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    out.resize(done);
    return out;
  }

  Status write_at(std::uint64_t offset, View bytes) override {
    while (!bytes.empty()) {
      const auto count = retry_interrupted([&] {
        return ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      });
      if (count < 0) return file_error(errno, "write", path_);
      bytes = bytes.subspan(static_cast<std::size_t>(count));
      offset += static_cast<std::uint64_t>(count);
    }
    return {};
  }

  Status sync() override {
    if (retry_interrupted([&] { return ::fdatasync(fd_.get()); }) < 0) {
      return file_error(errno, "sync", path_);
    }
    return {};
  }

  Status truncate(std::uint64_t size) override {
    if (retry_interrupted([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size)); }) < 0) {
      return file_error(errno, "truncate", path_);
    }
    return {};
  }

  Result<std::uint64_t> size() const override {
    struct stat info{};
    if (::fstat(fd_.get(), &info) < 0) return file_error(errno, "stat", path_);
    return static_cast<std::uint64_t>(info.st_size);
  }

  int descriptor() const override { return fd_.get(); }

 private:
  const Fd fd_;
  const std::string path_;
};

int flags_of(Open mode) {
  switch (mode) {
    case Open::read:
      return O_RDONLY;
    case Open::write:
      return O_RDWR;
    case Open::create:
      return O_RDWR | O_CREAT;
    case Open::create_new:
      return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

Entry entry_of(std::string name, const struct stat& info) {
  const bool folder = S_ISDIR(info.st_mode);
  return {std::move(name), folder, folder ? 0 : static_cast<std::uint64_t>(info.st_size)};
}

}  // namespace

Result<std::unique_ptr<File>> RealFiles::open(const std::string& path, Open mode) {
  Fd fd(retry_interrupted(
      [&] { return ::open(path.c_str(), flags_of(mode) | O_CLOEXEC | O_NOCTTY, 0600); }));
  if (!fd.valid()) return file_error(errno, "open", path);
  struct stat info{};
  if (::fstat(fd.get(), &info) < 0) return file_error(errno, "open", path);
  if (S_ISDIR(info.st_mode)) return file_error(EISDIR, "open", path);
  return std::make_unique<RealFile>(std::move(fd), path);
}

Status RealFiles::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) < 0) {
    return file_error(errno, "rename", from + " to " + to);
  }
  return {};
}

Status RealFiles::remove(const std::string& path) {
  if (std::remove(path.c_str()) < 0) return file_error(errno, "remove", path);
  return {};
}

Result<std::vector<Entry>> RealFiles::list(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(folder.c_str()), &::closedir);
  if (!dir) return file_error(errno, "list", folder);
  std::vector<Entry> out;
  while (true) {
    errno = 0;
    const dirent* row = ::readdir(dir.get());
    if (row == nullptr) break;
    const std::string name = row->d_name;
    if (name == "." || name == "..") continue;
    struct stat info{};
    if (::fstatat(::dirfd(dir.get()), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) < 0) {
      if (errno == ENOENT) continue;  // removed since
      return file_error(errno, "stat", join(folder, name));
    }
    out.push_back(entry_of(name, info));
  }
  if (errno != 0) return file_error(errno, "list", folder);
  std::ranges::sort(out, {}, &Entry::name);
  return out;
}

Status RealFiles::make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return {};
  int error = errno;
  if (error == ENOENT && folder_of(path) != path) {
    TRY(make_folder(folder_of(path)));
    if (::mkdir(path.c_str(), 0700) == 0) return {};
    error = errno;
  }
  const auto there = stat(path);
  if (error == EEXIST && there && there->folder) return {};
  return file_error(error, "make folder", path);
}

Status RealFiles::sync_dir(const std::string& folder) {
  const Fd fd(retry_interrupted(
      [&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!fd.valid()) return file_error(errno, "open", folder);
  if (retry_interrupted([&] { return ::fsync(fd.get()); }) < 0) {
    return file_error(errno, "sync", folder);
  }
  return {};
}

Result<Entry> RealFiles::stat(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) < 0) return file_error(errno, "stat", path);
  const auto slash = path.rfind('/');
  return entry_of(slash == std::string::npos ? path : path.substr(slash + 1), info);
}

Result<Space> RealFiles::space(const std::string& path) {
  struct statvfs info{};
  if (retry_interrupted([&] { return ::statvfs(path.c_str(), &info); }) < 0) {
    return file_error(errno, "ask for free space at", path);
  }
  return Space{static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize,
               static_cast<std::uint64_t>(info.f_blocks) * info.f_frsize};
}

}  // namespace holdfast::os::real
