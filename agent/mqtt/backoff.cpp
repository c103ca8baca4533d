#include "agent/mqtt/backoff.hpp"

#include <algorithm>

namespace holdfast::agent {
namespace {

constexpr unsigned kFirstAfterCut = 2;
constexpr unsigned kDoublingsMax = 9;  // 2^9 s is beyond kWaitMax

}  // namespace

Duration drawn_between(Duration low, Duration high, std::uint64_t random) {
  const auto span = static_cast<std::uint64_t>(high.us - low.us) + 1;
  return {low.us + static_cast<std::int64_t>(random % span)};
}

Duration no_sooner(Duration wait, const std::optional<double>& retry_after_s, Duration most) {
  if (!retry_after_s) return wait;
  const double least = std::clamp(*retry_after_s, 0.0, static_cast<double>(most.us) / 1e6);
  return std::max(wait, milliseconds(static_cast<std::int64_t>(least * 1000)));
}

Duration Backoff::after(Ending ending, Duration lasted, std::uint64_t random) {
  if (lasted >= kGoodAfter) failures_ = 0;
  switch (ending) {
    case Ending::unwelcome:
    case Ending::taken_over:
      failures_ = std::min(failures_ + 1, kDoublingsMax);
      return drawn_between(kSlowMin, kWaitMax, random);
    case Ending::cut:
    case Ending::shutting_down:
      failures_ = std::max(failures_, kFirstAfterCut);
      break;
    case Ending::failed:
      break;
  }
  const Duration most = std::min(kWaitMax, seconds(std::int64_t{1} << failures_));
  failures_ = std::min(failures_ + 1, kDoublingsMax);
  return std::max(kWaitMin, drawn_between({}, most, random));
}

}  // namespace holdfast::agent
