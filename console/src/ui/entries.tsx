// Parts of lists that go back in time, and of what unfolds in them.
import type { ComponentChildren } from 'preact';
import { Button } from './basics';

interface Older {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => Promise<unknown>;
}

/** The way to what is older; nothing when all is shown. */
export function OlderButton({ list }: { list: Older }) {
  if (!list.hasNextPage) return null;
  return (
    <div class="more">
      <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
        Older
      </Button>
    </div>
  );
}

export function Facts({ rows, inEntry = false }: { rows: [string, ComponentChildren][]; inEntry?: boolean }) {
  return (
    <dl class={inEntry ? 'facts entry-more' : 'facts'}>
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
