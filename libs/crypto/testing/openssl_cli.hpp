// For tests: the system's own openssl program as a second opinion, in a folder of its own.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <memory>
#include <string>
#include <vector>

#include "libs/crypto/pem.hpp"
#include "libs/os/system.hpp"

namespace holdfast::crypto::testing {

class OpensslCli {
 public:
  OpensslCli() : machine_(*os::RealSystem::make()) {
    char name[] = "/tmp/holdfast-openssl-XXXXXX";
    folder_ = ::mkdtemp(name) == nullptr ? "" : name;
  }
  ~OpensslCli() { static_cast<void>(os::remove_tree(system().files, folder_)); }
  OpensslCli(const OpensslCli&) = delete;
  OpensslCli& operator=(const OpensslCli&) = delete;

  os::System system() { return machine_->system(); }
  std::string path(const std::string& name) { return os::join(folder_, name); }

  std::string put(const std::string& name, std::string_view content) {
    const auto written = os::replace_file(system().files, path(name), view_of(content));
    EXPECT_TRUE(written) << name;
    return path(name);
  }
  std::string put_certificate(const std::string& name, View der) {
    return put(name, to_pem("CERTIFICATE", der));
  }
  Bytes get(const std::string& name) {
    auto content = os::read_file(system().files, path(name), 1 << 20);
    EXPECT_TRUE(content) << name;
    return content.value_or(Bytes());
  }

  os::Exit run(std::vector<std::string> arguments, std::string_view input = {}) {
    arguments.insert(arguments.begin(), "openssl");
    return run_program(arguments, input);
  }
  // Another program than openssl.
  os::Exit run_program(const std::vector<std::string>& argv, std::string_view input = {}) {
    auto exit = system().process.run(argv, input, seconds(30), 1 << 20);
    EXPECT_TRUE(exit) << argv.at(0);
    return exit.value_or(os::Exit{-1, {}, {}});
  }
  // Its standard output; the test fails when openssl does.
  std::string output(const std::vector<std::string>& arguments, std::string_view input = {}) {
    const os::Exit exit = run(arguments, input);
    EXPECT_EQ(exit.status, 0) << arguments.at(0) << ": " << exit.out << exit.err;
    return exit.out;
  }

 private:
  std::unique_ptr<os::RealSystem> machine_;
  std::string folder_;
};

}  // namespace holdfast::crypto::testing
