#include "agent/control/twin.hpp"

#include <array>

#include "libs/wire/utf8.hpp"

namespace holdfast::agent {
namespace {

constexpr std::string_view kTwinName = "twin";
constexpr std::int64_t kSampleMin_s = 1, kSampleMax_s = 3600;
constexpr std::size_t kRefusedMax = 32;
constexpr std::size_t kMemberNameMax = 64;
constexpr std::array<std::string_view, 4> kLevelNames = {"debug", "info", "warning", "error"};

std::optional<Duration> interval_of(const wire::Json& value) {
  double wanted = 0;
  if (const auto* number = value.if_int64()) wanted = static_cast<double>(*number);
  if (const auto* number = value.if_uint64()) wanted = static_cast<double>(*number);
  if (const auto* number = value.if_double()) wanted = *number;
  if (!(wanted >= kSampleMin_s && wanted <= kSampleMax_s)) return std::nullopt;
  return Duration{static_cast<std::int64_t>(wanted * 1e6)};
}

}  // namespace

std::optional<Level> level_named(std::string_view name) {
  for (std::size_t i = 0; i < kLevelNames.size(); ++i) {
    if (kLevelNames[i] == name) return static_cast<Level>(i);
  }
  return std::nullopt;
}

std::string_view level_name(Level level) {
  return kLevelNames[static_cast<std::size_t>(level)];
}

Result<Desired> parse_desired(View payload) {
  auto json = wire::parse_json(payload, wire::kJsonDevice);
  if (!json) return std::unexpected(wire::as_payload(json.error()));
  const auto& object = *TRY(wire::as_object(*json));
  Desired out;
  out.version = TRY(wire::get_int(object, "version", "", 0));
  out.state = *TRY(wire::get_object(object, "desired"));
  return out;
}

Applied apply_desired(const wire::JsonObject& desired, const LiveSettings& configured) {
  Applied out{configured, {}};
  for (const auto& member : desired) {
    const std::string key(member.key());
    std::string why;
    if (key == "sample_interval_s") {
      if (const auto interval = interval_of(member.value())) {
        out.settings.sample_interval = *interval;
      } else {
        why = "a number from 1 to 3600 is wanted";
      }
    } else if (key == "log_level") {
      const auto* text = member.value().if_string();
      const auto level = text ? level_named(*text) : std::nullopt;
      if (level) {
        out.settings.log_level = *level;
      } else {
        why = "one of debug, info, warning, error is wanted";
      }
    } else {
      why = "this agent has no such setting";
    }
    if (!why.empty() && out.refused.size() < kRefusedMax) {
      std::string shown = key.substr(0, kMemberNameMax);
      while (!wire::valid_utf8(shown)) shown.pop_back();
      out.refused.emplace(std::move(shown), why);
    }
  }
  return out;
}

wire::JsonObject reported_of(const Applied& applied, std::int64_t version) {
  const Duration interval = applied.settings.sample_interval;
  wire::JsonObject out;
  if (interval.us % 1'000'000 == 0) {
    out["sample_interval_s"] = interval.us / 1'000'000;
  } else {
    out["sample_interval_s"] = interval.seconds();
  }
  out["log_level"] = level_name(applied.settings.log_level);
  out["desired_version"] = version;
  if (applied.refused.empty()) return out;
  wire::JsonObject refused;
  for (const auto& [key, why] : applied.refused) refused[key] = why;
  out["refused"] = std::move(refused);
  return out;
}

Result<Desired> load_desired(StateFolder& state) {
  const auto bytes = TRY(state.load_sealed(std::string(kTwinName)));
  if (!bytes) return Desired{};
  return parse_desired(*bytes);
}

Status save_desired(StateFolder& state, const Desired& desired) {
  const wire::JsonObject object{{"version", desired.version}, {"desired", desired.state}};
  return state.save_sealed(std::string(kTwinName), view_of(wire::json_text(object)));
}

}  // namespace holdfast::agent
