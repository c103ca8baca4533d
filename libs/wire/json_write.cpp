// Writing JSON: Boost's serializer writes 20.5 as 2.05E1, so this one does it.
#include <charconv>
#include <cmath>

#include "libs/base/log.hpp"
#include "libs/wire/json.hpp"

namespace holdfast::wire {
namespace {

template <class Number>
void write_number(std::string& out, Number value) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}

void write_double(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  const std::size_t start = out.size();
  write_number(out, value);
  // A double stays one when it is read back.
  if (out.find_first_of(".e", start) == std::string::npos) out += ".0";
}

void write_string(std::string& out, std::string_view text) {
  out += '"';
  const bool plain = std::ranges::none_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F || c == '"' || c == '\\';
  });
  plain ? out.append(text) : out.append(json_escape(text));
  out += '"';
}

class JsonWriter {
 public:
  JsonWriter(std::string& out, bool pretty) : out_(out), pretty_(pretty) {}

  void write(const Json& value) {
    switch (value.kind()) {
      case boost::json::kind::null:
        out_ += "null";
        break;
      case boost::json::kind::bool_:
        out_ += value.get_bool() ? "true" : "false";
        break;
      case boost::json::kind::int64:
        write_number(out_, value.get_int64());
        break;
      case boost::json::kind::uint64:
        write_number(out_, value.get_uint64());
        break;
      case boost::json::kind::double_:
        write_double(out_, value.get_double());
        break;
      case boost::json::kind::string:
        write_string(out_, value.get_string());
        break;
      case boost::json::kind::array:
        array(value.get_array());
        break;
      case boost::json::kind::object:
        object(value.get_object());
        break;
    }
  }

 private:
  void line() {
    if (pretty_) out_.append(1, '\n').append(2 * depth_, ' ');
  }

  void array(const JsonArray& array) {
    if (array.empty()) {
      out_ += "[]";
      return;
    }
    out_ += '[';
    ++depth_;
    bool first = true;
    for (const auto& element : array) {
      if (!std::exchange(first, false)) out_ += ',';
      line();
      write(element);
    }
    --depth_;
    line();
    out_ += ']';
  }

  void object(const JsonObject& object) {
    if (object.empty()) {
      out_ += "{}";
      return;
    }
    out_ += '{';
    ++depth_;
    bool first = true;
    for (const auto& member : object) {
      if (!std::exchange(first, false)) out_ += ',';
      line();
      write_string(out_, member.key());
      out_ += pretty_ ? ": " : ":";
      write(member.value());
    }
    --depth_;
    line();
    out_ += '}';
  }

  std::string& out_;
  bool pretty_;
  std::size_t depth_ = 0;
};

}  // namespace

std::string json_text(const Json& value) {
  std::string out;
  JsonWriter(out, false).write(value);
  return out;
}

std::string json_pretty(const Json& value) {
  std::string out;
  JsonWriter(out, true).write(value);
  return out;
}

std::string value_text(const Value& value) {
  return json_text(to_json(value));
}

Json to_json(const Value& value) {
  return std::visit(
      [](const auto& held) -> Json {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::monostate>) {
          return nullptr;
        } else {
          return Json(held);
        }
      },
      value);
}

}  // namespace holdfast::wire
