// Terminal: where the program talks to people. Tests give their own.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"

namespace holdfast::cli {

class Terminal {
 public:
  virtual ~Terminal() = default;
  virtual void out(std::string_view text) = 0;  // standard output: data
  virtual void err(std::string_view text) = 0;  // standard error: talk
  virtual bool out_is_tty() const = 0;
  virtual bool in_is_tty() const = 0;
  virtual unsigned width() const = 0;  // columns; 0: unknown
  virtual bool color() const = 0;      // a terminal, and NO_COLOR is not set
  // One line of standard input, without its end; closed: there is no more. `hidden` echoes nothing,
  // from before the prompt is seen, and drops what was typed too early (as getpass(3) does).
  virtual Result<std::string> line(bool hidden, std::string_view prompt = "") = 0;
  virtual std::optional<std::string> variable(const std::string& name) const = 0;
};

std::unique_ptr<Terminal> real_terminal();

}  // namespace holdfast::cli
