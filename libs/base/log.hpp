// The program's own log: one line of JSON per entry on standard error. Secrets and reported values
// never go in; ids, names and states do. A Log is passed down from main; tests collect the lines.
// Thread-safe: a line is written whole.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast {

enum class Level { debug, info, warning, error };

class Log {
 public:
  using Field = std::pair<std::string_view, std::string_view>;
  using Sink = std::function<void(std::string_view line)>;

  Log(Sink sink, Level least = Level::info) : sink_(std::move(sink)), least_(least) {}

  void debug(std::string_view message, std::initializer_list<Field> fields = {}) const {
    write(Level::debug, message, fields);
  }
  void info(std::string_view message, std::initializer_list<Field> fields = {}) const {
    write(Level::info, message, fields);
  }
  void warning(std::string_view message, std::initializer_list<Field> fields = {}) const {
    write(Level::warning, message, fields);
  }
  void error(std::string_view message, std::initializer_list<Field> fields = {}) const {
    write(Level::error, message, fields);
  }

 private:
  void write(Level level, std::string_view message, std::initializer_list<Field> fields) const;
  Sink sink_;
  Level least_;
};

Log::Sink standard_error_sink();
// Escapes text as the inside of a JSON string; what is not UTF-8 becomes U+FFFD.
std::string json_escape(std::string_view text);

}  // namespace holdfast
