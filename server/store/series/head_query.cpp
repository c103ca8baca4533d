// What queries, sealing and erasure ask of the head.
#include <algorithm>

#include "server/store/series/head.hpp"

namespace holdfast::series {

std::vector<HeadPart> Head::collect(SegmentId segment) const {
  std::vector<HeadPart> parts;
  for (auto& each : shards_) {
    each.with([&](Shard& shard) {
      const auto touched = shard.touched.find(segment);
      if (touched == shard.touched.end()) return;
      for (const Ulid& id : touched->second) {
        const auto device = shard.devices.find(id);
        if (device == shard.devices.end()) continue;
        for (const Use& use : device->second.uses) {
          for (const Segment& part : use.segments) {
            if (part.segment == segment)
              parts.push_back({id, use.subject, use.retention, {part.rows}});
          }
        }
      }
    });
  }
  // One part a device, subject, class and stream.
  const auto order = [](const HeadPart& part) {
    return std::tie(part.device, part.subject, part.retention, part.stream());
  };
  std::ranges::sort(parts,
                    [&](const HeadPart& a, const HeadPart& b) { return order(a) < order(b); });
  std::vector<HeadPart> out;
  for (HeadPart& part : parts) {
    if (!out.empty() && order(out.back()) == order(part)) {
      out.back().rows.push_back(std::move(part.rows.front()));
    } else {
      out.push_back(std::move(part));
    }
  }
  return out;
}

void Head::drop(SegmentId segment) {
  for (auto& each : shards_) {
    each.with([&](Shard& shard) {
      const auto touched = shard.touched.find(segment);
      if (touched == shard.touched.end()) return;
      for (const Ulid& id : touched->second) {
        const auto device = shard.devices.find(id);
        if (device == shard.devices.end()) continue;
        for (Use& use : device->second.uses) {
          std::erase_if(use.segments, [&](const Segment& part) {
            if (part.segment != segment) return false;
            shard.bytes -=
                std::min(shard.bytes, part.rows->times.size() * 21 + part.rows->kinds.size() * 9);
            return true;
          });
        }
        // Shapes that a device used only for a while must not pile up.
        Device& of = device->second;
        if (of.uses.size() > 64) {
          std::erase_if(of.uses, [](const Use& use) { return use.segments.empty(); });
          of.by_hash.clear();
          for (std::uint32_t i = 0; i < of.uses.size(); ++i) of.by_hash.emplace(of.uses[i].hash, i);
        }
      }
      shard.touched.erase(touched);
    });
  }
}

std::vector<Head::SegmentSource> Head::rows(const Ulid& device, std::string_view stream,
                                            std::string_view field, std::int64_t from,
                                            std::int64_t to) const {
  std::vector<SegmentSource> out;
  shard_of(device).with([&](const Shard& shard) {
    const auto at = shard.devices.find(device);
    if (at == shard.devices.end()) return;
    for (const Use& use : at->second.uses) {
      if (use.shape->stream != stream ||
          std::ranges::find(use.shape->fields, field) == use.shape->fields.end())
        continue;
      for (const Segment& part : use.segments) {
        Source source = part.rows->source(from, to, field);
        if (source.rows.size() > 0) out.push_back({part.segment, std::move(source)});
      }
    }
  });
  std::ranges::sort(out, {}, &SegmentSource::segment);
  std::uint32_t rank = kHeadRank;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i > 0 && out[i].segment != out[i - 1].segment) ++rank;
    out[i].source.rank = rank;
  }
  return out;
}

void Head::put_point(const Device& device, const LastCell& cell, Point& out) {
  out.time = out.received = out.claimed = {cell.time};
  out.source = static_cast<TimeSource>(cell.source);
  (out.source == TimeSource::uncertain ? out.claimed : out.received) = {cell.other};
  Cell value{static_cast<Cell::Kind>(cell.kind), cell.bits, {}};
  if (is_text(cell.kind)) value.text = device.texts[cell.bits];
  out.value = value_of(value);
}

std::vector<Last> Head::lasts(const Ulid& device, std::int64_t& known_from) const {
  std::vector<std::uint32_t> numbers;
  std::vector<Last> out;
  shard_of(device).with([&](const Shard& shard) {
    const auto at = shard.devices.find(device);
    known_from = at == shard.devices.end() ? INT64_MAX : at->second.known_from;
    if (at == shard.devices.end()) return;
    for (const LastCell& cell : at->second.lasts) {
      if (cell.kind == 0) continue;
      numbers.push_back(cell.metric);
      put_point(at->second, cell, out.emplace_back().point);
    }
  });
  names_.with([&](const Names& names) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i].metric = *names.by_number[numbers[i]];
  });
  std::ranges::sort(out, {}, &Last::metric);
  return out;
}

Cardinality Head::cardinality(const Ulid& device) const {
  Cardinality out{0, limits_.device_metrics_max, series(), limits_.metrics_max};
  shard_of(device).with([&](const Shard& shard) {
    const auto at = shard.devices.find(device);
    if (at != shard.devices.end()) out.device = at->second.lasts.size();
  });
  return out;
}

