#include "server/telemetry/queries.hpp"

#include <charconv>

namespace holdfast::telemetry {
namespace {

Error bad(std::string_view name, std::string_view why) {
  return Error{Code::invalid_argument,
               "query parameter \"" + std::string(name) + "\": " + std::string(why),
               {},
               {},
               {}};
}

Result<std::int64_t> number_of(std::string_view text, std::string_view name, std::int64_t least,
                               std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
    return std::unexpected(
        bad(name, "give a number from " + std::to_string(least) + " to " + std::to_string(most)));
  }
  return value;
}

Result<std::vector<Function>> functions_of(const core::Call& call) {
  std::vector<Function> functions;
  std::string_view rest = call.query("functions").value_or("min,max,mean,sum,count,first,last");
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const auto name = rest.substr(0, comma);
    const auto function = function_named(name);
    if (!function)
      return std::unexpected(
          bad("functions", "there is no function \"" + std::string(name) + "\""));
    functions.push_back(*function);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
  }
  return functions;
}

Status read_points_cursor(const std::string& key, TelemetryQuery& query) {
  const auto colon = key.find(':');
  if (colon == std::string::npos) return std::unexpected(bad("cursor", "it is of another list"));
  query.after = WallTime{
      TRY(number_of(std::string_view(key).substr(0, colon), "cursor", INT64_MIN, INT64_MAX))};
  query.skip = static_cast<std::size_t>(
      TRY(number_of(std::string_view(key).substr(colon + 1), "cursor", 0, INT32_MAX)));
  return {};
}

}  // namespace

series::Range PointsPage::range() const {
  series::Range out = query_.range;
  if (query_.after && query_.newest_first) out.to = *query_.after + microseconds(1);
  if (query_.after && !query_.newest_first) out.from = *query_.after;
  return out;
}

bool PointsPage::take(const std::vector<series::Point>& some) {
  for (const series::Point& point : some) {
    const bool known = skip_ > 0 && query_.after == point.time;
    if (!known && points_.size() == query_.limit) {
      more_ = true;
      return false;
    }
    if (shown_ != point.time) shown_count_ = 0;
    shown_ = point.time;
    ++shown_count_;
    if (known) {
      --skip_;
    } else {
      points_.push_back(point_json(point));
    }
  }
  return true;
}

wire::JsonObject PointsPage::json(const series::Outcome& outcome) {
  wire::Json next = nullptr;
  if ((more_ || outcome.late) && shown_) {
    next = core::make_cursor(std::to_string(shown_->us) + ":" + std::to_string(shown_count_));
  }
  return {{"points", std::move(points_)},
          {"next_cursor", std::move(next)},
          {"partial", outcome.partial}};
}

Result<TelemetryQuery> telemetry_query(const core::Call& call) {
  TelemetryQuery query;
  for (const std::string_view metric : call.request.query_values("metric"))
    query.metrics.emplace_back(metric);
  if (query.metrics.empty()) return std::unexpected(bad("metric", "name a metric, as lab.temp"));
  if (query.metrics.size() > kMetricsMax)
    return std::unexpected(bad("metric", "at most 32 at once"));
  const core::Span span = TRY(core::span_of(call));
  query.range.to = span.to.value_or(WallTime{INT64_MAX});
  query.range.from = span.from.value_or(span.to.value_or(call.now) - hours(1));
  if (const auto bucket = call.query("bucket_s")) {
    query.bucket = seconds(TRY(number_of(*bucket, "bucket_s", 1, 31'536'000)));
    query.functions = TRY(functions_of(call));
    query.range.to = span.to.value_or(call.now + microseconds(1));
    const auto buckets = (query.range.to - query.range.from).us / query.bucket->us + 1;
    if (buckets * static_cast<std::int64_t>(query.metrics.size()) >
        static_cast<std::int64_t>(series::kBucketsMax)) {
      return std::unexpected(bad(
          "bucket_s", "that makes more than 10000 buckets: take longer ones or a shorter range"));
    }
    return query;
  }
  if (query.metrics.size() > 1)
    return std::unexpected(bad("metric", "raw points come of one metric; several take bucket_s"));
  if (const auto limit = call.query("limit")) {
    query.limit = static_cast<std::size_t>(TRY(number_of(*limit, "limit", 1, kPointsMax)));
  }
  const auto order = call.query("order").value_or("asc");
  if (order != "asc" && order != "desc") return std::unexpected(bad("order", "asc or desc"));
  query.newest_first = order == "desc";
  if (const auto cursor = call.query("cursor"); cursor && !cursor->empty()) {
    TRY(read_points_cursor(TRY(core::read_cursor(*cursor)), query));
  }
  return query;
}

Result<events::Query> event_query(const core::Call& call) {
  events::Query query;
  if (const auto device = call.query("device_id")) {
    const auto id = DeviceId::parse(*device);
    if (!id) return std::unexpected(bad("device_id", id.error().message));
    query.device = id->ulid;
  }
  for (const std::string_view kind : call.request.query_values("kind"))
    query.kinds.emplace_back(kind);
  if (query.kinds.size() > kMetricsMax) return std::unexpected(bad("kind", "at most 32 at once"));
  if (const auto severity = call.query("severity")) {
    const auto named = wire::severity_named(*severity);
    if (!named)
      return std::unexpected(bad("severity", "debug, info, notice, warning, error or critical"));
    query.severity_min = *named;
  }
  query.text = call.query("q").value_or("");
  if (query.text.size() > 256) return std::unexpected(bad("q", "at most 256 characters"));
  const core::Span span = TRY(core::span_of(call));
  if (span.from) query.from = *span.from;
  if (span.to) query.to = *span.to;
  return query;
}

}  // namespace holdfast::telemetry
