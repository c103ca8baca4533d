// From the metrics that a device happens to have to the charts that a person wants first. Nothing is
// configured: names and units decide. What no rule knows gets a chart of its own, so nothing is hidden.
import type { Metric } from '../api/types';
import { bytes, duration, figure } from './format';

export type Unit = '%' | 'B' | 'B/s' | '°C' | 's' | '' | (string & {});

export interface Series {
  metric: string;
  label: string;
}

export interface ChartSpec {
  key: string;
  title: string;
  unit: Unit;
  series: Series[];
  /** Shown without being asked for. */
  first: boolean;
}

/** Series that four dashes and colours still tell apart. */
export const kSeriesMax = 4;
/** Charts that open by themselves. */
export const kFirstChartsMax = 4;
/** The contract's bound on metrics of one bucket query. */
export const kMetricsMax = 32;

const kUnits: Record<string, Unit> = {
  Cel: '°C',
  '%RH': '%',
  '%': '%',
  B: 'B',
  'B/s': 'B/s',
  By: 'B',
  s: 's',
};

/** The unit of a metric: the declared one, else what its name ends in. */
export function unitOf(metric: Pick<Metric, 'name' | 'unit'>): Unit {
  if (metric.unit) return kUnits[metric.unit] ?? metric.unit;
  const name = metric.name.toLowerCase();
  if (/_percent$|_pct$/.test(name)) return '%';
  if (/bytes_per_(s|sec|second)$|bytes_s$|_bps$/.test(name)) return 'B/s';
  if (/_bytes(_total)?$|\.bytes$/.test(name)) return 'B';
  if (/_celsius$|_c$|temp(erature)?$/.test(name)) return '°C';
  if (/_(seconds|s)$/.test(name)) return 's';
  return '';
}

export function formatValue(value: unknown, unit: Unit): string {
  if (typeof value === 'number') {
    if (unit === 'B') return bytes(value);
    if (unit === 'B/s') return `${bytes(value)}/s`;
    if (unit === 's') return value < 60 ? `${figure(value)} s` : duration(value * 1000);
    return unit === '' ? figure(value) : `${figure(value)} ${unit}`;
  }
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return value === null || value === undefined ? '–' : String(value);
}

interface Rule {
  key: string;
  title: string;
  pattern: RegExp;
  label(match: RegExpMatchArray): string;
}

// In order of interest. The first rule that takes a metric keeps it.
const kRules: Rule[] = [
  {
    key: 'cpu',
    title: 'CPU',
    pattern: /^(?:cpu|sys\.cpu)\.(?:usage_percent|used_percent|usage|busy_percent|percent)$/,
    label: () => 'CPU',
  },
  {
    key: 'memory',
    title: 'Memory',
    pattern: /^(?:mem|memory|sys\.memory)\.(?:used_percent|usage_percent|percent)$/,
    label: () => 'used',
  },
  {
    key: 'disk',
    title: 'Disk',
    pattern: /^(?:disk|disks|filesystem|fs)\.(.*?)[._:]?used_percent$/,
    label: (m) => mountName(m[1] ?? ''),
  },
  {
    key: 'network',
    title: 'Network',
    pattern: /^(?:net|network|interface)\.(.+?)[._:](rx|tx|received|sent|in|out)_?(?:bytes)?_?(?:per_s|per_sec|per_second|rate|s)$/,
    label: (m) => `${m[1]} ${/^(rx|received|in)$/.test(m[2] ?? '') ? 'in' : 'out'}`,
  },
  {
    key: 'temperature',
    title: 'Temperature',
    pattern: /^(?:(?:temp|temperature|thermal|sensors?)\.(.+)|system\.temperature_c)$/,
    label: (m) => (m[1] ?? '').replace(/_?(celsius|temp|temperature|c)$/, '') || 'temperature',
  },
  { key: 'load', title: 'Load', pattern: /^load\.(?:load_?)?(1|5|15)(?:m|min)?$/, label: (m) => `${m[1]} min` },
  { key: 'cpu-time', title: 'CPU by kind', pattern: /^cpu\.(.+)_percent$/, label: (m) => m[1] ?? '' },
  {
    key: 'disk-traffic',
    title: 'Disk traffic',
    pattern: /^disk\.io\.(.+?)\.(read|write)_bytes_s$/,
    label: (m) => `${m[1]} ${m[2]}`,
  },
  { key: 'disk-busy', title: 'Disk busy', pattern: /^disk\.io\.(.+?)\.busy_percent$/, label: (m) => m[1] ?? '' },
  {
    key: 'disk-space',
    title: 'Disk space',
    pattern: /^disk\.(.+?)\.(used|free|total)_bytes$/,
    label: (m) => `${mountName(m[1] ?? '')} ${m[2]}`,
  },
  { key: 'memory-space', title: 'Memory space', pattern: /^memory\.(used|available|total)_bytes$/, label: (m) => m[1] ?? '' },
  { key: 'swap', title: 'Swap', pattern: /^memory\.swap_(used|total)_bytes$/, label: (m) => m[1] ?? '' },
  {
    key: 'network-total',
    title: 'Network in all',
    pattern: /^network\.(.+?)\.(rx|tx)_bytes$/,
    label: (m) => `${m[1]} ${m[2] === 'rx' ? 'in' : 'out'}`,
  },
  {
    key: 'network-faults',
    title: 'Network faults',
    pattern: /^network\.(.+?)\.(rx|tx)_(errors|dropped)$/,
    label: (m) => `${m[1]} ${m[2] === 'rx' ? 'in' : 'out'} ${m[3]}`,
  },
];

