// The query language of events (docs/spec/events.md, Queries): text becomes a tree of terms, and a
// tree becomes its normal text again. Evaluation is in evaluate.hpp, planning in plan.hpp.
//
//   failed "for root" user:admin port>=1024 ip:10.0.0.0/8 ssh* *dead* NOT (kind:audit OR
//   severity<error)
//
// Errors: invalid_argument; the message says at which character and what to do. Pure; thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/id.hpp"
#include "libs/base/result.hpp"

namespace holdfast::query {

inline constexpr std::size_t kQueryBytesMax = 4'096;
inline constexpr std::size_t kTermsMax = 64;
inline constexpr std::size_t kDepthMax = 32;

// debug, info, notice, warning, error, critical: from the least to the worst.
inline constexpr std::array<std::string_view, 6> kSeverities{"debug",   "info",  "notice",
                                                             "warning", "error", "critical"};

// Addresses whose first `length` bits are those of `address`.
struct Net {
  std::array<std::uint8_t, 16> address{};
  std::uint8_t bytes = 4;  // 4 or 16
  std::uint8_t length = 32;
  bool operator==(const Net&) const = default;
};

enum class Op { has, equal, less, less_equal, greater, greater_equal };

struct Term {
  std::string field;  // empty: message, kind and all values
  Op op = Op::has;
  std::string text;         // ASCII letters in lower case
  bool open_start = false;  // *text: need not begin at a word's start
  bool open_end = false;    // text*
  bool exists = false;      // field:*
  // What `text` is as well:
  std::optional<std::int64_t> integer;
  std::optional<double> number;
  std::optional<Net> net;
  // For the built-in fields that take nothing else:
  std::optional<std::int64_t> time;  // microseconds
  std::optional<Ulid> device;
  std::optional<int> severity;
  bool operator==(const Term&) const = default;
};

struct Node {
  enum class Kind { all, term, both, either, negated };  // both, either: of any number
  Kind kind = Kind::all;
  std::vector<Node> of;
  Term term;
  bool operator==(const Node&) const = default;
};

Result<Node> parse(std::string_view text);
std::string to_text(const Node& node);  // parses to an equal node
std::string to_text(const Term& term);

// Built from options instead of text.
Node term_node(Term term);
Node both(Node a, Node b);  // all drops out
Node either(std::vector<Node> of);

// "field." in front reaches an event's own field of that name.
enum class Builtin { none, time, received, device, kind, severity, message };
Builtin builtin_of(std::string_view field);
std::string_view own_field(std::string_view field);  // without "field."

}  // namespace holdfast::query
