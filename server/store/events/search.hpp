// A query made ready, and how far it decides about memory, groups, blocks and rows. What finds and
// what counts share it. Used by one thread.
#pragma once

#include <functional>

#include "libs/os/system.hpp"
#include "server/store/events/file.hpp"
#include "server/store/events/memory.hpp"

namespace holdfast::events {

class Search final {
 public:
  // All outlive the search.
  Search(const Query& query, const os::Clock& clock);

  const query::Plan& plan() const { return plan_; }
  std::int64_t from() const { return from_; }
  std::int64_t to() const { return to_; }
  bool empty() const { return from_ >= to_; }
  bool late() const { return query_.deadline != kNever && !(clock_.mono() < query_.deadline); }
  // Counts by minute, kind and severity answer it, where they know enough.
  bool counts_decide() const { return !query_.device_filter && !plan_.by_row; }

  bool may_hold(const Chunk& chunk) const;
  // Which blocks may hold a match. A filter that cannot be read rules nothing out.
  BlockMask candidates(FileReader& reader, const Group& group) const;
  bool matches(const Row& row);  // of memory: all is known
  // What of kind and severity is known already.
  query::Truth of_head(std::string_view kind, std::uint8_t severity) const;

  // The matches of a block before a position, in the block's order. Reads texts only where kind and
  // severity leave it open.
  Status matches_of(FileReader& reader, const Group& group, std::size_t number, Block& block,
                    const journal::Cursor& before, const std::function<void(std::size_t)>& use);
  std::uint64_t scanned = 0;

 private:
  bool visible(const Ulid& device) { return !query_.device_filter || query_.device_filter(device); }
  std::vector<query::Truth> head_truths(const Meta& meta) const;
  bool may_hold_literal(const Block& block, std::size_t i) const;

  const Query& query_;
  const os::Clock& clock_;
  query::Node filter_;
  query::Plan plan_;
  query::Finder literal_;
  std::int64_t from_, to_;
};

}  // namespace holdfast::events
