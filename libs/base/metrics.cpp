#include "libs/base/metrics.hpp"

#include <algorithm>
#include <cstdio>
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
  rows_.with([&](std::deque<Row>& rows) {
    Row& row = rows.emplace_back();
    row.name = name;
    row.help = help;
    row.labels = labels;
    row.read = std::move(read);
  });
}

std::string Metrics::text() const {
  return rows_.with([](const std::deque<Row>& rows) {
    std::vector<const Row*> sorted;
    for (const Row& row : rows) sorted.push_back(&row);
    std::stable_sort(sorted.begin(), sorted.end(), [](const Row* a, const Row* b) { return a->name < b->name; });
    std::string out;
    std::string_view last;
    for (const Row* row : sorted) {
      if (row->name != last) {
        out += "# HELP " + row->name + " " + row->help + "\n# TYPE " + row->name + (row->read ? " gauge\n" : " counter\n");
        last = row->name;
      }
      out += row->name;
      if (!row->labels.empty()) out += "{" + row->labels + "}";
      char value[40];
      if (row->read) {
        std::snprintf(value, sizeof value, " %.17g\n", row->read());
      } else {
        std::snprintf(value, sizeof value, " %llu\n", static_cast<unsigned long long>(row->counter.value()));
      }
      out += value;
    }
    return out;
  });
}

}  // namespace holdfast
