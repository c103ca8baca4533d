// Rise: how much a counter grew over points that come in order of time. A counter that is less than
// before was set back and began at zero; of two int64 the difference is exact. A value; pure.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>

namespace holdfast::chart {

// A numeric point: an int64, or a double.
struct Number {
  bool whole = false;
  std::int64_t integer = 0;
  double real = 0;
  double as_double() const { return whole ? static_cast<double>(integer) : real; }
};

class Rise {
 public:
  // The counter's growth since the point before; nothing for the first one and for NaN.
  std::optional<double> add(const Number& now) {
    if (!now.whole && std::isnan(now.real)) return std::nullopt;
    const std::optional<Number> before = last_;
    last_ = now;
    if (!before) return std::nullopt;
    if (now.whole && before->whole) {
      if (now.integer < before->integer) return static_cast<double>(now.integer);
      return static_cast<double>(static_cast<std::uint64_t>(now.integer) -
                                 static_cast<std::uint64_t>(before->integer));
    }
    const double a = before->as_double();
    const double b = now.as_double();
    return b < a ? b : b - a;
  }

 private:
  std::optional<Number> last_;
};

}  // namespace holdfast::chart
