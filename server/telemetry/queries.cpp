#include "server/telemetry/queries.hpp"

#include <algorithm>
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

Result<std::vector<chart::Function>> functions_of(const core::Call& call,
                                                  std::string_view otherwise) {
  std::vector<chart::Function> functions;
  std::string_view rest = call.query("functions").value_or(otherwise);
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const auto name = rest.substr(0, comma);
    const auto function = chart::function_named(name);
    if (!function)
      return std::unexpected(
          bad("functions", "there is no function \"" + std::string(name) + "\""));
    functions.push_back(*function);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
  }
  if (functions.empty() || functions.size() > kFunctionsMax)
    return std::unexpected(bad("functions", "name 1 to 16 functions"));
  return functions;
}

Result<std::vector<std::string>> metrics_of(const core::Call& call) {
  std::vector<std::string> metrics;
  for (const std::string_view metric : call.request.query_values("metric"))
    metrics.emplace_back(metric);
  if (metrics.empty()) return std::unexpected(bad("metric", "name a metric, as lab.temp"));
  if (metrics.size() > kMetricsMax) return std::unexpected(bad("metric", "at most 32 at once"));
  return metrics;
}

Result<std::vector<std::string>> devices_of(const core::Call& call) {
  std::vector<std::string> devices;
  for (const std::string_view device : call.request.query_values("device_id"))
    devices.emplace_back(device);
  if (devices.size() > kDevicesMax) return std::unexpected(bad("device_id", "at most 100 at once"));
  return devices;
}

// Length of buckets, and a range with two ends that makes few enough of them.
Status buckets_of(const core::Call& call, std::size_t lines, TelemetryQuery& query) {
  query.bucket =
      seconds(TRY(number_of(call.query("bucket_s").value_or(""), "bucket_s", 1, 31'536'000)));
  if (query.range.to.us == INT64_MAX) query.range.to = call.now + microseconds(1);
  const auto buckets = (query.range.to - query.range.from).us / query.bucket->us + 1;
  if (buckets * static_cast<std::int64_t>(lines) > static_cast<std::int64_t>(series::kBucketsMax)) {
    return std::unexpected(
        bad("bucket_s", "that makes more than 10000 buckets: take longer ones or a shorter range"));
  }
  return {};
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

query::Node is(std::string_view field, query::Op op, std::string_view text) {
  query::Term term;
  term.field = field;
  term.op = op;
  term.text = query::folded(text);
  return query::term_node(std::move(term));
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
  query.metrics = TRY(metrics_of(call));
  const core::Span span = TRY(core::span_of(call));
  query.range.to = span.to.value_or(WallTime{INT64_MAX});
  query.range.from = span.from.value_or(span.to.value_or(call.now) - hours(1));
  if (call.query("bucket_s")) {
    query.functions = TRY(functions_of(call, "min,max,mean,sum,count,first,last"));
    TRY(buckets_of(call, query.metrics.size(), query));
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

Result<CompareQuery> compare_query(const core::Call& call) {
  CompareQuery query;
  query.what.metrics = TRY(metrics_of(call));
  query.devices = TRY(devices_of(call));
  if (query.devices.empty()) return std::unexpected(bad("device_id", "name a device"));
  const core::Span span = TRY(core::span_of(call));
  query.what.range.to = span.to.value_or(call.now + microseconds(1));
  query.what.range.from = span.from.value_or(query.what.range.to - hours(1));
  query.what.functions = TRY(functions_of(call, "mean"));
  TRY(buckets_of(call,
                 query.devices.size() * query.what.metrics.size() * query.what.functions.size(),
                 query.what));
  if (const auto fill = call.query("fill")) {
    const auto named = chart::fill_named(*fill);
    if (!named) return std::unexpected(bad("fill", "none, null, previous or linear"));
    query.fill = *named;
  }
  if (const auto key = call.query("group_by")) {
    if (!key->starts_with("tag:") || key->size() == 4)
      return std::unexpected(bad("group_by", "tag: and the key of a tag"));
    query.group_by = key->substr(4);
    for (const chart::Function& function : query.what.functions) {
      if (!chart::adds_up(function))
        return std::unexpected(
            bad("functions", chart::name_of(function) + " is of one device, not of a group"));
    }
  }
  if (const auto top = call.query("top"))
    query.top = static_cast<std::size_t>(TRY(number_of(*top, "top", 1, kDevicesMax)));
  return query;
}

Result<NewestQuery> newest_query(const core::Call& call) {
  NewestQuery query;
  query.metrics = TRY(metrics_of(call));
  query.devices = TRY(devices_of(call));
  query.page = TRY(core::page_of(call));
  return query;
}

bool wants_rates(const std::vector<chart::Function>& functions) {
  return std::ranges::any_of(functions, [](const chart::Function& function) {
    return function.kind == chart::Function::Kind::rate ||
           function.kind == chart::Function::Kind::increase;
  });
}

bool wants_quantiles(const std::vector<chart::Function>& functions) {
  return std::ranges::any_of(functions, [](const chart::Function& function) {
    return function.kind == chart::Function::Kind::quantile;
  });
}

Result<events::Query> event_query(const core::Call& call) {
  events::Query query;
  if (const auto device = call.query("device_id")) {
    const auto id = DeviceId::parse(*device);
    if (!id) return std::unexpected(bad("device_id", id.error().message));
    query.device = id->ulid;
  }
  auto text = query::parse(call.query("q").value_or(""));
  if (!text) return std::unexpected(bad("q", text.error().message));
  std::vector<query::Node> kinds;
  for (const std::string_view kind : call.request.query_values("kind"))
    kinds.push_back(is("kind", query::Op::equal, kind));
  if (kinds.size() > kMetricsMax) return std::unexpected(bad("kind", "at most 32 at once"));
  query::Node options = query::either(std::move(kinds));
  if (const auto severity = call.query("severity")) {
    const auto named = wire::severity_named(*severity);
    if (!named)
      return std::unexpected(bad("severity", "debug, info, notice, warning, error or critical"));
    query::Node worse = is("severity", query::Op::greater_equal, *severity);
    worse.term.severity = static_cast<int>(*named);
    options = query::both(std::move(options), std::move(worse));
  }
  query.filter = query::both(std::move(options), *std::move(text));
  const core::Span span = TRY(core::span_of(call));
  if (span.from) query.from = *span.from;
  if (span.to) query.to = *span.to;
  return query;
}

Result<events::TallyQuery> tally_query(const core::Call& call) {
  events::TallyQuery out;
  out.of = TRY(event_query(call));
  out.by = call.query("by").value_or("");
  if (out.by.size() > 256) return std::unexpected(bad("by", "at most 256 characters"));
  const query::Builtin builtin = query::builtin_of(out.by);
  if (builtin == query::Builtin::time || builtin == query::Builtin::received ||
      builtin == query::Builtin::message)
    return std::unexpected(
        bad("by", "severity, kind, device or a field of events; time by step_s"));
  if (const auto limit = call.query("limit"))
    out.values_max = static_cast<std::size_t>(TRY(number_of(*limit, "limit", 1, 1'000)));
  if (const auto step = call.query("step_s"))
    out.step = seconds(TRY(number_of(*step, "step_s", 1, 31'536'000)));
  if (!out.step) return out;
  const WallTime to = std::min(out.of.to, call.now);
  if (out.of.from.us != INT64_MIN && out.of.from < to &&
      (to - out.of.from).us / out.step->us >= static_cast<std::int64_t>(events::kTallyStepsMax))
    return std::unexpected(bad("step_s", "that makes more than 10000 steps: take longer ones"));
  return out;
}

}  // namespace holdfast::telemetry
