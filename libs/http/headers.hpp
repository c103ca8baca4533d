// Headers of a message (RFC 9110 section 5): a small ordered list with names compared without case.
// Names are kept as given; what we write ourselves goes out in canonical case (Content-Type, ETag),
// because some embedded clients compare names byte for byte. Values; not shared between threads.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::http {

struct Header {
  std::string name;
  std::string value;
  bool operator==(const Header&) const = default;
};

// Equal but for the case of ASCII letters.
bool same_name(std::string_view left, std::string_view right);
// "content-type" -> "Content-Type"; also the few that break the rule: ETag, WWW-Authenticate.
std::string canonical_name(std::string_view name);
// RFC 9110 section 5.6.2: what a header name or a method may consist of.
bool is_token(std::string_view text);

class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<Header> list) : list_(list) {}

  void add(std::string_view name, std::string_view value);  // keeps others of this name
  void set(std::string_view name, std::string_view value);  // replaces all of this name
  void remove(std::string_view name);
  std::optional<std::string_view> get(std::string_view name) const;  // the first
  bool has(std::string_view name) const { return get(name).has_value(); }
  // Is `item` in the comma-separated list that all headers of this name form? Case is ignored.
  bool lists(std::string_view name, std::string_view item) const;

  std::size_t size() const { return list_.size(); }
  auto begin() const { return list_.begin(); }
  auto end() const { return list_.end(); }
  bool operator==(const Headers&) const = default;

 private:
  std::vector<Header> list_;
};

// "Name: value\r\n" for each, names canonical; control characters in values become spaces, so that
// no value can add a header of its own.
void write_headers(const Headers& headers, std::string& out);

}  // namespace holdfast::http
