// The overview: charts and lanes on one time axis, and beside them what the device is.
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import type { Device, TimelineItem } from '../../api/types';
import { clockSeconds, count, millis, moment } from '../../lib/format';
import { charts, formatValue, type ChartSpec } from '../../lib/metrics';
import type { Mark } from '../../lib/timeline';
import { clampZoom, columns, firstRange, kRanges, nearestIndex, type TimeWindow } from '../../lib/window';
import { now } from '../../state/now';
import { useMetrics } from '../../state/queries';
import { Menu } from '../../ui/menu';
import { Empty, ProblemView, Waiting } from '../../ui/states';
import { Chart } from './chart';
import { useChartData, useLaneItems, useLiveMetrics, useWindow } from './chart-data';
import { HoverLine, Lanes, TimeAxis } from './lanes';
import { SidePanels } from './side';
import { TableView } from './table-view';

const kGutterPx = 76;

function useWidth() {
  const element = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const box = element.current;
    if (!box) return;
    const observer = new ResizeObserver(() => setWidth(Math.floor(box.clientWidth)));
    observer.observe(box);
    setWidth(Math.floor(box.clientWidth));
    return () => observer.disconnect();
  }, []);
  return { element, width };
}

/** Which charts are open: the vital ones until the person chooses. */
function useChosen(all: ChartSpec[]) {
  const [keys, setKeys] = useState<string[] | null>(null);
  const open = useMemo(() => all.filter((c) => (keys ? keys.includes(c.key) : c.first)), [all, keys]);
  const toggle = (key: string) => {
    const current = open.map((c) => c.key);
    setKeys(current.includes(key) ? current.filter((k) => k !== key) : [...current, key]);
  };
  return { open, toggle };
}

function Sentence({ mark, onClear }: { mark: Mark | null; onClear: () => void }) {
  if (!mark) return <p class="sentence faint">Select a mark to read what happened.</p>;
  const seq = mark.item.audit_seq;
  return (
    <p class="sentence" role="status">
      <time dateTime={mark.item.time} title={mark.item.time}>
        {moment(mark.atMs, now.value).length > 5 ? moment(mark.atMs, now.value) : clockSeconds(mark.atMs)}
      </time>
      <span class={`lozenge ${mark.tone}`} aria-hidden="true" />
      <span class="grow">{mark.item.message}</span>
      {seq !== null && seq !== undefined ? <Link href={`/audit?seq=${seq}`}>audit {count(seq)}</Link> : null}
      <button type="button" class="button quiet small" onClick={onClear}>
        Close
      </button>
    </p>
  );
}

interface BarProps {
  title: string;
  range: string;
  zoomed: boolean;
  table: boolean;
  all: ChartSpec[];
  open: ChartSpec[];
  onRange: (key: string) => void;
  onBack: () => void;
  onTable: () => void;
  onToggle: (key: string) => void;
}

function Bar(p: BarProps) {
  return (
    <header class="panel-head">
      <h2>{p.title}</h2>
      {p.zoomed ? (
        <button type="button" class="link" onClick={p.onBack}>
          leave zoom
        </button>
      ) : p.table ? null : (
        <span class="faint wide-only">drag to zoom</span>
      )}
      <button type="button" class="link" aria-pressed={p.table} onClick={p.onTable}>
        {p.table ? 'charts' : 'table'}
      </button>
      <Menu label="metrics" className="link">
        <fieldset class="choice">
          <legend>Shown</legend>
          {p.all.map((c) => (
            <label key={c.key}>
              <input type="checkbox" checked={p.open.includes(c)} onChange={() => p.onToggle(c.key)} />
              {c.title}
              {c.unit ? <span class="faint"> {c.unit}</span> : null}
            </label>
          ))}
        </fieldset>
      </Menu>
      <span class="grow" />
      <div class="ranges" role="group" aria-label="Time range">
        {kRanges.map((r) => (
          <button key={r.key} type="button" aria-pressed={!p.zoomed && r.key === p.range} onClick={() => p.onRange(r.key)}>
            {r.label}
          </button>
        ))}
      </div>
    </header>
  );
}

