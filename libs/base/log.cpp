#include "libs/base/log.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "libs/base/time.hpp"

namespace holdfast {

namespace {

// Bytes of the UTF-8 character at the start (RFC 3629 section 4); 0 when it is none.
std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return at(i) >= low && at(i) <= high;
  };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  if (first < 0xE0) return follows(1) ? 2 : 0;
  if (first < 0xF0) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;   // not in two bytes
    const unsigned high = first == 0xED ? 0x9F : 0xBF;  // no surrogates
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  const unsigned low = first == 0xF0 ? 0x90 : 0x80;
  const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
  return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
}

}  // namespace

std::string json_escape(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 8);
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text.front());
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      out += "\\ufffd";
    } else if (byte == '"' || byte == '\\') {
      out += {'\\', text.front()};
    } else if (byte < 0x20 || byte == 0x7F) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", byte);
      out += code;
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

void Log::write(Level level, std::string_view message, std::initializer_list<Field> fields) const {
  if (level < least_) return;
  static constexpr std::string_view kNames[] = {"debug", "info", "warning", "error"};
  std::timespec now{};
  std::timespec_get(&now, TIME_UTC);
  std::string line = "{\"time\":\"" + to_rfc3339({now.tv_sec * 1'000'000LL + now.tv_nsec / 1000}) +
                     "\",\"level\":\"" + std::string(kNames[static_cast<int>(level)]) +
                     "\",\"message\":\"" + json_escape(message) + "\"";
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
