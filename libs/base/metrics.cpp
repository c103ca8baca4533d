#include "libs/base/metrics.hpp"

#include <algorithm>
#include <cstdio>
#include <tuple>
#include <vector>

namespace holdfast {

Counter& Metrics::counter(std::string_view name, std::string_view help, std::string_view labels) {
  return rows_.with([&](std::deque<Row>& rows) -> Counter& {
    for (Row& row : rows) {
      if (row.name == name && row.labels == labels) return row.counter;
    }
    Row& row = rows.emplace_back();
    row.name = name;
    row.help = help;
    row.labels = labels;
    return row.counter;
  });
}

void Metrics::gauge(std::string_view name, std::string_view help, std::function<double()> read,
                    std::string_view labels) {
  auto shared = std::make_shared<const std::function<double()>>(std::move(read));
  rows_.with([&](std::deque<Row>& rows) {
    for (Row& row : rows) {
      if (row.name == name && row.labels == labels) return shared.swap(row.read);
    }
    Row& row = rows.emplace_back();
    row.name = name;
    row.help = help;
    row.labels = labels;
    row.read = std::move(shared);
  });
}

std::string Metrics::text() const {
  // Rows stay where they are and never go. Gauges are read outside the lock: they call out.
  struct Line {
    std::size_t order;  // of registration
    const Row* row;
    std::shared_ptr<const std::function<double()>> read;
  };
  auto lines = rows_.with([](const std::deque<Row>& rows) {
    std::vector<Line> all;
    for (const Row& row : rows) all.push_back({all.size(), &row, row.read});
    return all;
  });
  std::ranges::sort(lines, [](const Line& a, const Line& b) {
    return std::tie(a.row->name, a.order) < std::tie(b.row->name, b.order);
  });
  std::string out;
  std::string_view last;
  for (const auto& [order, row, read] : lines) {
    if (row->name != last) {
      out += "# HELP " + row->name + " " + row->help + "\n# TYPE " + row->name +
             (read ? " gauge\n" : " counter\n");
      last = row->name;
    }
    out += row->name;
    if (!row->labels.empty()) out += "{" + row->labels + "}";
    char value[40];
    if (read) {
      std::snprintf(value, sizeof value, " %.17g\n", (*read)());
    } else {
      std::snprintf(value, sizeof value, " %llu\n",
                    static_cast<unsigned long long>(row->counter.value()));
    }
    out += value;
  }
  return out;
}

}  // namespace holdfast
