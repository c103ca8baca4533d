#include "server/store/series/head.hpp"

#include <algorithm>

namespace holdfast::series {
namespace {

constexpr std::size_t kScanUses = 8;          // more are found by hash
constexpr std::size_t kShapesKept = 100'000;  // then unused ones are forgotten
constexpr unsigned kTextBits = 16;            // of a text's length in its cell

std::uint64_t hash_bytes(std::uint64_t state, View bytes) {
  while (bytes.size() >= 8) {
    state = (state ^ load_le<std::uint64_t>(bytes.data())) * 0x9E3779B97F4A7C15ULL;
    state ^= state >> 29;
    bytes = bytes.subspan(8);
  }
  for (const std::uint8_t byte : bytes) state = (state ^ byte) * 0x100000001B3ULL;
  return state ^ state >> 32;
}

std::uint64_t hash_of(const Group& group) {
  return hash_bytes(hash_bytes(group.retention, group.stream), group.names);
}

bool is(const Shape& shape, const Group& group) {
  return text_of(group.stream) == shape.stream && std::ranges::equal(group.names, shape.names);
}

Value value_in(const HeadRows& rows, std::size_t cell) {
  Cell out{static_cast<Cell::Kind>(rows.kinds[cell]), rows.bits[cell], {}};
  if (is_text(rows.kinds[cell])) {
    out.text = std::string_view(rows.text).substr(rows.bits[cell] >> kTextBits,
                                                  rows.bits[cell] & ((1U << kTextBits) - 1));
  }
  return value_of(out);
}

}  // namespace

void HeadRows::push(const Sample& sample, std::uint32_t number, const std::vector<Cell>& cells) {
  times.push(sample.time.us, other_of(sample), sample.source);
  arrival.push_back(number);
  for (const Cell& cell : cells) {
    kinds.push_back(static_cast<std::uint8_t>(cell.kind));
    if (cell.kind == Cell::Kind::text) {
      bits.push_back(std::uint64_t{text.size()} << kTextBits | cell.text.size());
      text += cell.text;
    } else {
      bits.push_back(cell.bits);
    }
  }
}

Source HeadRows::source(std::int64_t from, std::int64_t to, std::string_view only_field) const {
  Source out;
  std::vector<std::uint32_t> taken;
  for (std::uint32_t row = 0; row < times.size(); ++row) {
    if (times.time[row] < from || times.time[row] >= to) continue;
    taken.push_back(row);
    out.rows.times.push(times.time[row], times.other[row],
                        static_cast<TimeSource>(times.source[row]));
    out.arrival.push_back(arrival[row]);
  }
  const std::size_t width = shape->fields.size();
  for (std::size_t field = 0; field < width && !taken.empty(); ++field) {
    if (!only_field.empty() && shape->fields[field] != only_field) continue;
    Column column;
    column.kinds.reserve(taken.size());
    column.bits.reserve(taken.size());
    for (const std::uint32_t row : taken) {
      const std::size_t cell = row * width + field;
      if (is_text(kinds[cell])) {
        column.push(kinds[cell], 0, std::get<std::string>(value_in(*this, cell)));
      } else {
        column.push(kinds[cell], bits[cell]);
      }
    }
    out.rows.columns.push_back({shape->fields[field], std::move(column)});
  }
  return out;
}

std::size_t HeadRows::memory() const {
  return sizeof(HeadRows) + times.size() * (8 + 8 + 1 + 4) + kinds.size() * (8 + 1) + text.size();
}

Head::Head(HeadLimits limits, Metrics& metrics)
    : limits_(limits),
      refused_(metrics.counter("holdfast_series_refused_total",
                               "Records refused because of too many metrics")),
      too_old_(metrics.counter("holdfast_series_too_old_total",
                               "Samples dropped because their retention is over")),
      malformed_(metrics.counter("holdfast_series_malformed_total",
                                 "Journal records that were no readings")) {
  metrics.gauge("holdfast_series_open", "Metrics of all devices that are in memory",
                [series = series_] { return static_cast<double>(series->load()); });
  metrics.gauge("holdfast_series_open_max", "Bound of holdfast_series_open",
                [most = limits_.metrics_max] { return static_cast<double>(most); });
}

// ---- names and shapes

std::uint32_t Head::number_of_metric(const std::string& metric) {
  return names_.with([&](Names& names) {
    const auto [at, fresh] =
        names.numbers.try_emplace(metric, static_cast<std::uint32_t>(names.by_number.size()));
    if (fresh) names.by_number.push_back(&at->first);
    return at->second;
  });
}

ShapePtr Head::shape_of(std::uint64_t hash, const Group& group) {
  const auto known = shapes_.with([&](Shapes& shapes) -> ShapePtr {
    const auto [begin, end] = shapes.all.equal_range(hash);
    for (auto at = begin; at != end; ++at) {
      if (is(*at->second, group)) return at->second;
    }
    if (shapes.all.size() >= kShapesKept)
      std::erase_if(shapes.all, [](const auto& shape) { return shape.second.use_count() == 1; });
    return nullptr;
  });
  if (known) return known;
  auto shape = std::make_shared<Shape>();
  shape->stream = string_of(group.stream);
  shape->names.assign(group.names.begin(), group.names.end());
  for (const std::string_view field : field_names(group.names)) {
    shape->fields.emplace_back(field);
    shape->metrics.push_back(number_of_metric(shape->stream + "." + shape->fields.back()));
  }
  shapes_.with([&](Shapes& shapes) { shapes.all.emplace(hash, shape); });
  return shape;
}

Head::Use* Head::find_use(Device& device, std::uint64_t hash, const Group& group,
                          const Ulid& subject) const {
  const auto fits = [&](const Use& use) {
    return use.hash == hash && use.retention == group.retention && use.subject == subject &&
           is(*use.shape, group);
  };
  if (device.uses.size() <= kScanUses) {
    for (Use& use : device.uses) {
      if (fits(use)) return &use;
    }
    return nullptr;
  }
  const auto [begin, end] = device.by_hash.equal_range(hash);
  for (auto at = begin; at != end; ++at) {
    if (fits(device.uses[at->second])) return &device.uses[at->second];
  }
  return nullptr;
}

Head::Use& Head::add_use(Device& device, std::uint64_t hash, const Group& group,
                         const Ulid& subject) {
  Use use;
  use.shape = shape_of(hash, group);
  use.subject = subject;
  use.retention = group.retention;
  use.hash = hash;
  for (const std::uint32_t metric : use.shape->metrics) {
    const auto at = std::ranges::find(device.lasts, metric, &LastCell::metric);
    use.slots.push_back(static_cast<std::uint32_t>(at - device.lasts.begin()));
    if (at == device.lasts.end()) {
      device.lasts.push_back({metric, 0, 0, 0, 0, 0});
      ++*series_;
    }
  }
  device.by_hash.emplace(hash, static_cast<std::uint32_t>(device.uses.size()));
  device.uses.push_back(std::move(use));
  return device.uses.back();
}

// ---- admission

class Head::Admitter final : public ReadingVisitor {
 public:
  Admitter(Head& head, Device& device, const Ulid& id) : head_(head), device_(device), id_(id) {}
  Status verdict;

