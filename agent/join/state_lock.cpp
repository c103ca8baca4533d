#include "agent/join/state_lock.hpp"

#include <sys/file.h>
#include <unistd.h>

#include <algorithm>

namespace holdfast::agent {
namespace {

// Whatever lies in the file ends on a terminal: no control characters.
std::string holder_of(const os::File& file) {
  const auto bytes = file.read_at(0, StateLock::kHolderBytesMax);
  std::string out = bytes ? string_of(*bytes) : "";
  std::erase_if(out, [](char c) { return c < ' ' || c > '~'; });
  return out.empty() ? "another process" : out;
}

}  // namespace

Result<std::unique_ptr<StateLock>> StateLock::take(os::Files& files, WallTime now,
                                                   const std::string& folder,
                                                   std::string_view command) {
  auto file = TRY(with_context(files.open(os::join(folder, "lock"), os::Open::create),
                               "locking the state folder"));
  if (file->descriptor() >= 0) {
    if (::flock(file->descriptor(), LOCK_EX | LOCK_NB) != 0) {
      return fail(Code::folder_locked, folder + " is in use by " + holder_of(*file) +
                                           "; stop it first, or choose another folder (--state)");
    }
    const std::string holder = "holdfast-agent " + std::string(command) + ", process " +
                               std::to_string(::getpid()) + ", since " + to_rfc3339(now);
    // Talk only: a disk that is full does not keep the agent from its folder.
    if (!file->truncate(0) || !file->write_at(0, view_of(holder))) (void)file->truncate(0);
  }
  return std::unique_ptr<StateLock>(new StateLock(std::move(file)));
}

}  // namespace holdfast::agent
