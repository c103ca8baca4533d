// Inside of the SenML codec: a record as it stands in the pack, whatever the format, and its
// labels.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>

#include "libs/wire/cbor.hpp"
#include "libs/wire/json.hpp"
#include "libs/wire/senml.hpp"

namespace holdfast::wire {

// Numbers, then texts, then the rest: their places in a SenmlRaw.
enum class SenmlKey : std::uint8_t { bver, bt, bv, bs, v, s, t, ut, bn, bu, n, u, vs, vb, vd };
enum class SenmlKind : std::uint8_t { number, text, boolean, data };
inline constexpr std::size_t kSenmlKeys = 15;
inline constexpr std::size_t kSenmlNumbers = 8;
inline constexpr std::size_t kSenmlTexts = 5;

struct SenmlLabel {
  SenmlKey key;
  SenmlKind kind;
  std::string_view name;  // in JSON (RFC 8428 section 5)
  std::int64_t number;    // in CBOR (section 6, table 4)
};
std::span<const SenmlLabel> senml_labels();
const SenmlLabel* senml_label(std::string_view name);
const SenmlLabel* senml_label(std::int64_t number);
// Whether a label that is not known must not be ignored (section 4.4).
bool must_understand(std::string_view label);

struct SenmlNumber {
  double real = 0;
  std::optional<std::int64_t> whole;  // when it was written as one
};

struct SenmlRaw {
  std::array<std::optional<SenmlNumber>, kSenmlNumbers> numbers;
  std::array<std::optional<std::string>, kSenmlTexts> texts;
  std::optional<bool> flag;
  std::optional<Bytes> data;

  static std::size_t text_place(SenmlKey key) {
    return static_cast<std::size_t>(key) - kSenmlNumbers;
  }
  std::optional<SenmlNumber>& number(SenmlKey key) { return numbers[static_cast<unsigned>(key)]; }
  const std::optional<SenmlNumber>& number(SenmlKey key) const {
    return numbers[static_cast<unsigned>(key)];
  }
  std::optional<std::string>& text(SenmlKey key) { return texts[text_place(key)]; }
  const std::optional<std::string>& text(SenmlKey key) const { return texts[text_place(key)]; }
};

// Applies base values record by record, and keeps to the limits.
class SenmlResolver {
 public:
  explicit SenmlResolver(const SenmlLimits& limits) : limits_(limits) {}
  // `index` counts records, for errors.
  Status add(const SenmlRaw& raw, std::size_t index);
  std::vector<SenmlRecord> take() { return std::move(records_); }

 private:
  Status take_base(const SenmlRaw& raw, std::size_t index);
  Status set_value(SenmlRecord& record, const SenmlRaw& raw, std::size_t index) const;
  Status set_times(SenmlRecord& record, const SenmlRaw& raw, std::size_t index) const;
  Status set_names(SenmlRecord& record, const SenmlRaw& raw, std::size_t index) const;

  const SenmlLimits& limits_;
  std::string base_name_;
  std::string base_unit_;
  std::optional<SenmlNumber> base_time_;
  std::optional<SenmlNumber> base_value_;
  std::optional<SenmlNumber> base_sum_;
  std::vector<SenmlRecord> records_;
};

std::unexpected<Error> senml_fault(std::size_t index, std::string_view label,
                                   std::string_view what);

Status read_senml_json(const Json& pack, const SenmlLimits& limits, SenmlResolver& resolver);
Status read_senml_cbor(View payload, const SenmlLimits& limits, SenmlResolver& resolver);

}  // namespace holdfast::wire
