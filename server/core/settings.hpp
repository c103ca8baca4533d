// The server's settings: the one table that parser, environment, flags, `config check` and
// docs/reference/configuration.md are made from. Agents have a table of their own.
#pragma once

#include <string>

#include "libs/config/config.hpp"

namespace holdfast::core {

config::Schema server_settings();
// docs/reference/configuration.md
std::string server_settings_page();

// Files beside the data folder that follow from `data` unless they are set.
std::string seal_file(const config::Config& config);          // <data>.seal
std::string ring_file(const config::Config& config);          // <data>.ring
std::string checkpoint_folder(const config::Config& config);  // <data>.checkpoints

}  // namespace holdfast::core
