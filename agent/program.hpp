// The program's commands: what main() does with its arguments. Answers the exit code of
// contract/problems.yaml. One thread.
#pragma once

#include <string>
#include <vector>

namespace holdfast::agent {

int run_program(const std::vector<std::string>& arguments, const std::string& version);

}  // namespace holdfast::agent
