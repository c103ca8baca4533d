// Boost.JSON's incremental parser drives a builder of ours, which sees duplicate members and reads
// doubles anew: Boost 1.81 rounds some of them by one unit in the last place.
#include "libs/wire/json_parse.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>

namespace holdfast::wire {
namespace {

namespace bj = boost::json;

class JsonBuilder {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
  using error_code = bj::error_code;
  using string_view = bj::string_view;

  JsonBuilder(Duplicates duplicates, bj::storage_ptr storage)
      : root_(std::move(storage)), duplicates_(duplicates) {}

  Json take() { return std::move(root_); }
  const std::string& fault() const { return fault_; }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code& ec) { return open(JsonObject(root_.storage()), ec); }
  bool on_object_end(std::size_t, error_code&) { return close(); }
  bool on_array_begin(error_code& ec) { return open(JsonArray(root_.storage()), ec); }
  bool on_array_end(std::size_t, error_code&) { return close(); }

  bool on_key_part(string_view part, std::size_t, error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_key(string_view part, std::size_t, error_code& ec) {
    text_.append(part.data(), part.size());
    auto [member, added] = open_.back()->get_object().emplace(text_, nullptr);
    if (!added) {
      if (duplicates_ == Duplicates::refuse) {
        return stop("the member \"" + text_ + "\" stands twice", ec);
      }
      member->value() = nullptr;
    }
    member_ = &member->value();
    text_.clear();
    return true;
  }
  bool on_string_part(string_view part, std::size_t, error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_string(string_view part, std::size_t, error_code& ec) {
    if (text_.empty()) return add(bj::string(part, root_.storage()), ec);
    text_.append(part.data(), part.size());
    const bool added = add(bj::string(text_, root_.storage()), ec);
    text_.clear();
    return added;
  }
  bool on_number_part(string_view, error_code&) { return true; }  // only with input in pieces
  bool on_int64(std::int64_t value, string_view, error_code& ec) { return add(value, ec); }
  bool on_uint64(std::uint64_t value, string_view, error_code& ec) { return add(value, ec); }
  bool on_double(double rough, string_view digits, error_code& ec) {
    double exact = 0;
    const auto end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, exact);
    if (read.ec == std::errc::result_out_of_range) {
      if (!(std::abs(rough) < 1)) return stop("a number does not fit a double", ec);
      exact = std::copysign(0.0, rough);
    } else if (read.ec != std::errc{} || read.ptr != end) {
      return stop("a number cannot be read", ec);
    }
    return add(exact, ec);
  }
  bool on_bool(bool value, error_code& ec) { return add(value, ec); }
  bool on_null(error_code& ec) { return add(nullptr, ec); }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

 private:
  bool stop(std::string why, error_code& ec) {
    fault_ = std::move(why);
    ec = bj::error::syntax;
    return false;
  }

  // Where the next value goes: the member whose name was read, the end of the array, or the root.
  template <class T>
  Json* place(T&& value) {
    if (open_.empty()) {
      root_ = std::forward<T>(value);
      return &root_;
    }
    if (auto* array = open_.back()->if_array()) {
      return &array->emplace_back(std::forward<T>(value));
    }
    *member_ = std::forward<T>(value);
    return member_;
  }
  template <class T>
  bool add(T&& value, error_code&) {
    place(std::forward<T>(value));
    return true;
  }
  template <class T>
  bool open(T&& empty, error_code&) {
    open_.push_back(place(std::forward<T>(empty)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  Json root_;
  // Pointers stay good: a container grows only while it is the innermost open one.
  std::vector<Json*> open_;
  Json* member_ = nullptr;
  std::string text_;
  std::string fault_;
  Duplicates duplicates_;
};

std::string position_text(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, offset);
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const auto last = before.rfind('\n');
  const auto column = last == std::string_view::npos ? offset : offset - last - 1;
  return "line " + std::to_string(lines + 1) + ", column " + std::to_string(column + 1);
}

std::string syntax_text(const bj::error_code& ec, std::string_view text, std::size_t at) {
  if (ec == bj::error::incomplete) return "the text ends early";
  if (ec == bj::error::extra_data) return "there is text behind the value";
  if (ec == bj::error::too_deep) return "it is nested too deep";
  if (ec == bj::error::exponent_overflow) return "a number does not fit a double";
  if (ec == bj::error::expected_utf16_escape || ec == bj::error::expected_hex_digit) {
    return "a \\u escape is not complete";
  }
  if (ec == bj::error::illegal_leading_surrogate || ec == bj::error::illegal_trailing_surrogate) {
    return "a \\u escape is half a surrogate pair";
  }
  if (at >= text.size()) return "the text ends early";
  const bool printable = text[at] > ' ' && text[at] < 0x7F;
  if (!printable) return "this is not JSON";
  return std::string("this is not JSON: '") + text[at] + "' is not expected here";
}

std::unexpected<Error> json_fault(std::string_view text, std::size_t at, std::string_view what) {
  return fail(Code::malformed_body,
              std::string(what) + " (" + position_text(text, std::min(at, text.size())) + ")");
}

}  // namespace

Result<Json> parse_json_into(std::string_view text, const JsonLimits& limits,
                             bj::storage_ptr storage) {
  if (text.size() > limits.bytes_max) {
    return fail(Code::body_too_large, std::to_string(text.size()) +
                                          " bytes of JSON; the limit is " +
                                          std::to_string(limits.bytes_max));
  }
  bj::parse_options options;
  options.max_depth = limits.depth_max;
  bj::basic_parser<JsonBuilder> parser(options, limits.duplicates, std::move(storage));
  bj::error_code ec;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), ec);
  if (!ec && read < text.size()) ec = bj::error::extra_data;
  if (!ec) return parser.handler().take();
  if (!parser.handler().fault().empty()) return json_fault(text, read, parser.handler().fault());
  return json_fault(text, read, syntax_text(ec, text, read));
}

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  return parse_json_into(text, limits, {});
}

Result<Json> parse_json(View bytes, const JsonLimits& limits) {
  return parse_json(text_of(bytes), limits);
}

}  // namespace holdfast::wire
