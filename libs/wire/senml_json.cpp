// SenML in JSON (RFC 8428 section 5).
#include "libs/wire/json.hpp"
#include "libs/wire/senml_record.hpp"

namespace holdfast::wire {
namespace {

Status read_json_member(SenmlRaw& raw, const SenmlLabel& label, const Json& value,
                        std::size_t index) {
  switch (label.kind) {
    case SenmlKind::number:
      if (const auto* whole = value.if_int64()) {
        raw.number(label.key) = SenmlNumber{static_cast<double>(*whole), *whole};
      } else if (const auto* large = value.if_uint64()) {
        raw.number(label.key) = SenmlNumber{static_cast<double>(*large), std::nullopt};
      } else if (const auto* real = value.if_double()) {
        raw.number(label.key) = SenmlNumber{*real, std::nullopt};
      } else {
        return senml_fault(index, label.name, "must be a number");
      }
      return {};
    case SenmlKind::text:
      if (!value.is_string()) return senml_fault(index, label.name, "must be a string");
      raw.text(label.key) = std::string(value.get_string());
      return {};
    case SenmlKind::boolean:
      if (!value.is_bool()) return senml_fault(index, label.name, "must be true or false");
      raw.flag = value.get_bool();
      return {};
    case SenmlKind::data: {
      const auto* text = value.if_string();
      auto data = text != nullptr ? from_base64url(std::string_view(*text)) : Result<Bytes>();
      if (text == nullptr || !data) return senml_fault(index, label.name, "must be base64url");
      raw.data = std::move(*data);
      return {};
    }
  }
  return {};
}

}  // namespace

Status read_senml_json(const Json& pack, const SenmlLimits& limits, SenmlResolver& resolver) {
  const auto* records = pack.if_array();
  if (records == nullptr) return fail(Code::payload_malformed, "SenML: the pack must be an array");
  if (records->size() > limits.records_max) {
    return fail(Code::payload_too_large,
                "SenML: more than " + std::to_string(limits.records_max) + " records");
  }
  for (std::size_t index = 0; index < records->size(); ++index) {
    const auto* record = (*records)[index].if_object();
    if (record == nullptr) return senml_fault(index, "", "must be an object");
    SenmlRaw raw;
    for (const auto& member : *record) {
      const std::string_view name = member.key();
      if (const auto* label = senml_label(name)) {
        TRY(read_json_member(raw, *label, member.value(), index));
      } else if (must_understand(name)) {
        return senml_fault(index, name, "is not known and must not be ignored");
      }
    }
    TRY(resolver.add(raw, index));
  }
  return {};
}

}  // namespace holdfast::wire
