// The fleet: filter, facets, list. Filter and order lie in the address, so that a view can be sent on.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { useLocation, useSearch } from 'wouter-preact';
import type { Device, DeviceFacets } from '../../api/types';
import { count } from '../../lib/format';
import { kStates, toQuery, type Values } from '../../lib/filter';
import { useInterest } from '../../state/live';
import { useDevices, useFacets, useFleetSize, useSites, useTypes, type DeviceSort } from '../../state/queries';
import { useCan } from '../../state/session';
import { Button, ButtonLink } from '../../ui/basics';
import { DeviceActDialog, type ActName } from '../../ui/device-acts';
import { Empty, LiveMark, ProblemView, Waiting } from '../../ui/states';
import { useTitle } from '../../ui/title';
import { DeviceTable } from './device-table';
import { Facets } from './facets';
import { FilterField } from './filter-field';

/** Fleets up to this size are followed whole; larger ones by the rows in view. */
const kFollowAllMax = 100;
const kTypingMs = 250;
const kDefaultSort: DeviceSort = 'name';
const kSorts: DeviceSort[] = [
  'name', '-name', 'state', '-state', 'type_name', '-type_name', 'site_name', '-site_name', 'last_seen', '-last_seen',
  'created_at', '-created_at',
];

function address(filter: string, sort: DeviceSort): string {
  const params = new URLSearchParams();
  if (filter.trim() !== '') params.set('filter', filter);
  if (sort !== kDefaultSort) params.set('sort', sort);
  const text = params.toString();
  return text === '' ? '/devices' : `/devices?${text}`;
}

/** Filter and order of the address; typing reaches it after a moment. */
function useView() {
  const search = useSearch();
  const [, go] = useLocation();
  const params = new URLSearchParams(search);
  const settled = params.get('filter') ?? '';
  const sort = kSorts.find((s) => s === params.get('sort')) ?? kDefaultSort;
  const [text, setText] = useState(settled);
  useEffect(() => setText(settled), [settled]);
  useEffect(() => {
    if (text === settled) return;
    const timer = setTimeout(() => go(address(text, sort), { replace: true }), kTypingMs);
    return () => clearTimeout(timer);
  }, [text]);
  return {
    text,
    settled,
    sort,
    type: setText,
    choose: (filter: string) => (setText(filter), go(address(filter, sort))),
    order: (next: DeviceSort) => go(address(text, next)),
  };
}

function valuesOf(facets: DeviceFacets | undefined, types: { name: string }[], sites: { name: string }[]): Values {
  return {
    state: kStates,
    type: types.map((t) => t.name),
    site: sites.map((s) => s.name),
    tag: (facets?.tag ?? []).flatMap((f) => (f.value === null ? [] : [f.value])),
  };
}

function BulkBar({ selected, onAct, onClear }: { selected: number; onAct: (name: ActName) => void; onClear: () => void }) {
  const can = useCan();
  if (selected === 0) return <span class="faint">Nothing selected</span>;
  return (
    <div class="bulk">
      <b>{count(selected)} selected</b>
      {can('device.write') ? (
        <>
          <Button onClick={() => onAct('tag')}>Tag</Button>
          <Button onClick={() => onAct('untag')}>Remove tag</Button>
          <Button onClick={() => onAct('move')}>Move to site</Button>
        </>
      ) : null}
      {can('device.quarantine') ? (
        <>
          <Button onClick={() => onAct('quarantine')}>Quarantine</Button>
          <Button onClick={() => onAct('release')}>Release</Button>
        </>
      ) : null}
      <Button kind="quiet" onClick={onClear}>
        Clear
      </Button>
    </div>
  );
}

function NoDevices({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  const can = useCan();
  if (filtered) {
    return (
      <Empty text="No device matches this filter.">
        <Button onClick={onClear}>Clear the filter</Button>
      </Empty>
    );
  }
  return (
    <Empty text="No device has joined yet.">
      {can('claim.write') ? (
        <ButtonLink href="/add" kind="primary">
          Add device
        </ButtonLink>
      ) : null}
    </Empty>
  );
}

export function DevicesPage() {
  useTitle('Devices');
  const can = useCan();
  const view = useView();
  const [selected, setSelected] = useState<Set<string>>(new Set());
  const [act, setAct] = useState<ActName | null>(null);
  const [seen, setSeen] = useState<string[]>([]);
  const types = useTypes();
  const sites = useSites();
  const parsed = useMemo(
    () => toQuery(view.settled, { types: types.data, sites: sites.data }),
    [view.settled, types.data, sites.data],
  );
  const typed = toQuery(view.text, { types: types.data, sites: sites.data });
  const ready = !parsed.waiting && parsed.errors.length === 0;
  const list = useDevices(parsed.query, view.sort, ready);
  const facets = useFacets(parsed.query, ready);
  const size = useFleetSize().data ?? null;
  const devices = useMemo(() => list.data?.pages.flatMap((p) => p.items) ?? [], [list.data]);
  const total = list.data?.pages[0]?.total_estimate ?? null;
  useInterest(size !== null && size <= kFollowAllMax ? 'all' : seen);
  const chosen: Device[] = devices.filter((d) => selected.has(d.id));
  const selectable = can('device.write') || can('device.quarantine');
  const filtered = view.settled.trim() !== '';
  const matching = total ?? devices.length;
  return (
    <div class="page devices-page">
      <header class="title">
        <h1>Devices</h1>
        {list.data ? (
          <span class="of">
            {filtered && size !== null ? `${count(matching)} of ${count(size)}` : count(matching)}
          </span>
        ) : null}
        <span class="grow" />
        <LiveMark />
        {can('claim.write') ? (
          <ButtonLink href="/add" kind="primary">
            Add device
          </ButtonLink>
        ) : null}
      </header>
      <FilterField
        text={view.text}
        errors={typed.errors}
        values={valuesOf(facets.data, types.data ?? [], sites.data ?? [])}
        onChange={view.type}
      />
      {list.isError && !list.data ? (
        <ProblemView error={list.error} retry={() => void list.refetch()} />
      ) : (
        <div class="with-facets">
          <details class="facets-fold" open={!matchMedia('(max-width: 900px)').matches}>
            <summary>Facets</summary>
            {facets.data ? <Facets facets={facets.data} filter={view.text} onFilter={view.choose} /> : null}
          </details>
          {list.isPending ? (
            <div class="panel list">{ready ? <Waiting /> : <p class="waiting">The filter has an error.</p>}</div>
          ) : devices.length === 0 && !list.isPlaceholderData ? (
            <div class="panel list">
              <NoDevices filtered={filtered} onClear={() => view.choose('')} />
            </div>
          ) : (
            <DeviceTable
              devices={devices}
              total={total}
              sort={view.sort}
              onSort={view.order}
              selected={selected}
              onSelect={setSelected}
              selectable={selectable}
              more={list.hasNextPage && !list.isFetchingNextPage}
              onMore={() => void list.fetchNextPage()}
              onSeen={setSeen}
              foot={
                selectable ? (
                  <BulkBar selected={chosen.length} onAct={setAct} onClear={() => setSelected(new Set())} />
                ) : (
                  <span />
                )
              }
            />
          )}
        </div>
      )}
      {act ? (
        <DeviceActDialog
          name={act}
          devices={chosen}
          onClose={(outcome) => {
            setAct(null);
            if (outcome && outcome.failed.length === 0) setSelected(new Set());
          }}
        />
      ) : null}
    </div>
  );
}
