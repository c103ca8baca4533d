// The agent's programs: which there are, with their digests, how to join with them, and the bytes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/core/downloads.hpp"
#include "server/core/operation.hpp"

namespace holdfast::api {

struct AgentPage {
  std::string version;
  std::shared_ptr<const core::Downloads> downloads;
  std::string ca_fingerprint;  // hexadecimal
  std::string ca_pem;
  std::function<std::string()>
      device_url;  // "https://192.0.2.10:8444"; known once the server listens
};

// The shell lines of Add device; `{code}` stands for the join code. The download is checked by its
// digest, because the machine does not know the server's CA yet.
std::vector<std::string> join_commands(const core::Download& download,
                                       const std::string& device_url);

// `page` outlives the operations.
Status add_agent_routes(core::Operations& operations, const AgentPage& page);

}  // namespace holdfast::api
