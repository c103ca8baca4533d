#include "cli/terminal.hpp"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace holdfast::cli {
namespace {

// Echo is off as long as this lives.
class Hidden {
 public:
  Hidden() : changed_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!changed_) return;
    termios without = before_;
    without.c_lflag &= static_cast<tcflag_t>(~ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &without);
  }
  ~Hidden() {
    if (changed_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  Hidden(const Hidden&) = delete;
  Hidden& operator=(const Hidden&) = delete;

 private:
  termios before_{};
  bool changed_;
};

class RealTerminal final : public Terminal {
 public:
  void out(std::string_view text) override {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }
  void err(std::string_view text) override { std::fwrite(text.data(), 1, text.size(), stderr); }
  bool out_is_tty() const override { return ::isatty(STDOUT_FILENO) == 1; }
  bool in_is_tty() const override { return ::isatty(STDIN_FILENO) == 1; }
  unsigned width() const override {
    winsize size{};
    return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
  }
  bool color() const override {
    const auto off = variable("NO_COLOR");
    return out_is_tty() && (!off || off->empty());
  }
  Result<std::string> line(bool hidden, std::string_view prompt) override {
    std::optional<Hidden> without_echo;
    if (hidden && in_is_tty()) without_echo.emplace();
    err(prompt);
    std::string text;
    int c = 0;
    while ((c = std::getchar()) != EOF && c != '\n') text += static_cast<char>(c);
    if (without_echo) err("\n");
    if (c == EOF && text.empty()) return fail(Code::closed, "Standard input has ended.");
    if (text.ends_with('\r')) text.pop_back();
    return text;
  }
  std::optional<std::string> variable(const std::string& name) const override {
    const char* value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  }
};

}  // namespace

std::unique_ptr<Terminal> real_terminal() {
  return std::make_unique<RealTerminal>();
}

}  // namespace holdfast::cli
