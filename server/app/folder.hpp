// The data folder and what lies beside it: sealing key, key ring, recovery. Made at the first
// start. Threads: at start.
#pragma once

#include <memory>
#include <string>

#include "libs/base/log.hpp"
#include "libs/config/config.hpp"
#include "libs/os/system.hpp"
#include "server/store/seal/ring.hpp"

namespace holdfast::app {

struct Folder {
  std::string data;
  std::unique_ptr<seal::Ring> ring;
};

// A folder that was used before must find its sealing key and ring: seal_key_missing says which
// file is not there, because a new one would read nothing. At the first start the recovery key is
// written to `<data>.recovery` (0600), to be written down and removed by whoever sets up; it is
// never kept anywhere else.
Result<Folder> open_folder(const os::System& system, const config::Config& config, const Log& log);

std::string database_path(std::string_view data);
std::string recovery_note(std::string_view data);  // "<data>.recovery"

}  // namespace holdfast::app
