// The list itself: one row height, only the rows in view drawn, the next page fetched before its end is
// reached. A real table for assistive technology; two-line rows on a phone.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import type { Device } from '../../api/types';
import { count } from '../../lib/format';
import { tagText } from '../../lib/tags';
import { nearEnd, rowWindow, type RowWindow } from '../../lib/virtual';
import { certificateWords, presenceBrief, presenceWords, stateTone } from '../../lib/words';
import { now } from '../../state/now';
import { kPageRows, type DeviceSort } from '../../state/queries';
import { density } from '../../state/settings';
import { Ago, Badge, Dot, Live } from '../../ui/basics';

interface Column {
  key: string;
  label: string;
  sort?: 'name' | 'type_name' | 'site_name' | 'state' | 'last_seen';
}

const kColumns: Column[] = [
  { key: 'name', label: 'Name', sort: 'name' },
  { key: 'type', label: 'Type', sort: 'type_name' },
  { key: 'site', label: 'Site', sort: 'site_name' },
  { key: 'state', label: 'State', sort: 'state' },
  { key: 'presence', label: 'Connection' },
  { key: 'tags', label: 'Tags' },
  { key: 'certificate', label: 'Certificate' },
  { key: 'seen', label: 'Last seen', sort: 'last_seen' },
];
const kCells = kColumns.length + 1;

export interface TableProps {
  devices: Device[];
  total: number | null;
  sort: DeviceSort;
  onSort: (sort: DeviceSort) => void;
  selected: Set<string>;
  onSelect: (selected: Set<string>) => void;
  selectable: boolean;
  more: boolean;
  onMore: () => void;
  onSeen: (ids: string[]) => void;
  foot: preact.ComponentChildren;
}

function useRowHeight(): number {
  const [phone, setPhone] = useState(() => matchMedia('(max-width: 600px)').matches);
  useEffect(() => {
    const media = matchMedia('(max-width: 600px)');
    const change = () => setPhone(media.matches);
    media.addEventListener('change', change);
    return () => media.removeEventListener('change', change);
  }, []);
  if (phone) return 56;
  return density.value === 'comfortable' ? 40 : 32;
}

function Header({ column, sort, onSort }: { column: Column; sort: DeviceSort; onSort: (s: DeviceSort) => void }) {
  if (!column.sort) {
    return (
      <th scope="col" class={`c-${column.key}`}>
        {column.label}
      </th>
    );
  }
  const up = sort === column.sort;
  const down = sort === `-${column.sort}`;
  const next = (up ? `-${column.sort}` : down ? column.sort : column.sort === 'last_seen' ? '-last_seen' : column.sort) as DeviceSort;
  return (
    <th scope="col" class={`c-${column.key}`} aria-sort={up ? 'ascending' : down ? 'descending' : 'none'}>
      <button type="button" class="sort" onClick={() => onSort(next)}>
        {column.label}
        <span class="arrow" aria-hidden="true">
          {up ? '↑' : down ? '↓' : ''}
        </span>
      </button>
    </th>
  );
}

function Presence({ device }: { device: Device }) {
  return (
    <span title={presenceWords(device.presence, now.value).text}>{presenceBrief(device.presence, now.value)}</span>
  );
}

function Certificate({ device }: { device: Device }) {
  const words = certificateWords(device.certificate, now.value);
  return words.tone === 'plain' ? <span class="quiet">{words.text}</span> : <Badge tone={words.tone}>{words.text}</Badge>;
}

function Tags({ tags }: { tags: Device['tags'] }) {
  const list = Object.entries(tags).map(([k, v]) => tagText(k, v));
  return <span title={list.join(', ')}>{list.join(', ')}</span>;
}

function Row({ device, index, selected, onToggle, selectable }: {
  device: Device;
  index: number;
  selected: boolean;
  onToggle: (id: string, on: boolean) => void;
  selectable: boolean;
}) {
  const online = device.presence.online;
  const tone = stateTone(device.state);
  return (
    <tr class={selected ? 'selected' : undefined} aria-rowindex={index + 2} aria-selected={selectable ? selected : undefined}>
      <td class="c-check">
        {selectable ? (
          <label class="check">
            <input type="checkbox" checked={selected} onChange={(e) => onToggle(device.id, e.currentTarget.checked)} />
            <span class="unseen">Select {device.name}</span>
          </label>
        ) : null}
      </td>
      <th scope="row" class="c-name">
        <Link href={`/devices/${device.id}`}>
          <Dot online={online} label={online ? 'online' : 'offline'} />
          <span class="cut">{device.name}</span>
        </Link>
      </th>
      <td class="c-type cut">{device.type_name ?? <span class="faint">none</span>}</td>
      <td class="c-site cut">{device.site_name ?? <span class="faint">none</span>}</td>
      <td class="c-state">
        <Live value={device.state}>{tone === 'plain' ? device.state : <Badge tone={tone}>{device.state}</Badge>}</Live>
      </td>
      <td class="c-presence cut">
        <Live value={online ? 'on' : 'off'}>
          <Presence device={device} />
        </Live>
      </td>
      <td class="c-tags cut">
        <Tags tags={device.tags} />
      </td>
      <td class="c-certificate">
        <Certificate device={device} />
      </td>
      <td class="c-seen">
        <Ago time={device.presence.last_seen} />
      </td>
    </tr>
  );
}