std::vector<std::uint32_t> Head::numbers_of(const std::vector<std::string>& metrics) const {
  return names_.with([&](const Names& names) {
    std::vector<std::uint32_t> out;
    for (const std::string& metric : metrics) {
      const auto at = names.numbers.find(metric);
      out.push_back(at == names.numbers.end() ? UINT32_MAX : at->second);
    }
    return out;
  });
}

void Head::lasts(const Ulid& device, Wanted& wanted) const {
  wanted.count = 0;
  wanted.oldest_day = INT64_MAX;
  wanted.found.resize(wanted.numbers.size());
  wanted.slots.resize(wanted.numbers.size());
  std::int64_t oldest = INT64_MAX;
  shard_of(device).with([&](const Shard& shard) {
    const auto at = shard.devices.find(device);
    wanted.known_from = at == shard.devices.end() ? INT64_MAX : at->second.known_from;
    if (at == shard.devices.end()) return;
    const std::vector<LastCell>& lasts = at->second.lasts;
    for (std::size_t i = 0; i < wanted.numbers.size(); ++i) {
      std::uint32_t& slot = wanted.slots[i];  // devices that send the same have it in one place
      if (slot >= lasts.size() || lasts[slot].metric != wanted.numbers[i]) {
        slot = static_cast<std::uint32_t>(
            std::ranges::find(lasts, wanted.numbers[i], &LastCell::metric) - lasts.begin());
      }
      if (slot >= lasts.size() || lasts[slot].kind == 0) continue;
      auto& [place, point] = wanted.found[wanted.count++];
      place = i;
      put_point(at->second, lasts[slot], point);
      oldest = std::min(oldest, lasts[slot].time);
    }
  });
  if (wanted.count > 0) wanted.oldest_day = day_of(WallTime{oldest});
}

void Head::learn(const Ulid& device, const std::vector<Last>& from_files, std::int64_t known_from) {
  std::vector<std::uint32_t> numbers;
  for (const Last& last : from_files) numbers.push_back(number_of_metric(last.metric));
  shard_of(device).with([&](Shard& shard) {
    Device& of = shard.devices[device];
    of.known_from = std::min(of.known_from, known_from);
    for (std::size_t i = 0; i < from_files.size(); ++i) {
      auto at = std::ranges::find(of.lasts, numbers[i], &LastCell::metric);
      if (at == of.lasts.end()) {
        of.lasts.push_back({numbers[i], 0, 0, 0, 0, 0});
        at = of.lasts.end() - 1;
        ++*series_;
      }
      const Point& point = from_files[i].point;
      if (at->kind != 0 && at->time >= point.time.us) continue;
      const auto* text = std::get_if<std::string>(&point.value);
      Cell cell{Cell::Kind::no, 0, {}};
      if (text != nullptr) cell = {Cell::Kind::text, 0, *text};
      if (const auto* yes = std::get_if<bool>(&point.value))
        cell.kind = *yes ? Cell::Kind::yes : Cell::Kind::no;
      if (const auto* integer = std::get_if<std::int64_t>(&point.value))
        cell = {Cell::Kind::integer, static_cast<std::uint64_t>(*integer), {}};
      if (const auto* number = std::get_if<double>(&point.value))
        cell = {Cell::Kind::number, std::bit_cast<std::uint64_t>(*number), {}};
      note_last(of, static_cast<std::uint32_t>(at - of.lasts.begin()),
                {point.source, point.time, point.received, point.claimed}, cell);
    }
  });
}

void Head::forget_files(const Ulid& device) {
  shard_of(device).with([&](Shard& shard) {
    const auto at = shard.devices.find(device);
    if (at != shard.devices.end()) at->second.known_from = INT64_MAX;
  });
}

void Head::forget_files() {
  for (Guarded<Shard>& each : shards_) {
    each.with([](Shard& shard) {
      for (auto& [id, device] : shard.devices) device.known_from = INT64_MAX;
    });
  }
}

void Head::erase_device(const Ulid& device) {
  shard_of(device).with([&](Shard& shard) {
    const auto at = shard.devices.find(device);
    if (at == shard.devices.end()) return;
    *series_ -= at->second.lasts.size();
    shard.devices.erase(at);
  });
}

void Head::erase_subject(const Ulid& subject) {
  for (auto& each : shards_) {
    each.with([&](Shard& shard) {
      for (auto& [id, device] : shard.devices) {
        for (Use& use : device.uses) {
          if (use.subject != subject) continue;
          use.segments.clear();
          for (const std::uint32_t slot : use.slots) {
            LastCell& cell = device.lasts[slot];
            if (is_text(cell.kind)) device.texts[cell.bits].clear();
            cell.kind = 0;
            cell.bits = 0;
          }
        }
      }
    });
  }
}

std::uint64_t Head::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& each : shards_) sum += each.with([](const Shard& shard) { return shard.bytes; });
  return sum;
}

}  // namespace holdfast::series
