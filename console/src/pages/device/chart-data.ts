// What the charts of one device draw: buckets from the server, kept current by live readings.
import { useQuery } from '@tanstack/preact-query';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { LiveReading, Metric, TimelineItem } from '../../api/types';
import { millis } from '../../lib/format';
import type { ChartSpec } from '../../lib/metrics';
import { kLaneItemsMax } from '../../lib/timeline';
import { addReading, bucketSeconds, cellsOf, follow, type Cells, type Range, type TimeWindow } from '../../lib/window';
import { mergeTimeline, toTimelineItem } from '../../live/merge';
import { useEvents, useReadings } from '../../state/live';
import { now } from '../../state/now';
import { readBuckets, readTimeline } from '../../state/queries';
import { queryClient } from '../../state/session';

/** Live readings kept to fill what a new read of buckets does not hold yet. */
const kReadingsMax = 2_000;
const kEventsMax = 200;
const kRereadMinMs = 15_000;
const kMarginShare = 0.012;

/** Room to the right of now, so that a mark of this moment is not cut in half. */
function withMargin(window: TimeWindow): TimeWindow {
  return { ...window, toMs: window.toMs + (window.toMs - window.fromMs) * kMarginShare };
}

/** A window that follows the clock moves in steps that can be seen, not each second. */
export function useWindow(range: Range, zoom: TimeWindow | null): { window: TimeWindow; bucketS: number } {
  const span = zoom ? zoom.toMs - zoom.fromMs : range.spanMs;
  const bucketS = bucketSeconds(span);
  const step = Math.max(1_000, (bucketS * 1_000) / 4);
  const end = Math.ceil(now.value / step) * step;
  const window = useMemo(() => zoom ?? withMargin(follow(range, end)), [zoom, range, end]);
  return { window, bucketS };
}

export interface ChartData {
  cells: Cells;
  /** Rises whenever cells changed in place. */
  version: number;
  isPending: boolean;
  error: unknown;
  refetch: () => void;
}

export function useChartData(
  deviceId: string, specs: ChartSpec[], range: Range, zoom: TimeWindow | null, bucketS: number,
): ChartData {
  const wanted = specs.map((s) => s.key).join(' ');
  const place = zoom ? `${zoom.fromMs}-${zoom.toMs}` : range.key;
  const read = useQuery({
    queryKey: ['buckets', deviceId, wanted, place],
    queryFn: ({ signal }) => readBuckets(deviceId, specs, zoom ?? follow(range, Date.now()), bucketS, signal),
    enabled: specs.length > 0,
    refetchInterval: zoom ? false : Math.max(kRereadMinMs, bucketS * 1_000),
  });
  const recent = useRef<LiveReading[]>([]);
  const [version, setVersion] = useState(0);
  const cells = useMemo(() => {
    const fresh = cellsOf(read.data ?? []);
    if (!zoom) fillUp(fresh, recent.current, bucketS);
    return fresh;
  }, [read.data, bucketS, zoom]);
  useReadings(
    (readings) => {
      const mine = readings.filter((r) => r.device_id === deviceId);
      if (mine.length === 0) return;
      recent.current = [...recent.current, ...mine].slice(-kReadingsMax);
      if (zoom) return;
      for (const reading of mine) addReading(cells, reading, bucketS);
      setVersion((v) => v + 1);
    },
    [deviceId, cells, bucketS, zoom],
  );
  return { cells, version, isPending: read.isPending && specs.length > 0, error: read.error, refetch: () => void read.refetch() };
}

/** Adds the live readings that are newer than all that was read. */
function fillUp(cells: Cells, recent: LiveReading[], bucketS: number): void {
  const newest = new Map<string, number>();
  for (const [metric, starts] of cells) newest.set(metric, Math.max(...starts.keys()));
  for (const reading of recent) {
    const known = newest.get(reading.metric);
    if (known === undefined || millis(reading.time) / 1000 >= known + bucketS) addReading(cells, reading, bucketS);
  }
}

/** Newest values of all metrics move with the stream; a metric that is new is read. */
export function useLiveMetrics(deviceId: string): void {
  useReadings(
    (readings) => {
      const mine = readings.filter((r) => r.device_id === deviceId);
      if (mine.length === 0) return;
      const key = ['metrics', deviceId];
      const known = queryClient.getQueryData<Metric[]>(key);
      if (!known) return;
      const byName = new Map(mine.map((r) => [r.metric, r]));
      queryClient.setQueryData<Metric[]>(
        key,
        known.map((m) => {
          const reading = byName.get(m.name);
          return reading ? { ...m, last_value: reading.value, last_time: reading.time } : m;
        }),
      );
      const names = new Set(known.map((m) => m.name));
      if (mine.some((r) => !names.has(r.metric))) void queryClient.invalidateQueries({ queryKey: key });
    },
    [deviceId],
  );
}

/** Events of the device that came while the page is open. */
export function useLiveItems(deviceId: string): TimelineItem[] {
  const [items, setItems] = useState<TimelineItem[]>([]);
  useEffect(() => setItems([]), [deviceId]);
  useEvents(
    (events) => {
      const mine = events.filter((e) => e.device_id === deviceId).map(toTimelineItem);
      if (mine.length === 0) return;
      setItems((old) => mergeTimeline(old, mine).slice(0, kEventsMax));
      if (mine.some((i) => i.lane === 'commands')) void queryClient.invalidateQueries({ queryKey: ['commands', deviceId] });
      if (mine.some((i) => i.kind === 'twin')) void queryClient.invalidateQueries({ queryKey: ['twin', deviceId] });
    },
    [deviceId],
  );
  return items;
}

/** What happened in the window, for the lanes. `cut`: there was more than the lanes draw. */
export function useLaneItems(deviceId: string, range: Range, zoom: TimeWindow | null, live: TimelineItem[]) {
  const place = zoom ? `${zoom.fromMs}-${zoom.toMs}` : range.key;
  const read = useQuery({
    queryKey: ['timeline', deviceId, 'lanes', place],
    queryFn: ({ signal }) => readTimeline(deviceId, kLaneItemsMax, '', zoom ?? follow(range, Date.now()), signal),
    refetchInterval: zoom ? false : 30_000,
  });
  const items = useMemo(() => mergeTimeline(read.data?.items ?? [], live), [read.data, live]);
  return { items, cut: (read.data?.next_cursor ?? null) !== null, error: read.error };
}
