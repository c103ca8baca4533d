#include "server/store/series/rollup.hpp"

#include <array>
#include <bit>

namespace holdfast::series {
namespace {

using chart::Bucket;

constexpr char kMark = 1;
enum Part : std::size_t { counts, numbers, least, most, sums, firsts, lasts };

// Goes along a column row by row.
class Cursor {
 public:
  explicit Cursor(const Column* column) : column_(column) {}
  // The value of this row, if it has one; rows rise.
  std::optional<Value> at(std::uint32_t row) {
    if (column_ == nullptr) return std::nullopt;
    while (next_ < column_->size() && column_->row(next_) < row) ++next_;
    if (next_ == column_->size() || column_->row(next_) != row) return std::nullopt;
    return column_->value(next_);
  }

 private:
  const Column* column_;
  std::size_t next_ = 0;
};

std::uint64_t count_in(const std::optional<Value>& value) {
  const auto* integer = value ? std::get_if<std::int64_t>(&*value) : nullptr;
  return integer != nullptr && *integer > 0 ? static_cast<std::uint64_t>(*integer) : 0;
}

double number_in(const std::optional<Value>& value) {
  const auto* number = value ? std::get_if<double>(&*value) : nullptr;
  return number != nullptr ? *number : 0;
}

void push(Column& column, const Value& value) {
  if (const auto* boolean = std::get_if<bool>(&value)) {
    column.push(*boolean ? 2 : 1, 0);
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    column.push(3, static_cast<std::uint64_t>(*integer));
  } else if (const auto* number = std::get_if<double>(&value)) {
    column.push(4, std::bit_cast<std::uint64_t>(*number));
  } else {
    column.push(5, 0, std::get<std::string>(value));
  }
}

// Rows of one field, as a source of the stream's.
Source source_of(const std::string& field, const std::vector<Bucket>& buckets) {
  Source out;
  std::array<Column, 7> columns;
  for (std::uint32_t row = 0; row < buckets.size(); ++row) {
    const Bucket& bucket = buckets[row];
    // Source `device`: rows of the same time become one.
    out.rows.times.push(bucket.start.us, bucket.start.us, TimeSource::device);
    push(columns[counts], static_cast<std::int64_t>(bucket.count));
    push(columns[firsts], bucket.first);
    push(columns[lasts], bucket.last);
    if (bucket.numbers == 0) continue;
    push(columns[numbers], static_cast<std::int64_t>(bucket.numbers));
    push(columns[least], bucket.min);
    push(columns[most], bucket.max);
    push(columns[sums], bucket.sum);
    for (const Part part : {numbers, least, most, sums}) columns[part].rows.push_back(row);
  }
  for (std::size_t part = 0; part < columns.size(); ++part) {
    if (columns[part].rows.size() == buckets.size()) columns[part].rows.clear();
    if (columns[part].size() > 0)
      out.rows.columns.push_back(
          {rollup_column(field, kRollupParts[part]), std::move(columns[part])});
  }
  return out;
}

}  // namespace

std::string rollup_column(std::string_view field, char part) {
  return std::string(field) + kMark + part;
}

std::string_view rolled_field(std::string_view column) {
  if (column.size() < 2 || column[column.size() - 2] != kMark ||
      column.back() != kRollupParts[lasts])
    return {};
  return column.substr(0, column.size() - 2);
}

Result<std::vector<Bucket>> buckets_of(const std::vector<std::int64_t>& time,
                                       const RollupColumns& columns) {
  std::vector<Cursor> at;
  for (const Column* column : columns) at.emplace_back(column);
  std::vector<Bucket> out;
  for (std::uint32_t row = 0; row < time.size(); ++row) {
    const auto last = at[lasts].at(row);
    if (!last) continue;
    Bucket bucket;
    bucket.start = {time[row]};
    bucket.count = count_in(at[counts].at(row));
    bucket.numbers = count_in(at[numbers].at(row));
    bucket.min = number_in(at[least].at(row));
    bucket.max = number_in(at[most].at(row));
    bucket.sum = number_in(at[sums].at(row));
    bucket.first = at[firsts].at(row).value_or(*last);
    bucket.last = *last;
    if (bucket.count == 0 || bucket.numbers > bucket.count)
      return fail(Code::corrupt, "a roll-up miscounts its points");
    out.push_back(std::move(bucket));
  }
  return out;
}

void Roller::add(const Rows& rows) {
  for (const NamedColumn& named : rows.columns) {
    auto& into = fields_.try_emplace(named.field, length_us_, false, false).first->second;
    for (std::size_t i = 0; i < named.column.size(); ++i)
      into.add(rows.times.time[named.column.row(i)], named.column.value(i));
  }
}

Status Roller::add_rolled(const Rows& rows) {
  for (const NamedColumn& named : rows.columns) {
    const std::string field(rolled_field(named.field));
    if (field.empty()) continue;
    RollupColumns columns{};
    for (std::size_t part = 0; part < columns.size(); ++part)
      columns[part] = rows.find(rollup_column(field, kRollupParts[part]));
    // A class may have had another length before: everything comes to the present one.
    chart::Bucketer into(length_us_, false, false);
    for (Bucket& bucket : TRY(buckets_of(rows.times.time, columns)))
      chart::merge_bucket(into.at(bucket.start.us), bucket);
    chart::merge_buckets(rolled_[field], std::move(into.buckets));
  }
  return {};
}

Rows Roller::take() {
  for (auto& [field, into] : fields_) chart::merge_buckets(rolled_[field], std::move(into.buckets));
  std::vector<Source> sources;
  for (const auto& [field, buckets] : rolled_) sources.push_back(source_of(field, buckets));
  return merge_rows(std::move(sources));
}

}  // namespace holdfast::series
