// Search: newest arrival first, through memory and then file by file, block by block, until the
// page is full, the events are at an end, or the deadline has come.
#include <algorithm>

#include "server/store/events/store.hpp"

namespace holdfast::events {
namespace {

constexpr std::size_t kHeadRowsAtOnce = 256;  // looked at under the lock

}  // namespace

struct Store::Search {
  const Query& query;
  const os::Clock& clock;
  std::vector<std::string> words;
  journal::Cursor before;  // only events before this position
  Answer answer;
  bool damaged = false;

  bool full() const { return answer.items.size() >= query.limit; }
  bool late() {
    if (query.deadline == kNever || clock.mono() < query.deadline) return false;
    answer.partial = true;
    return true;
  }
  // What can be said without message and fields.
  bool passes(const Ulid& device, std::string_view kind, Severity severity,
              std::int64_t time) const {
    if (severity < query.severity_min || time < query.from.us || time >= query.to.us) return false;
    if (query.device && *query.device != device) return false;
    if (!query.kinds.empty() && std::ranges::find(query.kinds, kind) == query.kinds.end())
      return false;
    return !query.device_filter || query.device_filter(device);
  }
  // Names and texts lie in the encoded fields as they are: a word that is in none of the three can
  // only be in the text of a number, or in true, false, null.
  bool may_hold(std::string_view message, std::string_view kind, std::string_view fields) const {
    return std::ranges::all_of(words, [&](const std::string& word) {
      return holds(message, word) || holds(kind, word) || holds(fields, word) ||
             word.find_first_not_of("0123456789+-.einftruals") == std::string_view::npos;
    });
  }
  void offer(Row row) {
    const journal::Cursor at = row.at;
    auto event = event_of(std::move(row));
    if (!event) {
      damaged = true;
    } else if (words.empty() || Events::matches(query, *event)) {
      answer.items.push_back(std::move(*event));
      last = at;
    }
  }
  journal::Cursor last;  // position of the last event on the page
};

// True: memory holds nothing more before the search's position.
bool Store::search_head(Search& search) const {
  while (!search.full() && !search.late()) {
    std::vector<Row> rows;
    const bool done = head_.with([&](const Head& head) {
      std::size_t looked = 0;
      for (auto segment = head.rbegin(); segment != head.rend(); ++segment) {
        const std::deque<Row>& all = *segment->second;
        auto at = std::ranges::lower_bound(all, search.before, {}, &Row::at);
        while (at != all.begin()) {
          --at;
          search.before = at->at;
          ++search.answer.scanned;
          const Event& event = at->event;
          if (search.passes(event.device, event.kind, event.severity, event.time.us) &&
              search.may_hold(event.message, event.kind, text_of(at->encoded_fields))) {
            rows.push_back(*at);
          }
          if (++looked >= kHeadRowsAtOnce) return false;
        }
      }
      return true;
    });
    for (Row& row : rows) {
      if (search.full()) return false;  // the page's last event says where to go on
      search.offer(std::move(row));
    }
    if (done) return true;
  }
  return false;
}

Status Store::search_block(Search& search, FileReader& reader, const IndexEntry& entry) const {
  const Meta meta = TRY(reader.meta(entry));
  std::vector<std::size_t> passed;  // newest first
  for (std::size_t i = meta.size(); i-- > 0;) {
    if (!(meta.at[i] < search.before)) continue;
    ++search.answer.scanned;
    const bool passes = search.passes(meta.devices[meta.device[i]], meta.kinds[meta.kind[i]],
                                      static_cast<Severity>(meta.severity[i]), meta.time[i]);
    if (passes) passed.push_back(i);
  }
  if (passed.empty()) return {};
  const Bytes messages_part = TRY(reader.messages(entry));
  const Bytes fields_part = TRY(reader.fields(entry));
  const auto messages = TRY(decode_texts(messages_part, meta.size()));
  const auto fields = TRY(decode_texts(fields_part, meta.size()));
  for (const std::size_t i : passed) {
    if (search.full()) return {};
    if (!search.may_hold(messages[i], meta.kinds[meta.kind[i]], fields[i])) continue;
    search.offer(make_row(meta, i, messages[i], fields[i]));
  }
  return {};
}

void Store::search_file(Search& search, const EventFile& file) const {
  const auto reader = FileReader::make(file);
  if (!reader) {
    search.damaged = true;
    return;
  }
  const auto& index = file.index();
  for (auto entry = index.rbegin(); entry != index.rend() && !search.full(); ++entry) {
    if (!(entry->first < search.before)) continue;
    if (search.late()) return;
    const bool may_hold =
        entry->time_max >= search.query.from.us && entry->time_min < search.query.to.us &&
        entry->severities >> static_cast<unsigned>(search.query.severity_min) != 0;
    // A damaged block hides its own events only.
    if (may_hold && !search_block(search, **reader, *entry)) search.damaged = true;
    if (!search.full()) search.before = entry->first;
  }
}

Result<Answer> Store::query(const Query& query) {
  look_again();
  Search search{
      query, system_.clock, words_of(query.text), {UINT64_MAX, UINT32_MAX}, {}, !lost().empty(),
      {}};
  if (!query.cursor.empty()) search.before = TRY(journal::parse_cursor(query.cursor));
  if (query.limit == 0 || query.from >= query.to) return search.answer;
  bool at_end = search_head(search);
  if (at_end) {
    // Taken after memory was searched: what was sealed meanwhile is in these files.
    const std::vector<FilePtr> all = files();
    for (auto file = all.rbegin(); file != all.rend() && !search.full() && !search.answer.partial;
         ++file) {
      if (journal::Cursor{(*file)->name().first, 0} < search.before) search_file(search, **file);
    }
  }
  if (search.full()) {
    search.answer.next_cursor = journal::cursor_text(search.last);
  } else if (search.answer.partial) {
    search.answer.next_cursor = journal::cursor_text(search.before);
  } else if (search.damaged) {
    search.answer.partial = true;
  }
  return search.answer;
}

}  // namespace holdfast::events
