// Counting: from roll-ups where kind, severity and minute decide, else block by block.
#include <algorithm>
#include <unordered_map>

#include "server/store/events/search.hpp"
#include "server/store/events/store.hpp"

namespace holdfast::events {
namespace {

constexpr std::size_t kEntriesMax = 200'000;  // values in all steps; further ones are `other`
constexpr std::int64_t kMinuteUs = 60'000'000;

std::int64_t floor_to(std::int64_t us, std::int64_t step) {
  return us - (us % step + step) % step;
}

}  // namespace

class Store::Counting final {
 public:
  enum class By { nothing, severity, kind, device, field };

  explicit Counting(const TallyQuery& query)
      : by_(by_of(query.by)),
        field_(query::own_field(query.by)),
        step_(query.step ? query.step->us : 0),
        values_max_(query.values_max) {}

  bool from_rollups() const {
    return by_ != By::device && by_ != By::field && step_ % kMinuteUs == 0;
  }
  bool needs_fields() const { return by_ == By::field; }

  void add(const Row& row) {
    switch (by_) {
      case By::device:
        return add(row.time, row.device == Ulid{} ? "server" : DeviceId{row.device}.text(), 1);
      case By::field:
        return add_field(row);
      default:
        return add_head(row.time, row.kind, row.severity, 1);
    }
  }
  void add_head(std::int64_t time, std::string_view kind, std::uint8_t severity,
                std::uint64_t count) {
    add(time,
        by_ == By::kind       ? kind
        : by_ == By::severity ? query::kSeverities[severity]
                              : "",
        count);
  }

