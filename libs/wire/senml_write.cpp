// Writing SenML: each record stands for itself, without base values.
#include <cmath>

#include "libs/wire/senml_record.hpp"

namespace holdfast::wire {
namespace {

std::unexpected<Error> cannot_write(std::string_view what) {
  return fail(Code::invalid_argument, "SenML: a record " + std::string(what));
}

bool has_value(const SenmlRecord& record) {
  return !std::holds_alternative<std::monostate>(record.value);
}

bool has_time(const SenmlRecord& record) {
  return record.absolute || record.time_us != 0;
}

Status check_record(const SenmlRecord& record) {
  if (record.name.empty()) return cannot_write("has no name");
  if (!has_value(record) && !record.sum) return cannot_write("has neither value nor sum");
  const auto* real = std::get_if<double>(&record.value);
  if ((real != nullptr && !std::isfinite(*real)) || (record.sum && !std::isfinite(*record.sum))) {
    return cannot_write("holds a number that is not finite");
  }
  return {};
}

// Whole seconds stay whole; the rest is the double that reads back as the same microsecond.
std::variant<std::int64_t, double> seconds_of(std::int64_t us) {
  if (us % 1'000'000 == 0) return us / 1'000'000;
  return static_cast<double>(us) / 1e6;
}

JsonObject json_record(const SenmlRecord& record) {
  JsonObject out;
  out["n"] = record.name;
  if (!record.unit.empty()) out["u"] = record.unit;
  if (const auto* flag = std::get_if<bool>(&record.value)) out["vb"] = *flag;
  if (const auto* whole = std::get_if<std::int64_t>(&record.value)) out["v"] = *whole;
  if (const auto* real = std::get_if<double>(&record.value)) out["v"] = *real;
  if (const auto* text = std::get_if<std::string>(&record.value)) out["vs"] = *text;
  if (const auto* data = std::get_if<Bytes>(&record.value)) out["vd"] = to_base64url(*data);
  if (record.sum) out["s"] = *record.sum;
  if (has_time(record)) {
    std::visit([&out](auto seconds) { out["t"] = seconds; }, seconds_of(record.time_us));
  }
  if (record.update_time_s) out["ut"] = *record.update_time_s;
  return out;
}

std::int64_t number_of_label(SenmlKey key) {
  for (const auto& label : senml_labels()) {
    if (label.key == key) return label.number;
  }
  return 0;
}

// Labels 0 to 8, in rising order: the deterministic encoding.
class CborRecordWriter {
 public:
  explicit CborRecordWriter(CborWriter& out) : out_(out) {}

  void write(const SenmlRecord& record) {
    const int pairs = 1 + int{!record.unit.empty()} + int{has_value(record)} +
                      int{record.sum.has_value()} + int{has_time(record)} +
                      int{record.update_time_s.has_value()};
    out_.map(static_cast<std::size_t>(pairs));
    label(SenmlKey::n).text(record.name);
    if (!record.unit.empty()) label(SenmlKey::u).text(record.unit);
    if (const auto* whole = std::get_if<std::int64_t>(&record.value)) {
      label(SenmlKey::v).integer(*whole);
    }
    if (const auto* real = std::get_if<double>(&record.value)) label(SenmlKey::v).real(*real);
    if (const auto* text = std::get_if<std::string>(&record.value)) {
      label(SenmlKey::vs).text(*text);
    }
    if (const auto* flag = std::get_if<bool>(&record.value)) label(SenmlKey::vb).boolean(*flag);
    if (record.sum) label(SenmlKey::s).real(*record.sum);
    if (has_time(record)) time(record.time_us);
    if (record.update_time_s) label(SenmlKey::ut).real(*record.update_time_s);
    if (const auto* data = std::get_if<Bytes>(&record.value)) label(SenmlKey::vd).bytes(*data);
  }

 private:
  CborWriter& label(SenmlKey key) { return out_.integer(number_of_label(key)); }
  void time(std::int64_t us) {
    const auto seconds = seconds_of(us);
    const auto* whole = std::get_if<std::int64_t>(&seconds);
    if (whole != nullptr)
      label(SenmlKey::t).integer(*whole);
    else
      label(SenmlKey::t).real(std::get<double>(seconds));
  }

  CborWriter& out_;
};

}  // namespace

Result<Bytes> encode_senml(const std::vector<SenmlRecord>& records, SenmlFormat format) {
  for (const auto& record : records) TRY(check_record(record));
  if (format == SenmlFormat::json) {
    JsonArray pack;
    for (const auto& record : records) pack.push_back(json_record(record));
    return bytes_of(json_text(pack));
  }
  CborWriter out;
  out.array(records.size());
  CborRecordWriter writer(out);
  for (const auto& record : records) writer.write(record);
  return out.take();
}

}  // namespace holdfast::wire