  void group(const Group& group) override {
    const std::uint64_t hash = hash_of(group);
    if (!verdict || head_.find_use(device_, hash, group, id_) != nullptr) return;
    const ShapePtr shape = head_.shape_of(hash, group);
    std::size_t fresh = 0;
    for (const std::uint32_t metric : shape->metrics) {
      fresh += std::ranges::find(device_.lasts, metric, &LastCell::metric) == device_.lasts.end()
                   ? 1
                   : 0;
    }
    if (fresh > 0 && device_.lasts.size() + fresh > head_.limits_.device_metrics_max) {
      verdict = fail(Code::quota_exceeded, "a device may have " +
                                               std::to_string(head_.limits_.device_metrics_max) +
                                               " metrics: send fewer fields, or raise the limit");
    } else if (fresh > 0 && *head_.series_ + fresh > head_.limits_.metrics_max) {
      verdict = fail(Code::quota_exceeded,
                     "the server holds " + std::to_string(head_.limits_.metrics_max) +
                         " metrics, which is its limit: erase devices, or raise it");
    } else {
      head_.add_use(device_, hash, group, id_);
    }
  }
  void sample(const Sample&, const std::vector<Cell>&) override {}

 private:
  Head& head_;
  Device& device_;
  const Ulid& id_;
};

Status Head::admit(const Ulid& device, View reading_body) {
  return shard_of(device).with([&](Shard& shard) -> Status {
    Admitter admitter(*this, shard.devices[device], device);
    TRY(visit_readings(reading_body, {}, admitter));
    if (!admitter.verdict) refused_.add();
    return admitter.verdict;
  });
}

// ---- insertion

class Head::Inserter final : public ReadingVisitor {
 public:
  Inserter(Head& head, Shard& shard, const journal::Stored& record,
           const std::array<std::int64_t, 256>& oldest)
      : head_(head),
        shard_(shard),
        device_(shard.devices[record.device]),
        record_(record),
        subject_(record.subject == Ulid{} ? record.device : record.subject),
        oldest_(oldest) {
    if (device_.arrival_segment != record.at.segment) {
      device_.arrival_segment = record.at.segment;
      device_.arrivals = 0;
      shard.touched[record.at.segment].push_back(record.device);
    }
  }

