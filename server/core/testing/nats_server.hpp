// For tests: Debian's nats-server with JetStream on a free port of the loopback, in a folder of its
// own. It says on standard error when it is ready; that is what start() waits for.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "libs/os/system.hpp"
#include "server/store/sql/testing/temp_folder.hpp"

namespace holdfast::core {

class NatsServer {
 public:
  static Result<std::unique_ptr<NatsServer>> start(const os::System& system) {
    std::unique_ptr<NatsServer> server(new NatsServer(system));
    TRY(server->run("-1"));
    return server;
  }
  ~NatsServer() { stop(); }
  NatsServer(const NatsServer&) = delete;
  NatsServer& operator=(const NatsServer&) = delete;

  std::string url() const { return "nats://127.0.0.1:" + port_; }
  void stop() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
      pid_ = -1;
    }
    if (output_ >= 0) ::close(output_);
    output_ = -1;
  }
  Status start_again() { return run(port_); }  // on the same port

 private:
  explicit NatsServer(const os::System& system) : folder_(system.files) {}

  Status run(const std::string& port) {
    int pipe[2];
    if (::pipe2(pipe, O_CLOEXEC) != 0) return fail(Code::io_error, "no pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(pipe[1], STDERR_FILENO);
      ::execlp("nats-server", "nats-server", "-a", "127.0.0.1", "-p", port.c_str(), "-js", "-sd",
               folder_.path().c_str(), nullptr);
      ::_exit(127);
    }
    ::close(pipe[1]);
    output_ = pipe[0];
    std::string log;
    char part[4096];
    while (!log.contains("Server is ready")) {
      const ssize_t got = ::read(output_, part, sizeof part);
      if (got <= 0) return fail(Code::unavailable, "nats-server did not start: " + log);
      log.append(part, static_cast<std::size_t>(got));
    }
    constexpr std::string_view kListens = "Listening for client connections on 127.0.0.1:";
    const std::size_t at = log.find(kListens) + kListens.size();
    port_ = log.substr(at, log.find_first_not_of("0123456789", at) - at);
    return {};
  }

  sql::TempFolder folder_;
  pid_t pid_ = -1;
  int output_ = -1;
  std::string port_;
};

}  // namespace holdfast::core
