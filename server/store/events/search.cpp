#include "server/store/events/search.hpp"

#include <algorithm>

namespace holdfast::events {

using query::Truth;

namespace {

query::Node of_device(const std::optional<Ulid>& device) {
  if (!device) return {};
  query::Term term;
  term.field = "device";
  term.op = query::Op::equal;
  term.device = device;
  term.text = *device == Ulid{} ? "server" : query::folded(DeviceId{*device}.text());
  return query::term_node(std::move(term));
}

}  // namespace

Search::Search(const Query& query, const os::Clock& clock)
    : query_(query),
      clock_(clock),
      filter_(query::both(of_device(query.device), query.filter)),
      plan_(query::plan(filter_)),
      literal_(plan_.literal),
      from_(std::max(query.from.us, plan_.from)),
      to_(std::min(query.to.us, plan_.to)) {}

bool Search::may_hold(const Chunk& chunk) const {
  return chunk.time().reaches(from_, to_) && (chunk.severities() & plan_.severities) != 0 &&
         chunk.may_hold(plan_.need);
}

BlockMask Search::candidates(FileReader& reader, const Group& group) const {
  if (!group.time.reaches(from_, to_) || (group.severities & plan_.severities) == 0) return 0;
  BlockMask mask = 0;
  for (std::size_t i = 0; i < group.blocks.size(); ++i) {
    const BlockHead& head = group.blocks[i];
    if (head.time.reaches(from_, to_) && (head.severities & plan_.severities) != 0)
      mask |= BlockMask{1} << i;
  }
  if (plan_.devices) {
    BlockMask of_devices = 0;
    for (const Ulid& device : *plan_.devices) of_devices |= group.blocks_of(device);
    mask &= of_devices;
  }
  if (mask == 0) return 0;
  return plan_.need.blocks(mask, [&](std::uint64_t term) {
    const auto found = reader.look_up(group, term);
    return found ? *found : mask;
  });
}

bool Search::matches(const Row& row) {
  ++scanned;
  return row.time >= from_ && row.time < to_ && (plan_.severities >> row.severity & 1) != 0 &&
         visible(row.device) && events::matches(filter_, row);
}

Truth Search::of_head(std::string_view kind, std::uint8_t severity) const {
  query::Document document;
  document.kind = kind;
  document.severity = severity;
  return query::evaluate(filter_, document);
}

// By kind and severity; of those that occur.
std::vector<Truth> Search::head_truths(const Meta& meta) const {
  std::vector<Truth> out;
  for (const std::string& kind : meta.kinds) {
    for (std::uint8_t severity = 0; severity < query::kSeverities.size(); ++severity)
      out.push_back(plan_.by_row ? Truth::unknown : of_head(kind, severity));
  }
  return out;
}

bool Search::may_hold_literal(const Block& block, std::size_t i) const {
  return literal_.in(block.messages[i]) || literal_.in(block.fields[i]) ||
         literal_.in(block.meta.kinds[block.meta.kind[i]]);
}

Status Search::matches_of(FileReader& reader, const Group& group, std::size_t number, Block& block,
                          const journal::Cursor& before,
                          const std::function<void(std::size_t)>& use) {
  const Meta& meta = block.meta;
  const std::vector<Truth> truths = head_truths(meta);
  std::vector<bool> seen;
  for (const Ulid& device : meta.devices) seen.push_back(visible(device));
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < meta.size(); ++i) {
    if (!(meta.at[i] < before) || meta.time[i] < from_ || meta.time[i] >= to_) continue;
    ++scanned;
    if ((plan_.severities >> meta.severity[i] & 1) == 0 || !seen[meta.device[i]]) continue;
    Truth truth = truths[meta.kind[i] * query::kSeverities.size() + meta.severity[i]];
    if (plan_.by_row) truth = query::evaluate(filter_, head_of(block.row(i)));
    if (truth == Truth::yes) use(i);
    if (truth == Truth::unknown) open.push_back(i);
  }
  if (open.empty()) return {};
  TRY(reader.add_messages(group, number, block));
  TRY(reader.add_fields(group, number, block));
  for (const std::size_t i : open) {
    if (!may_hold_literal(block, i)) continue;
    if (events::matches(filter_, block.row(i))) use(i);
  }
  return {};
}

}  // namespace holdfast::events
