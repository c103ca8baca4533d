// What errno means to callers, in one place; and descriptors that close themselves. Thread-safe.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "libs/base/result.hpp"

namespace holdfast::os::real {

// For calls on files: not_found, already_exists, disk_full, forbidden, else io_error.
[[nodiscard]] std::unexpected<Error> file_error(int error, std::string_view action,
                                                std::string_view path);
// For calls on sockets: would_block, closed, deadline_exceeded, forbidden, else unavailable.
[[nodiscard]] std::unexpected<Error> socket_error(int error, std::string_view action);

// Owns one descriptor; -1 is none.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~Fd() { reset(); }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1) {
    const int old = std::exchange(fd_, fd);
    if (old >= 0) ::close(old);  // never retried: after EINTR Linux has closed it
  }

 private:
  int fd_ = -1;
};

// Repeats a system call that a signal interrupted.
template <class F>
auto retry_interrupted(F&& call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

}  // namespace holdfast::os::real