  void group(const Group& group) override {
    const std::uint64_t hash = hash_of(group);
    use_ = head_.find_use(device_, hash, group, subject_);
    if (use_ == nullptr) use_ = &head_.add_use(device_, hash, group, subject_);
    if (use_->segments.empty() || use_->segments.back().segment != record_.at.segment) {
      auto rows = std::make_shared<HeadRows>();
      rows->shape = use_->shape;
      rows->subject = subject_;
      rows->retention = group.retention;
      use_->segments.push_back({record_.at.segment, std::move(rows)});
    }
    rows_ = use_->segments.back().rows.get();
  }

  void sample(const Sample& sample, const std::vector<Cell>& cells) override {
    const std::uint32_t number = device_.arrivals++;
    if (sample.time.us < oldest_[use_->retention]) {
      head_.too_old_.add();
      return;
    }
    rows_->push(sample, number, cells);
    shard_.bytes += 21 + 9 * cells.size();
    for (std::size_t i = 0; i < cells.size(); ++i)
      head_.note_last(device_, use_->slots[i], sample, cells[i]);
  }

 private:
  Head& head_;
  Shard& shard_;
  Device& device_;
  const journal::Stored& record_;
  const Ulid subject_;
  const std::array<std::int64_t, 256>& oldest_;
  Use* use_ = nullptr;
  HeadRows* rows_ = nullptr;
};

void Head::insert(const journal::Stored& record, const std::array<std::int64_t, 256>& oldest) {
  const auto read = shard_of(record.device).with([&](Shard& shard) {
    Inserter inserter(*this, shard, record, oldest);
    return visit_readings(record.body, record.time, inserter);
  });
  if (!read) malformed_.add();
}

void Head::note_last(Device& device, std::uint32_t slot, const Sample& sample,
                     const Cell& cell) const {
  LastCell& last = device.lasts[slot];
  if (last.kind != 0 && sample.time.us < last.time) return;
  if (cell.kind == Cell::Kind::text) {
    if (!is_text(last.kind)) {
      last.bits = device.texts.size();
      device.texts.emplace_back();
    }
    device.texts[last.bits] = cell.text;
  } else {
    if (is_text(last.kind)) device.texts[last.bits].clear();
    last.bits = cell.bits;
  }
  last.kind = static_cast<std::uint8_t>(cell.kind);
  last.source = static_cast<std::uint8_t>(sample.source);
  last.time = sample.time.us;
  last.other = other_of(sample);
}

}  // namespace holdfast::series
