// SenML in CBOR (RFC 8428 section 6).
#include <charconv>
#include <cmath>

#include "libs/wire/cbor.hpp"
#include "libs/wire/senml_record.hpp"

namespace holdfast::wire {
namespace {

constexpr std::uint64_t kDecimalFractionTag = 4;  // RFC 8949 section 3.4.4: [exponent, mantissa]

bool is_whole(const CborItem& item) {
  return item.kind == CborKind::unsigned_integer || item.kind == CborKind::negative_integer;
}

std::optional<std::int64_t> whole_of(const CborItem& item) {
  if (!is_whole(item) || item.number > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  const auto number = static_cast<std::int64_t>(item.number);
  return item.kind == CborKind::negative_integer ? -1 - number : number;
}

Result<SenmlNumber> read_decimal_fraction(CborReader& reader, std::size_t index,
                                          std::string_view name) {
  const auto array = TRY(reader.array());
  if (array.indefinite || array.number != 2) {
    return senml_fault(index, name, "is not a decimal fraction");
  }
  const std::int64_t exponent = TRY(reader.integer());
  const std::int64_t mantissa = TRY(reader.integer());
  TRY(reader.next());  // end
  // By way of its digits: a power of ten has no exact double.
  const std::string digits = std::to_string(mantissa) + "e" + std::to_string(exponent);
  double real = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), real);
  if (read.ec != std::errc{}) return senml_fault(index, name, "does not fit a double");
  return SenmlNumber{real, std::nullopt};
}

Result<SenmlNumber> read_number(CborReader& reader, std::size_t index, std::string_view name) {
  const auto item = TRY(reader.next());
  if (item.kind == CborKind::tag && item.number == kDecimalFractionTag) {
    return read_decimal_fraction(reader, index, name);
  }
  if (!is_whole(item) && item.kind != CborKind::floating) {
    return senml_fault(index, name, "must be a number");
  }
  const double real = number_of(item);
  if (!std::isfinite(real)) return senml_fault(index, name, "must be a finite number");
  return SenmlNumber{real, whole_of(item)};
}

Status read_cbor_member(CborReader& reader, SenmlRaw& raw, const SenmlLabel& label,
                        std::size_t index) {
  switch (label.kind) {
    case SenmlKind::number:
      raw.number(label.key) = TRY(read_number(reader, index, label.name));
      return {};
    case SenmlKind::text:
      raw.text(label.key) = TRY(reader.text());
      return {};
    case SenmlKind::boolean:
      raw.flag = TRY(reader.boolean());
      return {};
    case SenmlKind::data:
      raw.data = TRY(reader.byte_string());
      return {};
  }
  return {};
}

// The label of a pair; null when it may be ignored. Known labels are numbers, others may be texts.
Result<const SenmlLabel*> read_label(CborReader& reader, const CborItem& key, std::size_t index) {
  if (is_whole(key)) {
    const auto number = whole_of(key);
    return number ? senml_label(*number) : nullptr;
  }
  if (key.kind != CborKind::text) {
    TRY(reader.skip_rest(key));
    return nullptr;
  }
  const auto name = text_of(key.string);
  if (const auto* label = senml_label(name)) return label;
  if (must_understand(name)) {
    return senml_fault(index, name, "is not known and must not be ignored");
  }
  return nullptr;
}

Status read_cbor_record(CborReader& reader, const CborItem& opening, std::size_t index,
                        SenmlResolver& resolver) {
  if (opening.kind != CborKind::map) return senml_fault(index, "", "must be a map");
  SenmlRaw raw;
  while (const auto key = TRY(reader.element())) {
    const auto* label = TRY(read_label(reader, *key, index));
    if (label != nullptr)
      TRY(read_cbor_member(reader, raw, *label, index));
    else
      TRY(reader.skip());
  }
  return resolver.add(raw, index);
}

}  // namespace

Status read_senml_cbor(View payload, const SenmlLimits& limits, SenmlResolver& resolver) {
  CborReader reader(payload);
  TRY(reader.array());
  std::size_t index = 0;
  while (const auto opening = TRY(reader.element())) {
    if (index == limits.records_max) {
      return fail(Code::payload_too_large,
                  "SenML: more than " + std::to_string(limits.records_max) + " records");
    }
    TRY(read_cbor_record(reader, *opening, index, resolver));
    ++index;
  }
  if (reader.left() != 0) return fail(Code::payload_malformed, "SenML: bytes behind the pack");
  return {};
}

}  // namespace holdfast::wire
