#include "server/store/events/memory.hpp"

#include <algorithm>
#include <bit>

namespace holdfast::events {
namespace {

constexpr std::size_t kBitsEach = 16;
constexpr unsigned kProbes = 4;

}  // namespace

ChunkPtr Chunk::make(const journal::Batch& batch, std::uint64_t& malformed) {
  std::size_t bytes = 0;
  std::size_t count = 0;
  static_cast<void>(batch.for_each([&](const journal::Stored& record) {
    if (record.kind != journal::Kind::event) return true;
    bytes += record.body.size();
    ++count;
    return true;
  }));
  if (count == 0) return nullptr;
  auto out = std::make_shared<Chunk>();
  out->bytes_.reserve(bytes);  // so that views into it stay good
  out->rows_.reserve(count);
  static_cast<void>(batch.for_each([&](const journal::Stored& record) {
    if (record.kind != journal::Kind::event) return true;
    journal::Stored kept = record;
    const std::size_t start = out->bytes_.size();
    append(out->bytes_, record.body);
    kept.body = View(out->bytes_).subspan(start);
    const auto row = row_of(kept);
    if (row) {
      out->rows_.push_back(*row);
      out->time_.add(row->time);
      out->severities_ |= static_cast<std::uint8_t>(1U << row->severity);
    } else {
      ++malformed;
    }
    return true;
  }));
  return out->rows_.empty() ? nullptr : out;
}

Chunk::Filter Chunk::make_filter() const {
  std::vector<std::uint64_t> terms;
  for (const Row& row : rows_) each_term(row, [&](std::uint64_t term) { terms.push_back(term); });
  std::ranges::sort(terms);
  const auto same = std::ranges::unique(terms);
  terms.erase(same.begin(), same.end());
  Filter out(std::bit_ceil(terms.size() * kBitsEach / 64 + 1), 0);
  for (const std::uint64_t term : terms) {
    for (unsigned probe = 0; probe < kProbes; ++probe) {
      const std::uint64_t place = std::rotl(term, static_cast<int>(16 * probe));
      out[place / 64 & (out.size() - 1)] |= std::uint64_t{1} << place % 64;
    }
  }
  return out;
}

bool Chunk::may_hold(const query::Need& need) const {
  if (need.anything()) return true;
  return made_.with([&](Made& made) {
    if (!made.filter) made.filter = std::make_unique<const Filter>(make_filter());
    const Filter& filter = *made.filter;
    const auto look = [&](std::uint64_t term) {
      for (unsigned probe = 0; probe < kProbes; ++probe) {
        const std::uint64_t place = std::rotl(term, static_cast<int>(16 * probe));
        if ((filter[place / 64 & (filter.size() - 1)] >> place % 64 & 1U) == 0) return 0U;
      }
      return 1U;
    };
    return need.blocks(1U, look) != 0;
  });
}

const Rollup& Chunk::rollup() const {
  return made_.with([&](Made& made) -> const Rollup& {
    if (!made.rollup) {
      std::vector<const Row*> all;
      for (const Row& row : rows_) all.push_back(&row);
      made.rollup = std::make_unique<const Rollup>(roll_up(all));
    }
    return *made.rollup;
  });
}

}  // namespace holdfast::events
