#include "server/store/series/rows.hpp"

#include <algorithm>
#include <map>

namespace holdfast::series {
namespace {

constexpr std::uint8_t kDevice = static_cast<std::uint8_t>(TimeSource::device);

struct Item {
  std::int64_t time = 0;
  std::uint64_t priority = 0;  // rank, arrival
  std::uint32_t source = 0;
  std::uint32_t row = 0;
};

std::vector<Item> items_of(const std::vector<Source>& sources) {
  std::vector<Item> items;
  for (std::uint32_t s = 0; s < sources.size(); ++s) {
    const Source& source = sources[s];
    for (std::uint32_t row = 0; row < source.rows.size(); ++row) {
      items.push_back({source.rows.times.time[row], source.priority(row), s, row});
    }
  }
  const auto before = [](const Item& a, const Item& b) {
    return a.time != b.time           ? a.time < b.time
           : a.priority != b.priority ? a.priority < b.priority
                                      : a.row < b.row;
  };
  if (!std::ranges::is_sorted(items, before)) std::ranges::sort(items, before);
  return items;
}

// For each source, the output row of each of its rows.
using Placement = std::vector<std::vector<std::uint32_t>>;

Placement place(const std::vector<Source>& sources, const std::vector<Item>& items, Times& out) {
  Placement placement(sources.size());
  for (std::size_t s = 0; s < sources.size(); ++s) placement[s].resize(sources[s].rows.size());
  std::size_t device_row = SIZE_MAX;  // the output row of source `device` at the present time
  for (const Item& item : items) {
    const Times& from = sources[item.source].rows.times;
    if (out.size() > 0 && out.time.back() != item.time) device_row = SIZE_MAX;
    const bool from_device = from.source[item.row] == kDevice;
    std::size_t row = device_row;
    if (from_device && device_row != SIZE_MAX) {
      out.other[row] = from.other[item.row];
    } else {
      row = out.size();
      out.push(item.time, from.other[item.row], static_cast<TimeSource>(from.source[item.row]));
      if (from_device) device_row = row;
    }
    placement[item.source][item.row] = static_cast<std::uint32_t>(row);
  }
  return placement;
}

// A value that is a candidate for an output row.
struct Candidate {
  std::uint64_t priority = 0;
  const Column* column = nullptr;
  std::uint32_t value = 0;
};

Column gather(const std::vector<Source>& sources, const Placement& placement,
              std::string_view field, std::size_t rows) {
  std::vector<Candidate> best(rows);
  std::size_t count = 0;
  for (std::size_t s = 0; s < sources.size(); ++s) {
    const Column* column = sources[s].rows.find(field);
    if (column == nullptr) continue;
    for (std::uint32_t i = 0; i < column->size(); ++i) {
      const std::uint32_t row = column->row(i);
      const std::uint64_t priority = sources[s].priority(row);
      Candidate& at = best[placement[s][row]];
      if (at.column != nullptr && at.priority > priority) continue;
      count += at.column == nullptr ? 1 : 0;
      at = {priority, column, i};
    }
  }
  Column out;
  for (std::uint32_t row = 0; row < rows; ++row) {
    const Candidate& at = best[row];
    if (at.column == nullptr) continue;
    const std::uint8_t kind = at.column->kinds[at.value];
    const std::uint64_t bits = at.column->bits[at.value];
    out.push(kind, bits,
             is_text(kind) ? std::string_view(at.column->texts[bits]) : std::string_view());
    if (count != rows) out.rows.push_back(row);
  }
  return out;
}

bool in_order(const Source& source) {
  const Times& times = source.rows.times;
  for (std::size_t i = 1; i < times.size(); ++i) {
    if (times.time[i] < times.time[i - 1]) return false;
    if (times.time[i] == times.time[i - 1] &&
        (times.source[i] == kDevice || times.source[i - 1] == kDevice))
      return false;
  }
  return source.arrival.empty() || std::ranges::is_sorted(source.arrival);
}

void sort_fields(Rows& rows) {
  std::ranges::sort(rows.columns, {}, &NamedColumn::field);
}

}  // namespace

const Column* Rows::find(std::string_view field) const {
  for (const NamedColumn& column : columns) {
    if (column.field == field) return &column.column;
  }
  return nullptr;
}

Rows merge_rows(std::vector<Source> sources) {
  std::erase_if(sources, [](const Source& source) { return source.rows.size() == 0; });
  if (sources.size() == 1 && in_order(sources[0])) {
    sort_fields(sources[0].rows);
    return std::move(sources[0].rows);
  }
  Rows out;
  const std::vector<Item> items = items_of(sources);
  const Placement placement = place(sources, items, out.times);
  std::map<std::string, bool> fields;
  for (const Source& source : sources) {
    for (const NamedColumn& column : source.rows.columns) fields[column.field] = true;
  }
  for (const auto& [field, there] : fields) {
    Column column = gather(sources, placement, field, out.times.size());
    if (column.size() > 0) out.columns.push_back({field, std::move(column)});
  }
  return out;
}

Rows slice_rows(const Rows& rows, std::size_t begin, std::size_t end) {
  Rows out;
  const auto part = [&](const auto& all) {
    return std::decay_t<decltype(all)>(all.begin() + static_cast<std::ptrdiff_t>(begin),
                                       all.begin() + static_cast<std::ptrdiff_t>(end));
  };
  out.times = {part(rows.times.time), part(rows.times.other), part(rows.times.source)};
  for (const NamedColumn& named : rows.columns) {
    const Column& from = named.column;
    Column column;
    for (std::size_t i = from.rows.empty()
                             ? begin
                             : static_cast<std::size_t>(std::ranges::lower_bound(from.rows, begin) -
                                                        from.rows.begin());
         i < from.size() && from.row(i) < end; ++i) {
      const bool text = is_text(from.kinds[i]);
      column.push(from.kinds[i], from.bits[i],
                  text ? std::string_view(from.texts[from.bits[i]]) : std::string_view());
      if (!from.rows.empty())
        column.rows.push_back(from.row(i) - static_cast<std::uint32_t>(begin));
    }
    if (column.rows.size() == end - begin) column.rows.clear();
    if (column.size() > 0) out.columns.push_back({named.field, std::move(column)});
  }
  return out;
}

Rows cut_rows(const Rows& rows, std::int64_t from, std::int64_t to) {
  const auto& time = rows.times.time;
  const auto begin = static_cast<std::size_t>(std::ranges::lower_bound(time, from) - time.begin());
  const auto end = static_cast<std::size_t>(std::ranges::lower_bound(time, to) - time.begin());
  return slice_rows(rows, begin, std::max(begin, end));
}

}  // namespace holdfast::series