function ChartsPanel({ device, live }: { device: Device; live: TimelineItem[] }) {
  const metrics = useMetrics(device.id);
  useLiveMetrics(device.id);
  const shape = (metrics.data ?? []).map((m) => `${m.name}/${m.kind}/${m.unit ?? ''}`).join(' ');
  const all = useMemo(() => charts(metrics.data ?? []), [shape]);
  const { open, toggle } = useChosen(all);
  const [rangeKey, setRangeKey] = useState(() => firstRange(millis(device.created_at), Date.now()));
  const [zoom, setZoom] = useState<TimeWindow | null>(null);
  const [table, setTable] = useState(false);
  const [mark, setMark] = useState<Mark | null>(null);
  const hover = useSignal<number | null>(null);
  const range = kRanges.find((r) => r.key === rangeKey) ?? kRanges[0]!;
  const { window, bucketS } = useWindow(range, zoom);
  const data = useChartData(device.id, open, range, zoom, bucketS);
  const lanes = useLaneItems(device.id, range, zoom, live);
  const { element, width } = useWidth();
  const gutter = kGutterPx;
  const onZoom = (a: number, b: number) => {
    hover.value = null;
    setZoom(clampZoom(a, b, Date.now()));
  };
  useEffect(() => setMark(null), [rangeKey, zoom]);
  const describe = (seconds: number) =>
    open
      .flatMap((spec) => {
        const c = columns(data.cells, spec.series.map((s) => s.metric), window, bucketS);
        const i = nearestIndex(c.x, seconds, bucketS * 3);
        return spec.series.map((s, n) => {
          const name = spec.series.length === 1 ? spec.title : `${spec.title} ${s.label}`;
          return `${name} ${i < 0 ? 'no reading' : formatValue(c.mean[n]?.[i] ?? null, spec.unit)}`;
        });
      })
      .join(', ');
  const title = zoom ? `${moment(zoom.fromMs, now.value)} to ${moment(zoom.toMs, now.value)}` : range.title;
  return (
    <section class="panel charts" aria-label="Readings and what happened">
      <Bar
        title={title}
        range={rangeKey}
        zoomed={zoom !== null}
        table={table}
        all={all}
        open={open}
        onRange={(key) => (setRangeKey(key), setZoom(null))}
        onBack={() => setZoom(null)}
        onTable={() => setTable(!table)}
        onToggle={toggle}
      />
      {metrics.isError ? <ProblemView error={metrics.error} retry={() => void metrics.refetch()} /> : null}
      {data.error ? <ProblemView error={data.error} retry={data.refetch} /> : null}
      {metrics.isPending ? <Waiting /> : null}
      {metrics.data && all.length === 0 ? <Empty text="No reading yet; the first appears here as it arrives." /> : null}
      <div ref={element} class="plots">
        {table ? (
          <TableView specs={open} cells={data.cells} version={data.version} window={window} bucketS={bucketS} />
        ) : (
          open.map((spec, i) => (
            <Chart
              key={spec.key}
              spec={spec}
              colour={i % 4}
              cells={data.cells}
              version={data.version}
              window={window}
              bucketS={bucketS}
              width={width}
              gutter={gutter}
              hover={hover}
              onZoom={onZoom}
            />
          ))
        )}
        {width > gutter && !table ? (
          <>
            <Lanes
              items={lanes.items}
              presence={device.presence}
              window={window}
              width={width}
              gutter={gutter}
              hover={hover}
              selected={mark?.id ?? null}
              onSelect={setMark}
            />
            <TimeAxis window={window} width={width} gutter={gutter} stepS={bucketS} hover={hover} describe={describe} onZoom={onZoom} />
            <HoverLine window={window} width={width} gutter={gutter} hover={hover} />
          </>
        ) : null}
      </div>
      {lanes.error ? <ProblemView error={lanes.error} /> : null}
      {lanes.cut ? <p class="faint">The lanes show the newest 1,000 marks of this time.</p> : null}
      {table ? null : <Sentence mark={mark} onClear={() => setMark(null)} />}
    </section>
  );
}

export function Overview({ device, live }: { device: Device; live: TimelineItem[] }) {
  return (
    <div class="with-side">
      <ChartsPanel device={device} live={live} />
      <SidePanels device={device} />
    </div>
  );
}

