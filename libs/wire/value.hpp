// Value: what a reading, an event's field or a twin member holds, whatever format brought it.
// Pure values; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

namespace holdfast::wire {

// monostate is null (telemetry never stores one). A double is finite: NaN and infinities are
// refused by every decoder here. A string is UTF-8.
using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

// The shortest text that reads back as the same value: null, true, 42, 20.5, "quoted" (JSON).
std::string value_text(const Value& value);

}  // namespace holdfast::wire
