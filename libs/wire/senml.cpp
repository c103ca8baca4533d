#include "libs/wire/senml.hpp"

#include <algorithm>
#include <cmath>

#include "libs/wire/senml_record.hpp"
#include "libs/wire/times.hpp"

namespace holdfast::wire {
namespace {

constexpr double kAbsoluteFrom_s = 268'435'456;  // 2^28 (section 4.5.3)

using Key = SenmlKey;
using LabelKind = SenmlKind;
constexpr std::array<SenmlLabel, kSenmlKeys> kSenmlLabels = {{
    {Key::bver, LabelKind::number, "bver", -1},
    {Key::bn, LabelKind::text, "bn", -2},
    {Key::bt, LabelKind::number, "bt", -3},
    {Key::bu, LabelKind::text, "bu", -4},
    {Key::bv, LabelKind::number, "bv", -5},
    {Key::bs, LabelKind::number, "bs", -6},
    {Key::n, LabelKind::text, "n", 0},
    {Key::u, LabelKind::text, "u", 1},
    {Key::v, LabelKind::number, "v", 2},
    {Key::vs, LabelKind::text, "vs", 3},
    {Key::vb, LabelKind::boolean, "vb", 4},
    {Key::s, LabelKind::number, "s", 5},
    {Key::t, LabelKind::number, "t", 6},
    {Key::ut, LabelKind::number, "ut", 7},
    {Key::vd, LabelKind::data, "vd", 8},
}};

// A missing part counts as zero (section 4.5.4). Whole numbers stay exact as long as they fit.
SenmlNumber sum_of(const std::optional<SenmlNumber>& base, const std::optional<SenmlNumber>& own) {
  if (!base) return own.value_or(SenmlNumber{});
  if (!own) return *base;
  std::int64_t whole = 0;
  if (base->whole && own->whole && !__builtin_add_overflow(*base->whole, *own->whole, &whole)) {
    return {static_cast<double>(whole), whole};
  }
  return {base->real + own->real, std::nullopt};
}

// Nothing but base values: they hold for the records that follow.
bool only_base(const SenmlRaw& raw) {
  return !raw.text(Key::n) && !raw.text(Key::u) && !raw.number(Key::t) && !raw.number(Key::ut);
}

}  // namespace

std::span<const SenmlLabel> senml_labels() {
  return kSenmlLabels;
}

const SenmlLabel* senml_label(std::string_view name) {
  const auto found = std::ranges::find(kSenmlLabels, name, &SenmlLabel::name);
  return found == kSenmlLabels.end() ? nullptr : &*found;
}

const SenmlLabel* senml_label(std::int64_t number) {
  const auto found = std::ranges::find(kSenmlLabels, number, &SenmlLabel::number);
  return found == kSenmlLabels.end() ? nullptr : &*found;
}

bool must_understand(std::string_view label) {
  return label.ends_with('_');
}

std::unexpected<Error> senml_fault(std::size_t index, std::string_view label,
                                   std::string_view what) {
  std::string pointer = pointer_to("", index);
  if (!label.empty()) pointer = pointer_to(pointer, label);
  Error error{Code::payload_malformed,
              "SenML: \"" + pointer + "\" " + std::string(what),
              {},
              {},
              std::move(pointer)};
  return std::unexpected(std::move(error));
}

Status SenmlResolver::take_base(const SenmlRaw& raw, std::size_t index) {
  if (const auto& version = raw.number(Key::bver)) {
    if (!(version->real <= kSenmlVersion)) return senml_fault(index, "bver", "is above 10");
  }
  if (const auto& name = raw.text(Key::bn)) base_name_ = *name;
  if (const auto& unit = raw.text(Key::bu)) base_unit_ = *unit;
  if (const auto& time = raw.number(Key::bt)) base_time_ = time;
  if (const auto& value = raw.number(Key::bv)) base_value_ = value;
  if (const auto& sum = raw.number(Key::bs)) base_sum_ = sum;
  return {};
}

Status SenmlResolver::set_names(SenmlRecord& record, const SenmlRaw& raw, std::size_t index) const {
  record.name = base_name_ + raw.text(Key::n).value_or("");
  record.unit = raw.text(Key::u).value_or(base_unit_);
  if (record.name.size() > limits_.name_bytes_max) return senml_fault(index, "n", "is too long");
  if (record.unit.size() > limits_.name_bytes_max) return senml_fault(index, "u", "is too long");
  return {};
}

Status SenmlResolver::set_value(SenmlRecord& record, const SenmlRaw& raw, std::size_t index) const {
  const auto& number = raw.number(Key::v);
  const auto& text = raw.text(Key::vs);
  const int values = int{number.has_value()} + int{text.has_value()} + int{raw.flag.has_value()} +
                     int{raw.data.has_value()};
  if (values > 1) return senml_fault(index, "", "has more than one value");
  if (raw.number(Key::s) || base_sum_) record.sum = sum_of(base_sum_, raw.number(Key::s)).real;
  if (text) {
    if (text->size() > limits_.string_bytes_max) return senml_fault(index, "vs", "is too long");
    record.value = *text;
  } else if (raw.data) {
    if (raw.data->size() > limits_.string_bytes_max) return senml_fault(index, "vd", "is too long");
    record.value = *raw.data;
  } else if (raw.flag) {
    record.value = *raw.flag;
  } else if (number || (base_value_ && !record.sum)) {
    const auto sum = sum_of(base_value_, number);
    if (!std::isfinite(sum.real)) return senml_fault(index, "v", "does not fit a double");
    if (sum.whole)
      record.value = *sum.whole;
    else
      record.value = sum.real;
  }
  if (record.sum && !std::isfinite(*record.sum)) {
    return senml_fault(index, "s", "does not fit a double");
  }
  return {};
}

Status SenmlResolver::set_times(SenmlRecord& record, const SenmlRaw& raw, std::size_t index) const {
  const auto time = sum_of(base_time_, raw.number(Key::t));
  const auto us = time.whole ? microseconds_of(*time.whole) : microseconds_of(time.real);
  if (!us) return senml_fault(index, "t", "is not a time between the years 1 and 9999");
  record.time_us = *us;
  record.absolute = time.real >= kAbsoluteFrom_s;
  if (const auto& update = raw.number(Key::ut)) record.update_time_s = update->real;
  return {};
}

Status SenmlResolver::add(const SenmlRaw& raw, std::size_t index) {
  TRY(take_base(raw, index));
  SenmlRecord record;
  TRY(set_value(record, raw, index));
  if (std::holds_alternative<std::monostate>(record.value) && !record.sum) {
    if (only_base(raw)) return {};
    return senml_fault(index, "", "has neither value nor sum");
  }
  TRY(set_names(record, raw, index));
  TRY(set_times(record, raw, index));
  records_.push_back(std::move(record));
  return {};
}

Result<std::vector<SenmlRecord>> parse_senml(View payload, SenmlFormat format,
                                             const SenmlLimits& limits) {
  if (payload.size() > limits.bytes_max) {
    return fail(Code::payload_too_large, "SenML: " + std::to_string(payload.size()) +
                                             " bytes; the limit is " +
                                             std::to_string(limits.bytes_max));
  }
  SenmlResolver resolver(limits);
  if (format == SenmlFormat::cbor) {
    TRY(read_senml_cbor(payload, limits, resolver));
    return resolver.take();
  }
  // A record is one level in an array; members that are not known may hold more.
  const JsonLimits json{limits.bytes_max, kJsonDevice.depth_max, Duplicates::last_counts};
  auto pack = parse_json(payload, json);
  if (!pack) return std::unexpected(as_payload(std::move(pack.error())));
  TRY(read_senml_json(*pack, limits, resolver));
  return resolver.take();
}

}  // namespace holdfast::wire
