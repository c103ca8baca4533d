#include "libs/wire/telemetry.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "libs/wire/json_parse.hpp"
#include "libs/wire/senml_record.hpp"
#include "libs/wire/times.hpp"

namespace holdfast::wire {
namespace {

constexpr std::string_view kValueName = "value";
constexpr std::string_view kTimeName = "time";

// Where a value stands, from the inside out; a pointer is built of it only for an error.
struct Step {
  const Step* up = nullptr;
  std::string_view key;
  std::optional<std::size_t> index;

  std::string pointer() const {
    const std::string above = up != nullptr ? up->pointer() : std::string();
    if (index) return pointer_to(above, *index);
    return key.empty() ? above : pointer_to(above, key);
  }
};

std::unexpected<Error> sample_fault(const Step& at, std::string_view what,
                                    Code code = Code::payload_malformed) {
  std::string pointer = at.pointer();
  const std::string shown = pointer.empty() ? "the payload" : "\"" + pointer + "\"";
  Error error{code, shown + " " + std::string(what), {}, {}, std::move(pointer)};
  return std::unexpected(std::move(error));
}

std::unexpected<Error> too_many_fields(std::size_t fields_max) {
  return fail(Code::payload_too_large,
              "more than " + std::to_string(fields_max) + " readings in one message; split it");
}

// Of fields with one name the last stays, at its place.
void drop_former(std::vector<Field>& fields) {
  if (fields.size() < 2) return;
  std::vector<std::size_t> order(fields.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&fields](std::size_t left, std::size_t right) {
    const int names = fields[left].name.compare(fields[right].name);
    return names != 0 ? names < 0 : left < right;
  });
  std::vector<bool> dropped(fields.size(), false);
  for (std::size_t i = 0; i + 1 < order.size(); ++i) {
    dropped[order[i]] = fields[order[i]].name == fields[order[i + 1]].name;
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (dropped[i]) continue;
    if (kept != i) fields[kept] = std::move(fields[i]);
    ++kept;
  }
  fields.resize(kept);
}

class JsonSampler {
 public:
  explicit JsonSampler(const TelemetryLimits& limits) : limits_(limits) {}

  Result<std::vector<Reading>> read(const Json& payload) {
    if (const auto* batch = payload.if_array()) {
      for (std::size_t i = 0; i < batch->size(); ++i) {
        const Step at{nullptr, {}, i};
        const auto* object = (*batch)[i].if_object();
        if (object == nullptr) return sample_fault(at, "must be an object");
        TRY(sample(*object, at));
      }
    } else if (const auto* object = payload.if_object()) {
      TRY(sample(*object, {}));
    } else if (payload.is_null()) {
      return sample_fault({}, "must hold a value");
    } else {
      name_ = kValueName;
      TRY(add_value(payload, {}));
      finish_sample();
    }
    return std::move(readings_);
  }

 private:
  Status sample(const JsonObject& object, const Step& at) {
    for (const auto& member : object) {
      const Step step{&at, member.key(), {}};
      if (step.key == kTimeName) {
        if (!member.value().is_null()) {
          reading_.device_time = TRY(time_at(member.value(), step));
        }
      } else {
        TRY(add_member(member.value(), step, 1));
      }
    }
    finish_sample();
    return {};
  }

  static Result<WallTime> time_at(const Json& value, const Step& at) {
    if (auto time = device_time_of(value, "")) return *time;
    return sample_fault(at, "must be RFC 3339 text or seconds since 1970");
  }

  // `name_` holds the names above, with their dots.
  Status add_member(const Json& value, const Step& at, std::size_t level) {
    if (value.is_null()) return {};
    if (level > kFieldLevelsMax) return sample_fault(at, "lies deeper than 4 levels");
    dotted_ = dotted_ || at.key.find('.') != std::string_view::npos;
    const std::size_t above = name_.size();
    name_ += at.key;
    if (const auto* object = value.if_object()) {
      name_ += '.';
      for (const auto& member : *object) {
        TRY(add_member(member.value(), {&at, member.key(), {}}, level + 1));
      }
    } else {
      TRY(add_value(value, at));
    }
    name_.resize(above);
    return {};
  }

