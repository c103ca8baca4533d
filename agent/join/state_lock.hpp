// StateLock: a state folder belongs to one process. Two agents on one folder would send one
// command's reply twice and cut each other's spool; a second one is refused, and told who holds it.
// The lock is the kernel's (flock(2)) and ends with the process, also by SIGKILL; the text in the
// file only says whose it is. In a simulation, where one process is all there is, it always
// succeeds.
// Errors: folder_locked, and those of os::Files. Held until destroyed; one owner thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "libs/base/time.hpp"
#include "libs/os/files.hpp"

namespace holdfast::agent {

class StateLock final {
 public:
  static constexpr std::size_t kHolderBytesMax = 200;

  // `command`: what holds it, for people: "run".
  static Result<std::unique_ptr<StateLock>> take(os::Files& files, WallTime now,
                                                 const std::string& folder,
                                                 std::string_view command);
  StateLock(const StateLock&) = delete;
  StateLock& operator=(const StateLock&) = delete;

 private:
  explicit StateLock(std::unique_ptr<os::File> file) : file_(std::move(file)) {}
  std::unique_ptr<os::File> file_;
};

}  // namespace holdfast::agent
