// Whether an event is what a query looks for. What of the event is not known yet makes the answer
// `unknown` where it matters: engines ask with little first, and read more only then. This function
// is the language's meaning; engines and adapters must agree with it. Pure; thread-safe.
#pragma once

#include "libs/query/words.hpp"

namespace holdfast::query {

enum class Truth { no, unknown, yes };

class Fields {
 public:
  virtual ~Fields() = default;
  // Calls for each field until one answers true; whether one did.
  using Use = std::function<bool(std::string_view name, const Scalar& value)>;
  virtual bool any(const Use& use) const = 0;
};

// Absent parts are not known.
struct Document {
  std::optional<std::int64_t> time, received;  // microseconds
  const Ulid* device = nullptr;
  std::optional<std::string_view> kind;
  std::optional<int> severity;
  std::optional<std::string_view> message;
  const Fields* fields = nullptr;
};

Truth evaluate(const Node& node, const Document& document);
inline bool matches(const Node& node, const Document& document) {
  return evaluate(node, document) == Truth::yes;
}
// One value against a term, its field aside.
bool value_matches(const Term& term, const Scalar& value);

}  // namespace holdfast::query