  Status add_value(const Json& value, const Step& at) {
    if (!valid_field_name(name_)) {
      return sample_fault(at, "gives no field name: 1 to 128 of A-Z a-z 0-9 _ : / . -");
    }
    const auto* text = value.if_string();
    if (text != nullptr && text->size() > limits_.string_bytes_max) {
      return sample_fault(at,
                          "is longer than " + std::to_string(limits_.string_bytes_max) + " bytes");
    }
    auto scalar = to_value(value);
    if (!scalar) return sample_fault(at, "must be a number, a string, a boolean or an object");
    if (++fields_ > limits_.fields_max) return too_many_fields(limits_.fields_max);
    reading_.fields.push_back({name_, std::move(*scalar), {}});
    return {};
  }

  void finish_sample() {
    // Members of one object differ, so that only a dot inside a name can make two fields one.
    if (dotted_) drop_former(reading_.fields);
    if (!reading_.fields.empty()) readings_.push_back(std::move(reading_));
    reading_ = {};
    name_.clear();
    dotted_ = false;
  }

  const TelemetryLimits& limits_;
  std::vector<Reading> readings_;
  Reading reading_;
  std::string name_;
  std::size_t fields_ = 0;
  bool dotted_ = false;
};

// Neighbours with one time become one reading.
class SenmlSampler {
 public:
  SenmlSampler(std::string_view device_id, const TelemetryLimits& limits)
      : device_id_(device_id), limits_(limits) {}

  Result<std::vector<Reading>> read(std::vector<SenmlRecord> records) {
    for (std::size_t i = 0; i < records.size(); ++i) {
      auto& record = records[i];
      if (readings_.empty() || !same_time(records[i - 1], record)) open_reading(record);
      const std::string name(field_name(record.name));
      if (!std::holds_alternative<std::monostate>(record.value)) {
        TRY(add(i, name, value_of(std::move(record.value)), record.unit));
      }
      if (record.sum) TRY(add(i, name + ".sum", *record.sum, {}));
    }
    for (auto& reading : readings_) drop_former(reading.fields);
    return std::move(readings_);
  }

 private:
  static bool same_time(const SenmlRecord& left, const SenmlRecord& right) {
    return left.absolute == right.absolute && left.time_us == right.time_us;
  }

  void open_reading(const SenmlRecord& record) {
    auto& reading = readings_.emplace_back();
    if (record.absolute)
      reading.device_time = WallTime{record.time_us};
    else
      reading.offset = microseconds(record.time_us);
  }

  std::string_view field_name(std::string_view name) const {
    const std::size_t own = device_id_.size();
    const bool ours = own > 0 && name.size() > own && name.starts_with(device_id_) &&
                      (name[own] == ':' || name[own] == '/');
    if (ours) name.remove_prefix(own + 1);
    return name.empty() ? kValueName : name;
  }

  static Value value_of(SenmlValue value) {
    return std::visit(
        [](auto& held) -> Value {
          if constexpr (std::is_same_v<std::decay_t<decltype(held)>, Bytes>) {
            return to_base64url(held);
          } else {
            return Value(std::move(held));
          }
        },
        value);
  }

  Status add(std::size_t index, const std::string& name, Value value, const std::string& unit) {
    if (!valid_field_name(name)) {
      return senml_fault(index, "n", "gives no field name: 1 to 128 of A-Z a-z 0-9 _ : / . -");
    }
    const auto* text = std::get_if<std::string>(&value);
    if (text != nullptr && text->size() > limits_.string_bytes_max) {
      return senml_fault(index, "", "holds a value that is too long");
    }
    if (++fields_ > limits_.fields_max) return too_many_fields(limits_.fields_max);
    readings_.back().fields.push_back({name, std::move(value), unit});
    return {};
  }

