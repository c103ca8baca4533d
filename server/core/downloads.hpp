// Downloads: the agent's programs as devices and people fetch them. Opened and digested once, so
// that what is sent is what the digest says, also when the file is replaced meanwhile. Read-only
// after make(): thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libs/base/log.hpp"
#include "libs/http/message.hpp"
#include "libs/os/files.hpp"

namespace holdfast::core {

// The agent's program for one platform ("linux-x86_64"), as it lies on this machine.
struct AgentBinary {
  std::string platform;
  std::string path;
};

struct Download {
  std::string platform;
  std::shared_ptr<const os::File> file;
  std::uint64_t size = 0;  // bytes
  Bytes sha256;

  std::string path() const;  // of its URL: "/agent/linux-x86_64/holdfast-agent"
  // The program with its digest (Repr-Digest, RFC 9530) and ETag; 304 to who has it.
  http::Response answer(const http::Request& request) const;
};

class Downloads final {
 public:
  // What cannot be read is left out, and said in the log.
  static std::shared_ptr<const Downloads> make(os::Files& files,
                                               const std::vector<AgentBinary>& agents,
                                               const Log& log);
  const Download* find(std::string_view platform) const;
  const std::vector<Download>& all() const { return all_; }

 private:
  std::vector<Download> all_;
};

}  // namespace holdfast::core
