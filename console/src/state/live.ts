// The live stream of this browser, joined to what the pages show: changes of devices go into the query
// cache, readings and events to whoever listens. Starts with a session, ends with it.
import { signal } from '@preact/signals';
import type { InfiniteData } from '@tanstack/preact-query';
import { useEffect } from 'preact/hooks';
import type { Device, DeviceDelta, DeviceList, Event, LiveReading } from '../api/types';
import { applyDelta, applyToPages } from '../live/merge';
import { LiveShare, type Channel, type Interest, type LiveState, type Message } from '../live/share';
import type { SseEvent } from '../live/sse';
import { deviceKey } from './queries';
import { queryClient } from './session';

export const liveState = signal<LiveState>('connecting');
/** When the server was last heard, ms; null before the first byte. */
export const heardAt = signal<number | null>(null);

type Listener<T> = (value: T[]) => void;
const readingListeners = new Set<Listener<LiveReading>>();
const eventListeners = new Set<Listener<Event>>();

/** Lists and counts are read anew at most this often, however much changes. */
const kRereadMs = 3_000;
let rereadTimer: ReturnType<typeof setTimeout> | null = null;

function rereadSoon(keys: string[][]): void {
  if (rereadTimer !== null) return;
  rereadTimer = setTimeout(() => {
    rereadTimer = null;
    for (const queryKey of keys) void queryClient.invalidateQueries({ queryKey });
  }, kRereadMs);
}

function parse<T>(event: SseEvent): T | null {
  try {
    return JSON.parse(event.data) as T;
  } catch {
    return null;
  }
}

function applyDevices(deltas: DeviceDelta[]): void {
  let unknown = 0;
  queryClient.setQueriesData<InfiniteData<DeviceList>>({ queryKey: ['devices', 'list'] }, (data) => {
    if (!data) return data;
    const merged = applyToPages(data.pages, deltas);
    unknown += merged.unknown.length;
    return merged.pages === data.pages ? data : { ...data, pages: merged.pages };
  });
  for (const delta of deltas) {
    queryClient.setQueryData<Device>(deviceKey(delta.id), (device) => (device ? applyDelta(device, delta) : device));
  }
  rereadSoon(unknown > 0 ? [['devices']] : [['devices', 'facets'], ['devices', 'count']]);
}

function receive(events: SseEvent[]): void {
  const deltas: DeviceDelta[] = [];
  const readings: LiveReading[] = [];
  const happened: Event[] = [];
  let reset = false;
  for (const event of events) {
    if (event.event === 'device') push(deltas, parse<DeviceDelta>(event));
    else if (event.event === 'reading') {
      // Most events are readings; a list does not even look at them.
      if (readingListeners.size > 0) push(readings, parse<LiveReading>(event));
    } else if (event.event === 'event') push(happened, parse<Event>(event));
    else if (event.event === 'reset') reset = true;
  }
  if (reset) void queryClient.invalidateQueries();
  if (deltas.length > 0) applyDevices(deltas);
  if (readings.length > 0) readingListeners.forEach((tell) => tell(readings));
  if (happened.length > 0) eventListeners.forEach((tell) => tell(happened));
}

function push<T>(list: T[], value: T | null): void {
  if (value !== null) list.push(value);
}

function broadcast(): Channel {
  const channel = new BroadcastChannel('holdfast-live');
  return {
    post: (message) => channel.postMessage(message),
    listen: (handler) => {
      channel.onmessage = (e: MessageEvent<Message>) => handler(e.data);
    },
    close: () => channel.close(),
  };
}

let share: LiveShare | null = null;
let interest: Interest = [];

export function startLive(): () => void {
  const mine = new LiveShare(
    '/v1/stream',
    {
      tab: crypto.randomUUID(),
      channel: broadcast(),
      lock: (work, steal, abort) =>
        navigator.locks.request('holdfast-live', steal ? { steal } : { signal: abort }, work).then(() => undefined),
      fetch: (url, init) => fetch(url, init),
      after: (ms, run) => {
        const timer = setTimeout(run, ms);
        return () => clearTimeout(timer);
      },
      now: () => Date.now(),
      random: Math.random,
      hidden: () => document.hidden,
    },
    {
      onEvents: receive,
      onState: (state, at) => {
        liveState.value = state;
        heardAt.value = at;
        // The stream was refused: let the frame find out whether the session has ended.
        if (state === 'signed-out') void queryClient.invalidateQueries({ queryKey: ['session'] });
      },
    },
  );
  share = mine;
  mine.setInterest(interest);
  mine.start();
  return () => {
    mine.stop();
    if (share === mine) share = null;
    liveState.value = 'connecting';
    heardAt.value = null;
  };
}

/** While a page is shown, these devices are followed. The list is compared by content. */
export function useInterest(wanted: Interest): void {
  const key = wanted === 'all' ? 'all' : wanted.join(' ');
  useEffect(() => {
    interest = wanted;
    share?.setInterest(wanted);
  }, [key]);
  useEffect(
    () => () => {
      interest = [];
      share?.setInterest([]);
    },
    [],
  );
}

export function useReadings(listen: Listener<LiveReading>, deps: unknown[]): void {
  useEffect(() => {
    readingListeners.add(listen);
    return () => void readingListeners.delete(listen);
  }, deps);
}

export function useEvents(listen: Listener<Event>, deps: unknown[]): void {
  useEffect(() => {
    eventListeners.add(listen);
    return () => void eventListeners.delete(listen);
  }, deps);
}
