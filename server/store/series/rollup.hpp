// Roll-ups: what is left of a day when its points go (docs/spec/series.md, Roll-ups). A row is a
// stretch of time; what a bucket says of a field lies in columns beside each other. Pure.
//
// Errors: corrupt, for columns that do not belong together.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "server/store/chart/bucket.hpp"
#include "server/store/series/rows.hpp"

namespace holdfast::series {

// Columns of a field: its name, a byte 1 and one of these letters.
inline constexpr std::string_view kRollupParts = "cnmMsfl";  // count numbers min max sum first last
inline constexpr std::size_t kRollupNameExtra = 2;

std::string rollup_column(std::string_view field, char part);
// The field of a column that holds last values; empty for any other.
std::string_view rolled_field(std::string_view column);

// Columns of one field, in the order of kRollupParts; null where there is none.
using RollupColumns = std::array<const Column*, 7>;
Result<std::vector<chart::Bucket>> buckets_of(const std::vector<std::int64_t>& time,
                                              const RollupColumns& columns);

// Makes the roll-up of one stream of one unit from rows in order of time and older roll-ups.
class Roller final {
 public:
  explicit Roller(Duration length) : length_us_(length.us) {}
  void add(const Rows& rows);
  Status add_rolled(const Rows& rows);
  Rows take();

 private:
  std::int64_t length_us_;
  std::map<std::string, chart::Bucketer> fields_;
  std::map<std::string, std::vector<chart::Bucket>> rolled_;
};

}  // namespace holdfast::series
