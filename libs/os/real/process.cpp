#include "libs/os/real/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "libs/os/real/errno.hpp"

extern char** environ;

namespace holdfast::os::real {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr Duration kLimitMax = days(1);

// Real pipes: programs open /dev/stdin again, and sockets refuse that. RealSystem ignores SIGPIPE.
struct Pipe {
  Fd ours;
  Fd theirs;
};

Result<Pipe> make_pipe(bool we_read) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) < 0) return file_error(errno, "make", "a pipe");
  Pipe pipe{Fd(ends[we_read ? 0 : 1]), Fd(ends[we_read ? 1 : 0])};
  if (::fcntl(pipe.ours.get(), F_SETFL, O_NONBLOCK) < 0) {
    return file_error(errno, "set up", "a pipe");
  }
  return pipe;
}

// A program under way. Its own process group, so that what it starts goes with it.
class Child {
 public:
  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0 && !ended_) kill_group();
    if (pid_ > 0 && !ended_) (void)wait(true);
  }

  Status spawn(const std::vector<std::string>& argv, const std::array<int, 3>& fds);
  void kill_group() const { ::kill(-pid_, SIGKILL); }
  int exit_descriptor() const { return exited_.get(); }
  bool ended() const { return ended_; }
  int status() const { return status_; }

  bool wait(bool block) {
    int raw = 0;
    const auto pid = retry_interrupted([&] { return ::waitpid(pid_, &raw, block ? 0 : WNOHANG); });
    if (pid == 0) return false;
    ended_ = true;
    status_ = WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
    return true;
  }

 private:
  pid_t pid_ = -1;
  Fd exited_;
  bool ended_ = false;
  int status_ = 0;
};

Status Child::spawn(const std::vector<std::string>& argv, const std::array<int, 3>& fds) {
  std::vector<char*> args;
  for (const std::string& word : argv) args.push_back(const_cast<char*>(word.c_str()));
  args.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  for (int i = 0; i < 3; ++i) {
    posix_spawn_file_actions_adddup2(&actions, fds[static_cast<std::size_t>(i)], i);
  }
  sigset_t none;
  sigset_t defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);  // we ignore it, and that would be inherited
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  const int error = ::posix_spawnp(&pid_, args[0], &actions, &attributes, args.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    pid_ = -1;
    return file_error(error, "start", argv[0]);
  }
  exited_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!exited_.valid()) return file_error(errno, "watch", argv[0]);
  return {};
}

// One end of the conversation: what is read is kept up to output_max, the rest is dropped.
struct Output {
  Fd fd;
  std::string text;

  // Reads until nothing is left for now; closes the descriptor at the end.
  void drain(std::size_t output_max) {
    std::array<char, 16384> chunk;
    while (fd.valid()) {
      const auto count =
          retry_interrupted([&] { return ::read(fd.get(), chunk.data(), chunk.size()); });
      if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
      if (count <= 0) {
        fd.reset();
        return;
      }
      const std::size_t room = output_max - std::min(output_max, text.size());
      text.append(chunk.data(), std::min(room, static_cast<std::size_t>(count)));
    }
  }
};

void feed(Fd& fd, std::string_view& input) {
  while (fd.valid() && !input.empty()) {
    const auto count =
        retry_interrupted([&] { return ::write(fd.get(), input.data(), input.size()); });
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (count < 0) break;  // the program does not want more
    input.remove_prefix(static_cast<std::size_t>(count));
  }
  fd.reset();
}

// False at the deadline.
bool converse(Child& child, Fd to, std::string_view input, Output& out, Output& err,
              SteadyTime deadline, std::size_t output_max) {
  while (true) {
    feed(to, input);
    std::array<pollfd, 4> waits{{{to.get(), POLLOUT, 0},
                                 {out.fd.get(), POLLIN, 0},
                                 {err.fd.get(), POLLIN, 0},
                                 {child.exit_descriptor(), POLLIN, 0}}};
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    const auto wait_ms = std::min<std::int64_t>(left.count(), 60'000);
    if (::poll(waits.data(), waits.size(), static_cast<int>(wait_ms)) < 0 && errno != EINTR) {
      return false;
    }
    const bool ended = child.wait(false);
    out.drain(output_max);
    err.drain(output_max);
    // What a left-over grandchild still writes is not ours to wait for.
    if (ended) return true;
  }
}

}  // namespace

Result<Exit> RealProcess::run(const std::vector<std::string>& argv, std::string_view input,
                              Duration limit, std::size_t output_max) {
  if (argv.empty()) return fail(Code::invalid_argument, "no program to run");
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::microseconds(std::min(limit, kLimitMax).us);
  Pipe in = TRY(make_pipe(false));
  Pipe out = TRY(make_pipe(true));
  Pipe err = TRY(make_pipe(true));
  Child child;
  TRY(child.spawn(argv, {in.theirs.get(), out.theirs.get(), err.theirs.get()}));
  in.theirs.reset();
  out.theirs.reset();
  err.theirs.reset();
  Output from_out{std::move(out.ours), {}};
  Output from_err{std::move(err.ours), {}};
  if (!converse(child, std::move(in.ours), input, from_out, from_err, deadline, output_max)) {
    return fail(Code::deadline_exceeded,
                argv[0] + " did not end within " + to_text(limit) + " and was killed");
  }
  return Exit{child.status(), std::move(from_out.text), std::move(from_err.text)};
}

}  // namespace holdfast::os::real
