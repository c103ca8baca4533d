// One chart with its heading: name, unit, and the value under the cursor or the newest.
import type { Signal } from '@preact/signals';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import { formatValue, type ChartSpec } from '../../lib/metrics';
import { columns, nearestIndex, summary, type Cells, type TimeWindow } from '../../lib/window';
import { schemeVersion } from '../../state/settings';
import { palette, plotData, plotOptions } from './plot';

type Library = typeof uPlot;
let library: Promise<Library> | null = null;
/** uPlot comes with the first chart, not with the page. */
function loadLibrary(): Promise<Library> {
  library ??= import('uplot').then((m) => m.default);
  return library;
}

interface Props {
  spec: ChartSpec;
  colour: number;
  cells: Cells;
  version: number;
  window: TimeWindow;
  bucketS: number;
  width: number;
  gutter: number;
  /** Seconds under the cursor, shared by all charts and lanes. */
  hover: Signal<number | null>;
  onZoom: (fromMs: number, toMs: number) => void;
}

export function Chart(props: Props) {
  const { spec, cells, version, window, bucketS, width, gutter, hover } = props;
  const names = spec.series.map((s) => s.metric);
  const data = useMemo(() => columns(cells, names, window, bucketS), [cells, version, window, bucketS, spec]);
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef({ data, window, props });
  latest.current = { data, window, props };
  const [ready, setReady] = useState<Library | null>(null);
  useEffect(() => {
    let alive = true;
    void loadLibrary().then((found) => alive && setReady(() => found));
    return () => {
      alive = false;
    };
  }, []);
  const scheme = schemeVersion.value;
  useEffect(() => {
    const element = host.current;
    if (!ready || !element || width < gutter + 20) return;
    const drawn = new ready(
      plotOptions({
        spec,
        colour: props.colour,
        palette: palette(),
        width,
        gutter,
        font: `11px ${getComputedStyle(element).fontFamily}`,
        onHover: (seconds) => (hover.value = seconds),
        onZoom: (a, b) => latest.current.props.onZoom(a, b),
      }),
      plotData(latest.current.data),
      element,
    );
    plot.current = drawn;
    drawn.setScale('x', { min: latest.current.window.fromMs / 1000, max: latest.current.window.toMs / 1000 });
    return () => {
      plot.current = null;
      drawn.destroy();
    };
  }, [ready, spec, width, gutter, scheme]);
  useEffect(() => {
    const drawn = plot.current;
    if (!drawn) return;
    drawn.batch(() => {
      // With new scales, else the vertical one stays what it was for the old data.
      drawn.setData(plotData(data));
      drawn.setScale('x', { min: window.fromMs / 1000, max: window.toMs / 1000 });
    });
  }, [data, window]);
  return (
    <section class="chart" aria-label={spec.title}>
      <Head {...props} x={data.x} means={data.mean} />
      <div ref={host} class="chart-host" aria-hidden="true" />
    </section>
  );
}

function Head({ spec, colour, cells, window, bucketS, hover, x, means }: Props & { x: number[]; means: (number | null)[][] }) {
  const at = hover.value;
  const index = at === null ? -1 : nearestIndex(x, at, bucketS * 3);
  const single = spec.series.length === 1;
  return (
    <header class="chart-head">
      <h3>
        {single ? <span class={`swatch s${colour % 4} d0`} aria-hidden="true" /> : null}
        {spec.title}
        {spec.unit ? <span class="unit"> {spec.unit}</span> : null}
      </h3>
      <ul class="readout">
        {spec.series.map((s, i) => {
          const sum = summary(cells, s.metric, window, bucketS);
          const value = at === null ? sum.last : index < 0 ? null : (means[i]?.[index] ?? null);
          const text = formatValue(value, spec.unit === '%' ? '' : spec.unit);
          const range =
            sum.lowest === null
              ? ''
              : `lowest ${formatValue(sum.lowest, spec.unit)}, mean ${formatValue(sum.mean, spec.unit)}, highest ${formatValue(sum.highest, spec.unit)}`;
          return (
            <li key={s.metric} title={`${s.metric}: ${range}`}>
              {single ? null : (
                <>
                  <span class={`swatch s${(colour + i) % 4} d${i}`} aria-hidden="true" />
                  <span class="faint">{s.label}</span>
                </>
              )}
              <b>{text}</b>
              <span class="unseen">{range ? `, ${range}` : ', no reading in this time'}</span>
            </li>
          );
        })}
      </ul>
    </header>
  );
}
