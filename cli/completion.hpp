// Completion: a script that makes a shell complete words and options of `holdfast`, made from the
// table of commands; it asks nothing of the server. Pure; thread-safe.
//   bash  source <(holdfast completion bash)
//   zsh   source <(holdfast completion zsh)
//   fish  holdfast completion fish | source
#pragma once

#include "cli/command.hpp"

namespace holdfast::cli {

// invalid_argument: another shell than bash, zsh and fish.
Result<std::string> completion_script(const Commands& commands, std::string_view shell);

}  // namespace holdfast::cli
