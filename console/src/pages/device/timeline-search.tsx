// The search above a device's timeline: words in the query language of events, and the least severity.
// It asks when Enter is pressed, the field is left, or a severity is chosen.
import { useState } from 'preact/hooks';
import type { Severity, TimelineItem } from '../../api/types';
import type { TimelineSearch } from '../../state/queries';
import { Button, SelectField, TextField } from '../../ui/basics';

export const kEverything: TimelineSearch = { q: '', severity: 'debug' };

const kSeverities: Severity[] = ['debug', 'info', 'notice', 'warning', 'error', 'critical'];

/** Whether an item that came live is severe enough; its words are not looked at. */
export function wants(search: TimelineSearch, item: TimelineItem): boolean {
  return kSeverities.indexOf(item.severity) >= kSeverities.indexOf(search.severity);
}

/** The same search again is the same object, so that nothing is asked anew. */
export function changed(search: TimelineSearch, change: Partial<TimelineSearch>): TimelineSearch {
  const next = { ...search, ...change };
  next.q = next.q.trim();
  if (next.q === search.q && next.severity === search.severity) return search;
  return next.q === '' && next.severity === kEverything.severity ? kEverything : next;
}

export function TimelineSearchForm({ search, onSearch }: { search: TimelineSearch; onSearch: (s: TimelineSearch) => void }) {
  const [words, setWords] = useState(search.q);
  const ask = () => onSearch(changed(search, { q: words }));
  return (
    <form
      class="timeline-search"
      role="search"
      onSubmit={(e) => {
        e.preventDefault();
        ask();
      }}
    >
      <TextField
        label="Find"
        type="search"
        value={words}
        maxLength={4096}
        spellcheck={false}
        placeholder="failed user:root ip:10.0.0.0/8"
        hint="Words, “phrases”, field:value, field>=10, networks, part*, NOT, OR, (…)"
        onInput={(e) => setWords(e.currentTarget.value)}
        onBlur={ask}
      />
      <SelectField
        label="Severity"
        value={search.severity}
        options={kSeverities.map((s) => ({ value: s, label: s === 'debug' ? 'all' : `${s} or worse` }))}
        onChange={(s) => onSearch(changed(search, { q: words, severity: s as Severity }))}
      />
      {search === kEverything ? null : (
        <Button
          onClick={() => {
            setWords('');
            onSearch(kEverything);
          }}
        >
          Show all
        </Button>
      )}
    </form>
  );
}
