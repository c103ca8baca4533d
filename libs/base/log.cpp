#include "libs/base/log.hpp"

#include <cstdio>
#include <ctime>

#include "libs/base/time.hpp"

namespace holdfast {

std::string json_escape(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 8);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", byte);
      out += code;
    } else {
      out += c;
    }
  }
  return out;
}

void Log::write(Level level, std::string_view message, std::initializer_list<Field> fields) const {
  if (level < least_) return;
  static constexpr std::string_view kNames[] = {"debug", "info", "warning", "error"};
  std::timespec now{};
  std::timespec_get(&now, TIME_UTC);
  std::string line = "{\"time\":\"" + to_rfc3339({now.tv_sec * 1'000'000LL + now.tv_nsec / 1000}) +
                     "\",\"level\":\"" + std::string(kNames[static_cast<int>(level)]) + "\",\"message\":\"" +
                     json_escape(message) + "\"";
  for (const auto& [name, value] : fields) {
    line += ",\"" + json_escape(name) + "\":\"" + json_escape(value) + "\"";
  }
  line += "}\n";
  sink_(line);
}

Log::Sink standard_error_sink() {
  return [](std::string_view line) { std::fwrite(line.data(), 1, line.size(), stderr); };
}

}  // namespace holdfast
