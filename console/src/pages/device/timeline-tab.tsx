// Everything that happened to the device, newest first: connections and why they ended, what changed,
// commands, events, what operators did. New entries come by themselves.
import { useInfiniteQuery } from '@tanstack/preact-query';
import { useMemo, useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import type { Device, Lane, TimelineItem } from '../../api/types';
import { clockSeconds, count, millis } from '../../lib/format';
import { pretty } from '../../lib/json';
import { byDay, kLanes, toneOf } from '../../lib/timeline';
import { mergeTimeline } from '../../live/merge';
import { now } from '../../state/now';
import { readTimeline } from '../../state/queries';
import { kEverything, TimelineSearchForm, wants } from './timeline-search';
import { Badge } from '../../ui/basics';
import { OlderButton } from '../../ui/entries';
import { Empty, ProblemView, Waiting } from '../../ui/states';

const kPage = 100;

function Line({ item, opens }: { item: TimelineItem; opens: boolean }) {
  const tone = toneOf(item.severity, item.lane);
  return (
    <span class="entry-line">
      <time dateTime={item.time} title={item.time}>
        {clockSeconds(millis(item.time))}
      </time>
      <span class={`lozenge ${tone}`} aria-hidden="true" />
      <span class="grow">
        {item.message} {tone === 'bad' || tone === 'warn' ? <Badge tone={tone}>{item.severity}</Badge> : null}
      </span>
      <span class="faint wide-only">{item.kind.replaceAll('_', ' ')}</span>
      {opens ? <span class="open-mark" aria-hidden="true" /> : null}
    </span>
  );
}

function Entry({ item }: { item: TimelineItem }) {
  const fields = item.fields ?? {};
  const seq = item.audit_seq ?? null;
  const more = Object.keys(fields).length > 0 || Boolean(item.actor) || seq !== null;
  if (!more) {
    return (
      <li class="entry">
        <Line item={item} opens={false} />
      </li>
    );
  }
  return (
    <li class="entry">
      <details>
        <summary>
          <Line item={item} opens />
        </summary>
        <div class="entry-more">
          {item.actor ? (
            <p>
              By <code>{item.actor}</code>
            </p>
          ) : null}
          {seq !== null ? (
            <p>
              <Link href={`/audit?seq=${seq}`}>audit {count(seq)}</Link>
            </p>
          ) : null}
          {Object.keys(fields).length > 0 ? <pre class="code" tabIndex={0}>{pretty(fields)}</pre> : null}
        </div>
      </details>
    </li>
  );
}

function emptyText(searched: boolean, partial: boolean | undefined): string {
  if (partial) return 'Nothing yet that fits; older entries were not looked at.';
  return searched ? 'Nothing that happened fits.' : 'Nothing happened yet that is shown here.';
}

export function TimelineTab({ device, live }: { device: Device; live: TimelineItem[] }) {
  const [hidden, setHidden] = useState<Set<Lane>>(new Set());
  const [search, setSearch] = useState(kEverything);
  const list = useInfiniteQuery({
    queryKey: ['timeline', device.id, 'list', search],
    queryFn: ({ pageParam, signal }) => readTimeline(device.id, kPage, pageParam, null, signal, search),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  // What comes live is not searched here: the server knows the language.
  const items = useMemo(
    () =>
      mergeTimeline(list.data?.pages.flatMap((p) => p.items) ?? [], search.q ? [] : live.filter((i) => wants(search, i))).filter(
        (i) => !hidden.has(i.lane),
      ),
    [list.data, live, hidden, search],
  );
  const toggle = (lane: Lane) => {
    const next = new Set(hidden);
    if (!next.delete(lane)) next.add(lane);
    setHidden(next);
  };
  return (
    <section class="panel">
      <div class="lane-filter" role="group" aria-label="Shown">
        {kLanes.map((l) => (
          <button key={l.lane} type="button" class="chip" aria-pressed={!hidden.has(l.lane)} onClick={() => toggle(l.lane)}>
            {l.label}
          </button>
        ))}
      </div>
      <TimelineSearchForm search={search} onSearch={setSearch} />
      {list.isPending ? <Waiting /> : null}
      {!list.isPending && !list.data ? <ProblemView error={list.error} retry={() => void list.refetch()} /> : null}
      {list.data && items.length === 0 ? <Empty text={emptyText(search !== kEverything, list.data.pages.at(-1)?.partial)} /> : null}
      {byDay(items, now.value).map((day) => (
        <section key={day.name} aria-label={day.name}>
          <h2 class="day">{day.name}</h2>
          <ul class="entries">
            {day.items.map((i) => (
              <Entry key={i.id} item={i} />
            ))}
          </ul>
        </section>
      ))}
      <OlderButton list={list} />
    </section>
  );
}