  Tally finish() {
    std::unordered_map<std::string_view, std::uint64_t> totals;
    for (const auto& [start, values] : steps_)
      for (const auto& [value, count] : values) totals[value] += count;
    std::vector<std::pair<std::uint64_t, std::string_view>> ranked;
    for (const auto& [value, count] : totals) ranked.emplace_back(count, value);
    std::ranges::sort(ranked, [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    if (ranked.size() > values_max_) ranked.resize(values_max_);
    std::unordered_map<std::string_view, std::size_t> rank;
    for (const auto& [count, value] : ranked) rank.emplace(value, rank.size());
    for (const auto& [start, values] : steps_) {
      const std::size_t first = out_.rows.size();
      for (const auto& [value, count] : values) {
        if (rank.contains(value)) {
          out_.rows.push_back({{start}, value, count});
        } else {
          out_.other += count;
        }
      }
      std::sort(
          out_.rows.begin() + static_cast<std::ptrdiff_t>(first), out_.rows.end(),
          [&](const TallyRow& a, const TallyRow& b) { return rank[a.value] < rank[b.value]; });
    }
    return std::move(out_);
  }

 private:
  static By by_of(std::string_view name) {
    if (name.empty()) return By::nothing;
    switch (query::builtin_of(name)) {
      case query::Builtin::severity:
        return By::severity;
      case query::Builtin::kind:
        return By::kind;
      case query::Builtin::device:
        return By::device;
      default:
        return By::field;
    }
  }
  void add(std::int64_t time, std::string_view value, std::uint64_t count) {
    out_.total += count;
    auto& values = steps_[step_ == 0 ? 0 : floor_to(time, step_)];
    const auto at = values.find(value);
    if (at != values.end()) {
      at->second += count;
    } else if (entries_ < kEntriesMax) {
      ++entries_;
      values.emplace(std::string(value), count);
    } else {
      out_.other += count;
    }
  }
  void add_field(const Row& row) {
    const bool found =
        EncodedFields(row.fields).any([&](std::string_view name, const query::Scalar& value) {
          if (name != field_) return false;
          std::array<char, 32> room;
          add(row.time, query::text_of(value, room), 1);
          return true;
        });
    if (found) return;
    ++out_.total;
    ++out_.without;
  }

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  By by_;
  std::string_view field_;
  std::int64_t step_;
  std::size_t values_max_;
  std::map<std::int64_t, std::unordered_map<std::string, std::uint64_t, Hash, std::equal_to<>>>
      steps_;
  std::size_t entries_ = 0;
  Tally out_;
};

// False: they leave something open, and nothing was added.
bool Store::count_rollup(const Search& search, Counting& counter, const Rollup& rollup) {
  if (!counter.from_rollups() || !search.counts_decide()) return false;
  std::vector<query::Truth> truths;
  for (const std::string& kind : rollup.kinds)
    for (std::uint8_t severity = 0; severity < 6; ++severity)
      truths.push_back(search.of_head(kind, severity));
  const std::int64_t first = minute_of(search.from());
  const std::int64_t last = minute_of(search.to());
  const auto truth = [&](const Rollup::Line& line) {
    return truths[line.kind * 6U + line.severity];
  };
  for (const Rollup::Line& line : rollup.lines) {
    if (line.minute < first || line.minute > last) continue;
    if (truth(line) == query::Truth::unknown) return false;
    const bool cut =
        (line.minute == first && search.from() != INT64_MIN &&
         search.from() != first * kMinuteUs) ||
        (line.minute == last && search.to() != INT64_MAX && search.to() != last * kMinuteUs);
    if (cut && truth(line) == query::Truth::yes) return false;
  }
  for (const Rollup::Line& line : rollup.lines) {
    const bool before_end = line.minute < last || search.to() == INT64_MAX;
    if (line.minute >= first && before_end && truth(line) == query::Truth::yes)
      counter.add_head(line.minute * kMinuteUs, rollup.kinds[line.kind], line.severity, line.count);
  }
  return true;
}

Status Store::count_group(Search& search, Counting& counter, FileReader& reader,
                          const Group& group) {
  if (!group.time.reaches(search.from(), search.to()) ||
      count_rollup(search, counter, group.rollup))
    return {};
  const BlockMask mask = search.candidates(reader, group);
  Status out;
  for (std::size_t number = 0; number < group.blocks.size(); ++number) {
    if ((mask >> number & 1U) == 0) continue;
    const Status done = [&]() -> Status {
      const auto block = TRY(reader.block(group, number));
      std::vector<std::size_t> rows;
      TRY(search.matches_of(reader, group, number, *block, {UINT64_MAX, UINT32_MAX},
                            [&](std::size_t row) { rows.push_back(row); }));
      if (counter.needs_fields() && !rows.empty()) TRY(reader.add_fields(group, number, *block));
      for (const std::size_t row : rows) counter.add(block->row(row));
      return {};
    }();
    if (!done) out = done;
  }
  return out;
}

Result<Tally> Store::tally(const TallyQuery& query) {
  if (query.step && query.step->us <= 0)
    return fail(Code::invalid_argument, "a histogram's step must be above zero");
  Search search(query.of, system_.clock);
  Counting counter(query);
  look_again();
  bool partial = !lost().empty();
  bool stopped = false;
  // The list of files is taken after memory: what is sealed in between is counted in one of them.
  const std::vector<ChunkPtr> chunks =
      search.empty() ? std::vector<ChunkPtr>() : chunks_of_memory();
  const journal::SegmentId in_memory =
      chunks.empty() ? UINT64_MAX : chunks.front()->rows().front().at.segment;
  for (const ChunkPtr& chunk : chunks) {
    if (!chunk->time().reaches(search.from(), search.to()) ||
        count_rollup(search, counter, chunk->rollup()))
      continue;
    stopped = stopped || search.late();
    if (stopped || !search.may_hold(*chunk)) continue;
    for (const Row& row : chunk->rows())
      if (search.matches(row)) counter.add(row);
  }
  for (const FilePtr& file : search.empty() ? std::vector<FilePtr>() : files()) {
    if (file->name().first >= in_memory) continue;  // counted in memory
    const auto reader = FileReader::make(*file);
    for (const Group& group : file->groups()) {
      stopped = stopped || search.late();
      if (!reader || stopped) break;
      const Status done = count_group(search, counter, **reader, group);
      if (!done) report_damage(file, done.error());
      partial = partial || !done;
    }
    partial = partial || !reader;
  }
  Tally out = counter.finish();
  out.partial = partial || stopped;
  out.scanned = search.scanned;
  return out;
}

}  // namespace holdfast::events