function useRowWindow(rows: number, rowPx: number) {
  const scroller = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState({ top: 0, height: 600 });
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const look = () => {
      const head = element.querySelector('thead')?.offsetHeight ?? 0;
      setPlace({ top: element.scrollTop, height: Math.max(rowPx, element.clientHeight - head) });
    };
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener('scroll', look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, [rowPx]);
  return { scroller, view: rowWindow(place.top, place.height, rowPx, rows) };
}

/** Tells which rows are in view, once the scrolling has come to rest. */
function useSeen(devices: Device[], view: RowWindow, onSeen: (ids: string[]) => void): void {
  const ids = devices.slice(view.from, view.to).map((d) => d.id);
  const key = ids.join(' ');
  useEffect(() => {
    const timer = setTimeout(() => onSeen(ids), 500);
    return () => clearTimeout(timer);
  }, [key]);
}

export function DeviceTable(props: TableProps) {
  const { devices, total, selected, onSelect, selectable, more, onMore } = props;
  const rowPx = useRowHeight();
  const { scroller, view } = useRowWindow(devices.length, rowPx);
  useSeen(devices, view, props.onSeen);
  const wantsMore = more && nearEnd(view, devices.length, kPageRows);
  useEffect(() => {
    if (wantsMore) onMore();
  }, [wantsMore, devices.length]);
  const last = useRef<string | null>(null);
  const shift = useRef(false);
  const toggle = (id: string, on: boolean) => {
    const next = new Set(selected);
    const ids = devices.map((d) => d.id);
    const from = last.current ? ids.indexOf(last.current) : -1;
    const to = ids.indexOf(id);
    const range = shift.current && from >= 0 ? ids.slice(Math.min(from, to), Math.max(from, to) + 1) : [id];
    for (const each of range) on ? next.add(each) : next.delete(each);
    last.current = id;
    onSelect(next);
  };
  const all = devices.length > 0 && devices.every((d) => selected.has(d.id));
  const some = !all && devices.some((d) => selected.has(d.id));
  const rows = useMemo(() => devices.slice(view.from, view.to), [devices, view.from, view.to]);
  const known = total ?? devices.length;
  return (
    <div class="panel list">
      <div
        ref={scroller}
        class="scroller"
        tabIndex={0}
        role="region"
        aria-label="Device list"
        onClickCapture={(e) => (shift.current = e.shiftKey)}
      >
        <table class="table devices" aria-rowcount={known + 1} aria-colcount={kCells}>
          <thead>
            <tr aria-rowindex={1}>
              <td class="c-check">
                {selectable ? (
                  <label class="check">
                    <input
                      type="checkbox"
                      checked={all}
                      ref={(box) => {
                        if (box) box.indeterminate = some;
                      }}
                      onChange={() => onSelect(all ? new Set() : new Set(devices.map((d) => d.id)))}
                    />
                    <span class="unseen">Select all {devices.length} loaded</span>
                  </label>
                ) : null}
              </td>
              {kColumns.map((c) => (
                <Header key={c.key} column={c} sort={props.sort} onSort={props.onSort} />
              ))}
            </tr>
          </thead>
          <tbody>
            <Space px={view.above} />
            {rows.map((device, i) => (
              <Row
                key={device.id}
                device={device}
                index={view.from + i}
                selected={selected.has(device.id)}
                onToggle={toggle}
                selectable={selectable}
              />
            ))}
            <Space px={view.below} />
          </tbody>
        </table>
      </div>
      <div class="list-foot">
        {props.foot}
        <span class="rows" aria-live="off">
          rows {count(Math.min(view.seenFrom + 1, devices.length))} to {count(view.seenTo)} of {count(known)}
        </span>
      </div>
    </div>
  );
}

function Space({ px }: { px: number }) {
  return px > 0 ? (
    <tr aria-hidden="true" class="space">
      <td style={{ height: `${px}px` }} />
    </tr>
  ) : null;
}
