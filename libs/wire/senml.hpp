// SenML (RFC 8428) in JSON and CBOR: a pack becomes resolved records (section 4.6), base values
// applied; and back.
//
// Shapes: names are base name and name joined. Values are double, int64 (a number written without
// fraction that needs no base value), string, bool or bytes. Times are seconds: absolute (since
// 1970) from 2^28 on, else relative to the arrival (section 4.5.3); the sum is rounded to
// microseconds. Errors: Code::payload_malformed with the record's index in pointer ("/3/bt");
// Code::payload_too_large beyond a limit. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/base/result.hpp"
#include "libs/base/time.hpp"

namespace holdfast::wire {

enum class SenmlFormat { json, cbor };

using SenmlValue = std::variant<std::monostate, bool, std::int64_t, double, std::string, Bytes>;

struct SenmlRecord {
  std::string name;
  std::string unit;  // empty: none
  SenmlValue value;  // monostate: only a sum
  std::optional<double> sum;
  bool absolute = false;  // `time` counts from 1970; else from the arrival
  std::int64_t time_us = 0;
  std::optional<double> update_time_s;
  bool operator==(const SenmlRecord&) const = default;
};

struct SenmlLimits {
  std::size_t bytes_max = 262'144;
  std::size_t records_max = 10'000;
  std::size_t string_bytes_max = 4'096;
  std::size_t name_bytes_max =
      256;  // resolved names and units: a base name is not multiplied freely
};

inline constexpr int kSenmlVersion = 10;

Result<std::vector<SenmlRecord>> parse_senml(View payload, SenmlFormat format,
                                             const SenmlLimits& limits = {});

// A pack without base values: each record says everything. A relative time of 0 is left out.
// Code::invalid_argument for a record that the format cannot say (no value and no sum, no name).
Result<Bytes> encode_senml(const std::vector<SenmlRecord>& records, SenmlFormat format);

}  // namespace holdfast::wire
