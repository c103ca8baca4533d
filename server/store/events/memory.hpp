// Events in memory until their journal segment is sealed: one chunk for each frame that the journal
// committed. Filter and roll-up of a chunk are made when a search first asks for them, so that
// taking events in stays cheap. Threads: any; a chunk never changes to the eye.
#pragma once

#include "libs/base/guarded.hpp"
#include "server/store/events/group.hpp"
#include "server/store/journal/journal.hpp"

namespace holdfast::events {

class Chunk final {
 public:
  // The batch's events; null if it has none. `malformed` counts records that were no events.
  static std::shared_ptr<const Chunk> make(const journal::Batch& batch, std::uint64_t& malformed);

  const std::vector<Row>& rows() const { return rows_; }  // in order of position
  const Span& time() const { return time_; }
  std::uint8_t severities() const { return severities_; }
  bool may_hold(const query::Need& need) const;
  const Rollup& rollup() const;

 private:
  using Filter = std::vector<std::uint64_t>;  // a Bloom filter of 16 bits a term
  Filter make_filter() const;
  Bytes bytes_;
  std::vector<Row> rows_;
  Span time_;
  std::uint8_t severities_ = 0;
  struct Made {
    std::unique_ptr<const Filter> filter;
    std::unique_ptr<const Rollup> rollup;
  };
  mutable Guarded<Made> made_;
};
using ChunkPtr = std::shared_ptr<const Chunk>;

}  // namespace holdfast::events
