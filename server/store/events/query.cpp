// Search: newest arrival first, through memory and then file by file, group by group, until the
// page is full, the events are at an end, or the deadline has come.
#include <algorithm>

#include "server/store/events/search.hpp"
#include "server/store/events/store.hpp"

namespace holdfast::events {

struct Store::Page {
  const Query& query;
  Search search;
  journal::Cursor before{UINT64_MAX, UINT32_MAX};  // only events before this position
  journal::Cursor last;                            // of the last event on the page
  Answer answer;
  bool damaged = false;

  bool full() const { return answer.items.size() >= query.limit; }
  bool late() {
    answer.partial = answer.partial || search.late();
    return answer.partial;
  }
  void add(const Row& row) {
    auto event = event_of(row);
    if (!event) {
      damaged = true;
      return;
    }
    last = row.at;
    answer.items.push_back(std::move(*event));
  }
};

void Store::search_memory(Page& page) const {
  const std::vector<ChunkPtr> chunks = chunks_of_memory();
  for (auto chunk = chunks.rbegin(); chunk != chunks.rend() && !page.full(); ++chunk) {
    const auto& rows = (*chunk)->rows();
    if (!(rows.front().at < page.before)) continue;
    if (page.late()) return;
    if (page.search.may_hold(**chunk)) {
      for (auto row = rows.rbegin(); row != rows.rend() && !page.full(); ++row) {
        if (row->at < page.before && page.search.matches(*row)) page.add(*row);
      }
    }
    if (page.full()) return;
    page.before = rows.front().at;
    page.answer.reached = WallTime{rows.front().received};
  }
}

// A damaged block hides its own events only.
void Store::search_group(Page& page, const FilePtr& file, FileReader& reader,
                         const Group& group) const {
  struct Hit {
    journal::Cursor at;
    std::size_t block, row;
  };
  std::vector<Hit> hits;
  std::array<std::unique_ptr<Block>, kGroupBlocksMax> blocks;
  const BlockMask mask = page.search.candidates(reader, group);
  for (std::size_t number = 0; number < group.blocks.size(); ++number) {
    if ((mask >> number & 1U) == 0) continue;
    const Status done = [&]() -> Status {
      blocks[number] = TRY(reader.block(group, number));
      Block& block = *blocks[number];
      return page.search.matches_of(
          reader, group, number, block, page.before,
          [&](std::size_t row) { hits.push_back({block.meta.at[row], number, row}); });
    }();
    if (!done) {
      page.damaged = true;
      report_damage(file, done.error());
    }
  }
  std::ranges::sort(hits, std::ranges::greater(), &Hit::at);
  for (const Hit& hit : hits) {
    if (page.full()) return;
    Block& block = *blocks[hit.block];
    const Status messages = reader.add_messages(group, hit.block, block);
    const Status fields = reader.add_fields(group, hit.block, block);
    if (messages && fields) {
      page.add(block.row(hit.row));
    } else {
      page.damaged = true;
      report_damage(file, messages ? fields.error() : messages.error());
    }
  }
}

void Store::search_file(Page& page, const FilePtr& file) const {
  const auto reader = FileReader::make(*file);
  if (!reader) {
    page.damaged = true;
    return;
  }
  const auto& groups = file->groups();
  for (auto group = groups.rbegin(); group != groups.rend() && !page.full(); ++group) {
    if (!(group->first < page.before)) continue;
    if (page.late()) return;
    search_group(page, file, **reader, *group);
    if (page.full()) return;
    page.before = group->first;
    page.answer.reached = WallTime{group->received.least};
  }
}

Result<Answer> Store::query(const Query& query) {
  look_again();
  Page page{query, Search(query, system_.clock), {UINT64_MAX, UINT32_MAX}, {}, {}, !lost().empty()};
  if (!query.cursor.empty()) page.before = TRY(journal::parse_cursor(query.cursor));
  if (query.limit == 0 || page.search.empty()) return page.answer;
  search_memory(page);
  if (!page.full() && !page.answer.partial) {
    // Taken after memory was searched: what was sealed meanwhile is in these files.
    const std::vector<FilePtr> all = files();
    for (auto file = all.rbegin(); file != all.rend() && !page.full() && !page.answer.partial;
         ++file) {
      if (journal::Cursor{(*file)->name().first, 0} < page.before) search_file(page, *file);
    }
  }
  page.answer.scanned = page.search.scanned;
  if (page.full()) {
    page.answer.next_cursor = journal::cursor_text(page.last);
  } else if (page.answer.partial) {
    page.answer.next_cursor = journal::cursor_text(page.before);
  } else {
    page.answer.partial = page.damaged;
    page.answer.reached.reset();
  }
  return page.answer;
}

Result<Explain> Store::explain(const Query& query) {
  const Search search(query, system_.clock);
  Explain out;
  out.plan = search.plan();
  for (const ChunkPtr& chunk : chunks_of_memory()) {
    out.unsealed += chunk->rows().size();
    if (!search.empty() && search.may_hold(*chunk)) out.events_left += chunk->rows().size();
  }
  out.events = out.unsealed;
  for (const FilePtr& file : files()) {
    const auto reader = TRY(FileReader::make(*file));
    for (const Group& group : file->groups()) {
      out.events += group.events();
      out.blocks += group.blocks.size();
      const BlockMask mask = search.empty() ? 0 : search.candidates(*reader, group);
      for (std::size_t number = 0; number < group.blocks.size(); ++number) {
        if ((mask >> number & 1U) == 0) continue;
        ++out.blocks_left;
        out.events_left += group.blocks[number].count;
      }
    }
    if (search.late())
      return fail(Code::deadline_exceeded, "too many events to explain in time: narrow the time");
  }
  return out;
}

}  // namespace holdfast::events
