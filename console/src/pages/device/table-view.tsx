// The charts as a table: the same numbers, newest first, for those who read rather than look.
import { clockSeconds, duration, moment } from '../../lib/format';
import { formatValue, type ChartSpec } from '../../lib/metrics';
import { columns, summary, type Cells, type TimeWindow } from '../../lib/window';
import { now } from '../../state/now';

interface Props {
  specs: ChartSpec[];
  cells: Cells;
  version: number;
  window: TimeWindow;
  bucketS: number;
}

const kRowsMax = 400;

export function TableView({ specs, cells, window, bucketS }: Props) {
  const series = specs.flatMap((spec) => spec.series.map((s) => ({ ...s, unit: spec.unit })));
  const c = columns(cells, series.map((s) => s.metric), window, bucketS);
  const rows = c.x
    .map((x, i) => ({ x, values: c.mean.map((m) => m[i] ?? null) }))
    .filter((r) => r.values.some((v) => v !== null))
    .reverse();
  const sums = series.map((s) => ({ s, sum: summary(cells, s.metric, window, bucketS) }));
  return (
    <div class="scroller table-view" tabIndex={0} role="region" aria-label="Readings as a table">
      <table class="table">
        <caption>
          Means of {duration(bucketS * 1000)} each{rows.length > kRowsMax ? `, the newest ${kRowsMax} of ${rows.length}` : ''}
        </caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {series.map((s) => (
              <th key={s.metric} scope="col" class="number">
                {s.metric}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {(['lowest', 'mean', 'highest'] as const).map((which) => (
            <tr key={which} class="sum">
              <th scope="row">{which}</th>
              {sums.map(({ s, sum }) => (
                <td key={s.metric} class="number">
                  {formatValue(sum[which], s.unit)}
                </td>
              ))}
            </tr>
          ))}
          {rows.slice(0, kRowsMax).map((row) => (
            <tr key={row.x}>
              <th scope="row">
                <time dateTime={new Date(row.x * 1000).toISOString()}>
                  {bucketS < 60 ? clockSeconds(row.x * 1000) : moment(row.x * 1000, now.peek())}
                </time>
              </th>
              {row.values.map((v, i) => (
                <td key={series[i]?.metric} class="number">
                  {v === null ? <span class="faint">–</span> : formatValue(v, series[i]?.unit ?? '')}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
