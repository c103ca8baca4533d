// Reads of the API under one scheme of keys, so that live changes know what to touch.
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/preact-query';
import { client, must } from '../api/client';
import type { Bucket, Device, DeviceList, Severity, TimelineItem } from '../api/types';
import type { DeviceQuery } from '../lib/filter';
import { kMetricsMax, type ChartSpec } from '../lib/metrics';
import type { TimeWindow } from '../lib/window';

export const kPageRows = 100;
/** The contract's largest page; a fleet with more sites or types gets a search instead. */
const kNamesMax = 1000;
const kRefreshMs = 30_000;

export type DeviceSort =
  | 'name' | '-name' | 'state' | '-state' | 'type_name' | '-type_name' | 'site_name' | '-site_name'
  | 'last_seen' | '-last_seen' | 'created_at' | '-created_at';

export function useDevices(query: DeviceQuery, sort: DeviceSort, enabled: boolean) {
  return useInfiniteQuery({
    queryKey: ['devices', 'list', query, sort],
    queryFn: ({ pageParam }) =>
      must(
        client.GET('/v1/devices', {
          params: { query: { ...query, sort, limit: kPageRows, ...(pageParam ? { cursor: pageParam } : {}) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page: DeviceList) => page.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    enabled,
    refetchInterval: (q) => ((q.state.data?.pages.length ?? 0) <= 3 ? kRefreshMs : false),
  });
}

export function useFacets(query: DeviceQuery, enabled: boolean) {
  return useQuery({
    queryKey: ['devices', 'facets', query],
    queryFn: () => must(client.GET('/v1/devices/facets', { params: { query } })),
    placeholderData: keepPreviousData,
    enabled,
    refetchInterval: kRefreshMs,
  });
}

/** How many devices there are at all, for "412 of 12,480". */
export function useFleetSize(enabled = true) {
  return useQuery({
    queryKey: ['devices', 'count'],
    queryFn: async () => (await must(client.GET('/v1/devices', { params: { query: { limit: 1 } } }))).total_estimate ?? null,
    enabled,
    refetchInterval: kRefreshMs,
  });
}

export function useSites(enabled = true) {
  return useQuery({
    queryKey: ['sites'],
    queryFn: async () => (await must(client.GET('/v1/sites', { params: { query: { limit: kNamesMax } } }))).items,
    staleTime: 30_000,
    enabled,
  });
}

export function useTypes(enabled = true) {
  return useQuery({
    queryKey: ['types'],
    queryFn: async () => (await must(client.GET('/v1/types', { params: { query: { limit: kNamesMax } } }))).items,
    staleTime: 30_000,
    enabled,
  });
}

export const deviceKey = (id: string) => ['device', id] as const;

export function useDevice(id: string) {
  return useQuery<Device>({
    queryKey: deviceKey(id),
    queryFn: () => must(client.GET('/v1/devices/{device_id}', { params: { path: { device_id: id } } })),
    // What is cached shows at once, but the stream did not follow this device until now.
    refetchOnMount: 'always',
    refetchInterval: kRefreshMs,
  });
}

export function useMetrics(id: string) {
  return useQuery({
    queryKey: ['metrics', id],
    queryFn: async () =>
      (await must(client.GET('/v1/devices/{device_id}/metrics', { params: { path: { device_id: id } } }))).items,
    refetchInterval: kRefreshMs,
  });
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** Buckets of all charts in one call, as wide as the window and one bucket before it. */
export async function readBuckets(
  id: string, specs: ChartSpec[], window: TimeWindow, bucketS: number, signal: AbortSignal,
): Promise<Bucket[]> {
  const metric = [...new Set(specs.flatMap((c) => c.series.map((s) => s.metric)))];
  const calls: Promise<Bucket[]>[] = [];
  for (let i = 0; i < metric.length; i += kMetricsMax) {
    const call = client.GET('/v1/devices/{device_id}/telemetry', {
      params: {
        path: { device_id: id },
        query: {
          metric: metric.slice(i, i + kMetricsMax),
          from: iso(window.fromMs - bucketS * 1000),
          to: iso(window.toMs + 1000),
          bucket_s: bucketS,
        },
      },
      signal,
    });
    calls.push(must(call).then((answer) => ('buckets' in answer ? answer.buckets : [])));
  }
  return (await Promise.all(calls)).flat();
}

/** What of a timeline is asked for: the query language of events, and the least severity. */
export interface TimelineSearch {
  q: string;
  severity: Severity;
}

export async function readTimeline(
  id: string, limit: number, cursor: string, window: TimeWindow | null, signal: AbortSignal, search?: TimelineSearch,
): Promise<{ items: TimelineItem[]; next_cursor: string | null; partial?: boolean }> {
  const range = window ? { from: iso(window.fromMs), to: iso(window.toMs + 1000) } : {};
  const words = search?.q ? { q: search.q } : {};
  const least = search && search.severity !== 'debug' ? { severity: search.severity } : {};
  return must(
    client.GET('/v1/devices/{device_id}/timeline', {
      params: { path: { device_id: id }, query: { limit, ...range, ...words, ...least, ...(cursor ? { cursor } : {}) } },
      signal,
    }),
  );
}
