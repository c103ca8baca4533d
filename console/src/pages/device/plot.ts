// One chart on uPlot: colours from the style sheet, bands for smallest and largest, gaps left open.
// The canvas is decoration to assistive technology; the table view and the time slider carry the values.
import type uPlot from 'uplot';
import type { Columns } from '../../lib/window';
import { formatValue, type ChartSpec } from '../../lib/metrics';

export const kPlotPx = 84;
/** Dashes beside colours, so that series differ without colour. */
export const kDashes: number[][] = [[], [7, 4], [2, 3], [9, 3, 2, 3]];

export interface Palette {
  series: string[];
  line: string;
  text: string;
  surface: string;
}

/** The colours in effect, read from an element that has them. */
export function palette(): Palette {
  const probe = document.createElement('span');
  probe.hidden = true;
  document.body.append(probe);
  const read = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const result = {
    series: [1, 2, 3, 4].map((n) => read(`--series-${n}`)),
    line: read('--line-2'),
    text: read('--text-3'),
    surface: read('--surface'),
  };
  probe.remove();
  return result;
}

function faded(color: string, alpha: number): string {
  const parts = color.match(/[\d.]+/g) ?? ['0', '0', '0'];
  return `rgba(${parts.slice(0, 3).join(', ')}, ${alpha})`;
}

export interface PlotOptions {
  spec: ChartSpec;
  /** Place of the first series among the four colours. */
  colour: number;
  palette: Palette;
  width: number;
  gutter: number;
  font: string;
  onHover: (seconds: number | null) => void;
  onZoom: (fromMs: number, toMs: number) => void;
}

/** Room above the highest figure, so that it does not touch the chart's heading. */
const kHeadroom = 1.18;

/** Figures beside the axis: three, the highest just above the highest value. */
function splits(min: number, max: number): number[] {
  const top = min + (max - min) / kHeadroom;
  return [min, (min + top) / 2, top];
}

/** Up to two significant digits, so that figures on the axis stay short. */
export function roundUp(value: number): number {
  if (value <= 0) return 0;
  const step = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Math.ceil(value / step - 1e-9) * step;
}

export function yRange(low: number | null, high: number | null): [number, number] {
  const bottom = low !== null && low < 0 ? -roundUp(-low) : 0;
  const top = Math.max(roundUp(high ?? 1), bottom);
  if (top === bottom) return [bottom, bottom + kHeadroom];
  return [bottom, bottom + (top - bottom) * kHeadroom];
}

/** Values without a neighbour on either side: no line shows them, so a point must. */
export function lonely(values: ArrayLike<number | null | undefined>): number[] {
  const found: number[] = [];
  const none = (i: number) => values[i] === null || values[i] === undefined;
  for (let i = 0; i < values.length; i++) if (!none(i) && none(i - 1) && none(i + 1)) found.push(i);
  return found;
}

function lineSeries(o: PlotOptions): uPlot.Series[] {
  const single = o.spec.series.length === 1;
  return o.spec.series.map((_, i) => {
    const stroke = o.palette.series[(o.colour + i) % 4] ?? o.palette.text;
    return {
      stroke,
      width: 1.5,
      dash: single ? [] : (kDashes[i % kDashes.length] ?? []),
      spanGaps: false,
      points: { show: true, size: 5, width: 0, fill: stroke, filter: (u, s) => lonely(u.data[s] ?? []) },
      ...(single ? { fill: faded(stroke, 0.1) } : {}),
    };
  });
}

/** Columns in uPlot's order: x, the lines, and for a single line its largest and smallest. */
export function plotData(columns: Columns): uPlot.AlignedData {
  const single = columns.mean.length === 1;
  const band = single ? [columns.max[0] ?? [], columns.min[0] ?? []] : [];
  return [columns.x, ...columns.mean, ...band] as uPlot.AlignedData;
}

export function plotOptions(o: PlotOptions): uPlot.Options {
  const lines = lineSeries(o);
  const single = lines.length === 1;
  const edge: uPlot.Series = { width: 0, points: { show: false }, spanGaps: false, stroke: 'transparent' };
  const stroke = o.palette.series[o.colour % 4] ?? o.palette.text;
  return {
    width: o.width,
    height: kPlotPx,
    padding: [6, 0, 4, 0],
    legend: { show: false },
    cursor: {
      x: false,
      y: false,
      drag: { x: true, y: false, setScale: false },
      points: { size: 6, width: 0 },
    },
    scales: {
      x: { time: true },
      y: { range: (_u, low, high) => yRange(low, high) },
    },
    axes: [
      { show: false },
      {
        size: o.gutter,
        gap: 6,
        font: o.font,
        stroke: o.palette.text,
        grid: { stroke: o.palette.line, width: 1 },
        ticks: { show: false },
        splits: (_u, _axis, min, max) => splits(min, max),
        values: (_u, at) => at.map((v) => formatValue(v, o.spec.unit === '%' ? '' : o.spec.unit)),
      },
    ],
    series: [{}, ...lines, ...(single ? [edge, edge] : [])],
    ...(single ? { bands: [{ series: [2, 3] as [number, number], fill: faded(stroke, 0.22) }] } : {}),
    hooks: {
      setCursor: [
        (u) => {
          const left = u.cursor.left ?? -1;
          o.onHover(left < 0 ? null : u.posToVal(left, 'x'));
        },
      ],
      setSelect: [
        (u) => {
          if (u.select.width < 4) return;
          o.onZoom(u.posToVal(u.select.left, 'x') * 1000, u.posToVal(u.select.left + u.select.width, 'x') * 1000);
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}
