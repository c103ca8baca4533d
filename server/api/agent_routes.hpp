// The agent's programs: which there are, with their digests, how to join with them, and the bytes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/os/files.hpp"
#include "server/core/operation.hpp"

namespace holdfast::api {

inline constexpr std::size_t kDownloadBytesMax = 256 * 1024 * 1024;

struct AgentDownload {
  std::string platform;  // "linux-x86_64"
  std::shared_ptr<const Bytes> bytes;
  std::string sha256;  // hexadecimal
  std::string digest;  // of Repr-Digest (RFC 9530)
};

struct AgentDownloads {
  std::string version;
  std::vector<AgentDownload> all;
  std::string ca_fingerprint;  // hexadecimal
  std::string ca_pem;
  std::function<std::string()>
      device_url;  // "https://192.0.2.10:8444"; known once the server listens
};

// Reads the programs; ones that are not there are left out.
Result<AgentDownload> load_agent(os::Files& files, std::string platform, const std::string& path);
// The shell lines of Add device; `{code}` stands for the join code. The download is checked by its
// digest, because the machine does not know the server's CA yet.
std::vector<std::string> join_commands(const AgentDownload& download,
                                       const std::string& device_url);

// `downloads` outlives the operations.
Status add_agent_routes(core::Operations& operations, const AgentDownloads& downloads);

}  // namespace holdfast::api