  std::string_view device_id_;
  const TelemetryLimits& limits_;
  std::vector<Reading> readings_;
  std::size_t fields_ = 0;
};

SenmlLimits senml_limits(const TelemetryLimits& limits) {
  SenmlLimits senml;
  senml.bytes_max = limits.bytes_max;
  senml.records_max = limits.fields_max;
  senml.string_bytes_max = limits.string_bytes_max;
  return senml;
}

Result<std::vector<Reading>> decode_senml_cbor(View payload, std::string_view device_id,
                                               const TelemetryLimits& limits) {
  auto records = TRY(parse_senml(payload, SenmlFormat::cbor, senml_limits(limits)));
  return SenmlSampler(device_id, limits).read(std::move(records));
}

Result<std::vector<Reading>> decode_senml_json(const Json& pack, std::string_view device_id,
                                               const TelemetryLimits& limits) {
  const auto senml = senml_limits(limits);
  SenmlResolver resolver(senml);
  TRY(read_senml_json(pack, senml, resolver));
  return SenmlSampler(device_id, limits).read(resolver.take());
}

bool looks_like_senml(const Json& payload) {
  const auto* pack = payload.if_array();
  const auto* first = pack != nullptr && !pack->empty() ? pack->front().if_object() : nullptr;
  if (first == nullptr) return false;
  const auto is_text = [first](std::string_view label) {
    const auto* member = first->if_contains(label);
    return member != nullptr && member->is_string();
  };
  return is_text("n") || is_text("bn");
}

bool looks_like_cbor(View payload) {
  return !payload.empty() && payload[0] >= 0x80 && payload[0] <= 0x9F;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

bool valid_field_name(std::string_view name) {
  const auto alphanumeric = [](char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
  };
  if (name.empty() || name.size() > kFieldNameBytesMax || !alphanumeric(name.front())) return false;
  return std::ranges::all_of(name, [alphanumeric](char c) {
    return alphanumeric(c) || c == '_' || c == '.' || c == '-' || c == ':' || c == '/';
  });
}

std::optional<TelemetryFormat> format_of(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  std::erase_if(type, [](char c) { return c == ' ' || c == '\t'; });
  std::ranges::transform(type, type.begin(), lower);
  if (type.empty() || type == "application/octet-stream") return TelemetryFormat::sniff;
  if (type == "application/json") return TelemetryFormat::json;
  if (type == "application/senml+json") return TelemetryFormat::senml_json;
  if (type == "application/senml+cbor") return TelemetryFormat::senml_cbor;
  return std::nullopt;
}

Result<std::vector<Reading>> decode_telemetry(View payload, TelemetryFormat format,
                                              std::string_view device_id,
                                              const TelemetryLimits& limits) {
  const bool sniff = format == TelemetryFormat::sniff;
  if (format == TelemetryFormat::senml_cbor || (sniff && looks_like_cbor(payload))) {
    return decode_senml_cbor(payload, device_id, limits);
  }
  const JsonLimits json{limits.bytes_max, kJsonDevice.depth_max, Duplicates::last_counts};
  std::array<unsigned char, 8192> stack;  // most messages need no more
  boost::json::monotonic_resource memory(stack.data(), stack.size());
  auto parsed = parse_json_into(text_of(payload), json, &memory);
  if (!parsed) return std::unexpected(as_payload(std::move(parsed.error())));
  if (format == TelemetryFormat::senml_json || (sniff && looks_like_senml(*parsed))) {
    return decode_senml_json(*parsed, device_id, limits);
  }
  return JsonSampler(limits).read(*parsed);
}

Result<WallTime> device_time_of(const Json& value, std::string_view at) {
  if (const auto* text = value.if_string()) {
    if (auto time = from_rfc3339(std::string_view(*text))) return *time;
  }
  std::optional<std::int64_t> us;
  if (const auto* whole = value.if_int64()) us = microseconds_of(*whole);
  if (const auto* real = value.if_double()) us = microseconds_of(*real);
  if (us) return WallTime{*us};
  Error error{Code::payload_malformed,
              "\"" + std::string(at) + "\" must be RFC 3339 text or seconds since 1970",
              {},
              {},
              std::string(at)};
  return std::unexpected(std::move(error));
}

}  // namespace holdfast::wire
