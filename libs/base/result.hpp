// Result<T>: how every fallible function of Holdfast answers. Errors are values; exceptions of
// libraries stop at the file that wraps the library.
//
// An Error has a Code (from contract/problems.yaml, which maps it once to an HTTP problem, an MQTT
// reason code and a CLI exit code), a message that says what was wrong and what to do, and a chain
// of contexts from the inside out. Input never trips an assertion: assert for bugs, Result for the
// world. Thread-safe: values.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "generated/base/codes.hpp"

namespace holdfast {

struct Error {
  Code code = Code::internal;
  std::string message;               // one sentence: what, where, what to do
  std::vector<std::string> context;  // from the inside out: "reading claim", "enrolling"
  std::string permission;            // Code::forbidden: the permission that is missing
  std::string pointer;               // JSON pointer (RFC 6901) of the offending member, if any

  // "enrolling: reading claim: the claim has expired"
  std::string text() const;
  bool operator==(const Error&) const = default;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

[[nodiscard]] inline std::unexpected<Error> fail(Code code, std::string message) {
  return std::unexpected(Error{code, std::move(message), {}, {}, {}});
}

// Adds a context to an error on its way up; passes values through.
template <class T>
[[nodiscard]] Result<T> with_context(Result<T> result, std::string context) {
  if (!result) result.error().context.push_back(std::move(context));
  return result;
}

// The row of contract/problems.yaml for this code; total by test.
const CodeRow& row_of(Code code);
std::optional<Code> code_named(std::string_view kebab_case_name);

}  // namespace holdfast

// TRY(expr): the value of a Result, or return its error from this function. Not inside coroutines.
#define HOLDFAST_TRY_AS(name, expr)                    \
  __extension__({                                      \
    auto&& name = (expr);                              \
    if (!name) [[unlikely]]                            \
      return std::unexpected(std::move(name).error()); \
    ::holdfast::detail::take(std::move(name));         \
  })
#define HOLDFAST_JOIN_NOW(a, b) a##b
#define HOLDFAST_JOIN(a, b) HOLDFAST_JOIN_NOW(a, b)
// A name of its own each time: a TRY inside a lambda inside a TRY shadows nothing.
#define HOLDFAST_TRY(expr) HOLDFAST_TRY_AS(HOLDFAST_JOIN(try_result_, __COUNTER__), expr)
#define TRY(expr) HOLDFAST_TRY(expr)

namespace holdfast::detail {
template <class T>
T take(std::expected<T, Error>&& result) {
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}
}  // namespace holdfast::detail
