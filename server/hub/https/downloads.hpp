// Downloads: the agent's programs as devices fetch them. Opened and digested once, so that what is
// sent is what the digest says, also when the file is replaced meanwhile. Read-only after make():
// thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libs/base/log.hpp"
#include "libs/os/files.hpp"
#include "server/hub/hub.hpp"

namespace holdfast::hub {

struct Download {
  std::string platform;
  std::shared_ptr<const os::File> file;
  std::uint64_t size = 0;
  std::string digest_base64;  // SHA-256
};

class Downloads final {
 public:
  // What cannot be read is left out, and said in the log.
  static std::shared_ptr<const Downloads> make(os::Files& files,
                                               const std::vector<AgentBinary>& agents,
                                               const Log& log);
  const Download* find(std::string_view platform) const;

 private:
  std::vector<Download> all_;
};

}  // namespace holdfast::hub
