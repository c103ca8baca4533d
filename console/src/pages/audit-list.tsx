// Audit entries, newest first: who did what to which object, and what it was before and after.
import { useInfiniteQuery } from '@tanstack/preact-query';
import { client, must } from '../api/client';
import type { AuditEntry } from '../api/types';
import { clockSeconds, count, millis, moment } from '../lib/format';
import { pretty } from '../lib/json';
import { now } from '../state/now';
import { OlderButton } from '../ui/entries';
import { Empty, ProblemView, Waiting } from '../ui/states';

const kPage = 50;

interface Props {
  /** Only of this object; null: of all. */
  object: string | null;
  /** Only from this entry back; null: from the newest. */
  seq: number | null;
  empty: string;
}

function Entry({ entry, open }: { entry: AuditEntry; open: boolean }) {
  const at = millis(entry.time);
  const when = moment(at, now.value);
  return (
    <li class="entry">
      <details open={open}>
        <summary>
          <span class="entry-line">
            <span class="seq">{count(entry.seq)}</span>
            <time dateTime={entry.time} title={entry.time}>
              {when.length > 5 ? when : clockSeconds(at)}
            </time>
            <b>{entry.action.replaceAll('_', ' ').replaceAll('.', ' ')}</b>
            <span class="grow cut">
              <code>{entry.object}</code>
            </span>
            <span class="open-mark" aria-hidden="true" />
          </span>
        </summary>
        <div class="entry-more">
          <p>
            By <code class="break">{entry.actor}</code>
          </p>
          {entry.erased ? <p>Erased for privacy; the salted digest stays.</p> : null}
          <div class="two">
            <div>
              <h3 class="faint">Before</h3>
              <pre class="code" tabIndex={0}>{pretty(entry.before)}</pre>
            </div>
            <div>
              <h3 class="faint">After</h3>
              <pre class="code" tabIndex={0}>{pretty(entry.after)}</pre>
            </div>
          </div>
          <p class="faint">
            Request <code class="break">{entry.request_id ?? 'none'}</code>, hash <code class="break">{entry.hash}</code>
          </p>
        </div>
      </details>
    </li>
  );
}

export function AuditList({ object, seq, empty }: Props) {
  const list = useInfiniteQuery({
    queryKey: ['audit', object, seq],
    queryFn: ({ pageParam }) =>
      must(
        client.GET('/v1/audit', {
          params: {
            query: {
              limit: kPage,
              ...(object ? { object } : {}),
              ...(seq !== null ? { from_seq: seq, to_seq: seq } : {}),
              ...(pageParam ? { cursor: pageParam } : {}),
            },
          },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  if (list.isPending) return <Waiting />;
  if (!list.data) return <ProblemView error={list.error} retry={() => void list.refetch()} />;
  const entries = list.data.pages.flatMap((p) => p.items);
  if (entries.length === 0) return <Empty text={empty} />;
  return (
    <section class="panel">
      <ul class="entries">
        {entries.map((e) => (
          <Entry key={e.seq} entry={e} open={seq !== null} />
        ))}
      </ul>
      <OlderButton list={list} />
    </section>
  );
}
