// For tests: a software TPM 2.0 (Debian's swtpm) in a folder of its own, on a loopback port, and a
// SoftHSM token. Both are started by the test and stopped by their pid.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "libs/os/system.hpp"

namespace holdfast::keys::testing {

// A folder that goes when the test does, and programs run in it.
class Folder {
 public:
  Folder() : machine_(*os::RealSystem::make()) {
    char name[] = "/tmp/holdfast-keys-XXXXXX";
    path_ = ::mkdtemp(name) == nullptr ? "" : name;
  }
  ~Folder() { static_cast<void>(os::remove_tree(system().files, path_)); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  os::System system() { return machine_->system(); }
  std::string path(const std::string& name) const { return os::join(path_, name); }
  void put(const std::string& name, std::string_view content) {
    EXPECT_TRUE(os::replace_file(system().files, path(name), view_of(content))) << name;
  }
  os::Exit run(const std::vector<std::string>& argv) {
    const auto exit = system().process.run(argv, {}, seconds(60), 1 << 20);
    EXPECT_TRUE(exit) << argv.at(0);
    const os::Exit out = exit.value_or(os::Exit{-1, {}, {}});
    EXPECT_EQ(out.status, 0) << argv.at(0) << ": " << out.out << out.err;
    return out;
  }

 private:
  std::unique_ptr<os::RealSystem> machine_;
  std::string path_;
};

class Swtpm {
 public:
  // With an endorsement certificate (RSA, template L-1) of its own maker, or without any.
  explicit Swtpm(bool certified = false) {
    std::vector<std::string> setup{"swtpm_setup", "--tpm2",     "--tpmstate",
                                   state(),       "--createek", "--overwrite"};
    EXPECT_TRUE(folder_.system().files.make_folder(state()));
    if (certified) {
      write_maker();
      for (const char* more : {"--create-ek-cert", "--lock-nvram", "--config"})
        setup.emplace_back(more);
      setup.push_back(folder_.path("setup.conf"));
    }
    folder_.run(setup);
    start();
  }
  ~Swtpm() { stop(); }
  Swtpm(const Swtpm&) = delete;
  Swtpm& operator=(const Swtpm&) = delete;

  std::string tcti() const { return "swtpm:host=127.0.0.1,port=" + std::to_string(port_); }
  Folder& folder() { return folder_; }
  std::string state() const { return folder_.path("state"); }
  // The maker's certificates, issuing CA first.
  std::vector<std::string> maker_paths() const {
    return {folder_.path("ca/issuercert.pem"), folder_.path("ca/swtpm-localca-rootca-cert.pem")};
  }

  void stop() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
  }
  // Powered on again, on the same port.
  void start() {
    for (int tries = 0; tries < 20 && pid_ == 0; ++tries) try_start();
    EXPECT_NE(pid_, 0) << "swtpm does not start";
  }

 private:
  void write_maker() {
    folder_.put("localca.conf", "statedir = " + folder_.path("ca") +
                                    "\nsigningkey = " + folder_.path("ca/signkey.pem") +
                                    "\nissuercert = " + folder_.path("ca/issuercert.pem") +
                                    "\ncertserial = " + folder_.path("ca/certserial") + "\n");
    folder_.put("localca.options",
                "--platform-manufacturer Holdfast --platform-version 1 --platform-model Test\n");
    folder_.put("setup.conf",
                "create_certs_tool = /usr/bin/swtpm_localca\ncreate_certs_tool_config = " +
                    folder_.path("localca.conf") + "\ncreate_certs_tool_options = " +
                    folder_.path("localca.options") + "\nactive_pcr_banks = sha256\n");
    EXPECT_TRUE(folder_.system().files.make_folder(folder_.path("ca")));
  }

  static int bound(std::uint16_t port) {
    const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    ::setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(made, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0) return made;
    ::close(made);
    return -1;
  }
  static bool answers(std::uint16_t port) {
    const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool ok = ::connect(made, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0;
    ::close(made);
    return ok;
  }

  void try_start() {
    if (port_ == 0) {
      const int probe = bound(0);
      sockaddr_in at{};
      socklen_t size = sizeof at;
      ::getsockname(probe, reinterpret_cast<sockaddr*>(&at), &size);
      port_ = ntohs(at.sin_port);
      const int next = port_ < 65535 ? bound(static_cast<std::uint16_t>(port_ + 1)) : -1;
      ::close(probe);
      if (next < 0) {
        port_ = 0;
        return;
      }
      ::close(next);
    }
    const std::string port = std::to_string(port_);
    std::vector<std::string> words{"swtpm",
                                   "socket",
                                   "--tpm2",
                                   "--tpmstate",
                                   "dir=" + state(),
                                   "--server",
                                   "type=tcp,bindaddr=127.0.0.1,port=" + port,
                                   "--ctrl",
                                   "type=tcp,bindaddr=127.0.0.1,port=" + std::to_string(port_ + 1),
                                   "--flags",
                                   "not-need-init,startup-clear"};
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_t pid = 0;
    if (::posix_spawnp(&pid, "swtpm", nullptr, nullptr, argv.data(), environ) != 0) return;
    // The control port answers from the start, and takes no part in what the TPM does.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < deadline) {
      if (answers(static_cast<std::uint16_t>(port_ + 1))) {
        pid_ = pid;
        return;
      }
      int status = 0;
      if (::waitpid(pid, &status, WNOHANG) == pid) return;  // the port was taken: tried again
      ::poll(nullptr, 0, 5);
    }
    ::kill(pid, SIGKILL);
  }

  Folder folder_;
  std::uint16_t port_ = 0;
  pid_t pid_ = 0;
};

// A SoftHSM token of its own for each test, with PIN 1234. SoftHSM reads configuration and tokens
// once a process, so all of a program are made before the first is used.
class SoftHsm {
 public:
  static constexpr const char* kModule = "/usr/lib/softhsm/libsofthsm2.so";
  static constexpr int kTokens = 10;

  SoftHsm() {
    static int used = 0;
    static_cast<void>(home());
    EXPECT_LT(used, kTokens);
    label_ = "test " + std::to_string(used++);
    folder_.put("pin", "1234\n");
  }
  const std::string& label() const { return label_; }
  std::string pin_file() const { return folder_.path("pin"); }
  Folder& folder() { return folder_; }
  static Folder& home() {
    static Folder made;
    static const bool told = [] {
      EXPECT_TRUE(made.system().files.make_folder(made.path("tokens")));
      made.put("softhsm2.conf",
               "directories.tokendir = " + made.path("tokens") + "\nlog.level = ERROR\n");
      const bool set = ::setenv("SOFTHSM2_CONF", made.path("softhsm2.conf").c_str(), 1) == 0;
      for (int i = 0; i < kTokens; ++i) {
        made.run({"softhsm2-util", "--init-token", "--free", "--label", "test " + std::to_string(i),
                  "--pin", "1234", "--so-pin", "5678"});
      }
      return set;
    }();
    EXPECT_TRUE(told);
    return made;
  }

 private:
  Folder folder_;
  std::string label_;
};

}  // namespace holdfast::keys::testing
