// Run: one command at work: what was given, the server it speaks to, and how it prints. Commands
// get nothing else, so that tests can give it all. Threads: one.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cli/command.hpp"
#include "cli/contexts.hpp"
#include "cli/remote.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"
#include "libs/os/system.hpp"

namespace holdfast::cli {

inline constexpr Duration kTimeoutDefault = seconds(30);
inline constexpr std::size_t kInputMax = 1024 * 1024;  // bytes of a file or of standard input

// How to reach a server; the real one is SyncClient on TLS.
using Connect = std::function<Result<std::unique_ptr<Line>>(const Target&)>;

struct Shell {
  os::System system;
  Terminal& terminal;
  Connect connect;
  std::string contexts_path;
  std::string program_folder;  // where this program lies
  const Commands* commands = nullptr;
};

class Run final {
 public:
  Run(Shell& shell, const Given& given) : shell_(shell), given_(given) {}

  const Given& given() const { return given_; }
  Shell& shell() { return shell_; }
  Terminal& terminal() { return shell_.terminal; }
  WallTime now() const { return shell_.system.clock.wall(); }

  // The server of --server, HOLDFAST_SERVER or the context, in this order; not connected yet.
  Result<Target> target();
  Result<Remote*> remote();
  const Remote* connected() const { return remote_.get(); }

  // ---- printing
  bool json() const { return given_.has("json"); }
  bool quiet() const { return given_.has("quiet"); }
  void print(const wire::Json& json);  // pretty on a terminal, else one line
  void print(const Table& table);
  void say(std::string_view line);   // to people, on standard error, with a line break
  void line(std::string_view text);  // data, on standard output, with a line break
  // The object that a change answered: JSON with --json, its id with --quiet, else one line to
  // people.
  void done(const Reply& reply, std::string_view what);

  // ---- asking
  // Asks on a terminal; --yes is yes; without either it is an error that names --yes.
  Status confirm(std::string_view question);
  Result<std::string> secret(std::string_view prompt);
  // "-" is standard input, anything else a file.
  Result<std::string> read_input(const std::string& name);

  // ---- names to ids
  Result<std::string> device(const std::string& name_or_id);
  Result<std::string> site(const std::string& name_or_id);
  Result<std::string> type(const std::string& name_or_id);
  Result<std::string> user(const std::string& name_or_id);
  Result<std::string> token(const std::string& name_or_id);

  Result<Duration> timeout() const;

 private:
  Result<std::string> resolve(std::string_view kind, std::string_view prefix, std::string_view path,
                              const std::string& name_or_id);

  Shell& shell_;
  const Given& given_;
  std::unique_ptr<Remote> remote_;
};

// Runs what the words say and prints failures; answers the exit code.
int run_words(Shell& shell, const std::vector<std::string>& words, std::string_view version);

// What went wrong, why, and the mend, with code and request id: for standard error.
std::string failure_text(const Error& error, const std::optional<http::ProblemText>& problem);
std::string failure_json(const Error& error, const std::optional<http::ProblemText>& problem);

// ---- reading answers: "presence.online" goes two deep. Missing and null give "".
std::string text_at(const wire::Json& object, std::string_view path);
const wire::Json* json_at(const wire::Json& object, std::string_view path);
// Times lose their fraction and their T on a terminal.
std::string short_time(std::string_view rfc3339);

}  // namespace holdfast::cli