function mountName(text: string): string {
  if (text === '' || text === 'root' || text === '/') return '/';
  // The agent writes a path with dots.
  return text.startsWith('/') ? text : `/${text.replaceAll('.', '/')}`;
}

/** Loopback and container bridges say nothing about the device; they stay available, but not first. */
function isBackground(series: Series[]): boolean {
  return series.every((s) => /^(lo|docker|veth|br-|virbr)/.test(s.label));
}

function split(rule: Rule, taken: { metric: Metric; match: RegExpMatchArray }[]): ChartSpec[] {
  const units = new Map<Unit, Series[]>();
  for (const { metric, match } of taken) {
    const unit = unitOf(metric);
    const list = units.get(unit) ?? [];
    list.push({ metric: metric.name, label: rule.label(match) });
    units.set(unit, list);
  }
  const charts: ChartSpec[] = [];
  for (const [unit, all] of units) {
    const quiet = all.filter((s) => isBackground([s]));
    const loud = all.filter((s) => !isBackground([s]));
    for (const list of [loud, quiet]) {
      for (let i = 0; i < list.length; i += kSeriesMax) {
        const series = list.slice(i, i + kSeriesMax);
        const many = charts.length;
        const title = many === 0 ? rule.title : `${rule.title}, ${series.map((s) => s.label).join(', ')}`;
        charts.push({ key: many === 0 ? rule.key : `${rule.key}-${many + 1}`, title, unit, series, first: many === 0 });
      }
    }
  }
  return charts;
}

const kFirstRules = new Set(['cpu', 'memory', 'disk', 'network']);

/** All charts that these metrics make, most interesting first. */
export function charts(metrics: Metric[]): ChartSpec[] {
  const rest = metrics.filter((m) => m.kind === 'number');
  const result: ChartSpec[] = [];
  for (const rule of kRules) {
    const taken: { metric: Metric; match: RegExpMatchArray }[] = [];
    for (let i = rest.length - 1; i >= 0; i--) {
      const metric = rest[i];
      const match = metric?.name.match(rule.pattern);
      if (!metric || !match) continue;
      taken.unshift({ metric, match });
      rest.splice(i, 1);
    }
    result.push(...split(rule, taken));
  }
  for (const metric of rest) {
    result.push({
      key: metric.name,
      title: metric.name,
      unit: unitOf(metric),
      series: [{ metric: metric.name, label: metric.name }],
      first: true,
    });
  }
  return markFirst(result);
}

/** A known machine opens with its four vital charts; anything else with its first few metrics. */
function markFirst(all: ChartSpec[]): ChartSpec[] {
  const machine = all.some((c) => kFirstRules.has(c.key));
  let left = kFirstChartsMax;
  return all.map((chart) => {
    const first = chart.first && left > 0 && (!machine || kFirstRules.has(chart.key));
    if (first) left -= 1;
    return { ...chart, first };
  });
}
